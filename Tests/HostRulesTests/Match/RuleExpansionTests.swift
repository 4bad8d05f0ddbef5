import HostRules
import ScanCore
import Testing

/// What `%a` and the like become, whatever a client's name is.
struct RuleExpansionTests {
    private func name(_ text: String) throws -> FixedName {
        let name = FixedName(text.utf8Span.span)
        return try #require(name)
    }

    private func expanded(
        _ text: String, name: String? = nil, daemon: String = "in.ftpd", unescapesColons: Bool = false
    ) throws -> String {
        let client = RuleHost(
            address: Address(ipv4: 0xc000_0207), name: try name.map { .known(try self.name($0)) } ?? .notLookedUp)
        let values = ExpansionValues(
            daemon: try self.name(daemon), client: client, clientPort: 40000,
            server: RuleHost(address: Address(ipv6High: 0x2001_0db8_0000_0000, low: 1)), serverPort: 21, process: 4711)
        var bytes: [UInt8] = []
        values.expand(text.utf8Span.span, unescapesColons: unescapesColons) { bytes.append($0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [
        ("%a", "192.0.2.7"), ("%A", "2001:db8::1"), ("%c", "192.0.2.7"), ("%h", "192.0.2.7"), ("%H", "2001:db8::1"),
        ("%n", "unknown"), ("%N", "unknown"), ("%d", "in.ftpd"), ("%s", "in.ftpd@2001:db8::1"), ("%u", "unknown"),
        ("%p", "4711"), ("%r", "40000"), ("%R", "21"), ("%%", "%"), ("%%a", "%a"), ("%", "%"), ("a%", "a%"),
        ("%q", ""), ("x%qy", "xy"), ("", ""),
    ])
    func eachLetterStandsForAFact(text: String, value: String) throws {
        #expect(try expanded(text) == value)
    }

    @Test func aKnownNameStandsBeforeTheAddress() throws {
        #expect(
            try expanded("%c %h %n %a", name: "www.example.com") == "www.example.com www.example.com "
                + "www.example.com 192.0.2.7")
    }

    @Test func onlyEscapedColonsOfOptionsAreUnescaped() throws {
        #expect(try expanded(#"a\:b\c\\:d\"#, unescapesColons: true) == #"a:b\c\:d\"#)
        #expect(try expanded(#"a\:b"#) == #"a\:b"#)
    }

    @Test func everyByteOfANameIsHarmless() throws {
        let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%-_=+:,./".utf8)
        for byte in UInt8.min...UInt8.max {
            #expect(allowed.contains(byte.cleaned(isFirst: false)))
            #expect(byte.cleaned(isFirst: false) == (allowed.contains(byte) ? byte : UInt8(ascii: "_")))
            let isHyphen = byte == UInt8(ascii: "-")
            #expect(byte.cleaned(isFirst: true) == (isHyphen ? UInt8(ascii: "_") : byte.cleaned(isFirst: false)))
        }
        #expect(try expanded("rm %n", name: "-rf") == "rm _rf")
        #expect(try expanded("%n", name: "$(id)`;|&<>'\"\\\n") == "__id___________")
        #expect(try expanded("%d", daemon: "--x") == "_-x")
    }

    @Test(arguments: [("%n", true), ("%%n", false), ("%%%n", true), ("%", false), ("n", false), ("%N", false)])
    func aNameIsNeededForItsLetterOnly(text: String, isNeeded: Bool) {
        #expect(text.utf8Span.span.expandsName("n") == isNeeded)
    }
}

/// Rules whose decision needs a name that has not been looked up.
struct PendingNameTests {
    private struct NoFiles: RuleEnvironment {
        func withPatterns(in path: Span<UInt8>, _ body: (Span<UInt8>) -> Void) -> Bool {
            body(".example.com 192.0.2.9".utf8Span.span)
            return true
        }
    }

    /// What the first step says that is more than that others are meant.
    private func outcome(of rules: String, isNameKnown: Bool = false) throws -> String {
        let given = FixedName("www.example.com".utf8Span.span)
        let name = try #require(given)
        let client = RuleHost(address: Address(ipv4: 0xc000_0207), name: isNameKnown ? .known(name) : .notLookedUp)
        let server = RuleHost(address: Address(ipv4: 0xc000_0201), name: .notLookedUp)
        let service = FixedName("sshd".utf8Span.span)
        let daemon = try #require(service)
        var matcher = RuleMatcher(RuleQuery(daemon: daemon, server: server, client: client), in: .allow)
        while let step = matcher.step(rules.utf8Span.span, NoFiles()) {
            switch step {
            case .needsName(.client): return "client"
            case .needsName(.server): return "server"
            case .decision(let decision): return decision.verdict == .granted ? "granted" : "denied"
            case .line, .otherDaemon, .otherClient: continue
            }
        }
        return "none"
    }

    @Test(arguments: [
        ("ALL: .example.com\n", "client"), ("ALL: KNOWN\n", "client"), ("ALL: LOCAL\n", "client"),
        ("ALL: PARANOID\n", "client"), ("ALL: UNKNOWN\n", "client"), ("ALL: /file\n", "client"),
        ("ALL: u@www.example.com\n", "client"), ("ALL: ALL EXCEPT .example.com\n", "client"),
        ("sshd@www.example.org: ALL\n", "server"), ("ftpd@www.example.org: .example.com\n", "none"),
        ("ftpd: .example.com\n", "none"), ("ALL: 192.0.2.8 198.51.100.\n", "none"), ("ALL: 192.0.2.7\n", "granted"),
        ("ALL: 192.0.2.7 .example.com\n", "granted"), ("ALL: 192.0.2.*\n", "granted"), ("ALL: ALL\n", "granted"),
        ("ALL: 192.0.2.0/24 EXCEPT 192.0.2.8\n", "granted"),
    ])
    func aNameIsAskedForWhereItDecides(rules: String, expected: String) throws {
        #expect(try outcome(of: rules) == expected)
    }

    @Test func onceItIsKnownNoneIsAskedFor() throws {
        #expect(try outcome(of: "ALL: .example.com\n", isNameKnown: true) == "granted")
        #expect(try outcome(of: "ALL: ALL EXCEPT .example.com\n", isNameKnown: true) == "none")
    }
}
