import System

/// The role that the program runs in: the first argument selects it, otherwise it is the detector.
///
/// Roles are listed here, and nowhere else: the entry point, and the line of `--help`.
enum Role {
    case detector
    case connections
    case rules
    case wrap

    /// All roles, in the order of `--help`.
    static var all: InlineArray<4, Role> { [.detector, .connections, .rules, .wrap] }

    /// The role that the arguments select, of which the first is the program's name. Roles that are not built in do not
    /// count.
    init(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) {
        self = .detector
        #if Wrap
            if isStartedAsTcpd {
                self = .wrap
                return
            }
        #endif
        guard count > 1, let first = unsafe arguments[1] else { return }
        let word = unsafe CString(unsafe: first)
        let all = Role.all
        for index in all.indices {
            guard let name = all[index].name, all[index].isBuiltIn, name == word else { continue }
            self = all[index]
        }
    }

    /// The first argument that selects it; `nil`: none does.
    var name: CString? {
        switch self {
        case .detector: nil
        case .connections: "connections"
        case .rules: "rules"
        case .wrap: "wrap"
        }
    }

    /// Whether this binary includes it.
    var isBuiltIn: Bool {
        switch self {
        case .detector: return true
        case .connections:
            #if Connections
                return true
            #else
                return false
            #endif
        case .rules:
            #if Rules
                return true
            #else
                return false
            #endif
        case .wrap:
            #if Wrap
                return true
            #else
                return false
            #endif
        }
    }

    /// Its line of `--help`; the detector prints its own lines.
    var usage: String {
        switch self {
        case .detector: ""
        case .connections: "       scanlogd connections ...   see scanlogd connections -h\n"
        case .rules: "       scanlogd rules ...         see scanlogd rules -h\n"
        case .wrap: "       scanlogd wrap ...          see scanlogd wrap -h\n"
        }
    }

    /// Whether standard error may be a connection, where errors are nothing for the client.
    var isStartedForConnection: Bool { self == .wrap }

    /// Runs it, and returns the exit status. The arguments are those of the program.
    func run(
        _ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    ) throws(SystemError) -> Int32 {
        switch self {
        #if Connections
            case .connections: return try unsafe runConnections(count - 1, arguments + 1)
        #endif
        #if Rules
            case .rules: return unsafe runRules(count - 1, arguments + 1)
        #endif
        #if Wrap
            case .wrap: return unsafe runWrap(count, arguments)
        #endif
        default: return try unsafe runDetector(count, arguments)
        }
    }
}
