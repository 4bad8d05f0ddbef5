import Foundation
import HostRules
import ScanCore

/// A case whose verdict the real tcpdmatch gave.
struct Vector: CustomStringConvertible, Sendable {
    let id: String
    /// The files; `nil`: there is none.
    let allow: [UInt8]?
    let deny: [UInt8]?
    let daemon: String
    let client: String
    /// The client's name, `-` or `paranoid`.
    let name: String
    let verdict: String
    /// The rule that decided: `allow:1`, or `none`.
    let rule: String
    /// The pattern files it needs, by path.
    let files: [String: [UInt8]]

    var description: String { id }

    /// All of them.
    static let all: [Vector] = read()

    private static func rows(_ name: String) -> [[String]] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = folder.appendingPathComponent("Fixtures/hosts_access/" + name)
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { fatalError("\(file) can't be read") }
        return text.split(separator: "\n").dropFirst().map { row in
            row.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }

    private static func read() -> [Vector] {
        var files: [String: [String: [UInt8]]] = [:]
        for row in rows("files.tsv") { files[row[0], default: [:]][place(row[1])] = unescaped(row[2]) }
        return rows("vectors.tsv").map { row in
            let rule = row[7].components(separatedBy: "[rule ")[1].prefix { $0 != "]" }
            return Vector(
                id: row[0], allow: file(row[1]), deny: file(row[2]), daemon: row[3], client: row[4], name: row[5],
                verdict: row[6], rule: String(rule), files: files[row[0]] ?? [:])
        }
    }

    private static func file(_ text: String) -> [UInt8]? { text == "<absent>" ? nil : unescaped(place(text)) }

    /// `PATTERNS/` stands for a folder.
    private static func place(_ text: String) -> String {
        text.replacingOccurrences(of: "PATTERNS/", with: "/patterns/")
    }

    private static func unescaped(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Substring(place(text))
        while let character = rest.popFirst() {
            if character != "\\" {
                bytes += Array(String(character).utf8)
                continue
            }
            switch rest.popFirst() {
            case "n": bytes.append(10)
            case "r": bytes.append(13)
            case "t": bytes.append(9)
            case "u":
                bytes += [0xef, 0xbb, 0xbf]
                rest.removeFirst(4)
            default: bytes.append(UInt8(ascii: "\\"))
            }
        }
        return bytes
    }
}

/// A system that has what a test gives it.
struct TestSystem: RuleEnvironment {
    var files: [String: [UInt8]] = [:]
    var users: Set<String> = []
    var groups: Set<String> = []
    var directories: Set<String> = []

    func withPatterns(in path: Span<UInt8>, _ body: (Span<UInt8>) -> Void) -> Bool {
        guard let file = files[path.string] else { return false }
        body(file.span)
        return true
    }

    func hasUser(_ name: Span<UInt8>) -> Bool { users.contains(name.string) }
    func hasGroup(_ name: Span<UInt8>) -> Bool { groups.contains(name.string) }
    func hasDirectory(_ path: Span<UInt8>) -> Bool { directories.contains(path.string) }
}

extension Span<UInt8> {
    /// The bytes as text, for tests.
    var string: String { String(decoding: indices.map { self[$0] }, as: UTF8.self) }
}

extension Address {
    /// The address of text that is one.
    static func of(_ text: String) -> Address {
        guard let address = Address(Array(text.utf8).span) else { fatalError("\(text) is no address") }
        return address
    }
}

extension FixedName {
    /// The name of text that is short enough.
    static func of(_ text: String) -> FixedName {
        guard let name = FixedName(Array(text.utf8).span) else { fatalError("\(text) is no name") }
        return name
    }
}

/// What the rules say of a client, in words: the verdict and the rule that decided.
struct Outcome: Equatable, CustomStringConvertible {
    let verdict: String
    let rule: String

    var description: String { "\(verdict) by \(rule)" }

    init(_ verdict: String, _ rule: String) {
        self.verdict = verdict
        self.rule = rule
    }

    init(_ decision: Decision) {
        verdict = "\(decision.verdict)"
        rule = decision.file.map { "\($0):\(decision.line)" } ?? "none"
    }
}

/// Asks both files about a client.
///
/// - Parameters:
///   - daemon: its name, with `@address` if the server's is known.
///   - client: its address, with `user@` before it if the user is known.
///   - name: its name, `-` if it has none, or `paranoid`.
func decide(
    allow: [UInt8]?, deny: [UInt8]?, daemon: String = "sshd", client: String, name: String = "-", port: UInt16? = nil,
    system: TestSystem = TestSystem()
) -> Decision {
    for (file, text) in [(RuleFile.allow, allow), (.deny, deny)] {
        guard let text else { continue }
        var search = RuleMatcher(query(daemon, client, name, port), in: file)
        if let decision = search.decide(text.span, system) { return decision }
    }
    return .noRule
}

func query(_ daemon: String, _ client: String, _ name: String = "-", _ port: UInt16? = nil) -> RuleQuery {
    let daemon = daemon.split(separator: "@", maxSplits: 1)
    let client = client.split(separator: "@", maxSplits: 1)
    let hostName: RuleHost.Name =
        name == "-" ? .unknown : name == "paranoid" ? .paranoid : .known(.of(name))
    return RuleQuery(
        daemon: .of(String(daemon[0])),
        server: daemon.count == 2 ? RuleHost(address: .of(String(daemon[1]))) : RuleHost(),
        port: port,
        user: client.count == 2 ? .of(String(client[0])) : nil,
        client: RuleHost(address: .of(String(client[client.count - 1])), name: hostName))
}
