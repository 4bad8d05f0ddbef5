import HostRules
import ScanCore
import Testing

/// `scanlogd --exempt`: what it accepts, what it refuses, and what it says of a source.
struct ExemptRulesTests {
    /// What a file says of some sources, in words.
    private func verdicts(_ file: String, _ sources: [String], files: [String: String] = [:]) -> [String] {
        var rules = ExemptRules()
        var log = ProblemLog()
        let system = TestSystem(files: files.mapValues { Array($0.utf8) })
        let isGood = rules.compile(Array(file.utf8).span, system, &log)
        #expect(log.lines == [])
        #expect(isGood)
        return sources.map { "\(rules.verdict(for: .of($0)))" }
    }

    /// The problem that stops a file. It is the first of those that are told where all are asked for.
    private func problem(_ file: String, files: [String: String] = [:]) -> String {
        var rules = ExemptRules()
        var log = ProblemLog(isForExempt: true)
        let system = TestSystem(files: files.mapValues { Array($0.utf8) })
        let isGood = rules.compile(Array(file.utf8).span, system, &log)
        #expect(!isGood)
        #expect(log.lines.count == 1)
        #expect(rules.count == 0)
        #expect(problems(file, files: files).first == log.lines.first)
        return log.lines.first ?? ""
    }

    /// All problems that would stop a file.
    private func problems(_ file: String, files: [String: String] = [:]) -> [String] {
        var rules = ExemptRules()
        var log = ProblemLog(isForExempt: true)
        let system = TestSystem(files: files.mapValues { Array($0.utf8) })
        let bytes = Array(file.utf8)
        var reader = RuleReader()
        var rule = Rule()
        while let line = reader.next(of: bytes.span, into: &rule) {
            rules.add(line, &rule, in: bytes.span, system, &log)
        }
        return log.lines
    }

    @Test func noRuleMeansReported() {
        var rules = ExemptRules()
        #expect(rules.verdict(for: .of("192.0.2.7")) == .reported)
        #expect(verdicts("", ["192.0.2.7", "2001:db8::1"]) == ["reported", "reported"])
        #expect(verdicts("# nothing\n\n", ["192.0.2.7"]) == ["reported"])
    }

    @Test func theExampleOfTheManualDoesWhatItSays() {
        let file = "scanlogd: 192.0.2.7 [2001:db8:5::]/48\nscanlogd: 10.0.0.0/8 EXCEPT 10.9.0.0/16 : severity notice\n"
        let sources = ["192.0.2.7", "192.0.2.8", "2001:db8:5:ffff::1", "2001:db8:6::", "10.8.255.255", "10.9.0.1"]
        #expect(
            verdicts(file, sources) == [
                "exempt", "reported", "exempt", "reported", "reportedAt(level: 5)", "reported",
            ])
    }

    @Test(arguments: [
        ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
        ("192.0.2.", "192.0.2.255", "192.0.3.0"),
        ("192.", "192.0.0.1", "191.255.255.255"),
        ("192.0.2.0/255.255.255.128", "192.0.2.127", "192.0.2.128"),
        ("0.0.0.1/0.0.0.1", "10.9.8.7", "10.9.8.6"),
        ("192.0.2.0/25", "192.0.2.0", "192.0.2.128"),
        ("128.0.0.0/1", "255.255.255.254", "127.255.255.255"),
        ("192.0.2.7/32", "192.0.2.7", "192.0.2.6"),
        ("[2001:db8::1]", "2001:db8::1", "2001:db8::2"),
        ("[2001:db8::]/33", "2001:db8:7fff::", "2001:db8:8000::"),
        ("[::]/0", "fe80::1", "10.1.1.1"),
        ("[2001:db8::1]/128", "2001:db8::1", "2001:db8::"),
        ("192.0.2.*", "192.0.2.200", "192.0.3.2"),
        ("192.0.2.?", "192.0.2.9", "192.0.2.10"),
        ("255.*.0.?", "255.1.0.9", "255.1.0.10"),
        ("10.00.0.000/255.255.0.00", "10.0.1.1", "10.1.0.0"),
        ("1?2.3.4", "1.2.3.4", "1.2.3.5"),
        ("/wild", "2001:db8:0:1::5", "2001:db8:1::5"),
        ("/wild", "::1.2.3.9", "::1.2.4.9"),
        ("/wild", "1:2:3:4:5:6:7:ffff", "1:2:3:4:5:6:8:ffff"),
        ("192.0.2.7, 192.0.2.9", "192.0.2.9", "192.0.2.8"),
        ("ALL EXCEPT 10. EXCEPT 10.1.1.1", "10.1.1.1", "10.1.1.2"),
        ("/list", "10.2.3.4", "10.3.2.4"),
        ("/list", "2001:db8::5", "2001:db8::6"),
        ("/list", "2001:db8:1::1", "2001:db8:2::1"),
        ("/list", "192.0.2.1", "192.0.2.2"),
        ("/list EXCEPT 10.2.3.4", "10.2.3.5", "10.2.3.4"),
    ])
    func eachKindOfPatternExemptsWhatItDescribes(_ pattern: String, _ inside: String, _ outside: String) {
        let files = [
            "/list": "# ours\n10.2.\n2001:db8::5 2001:db8:1:*\n/more", "/more": "192.0.2.1",
            "/wild": "2001:DB8:0:1:* ::1.2.3.* 1:2:3:4:5:6:7:*",
        ]
        let found = verdicts("scanlogd: \(pattern)\n", [inside, outside], files: files)
        #expect(found == ["exempt", "reported"])
    }

    @Test func allExemptsEverything() {
        for pattern in ["ALL", "all", "*", "**"] {
            let found = verdicts("ALL: \(pattern)", ["10.1.1.1", "2001:db8::1", "::ffff:10.1.1.1"])
            #expect(found == ["exempt", "exempt", "exempt"])
        }
    }

    @Test func aMappedSourceIsNotTakenForTheAddressInIt() {
        let sources = ["::ffff:10.1.1.1", "10.1.1.1"]
        for pattern in ["10.1.1.1", "10.", "10.0.0.0/8", "10.*", "*.1.1.1", "???1.1.1"] {
            let found = verdicts("scanlogd: \(pattern) 10.1.1.1", sources)
            #expect(found == ["reported", "exempt"])
        }
        #expect(verdicts("scanlogd: [::ffff:0:0]/96", sources) == ["exempt", "reported"])
    }

    @Test(arguments: ["# C:\\dir\\", " \t\\\n", "#\\\n", "sshd: ALL \\", "sshd: ALL \\\n"])
    func aBackslashAtTheEndMattersInARuleAboutScanlogdOnly(end: String) {
        #expect(verdicts("scanlogd: 10.1.1.1\n" + end, ["10.1.1.1", "10.1.1.2"]) == ["exempt", "reported"])
    }

    @Test func onlyRulesAboutScanlogdCount() {
        let file = """
            sshd: 10.1.1.1 .example.com : twist /bin/false
            ALL EXCEPT scanlogd: 10.1.1.2
            ALL EXCEPT sshd: 10.1.1.3
            sshd SCANLOGD: 10.1.1.4
            scan*: 10.1.1.5
            22: 10.1.1.6
            sshd@10.9.9.9: ALL
            """
        let sources = (1...6).map { "10.1.1.\($0)" }
        #expect(
            verdicts(file, sources) == ["reported", "reported", "exempt", "exempt", "exempt", "reported"])
    }

    @Test func theFirstRuleThatMatchesDecides() {
        let file = """
            scanlogd: 10.1.1.1 : deny
            scanlogd: 10.1.1.2 : severity info : deny
            scanlogd: 10.1.1.3 : severity mail.debug : allow
            scanlogd: 10.1.1.4 : allow
            scanlogd: 10.1.1. : severity emerg
            """
        #expect(
            verdicts(file, (1...5).map { "10.1.1.\($0)" }) == [
                "reported", "reportedAt(level: 6)", "reportedAt(level: 7)", "exempt", "reportedAt(level: 0)",
            ])
    }

    @Test(arguments: [
        ("scanlogd: www.example.com", "file:1:11: \"www.example.com\": needs a name"),
        (
            "scanlogd: \"192.0.2.7\"",
            "file:1:11: \"\"192.0.2.7\"\": no address is printed like this, and no host has such a name: scanlogd does not"
        ),
        ("scanlogd: 192.0.2.1-9", "file:1:11: \"192.0.2.1-9\": no address is printed like this, and no host has"),
        ("scanlogd: !192.0.2.*", "file:1:11: \"!192.0.2.*\": no address is printed like this, and no host has"),
        (
            "scanlogd: 0.0.0.0/0",
            "file:1:11: \"0.0.0.0/0\": the prefix length 0 matches nothing: ALL stands for everybody"
        ),
        ("scanlogd: 10.1.1.1 .example.com", "file:1:20: \".example.com\": needs a name"),
        ("scanlogd: *.example.com", "file:1:11: \"*.example.com\": needs a name"),
        ("scanlogd: fe80*", "file:1:11: \"fe80*\": needs a name"),
        ("scanlogd: 2*", "file:1:11: \"2*\": wildcards for IPv4 and IPv6 alike: write a dot"),
        ("scanlogd: ?*", "file:1:11: \"?*\": wildcards for IPv4 and IPv6 alike"),
        ("scanlogd: 300.*", "file:1:11: \"300.*\": no address is printed like this"),
        ("scanlogd: 010.*", "file:1:11: \"010.*\": no address is printed like this"),
        ("scanlogd: 10..*", "file:1:11: \"10..*\": no address is printed like this"),
        ("scanlogd: *.1.", "file:1:11: \"*.1.\": no address is printed like this"),
        ("scanlogd: 10.1.1.1.*", "file:1:11: \"10.1.1.1.*\": no address is printed like this"),
        ("scanlogd: /zeros", "/zeros:1:1: \"2001:0db8:*\": no address is printed like this"),
        ("scanlogd: /digits", "/digits:1:1: \"2001:db8ff:*\": no address is printed like this"),
        ("scanlogd: /groups", "/groups:1:1: \"1:2:3:4:5:6:7:8:*\": no address is printed like this"),
        ("scanlogd: [::ffff:10.0.0.0]/104", "file:1:11: \"[::ffff:10.0.0.0]/104\": an IPv4 address as IPv6"),
        ("scanlogd: [::ffff:0:0]/97", "file:1:11: \"[::ffff:0:0]/97\": an IPv4 address as IPv6"),
        ("scanlogd: LOCAL", "file:1:11: \"LOCAL\": needs a name"),
        ("scanlogd: KNOWN", "file:1:11: \"KNOWN\": needs a name"),
        ("scanlogd: UNKNOWN", "file:1:11: \"UNKNOWN\": needs a name"),
        ("scanlogd: PARANOID", "file:1:11: \"PARANOID\": needs a name"),
        ("scanlogd: root@10.1.1.1", "file:1:11: \"root@10.1.1.1\": needs a name"),
        ("scanlogd: @ours", "file:1:11: \"@ours\": needs a name"),
        ("scanlogd: 10.1.1.1 : spawn /bin/true", "file:1:22: \"spawn\": only allow, deny and severity"),
        ("scanlogd: 10.1.1.1 : twist /bin/true", "file:1:22: \"twist\": only allow, deny and severity"),
        ("scanlogd: 10.1.1.1 : setenv A B", "file:1:22: \"setenv\": only allow, deny and severity"),
        ("scanlogd: 10.1.1.1 : banners /etc", "file:1:22: \"banners\": only allow, deny and severity"),
        ("scanlogd: 10.1.1.1 : nice", "file:1:22: \"nice\": only allow, deny and severity"),
        ("scanlogd: 10.1.1.1 : frob", "file:1:22: \"frob\": no such option: scanlogd does not start"),
        ("scanlogd: 2001:db8::1", "file:1:11: \"2001:db8::1\": an IPv6 address needs brackets"),
        ("scanlogd: ::1", "file:1:11: \"::1\": an IPv6 address needs brackets"),
        ("scanlogd: 10.1.1.1 2001:db8::/32 : deny", "file:1:20: \"2001:db8::/32\": an IPv6 address needs brackets"),
        ("scanlogd: 10.1.1.1 # scanner", "file:1:20: \"#\": \"#\" begins no comment here"),
        ("scanlogd: 10.1.1.1 #ours: x", "file:1:20: \"#ours\": \"#\" begins no comment here"),
        ("scanlogd # ours: 10.1.1.1", "file:1:10: \"#\": \"#\" begins no comment here"),
        (" # scanlogd: 10.1.1.1", "file:1:2: \"#\": blank before \"#\": this is no comment"),
        (" # ours", "file:1:2: \"#\": blank before \"#\": this is no comment"),
        ("scanlogd: 10.1. \\", "file:1: backslash at the end of the last line: scanlogd does not start"),
        ("scanlogd: 10.1. \\\n", "file:1: backslash at the end of the last line: scanlogd does not start"),
        ("scanlogd: 10.1.1.1 : allow\\", "file:1: backslash at the end of the last line"),
        ("\\", "file:1: no \":\": scanlogd does not start"),
        ("scanlogd: [2001:db8::1 : deny", "file:1:11: \"[2001:db8::1\": a bracket without its other half"),
        ("scanlogd: [::1]/", "file:1:11: \"[::1]/\": no prefix length: scanlogd does not start"),
        ("scanlogd: 10.1.1.1/255.255.255.255", "file:1:11: \"10.1.1.1/255.255.255.255\": this mask matches nothing"),
        ("sshd", "file:1: no \":\": scanlogd does not start"),
        ("scanlogd: /hash", "/hash:1:10: \"#\": \"#\" begins no comment here"),
        ("scanlogd: /except", "/except:1:5: \"EXCEPT\": EXCEPT is a name in a pattern file"),
        ("scanlogd: 10.1.1.1 :", "file:1:21: no option behind the colon"),
        ("scanlogd: 10.1.1.1 : deny : severity info", "file:1:22: \"deny\": an option that must be the last"),
        ("scanlogd: 10.1.1.1 : severity", "file:1:22: \"severity\": an option without its value"),
        ("scanlogd: 10.1.1.1 : severity loud", "file:1:31: \"loud\": no facility or level"),
        ("scanlogd: 10.1.1.1 : severity authpriv.info", "file:1:31: \"authpriv\": no facility or level"),
        ("scanlogd: 10.1.1.0/24abc", "file:1:11: \"10.1.1.0/24abc\": the prefix length must be"),
        ("scanlogd: 10.1.1.0/", "file:1:11: \"10.1.1.0/\": no prefix length"),
        ("scanlogd: 10.1.1.1/24", "file:1:11: \"10.1.1.1/24\": bits are set behind the prefix"),
        (
            "scanlogd: 10.0.0.1/8",
            "file:1:11: \"10.0.0.1/8\": bits are set behind the prefix: scanlogd does not start"
        ),
        (
            "scanlogd: [2001:db8:*]",
            "file:1:11: \"[2001:db8:*]\": no IPv6 address in the brackets: scanlogd does not start"
        ),
        (
            "scanlogd: [fe80::1%eth0]/64",
            "file:1:11: \"[fe80::1%eth0]/64\": no IPv6 address in the brackets: scanlogd does not start"
        ),
        ("scanlogd: 999.1.1.1", "file:1:11: \"999.1.1.1\": no address is printed like this: scanlogd does not start"),
        ("scanlogd: 010.0.0.0/8", "file:1:11: \"010.0.0.0/8\": a number behind a 0 is octal"),
        ("scanlogd: 012.0.0.0/255.0.0.0", "file:1:11: \"012.0.0.0/255.0.0.0\": a number behind a 0 is octal"),
        ("scanlogd: 10.0.0.0/255.0.0.01", "file:1:11: \"10.0.0.0/255.0.0.01\": a number behind a 0 is octal"),
        ("scanlogd: 10.0.010.0/24", "file:1:11: \"10.0.010.0/24\": a number behind a 0 is octal"),
        ("scanlogd: 0xa.0.0.0/8", "file:1:11: \"0xa.0.0.0/8\": a number behind a 0 is octal"),
        ("scanlogd: 010.1.1.1", "file:1:11: \"010.1.1.1\": no address is printed like this"),
        ("scanlogd: 10.1.1", "file:1:11: \"10.1.1\": no address is printed like this"),
        ("scanlogd: 10.1.1.1.", "file:1:11: \"10.1.1.1.\": no address is printed like this"),
        ("scanlogd: 300.1.", "file:1:11: \"300.1.\": no address is printed like this"),
        ("scanlogd: .1.1.1", "file:1:11: \".1.1.1\": begins with a dot"),
        ("scanlogd: [2001:db8::]/129", "file:1:11: \"[2001:db8::]/129\": the prefix length must be"),
        ("scanlogd: [2001:db8::/32]", "file:1:11: \"[2001:db8::/32]\": the prefix length stands in"),
        ("scanlogd: [fe80::1%eth0]", "file:1:11: \"[fe80::1%eth0]\": a zone is not compared"),
        ("scanlogd: [::ffff:10.1.1.1]", "file:1:11: \"[::ffff:10.1.1.1]\": an IPv4 address as IPv6"),
        ("scanlogd: [10.1.1.1]", "file:1:11: \"[10.1.1.1]\": brackets around an IPv4 address"),
        ("scanlogd:", "file:1: the client list is empty"),
        ("scanlogd: ALL EXCEPT", "file:1: the client list is empty"),
        (": ALL", "file:1: the daemon list is empty"),
        ("scanlogd@10.1.1.1: ALL", "file:1:1: \"scanlogd@10.1.1.1\": the address that packets went to"),
        ("\n\nscanlogd 10.1.1.1", "file:3: no \":\""),
        ("# x\nscanlogd: 10.1.1.1 \\\n  10.1.1.2 \\\n  ours\n", "file:4:3: \"ours\": needs a name"),
        ("scanlogd: /none", "file:1:11: \"/none\": can't be read: scanlogd does not start"),
        ("scanlogd: /bad", "/bad:2:7: \"ours\": needs a name"),
        ("scanlogd: /comma", "/comma:1:1: \"10.1.1.1,10.1.1.2\": a comma separates nothing"),
        (
            "scanlogd: /self",
            "/self:1:1: \"/self\": a pattern file that names itself, or one that names it: scanlogd does not start"
        ),
        ("scanlogd: \u{1b}[31m", "file:1:11: \"\\033[31m\": a bracket without its other half"),
    ])
    func whateverNeedsANameOrActsOrCanNotMatchIsRefused(_ file: String, _ beginning: String) {
        let files = [
            "/bad": "10.1.1.1\n10.2. ours\n", "/comma": "10.1.1.1,10.1.1.2", "/self": "/self",
            "/zeros": "2001:0db8:*", "/digits": "2001:db8ff:*", "/groups": "1:2:3:4:5:6:7:8:*",
            "/hash": "10.1.1.1 # ours", "/except": "ALL EXCEPT 10.1.1.1",
        ]
        let found = problem(file, files: files)
        #expect(found.hasPrefix(beginning), "\(found)")
    }

    @Test func allThatIsWrongCanBeTold() {
        let file = """
            scanlogd: x 10.1.1.1 /list : frob : deny : nice
            sshd: x
            scanlogd 10.1.1.1
            scanlogd@10.9.9.9: y EXCEPT 10.1
            scanlogd:
            scanlogd: 10.1.1.1
            """
        let found = problems(file, files: ["/list": "a 10.1.1.1\n,\n/list /list"])
        #expect(
            found.map { $0.split(separator: ": ").first } == [
                "file:1:11", "/list:1:1", "/list:2:1", "/list:3:1", "file:1:30", "file:1:37", "file:1:44", "file:3",
                "file:4:1", "file:4:20", "file:4:29", "file:5",
            ])
    }

    @Test func whatThereIsNoRoomForIsToldOnce() {
        #expect(problems(String(repeating: "scanlogd: 10.1.1.1\n", count: 300)) == ["file:257: more than 256 rules"])
        let words = String(repeating: "10.1.1.1 ", count: 200)
        let found = problems(String(repeating: "scanlogd: \(words)\n", count: 9))
        #expect(found == ["file:6:227: \"10.1.1.1\": more than 1024 patterns in all"])
    }

    @Test func aFileHoldsAsManyRulesAsItMay() {
        let rule = { (number: Int) in "scanlogd: 10.0.\(number / 250).\(number % 250 + 1)\n" }
        let most = (0..<ExemptRules.ruleLimit).map(rule).joined()
        #expect(verdicts(most, ["10.0.0.1", "10.0.1.6", "10.0.1.7"]) == ["exempt", "exempt", "reported"])
        #expect(problem(most + rule(256)) == "file:257: more than 256 rules")
    }

    @Test func aFileHoldsAsManyPatternsAsItMay() {
        let list = { (count: Int) in
            (0..<count).map { "10.1.\($0 / 250).\($0 % 250 + 1)" }.joined(separator: "\n")
        }
        let most = list(ExemptRules.patternLimit)
        #expect(
            verdicts("scanlogd: /l", ["10.1.0.1", "10.1.4.24", "10.1.4.25"], files: ["/l": most])
                == ["exempt", "exempt", "reported"])
        let found = problem("scanlogd: /l", files: ["/l": list(ExemptRules.patternLimit + 1)])
        #expect(found == "/l:1025:1: \"10.1.4.25\": more than 1024 patterns in all")
    }

    @Test func aFileHoldsAsMuchTextAsItMay() {
        let word = String(repeating: "*", count: 510) + ".9"
        let most = Array(repeating: word, count: 8)
        #expect(
            verdicts("scanlogd: /l", ["10.1.1.9", "10.1.1.8"], files: ["/l": most.joined(separator: " ")])
                == ["exempt", "reported"])
        let found = problem("scanlogd: /l", files: ["/l": (most + ["*.*"]).joined(separator: "\n")])
        #expect(found == "/l:9:1: \"*.*\": more than 4096 bytes of patterns with wildcards in all")
    }

    @Test func eachRuleReadsAsManyPatternFilesAsItMay() {
        let rule = { (count: Int) in "scanlogd:" + String(repeating: " /l", count: count) + "\n" }
        let files = ["/l": "10.1.1.1"]
        let file = rule(64) + rule(64) + "scanlogd: /l 10.1.1.2"
        #expect(problems(file, files: files) == [])
        #expect(verdicts(file, ["10.1.1.1", "10.1.1.2"], files: files) == ["exempt", "exempt"])
        let found = problem(rule(64) + rule(65), files: files)
        #expect(found.hasPrefix("file:2:203: \"/l\": too many pattern files, or one in another too often: "))
    }

    @Test func aLineThatIsTooLongOrHasAZeroByteIsRefused() {
        let longest = "scanlogd: 10.1.1.1" + String(repeating: " ", count: 2046 - 18)
        #expect(verdicts(longest, ["10.1.1.1"]) == ["exempt"])
        #expect(problem(longest + " ").hasPrefix("file:1: longer than 2047 bytes: scanlogd does not start"))
        #expect(problem("scanlogd: 10.1.1.1\nscanlogd: \0").hasPrefix("file:2: zero byte: scanlogd does not start"))
    }

    @Test func compilingAgainForgetsTheRulesBefore() {
        var rules = ExemptRules()
        var log = ProblemLog()
        let first = rules.compile(Array("scanlogd: 10.1.1.1".utf8).span, TestSystem(), &log)
        let second = rules.compile(Array("scanlogd: 10.1.1.2".utf8).span, TestSystem(), &log)
        #expect(first && second)
        #expect(rules.verdict(for: .of("10.1.1.1")) == .reported)
        #expect(rules.verdict(for: .of("10.1.1.2")) == .exempt)
        let third = rules.compile(Array("scanlogd: 10.1.1.2\nscanlogd: ours".utf8).span, TestSystem(), &log)
        #expect(!third)
        #expect(rules.verdict(for: .of("10.1.1.2")) == .reported)
    }

    @Test func memoryThatIsZeroIsAnEmptyTableOfTheDocumentedSize() {
        let size = MemoryLayout<ExemptRules>.size
        #expect(size == 31_752)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        let rules = unsafe memory.assumingMemoryBound(to: ExemptRules.self)
        #expect(unsafe rules.pointee.count == 0)
        #expect(unsafe rules.pointee.verdict(for: .of("10.1.1.1")) == .reported)
        var log = ProblemLog()
        let isGood = unsafe rules.pointee.compile(
            Array("scanlogd: 10.1.1.1 : severity info".utf8).span, TestSystem(), &log)
        #expect(isGood)
        #expect(unsafe rules.pointee.verdict(for: .of("10.1.1.1")) == .reportedAt(level: 6))
        unsafe memory.deallocate()
    }
}
