import HostRules
import ScanCore

/// A query and the files it is asked of, as bytes say: parts between bytes of 0xff, of which the first is six lines, the
/// daemon, the server's address, the port, the user, the client's address and its name; then hosts.allow, hosts.deny,
/// and the pattern files /a and /b. What is missing or makes no sense is not known.
struct RulesCase {
    var allow: [UInt8]
    var deny: [UInt8]
    let system: CaseSystem
    private let daemon: [UInt8]
    private let server: Address?
    private let port: UInt16?
    private let user: [UInt8]?
    private let client: Address?
    private let name: [UInt8]

    init(_ input: [UInt8]) {
        var parts = input.split(separator: 0xff, maxSplits: 4, omittingEmptySubsequences: false).map(Array.init)
        while parts.count < 5 { parts.append([]) }
        var lines = parts[0].split(separator: 10, omittingEmptySubsequences: false).map { Array($0.prefix(255)) }
        while lines.count < 6 { lines.append([]) }
        daemon = lines[0].isEmpty ? Array("sshd".utf8) : lines[0]
        server = Self.address(lines[1])
        port = UInt16(String(decoding: lines[2], as: UTF8.self))
        user = lines[3].isEmpty ? nil : lines[3]
        client = Self.address(lines[4])
        name = lines[5].isEmpty ? Array("unknown".utf8) : lines[5]
        allow = parts[1]
        deny = parts[2]
        system = CaseSystem(files: [Array("/a".utf8): parts[3], Array("/b".utf8): parts[4]])
    }

    private static func address(_ text: [UInt8]) -> Address? { Address(text.span) }

    /// The query, for the matcher.
    var query: RuleQuery {
        guard let daemon = FixedName(daemon.span), let name = FixedName(name.span) else {
            fatalError("a name of no bytes")
        }
        return RuleQuery(
            daemon: daemon, server: RuleHost(address: server), port: port, user: user.flatMap { FixedName($0.span) },
            client: RuleHost(address: client, name: .known(name)))
    }

    /// The query, for the model.
    var model: RulesModel {
        var model = RulesModel(
            daemon: daemon, port: port.map { Int($0) }, server: Self.host(server, Array("unknown".utf8)),
            user: user ?? Array("unknown".utf8), client: Self.host(client, name))
        model.files = system.files
        model.users = [Array("root".utf8)]
        model.groups = [Array("wheel".utf8)]
        return model
    }

    private static func host(_ address: Address?, _ name: [UInt8]) -> RulesModel.Host {
        guard let address else { return RulesModel.Host(address: Array("unknown".utf8), bytes: [], name: name) }
        var bytes: [UInt8] = []
        for half in [address.high, address.low] {
            for byte in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: half >> UInt64(56 - byte * 8))) }
        }
        let isMapped = bytes.starts(with: Array(repeating: 0, count: 10) + [255, 255])
        if address.isIPv4 || isMapped { bytes.removeFirst(12) }
        var text = LogLine()
        let isCompatible =
            bytes.count == 16 && bytes.starts(with: Array(repeating: 0, count: 12)) && bytes[12...13] != [0, 0]
        if isCompatible { text.append("::") }
        let isDotted = isCompatible || isMapped
        text.append(isDotted ? Address(ipv4: UInt32(truncatingIfNeeded: address.low)) : address)
        return RulesModel.Host(address: (0..<text.count).map { text.bytes[$0] }, bytes: bytes, name: name)
    }
}

/// A system of two pattern files, one user and one group, that counts what it lends.
final class CaseSystem: RuleEnvironment {
    let files: [[UInt8]: [UInt8]]
    private(set) var lent = 0

    init(files: [[UInt8]: [UInt8]]) {
        self.files = files
    }

    func withPatterns(in path: Span<UInt8>, _ body: (Span<UInt8>) -> Void) -> Bool {
        // As the model has it: words of a list come in small letters.
        guard let file = files[path.array.map { $0 >= 65 && $0 <= 90 ? $0 + 32 : $0 }] else { return false }
        lent += file.count
        body(file.span)
        return true
    }

    func hasUser(_ name: Span<UInt8>) -> Bool { name.array == Array("root".utf8) }
    func hasGroup(_ name: Span<UInt8>) -> Bool { name.array == Array("wheel".utf8) }
    func hasDirectory(_ path: Span<UInt8>) -> Bool { path.array == Array("/".utf8) }
}

/// Memory for the rules of a file, of a few slots at first, so that it has to grow.
struct ArrayMemory: RulePairMemory {
    private var slots: [RulePairSlot]

    init(count: Int = 4) {
        slots = Array(repeating: RulePairSlot(), count: count)
    }

    var count: Int { slots.count }

    subscript(index: Int) -> RulePairSlot {
        get { slots[index] }
        set { slots[index] = newValue }
    }

    func doubled() -> ArrayMemory? { ArrayMemory(count: count * 2) }
}

extension RuleLinter<ArrayMemory> {
    /// A check of a file on its own, or after that of hosts.allow.
    init(_ purpose: RuleFilePurpose, reportsImplicitAllow: Bool = false) {
        self.init(
            purpose, reportsImplicitAllow: reportsImplicitAllow, after: EarlierRules(ArrayMemory()), in: ArrayMemory())
    }
}

extension Span<UInt8> {
    /// The bytes, for tests.
    var array: [UInt8] { indices.map { self[$0] } }
}

/// What the matcher and the model say of a case, and whether that is the same.
struct RulesVerdicts {
    let found: String
    let expected: String
    /// What is wrong beside: steps beyond the bound, or a decision by a rule that can't be reached.
    private(set) var fault: String?

    init(_ input: [UInt8]) {
        let tried = RulesCase(input)
        var model = tried.model
        var found: String?
        var expected: String?
        var earlier = EarlierRules(ArrayMemory())
        for (file, text) in [(RuleFile.allow, tried.allow), (.deny, tried.deny)] where found == nil {
            var search = RuleMatcher(tried.query, in: file)
            let lentBefore = tried.system.lent
            let decision = search.decide(text.span, tried.system)
            found = decision.map { "\($0.verdict) \($0.line)" }
            expected = expected ?? model.decide(text, isAllow: file == .allow)
            let read = text.count + tried.system.lent - lentBefore
            if search.steps > 600 * read { fault = "\(search.steps) steps for \(read) bytes" }
            let line = search.withRule { $0.firstLine }
            let unreachable = Self.unreachable(text, tried.system, &earlier, &fault)
            if let decision, decision.reason == .rule || decision.reason == .command, unreachable.contains(line) {
                fault = "line \(line) was never to be reached"
            }
        }
        self.found = found ?? "open"
        self.expected = expected ?? "open"
    }

    /// The lines that the check says are never reached, of the file that is read after another.
    private static func unreachable(
        _ text: [UInt8], _ system: CaseSystem, _ earlier: inout EarlierRules<ArrayMemory>, _ fault: inout String?
    ) -> Set<Int> {
        struct Lines: RuleProblemSink {
            var found: Set<Int> = []
            var all = false

            mutating func receive(_ problem: RuleProblem, word: Span<UInt8>, patternFile: Span<UInt8>) {
                switch problem.kind {
                case .shadowed, .shadowedByMany, .repeated, .afterAll, .shadowedInAllow: found.insert(problem.line)
                case .allowedBefore: all = true
                default: break
                }
            }
        }
        var lines = Lines()
        var before = EarlierRules(ArrayMemory())
        swap(&before, &earlier)
        var check = RuleLinter(.deny, after: before, in: ArrayMemory())
        let lentBefore = system.lent
        while check.next(of: text.span, system, &lines) != nil {
            if lines.all { lines.found.insert(check.withRule { $0.firstLine }) }
        }
        let read = text.count + system.lent - lentBefore
        if check.steps > 600 * read { fault = "\(check.steps) steps of the check for \(read) bytes" }
        earlier = check.finish()
        return lines.found
    }
}
