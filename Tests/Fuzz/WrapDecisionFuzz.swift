import HostRules
import ScanCore
import System

/// The input is who connects, what a name server says of it, and the rule files, as in ``RulesCase``: the wrapper, which
/// looks a name up once a rule needs it, decides as one that has looked it up before; it starts again once for each host
/// at most; and nothing that a client controls is more than text in what becomes of the options.
@c(LLVMFuzzerTestOneInput)
public func wrapDecisionFuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let input = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    _ = InternetOptions(Array(input.prefix(40)).span)
    let connection = WrapCase(input)
    let eager = connection.decide(isLookedUp: true)
    let lazy = connection.decide(isLookedUp: false)
    check(eager.decision == lazy.decision, "\(lazy.decision) where all names are known: \(eager.decision)")
    check(eager.restarts == 0 && lazy.restarts <= 2, "\(lazy.restarts) restarts")
    return 0
}

private struct WrapCase {
    private let files: RulesCase
    private let client: Address?
    private let server: Address?
    private let answer: ResolvedName

    init(_ input: [UInt8]) {
        files = RulesCase(input)
        var lines = input.split(separator: 10, maxSplits: 5, omittingEmptySubsequences: false).map(Array.init)
        while lines.count < 6 { lines.append([]) }
        let (own, other) = (lines[1], lines[4])
        server = Address(own.span)
        client = Address(other.span)
        let name = lines[5].prefix { $0 != 10 && $0 != 0xff }.map { $0 }
        answer = ResolvedName(name.span)
    }

    /// What becomes of the answer of a name server about a host. Nobody is asked about one without an address.
    private func name(of address: Address?) -> RuleHost.Name {
        if address == nil || answer.count == 0 { return .unknown }
        guard answer.isHostName, let name = answer.withBytes({ FixedName($0) }) else { return .paranoid }
        return .known(name)
    }

    func decide(isLookedUp: Bool) -> (decision: Decision, restarts: Int) {
        var clientName = isLookedUp ? name(of: client) : .notLookedUp
        var serverName = isLookedUp ? name(of: server) : .notLookedUp
        var restarts = 0
        for (text, file) in [(files.allow, RuleFile.allow), (files.deny, .deny)] {
            search: while true {
                let clientHost = RuleHost(address: client, name: clientName)
                let serverHost = RuleHost(address: server, name: serverName)
                guard let daemon = FixedName("sshd".utf8Span.span) else { fatalError("no daemon") }
                let query = RuleQuery(daemon: daemon, server: serverHost, port: 22, client: clientHost)
                var matcher = RuleMatcher(query, in: file)
                while let step = matcher.step(text.span, files.system) {
                    switch step {
                    case .needsName(.client):
                        clientName = name(of: client)
                        restarts += 1
                        continue search
                    case .needsName(.server):
                        serverName = name(of: server)
                        restarts += 1
                        continue search
                    case .decision(let decision):
                        switch decision.reason {
                        // As the wrapper: of a line that is broken nothing is carried out.
                        case .rule, .command, .badOption: checkOptions(&matcher, clientHost, serverHost, daemon)
                        case .noRule, .unreadable, .brokenLine, .tooManyPatternFiles: break
                        }
                        return (decision, restarts)
                    case .line, .otherDaemon, .otherClient: continue
                    }
                }
                break
            }
        }
        return (.noRule, restarts)
    }

    /// Expands each option, and compares it with the same option of a client that is called `x`.
    private func checkOptions(
        _ matcher: inout RuleMatcher, _ client: RuleHost, _ server: RuleHost, _ daemon: FixedName
    ) {
        let values = ExpansionValues(
            daemon: daemon, client: client, clientPort: 1, server: server, serverPort: 2, process: 3)
        matcher.withRule { rule in
            guard let range = rule.options else { return }
            rule.withText { text in
                var options = RuleOptions(range)
                while let option = options.next(of: text) {
                    let value = text.extracting(option.value)
                    var plain: [UInt8: Int] = [:]
                    for index in value.indices { plain[value[index], default: 0] += 1 }
                    var counts: [UInt8: Int] = [:]
                    values.expand(value) { counts[$0, default: 0] += 1 }
                    for (byte, count) in counts where byte.cleaned(isFirst: false) != byte {
                        check(count <= plain[byte] ?? 0, "byte \(byte) comes from an expansion")
                    }
                }
            }
        }
    }
}
