import System

/// What the program is run as: the first argument says so, or else it is the detector.
///
/// A role is listed here, and nowhere else: what runs it, and its line of `--help`.
enum Role {
    case detector
    case connections
    case rules

    /// All there are, in the order of `--help`.
    static var all: InlineArray<3, Role> { [.detector, .connections, .rules] }

    /// The role that arguments ask for, of which the first is the program's name. A role that is not built in is none.
    init(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) {
        self = .detector
        guard count > 1, let first = unsafe arguments[1] else { return }
        let word = unsafe CString(unsafe: first)
        let all = Role.all
        for index in all.indices {
            guard let name = all[index].name, all[index].isBuiltIn, name == word else { continue }
            self = all[index]
        }
    }

    /// The first argument that asks for it; `nil`: none does.
    var name: CString? {
        switch self {
        case .detector: nil
        case .connections: "connections"
        case .rules: "rules"
        }
    }

    /// Whether this binary has it.
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
        }
    }

    /// Its line of `--help`; the detector has lines of its own.
    var usage: String {
        switch self {
        case .detector: ""
        case .connections: "       scanlogd connections ...   see scanlogd connections -h\n"
        case .rules: "       scanlogd rules ...         see scanlogd rules -h\n"
        }
    }

    /// Runs it, and returns the exit status. The arguments are the program's.
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
        default: return try unsafe runDetector(count, arguments)
        }
    }
}
