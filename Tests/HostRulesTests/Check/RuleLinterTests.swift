import ScanCore
import Testing

@testable import HostRules

/// `scanlogd rules check`: every problem there is, where it is said to be.
struct RuleLinterTests {
    private static let system = TestSystem(
        files: [
            "/odd": Array("/x@y /a,b /[\n".utf8), "/x@y": Array("10.1.1".utf8), "/a,b": Array("10.1.2".utf8),
            "/[": Array("10.1.3".utf8),
            "/good": Array("# ours\n10.1.1.1\n10.2.0.0/16 .example.com 2001:db8::1 10.*\n".utf8),
            "/bad": Array(
                "10.1.1.1,10.1.1.2\nALL EXCEPT x\nroot@10.1.1.1 300.1. @ours\n x #y\n2001:db8:0::1\n10.1.1.0/".utf8),
            "/self": Array("/self\n".utf8),
            "/many": Array(String(repeating: "/many\n", count: 100).utf8),
            "/tick": Array("/tock\n/tock\n".utf8),
            "/tock": Array("# x\n/tick /tick\n".utf8),
            "/1": Array("/2 /2".utf8),
            "/2": Array("/3".utf8),
            "/3": Array("/4 /4".utf8),
            "/4": Array("/5 /6".utf8),
            "/5": Array("10.1.1.1".utf8),
            "/hint": Array("x [::1]/64".utf8),
            "/lost": Array("10.1.1.1 /none\n".utf8),
        ],
        users: ["nobody"], groups: ["nogroup"], directories: ["/banners"])

    /// The problems of a file.
    private func problems(
        _ text: String, _ purpose: RuleFilePurpose = .deny, implicitAllow: Bool = false, after allow: String = ""
    ) -> [String] {
        var log = ProblemLog()
        var allowed = RuleLinter(.allow)
        let before = Array(allow.utf8)
        while allowed.next(of: before.span, Self.system, &log) != nil {}
        log = ProblemLog()
        var check = RuleLinter(
            purpose, reportsImplicitAllow: implicitAllow, after: allowed.finish(), in: ArrayMemory())
        let bytes = Array(text.utf8)
        while check.next(of: bytes.span, Self.system, &log) != nil {}
        return log.lines
    }

    @Test(arguments: [
        "", "\n", "# a comment\n \t \nsshd: 10.1.1.1\n", "ALL: ALL\n",
        "sshd, ftpd: 10.1. .example.com 10.2.0.0/255.255.0.0 10.3.0.0/16 [2001:db8::]/32 [2001:db8::1] : deny\n",
        "ALL EXCEPT sshd: ALL EXCEPT LOCAL KNOWN UNKNOWN PARANOID\n", "sshd@10.0.0.1 22: root@10.1.1.1 KNOWN@ALL *x*\n",
        "sshd: www.example.com /good 10.1.? : severity mail.info : nice 5 : nice : umask 022 : linger 0 : rfc931 : allow\n",
        "sshd: 10.1.1.1 : spawn echo %a %c %d %h %n %p %r %s %u %A %H %N %R %% a\\:b & : user nobody.nogroup\n",
        "sshd: 10.1.1.1 : banners /banners : keepalive : setenv A %a : group nogroup : twist /bin/echo %%q\n",
        "sshd: 10.1.1.1 \\\n  10.1.1.2 \\\n  10.1.1.3\n", "sshd: 10.1.1.1\r\nftpd: 10.1.1.2\r\n",
        "sshd: 10.1.1.0/255.255.255.0 [::]/0 [::fffe:0:0]/95 : aclexec /bin/true\n",
    ])
    func whatIsRightIsNoProblem(_ file: String) {
        #expect(problems(file) == [])
    }

    @Test(arguments: [
        ("\u{feff}sshd: 10.1.1.1\n", "file:1: byte order mark"),
        ("sshd: 10.1.1.1", "file:1: no newline"),
        ("sshd: 10.1.1.1\n# end", "file:2: no newline"),
        (
            "sshd: 10.1.1.1\n" + String(repeating: "x", count: 2047) + "\nsshd: frob/\n",
            "file:2: longer than 2047 bytes"
        ),
        ("sshd: 10.1.1.1\0\n", "file:1: zero byte"),
        ("\nsshd 10.1.1.1\n", "file:2: no \":\""),
        (
            "sshd: 10.1.1.1 \\\n",
            "file:1: backslash at the end of the last line: there is no next line to join, this one is ignored, and in"
        ),
        ("sshd: 10.1.1.1 \\\n\\\n", "file:1: backslash at the end of the last line"),
        ("# x\\\n", "file:1: backslash at the end of the last line"),
        ("sshd: 10.1.1.1 \\\r\n", "file:1: backslash before a carriage return"),
        ("# sshd: 10.1.1.1 \\\nftpd: ALL\n", "file:1: comment that ends in a backslash"),
        (" # sshd: 10.1.1.1\n", "file:1:2: \"#\": blank before \"#\""),
        (" \t#\n", "file:1:3: \"#\": blank before \"#\""),
        ("sshd: 10.1.1.1 # ours: those\n", "file:1:16: \"#\": \"#\" begins no comment here"),
        ("sshd #: 10.1.1.1\n", "file:1:6: \"#\": \"#\" begins no comment here"),
        (": 10.1.1.1\n", "file:1: the daemon list is empty"),
        ("EXCEPT sshd: 10.1.1.1\n", "file:1: the daemon list is empty"),
        ("sshd EXCEPT: 10.1.1.1\n", "file:1: the daemon list is empty"),
        ("sshd:\n", "file:1: the client list is empty"),
        ("sshd: , ,\n", "file:1: the client list is empty"),
        ("sshd: ALL EXCEPT\n", "file:1: the client list is empty"),
        ("sshd: ALL EXCEPT EXCEPT 10.1.1.1\n", "file:1: the client list is empty"),
        ("/etc/list: 10.1.1.1\n", "file:1:1: \"/etc/list\": a daemon's name begins with \"/\""),
        ("sshd @ours: 10.1.1.1\n", "file:1:6: \"@ours\": a daemon's name begins with \"@\""),
        ("LOCAL: 10.1.1.1\n", "file:1:1: \"LOCAL\": a daemon's name that is a word for clients"),
        ("Known: 10.1.1.1\n", "file:1:1: \"Known\": a daemon's name that is a word for clients"),
        (".ftpd: 10.1.1.1\n", "file:1:1: \".ftpd\": a daemon's name begins with a dot"),
        ("in.: 10.1.1.1\n", "file:1:1: \"in.\": a daemon's name ends in a dot"),
        ("sshd@: 10.1.1.1\n", "file:1:6: no host behind \"@\""),
        ("sshd@10.1.1: 10.1.1.1\n", "file:1:6: \"10.1.1\": no address is printed like this"),
        ("sshd: /x@10.1.1.1\n", "file:1:7: \"/x\": a user's name begins with \"/\""),
        ("sshd: @x@10.1.1.1\n", "file:1:7: \"@x\": a user's name begins with \"@\""),
        ("sshd: LOCAL@10.1.1.1\n", "file:1:7: \"LOCAL\": a user's name that is a word for hosts"),
        ("sshd: .x@10.1.1.1\n", "file:1:7: \".x\": a user's name begins with a dot"),
        ("sshd: x.@10.1.1.1\n", "file:1:7: \"x.\": a user's name ends in a dot"),
        ("sshd: root@\n", "file:1:12: no host behind \"@\""),
        ("sshd: @ours\n", "file:1:7: \"@ours\": netgroup"),
        ("sshd: FAIL\n", "file:1:7: \"FAIL\": FAIL is no longer known"),
        ("sshd: example.com.\n", "file:1:7: \"example.com.\": a name that ends in a dot"),
        ("sshd: .1.1.1\n", "file:1:7: \".1.1.1\": begins with a dot"),
        ("sshd: 999.1.1.1\n", "file:1:7: \"999.1.1.1\": no address is printed like this"),
        ("sshd: 10.1.1\n", "file:1:7: \"10.1.1\": no address is printed like this"),
        ("sshd: 010.1.1.1\n", "file:1:7: \"010.1.1.1\": no address is printed like this"),
        ("sshd: 10.1.1.1.1\n", "file:1:7: \"10.1.1.1.1\": no address is printed like this"),
        ("sshd: 10.01.\n", "file:1:7: \"10.01.\": no address is printed like this"),
        ("sshd: .x*.com\n", "file:1:7: \".x*.com\": wildcards, and a dot in front"),
        ("sshd: 10.1.1/24\n", "file:1:7: \"10.1.1/24\": the net must be"),
        (
            "sshd: 010.0.0.0/8\n",
            "file:1:7: \"010.0.0.0/8\": a number behind a 0 is octal, one behind 0x hexadecimal: it means 8.0.0.0/255.0"
        ),
        ("sshd: root@0300.0.2.0/24\n", "file:1:12: \"0300.0.2.0/24\": a number behind a 0 is octal"),
        ("sshd: 0xa.0.0.0/8\n", "file:1:7: \"0xa.0.0.0/8\": a number behind a 0 is octal"),
        ("sshd: 10.0.0.0/0377.0.0.0\n", "file:1:7: \"10.0.0.0/0377.0.0.0\": a number behind a 0 is octal"),
        ("sshd: 10.1.1.0/\n", "file:1:7: \"10.1.1.0/\": no prefix length: it matches nothing"),
        ("sshd: 10.1.1.0/24abc\n", "file:1:7: \"10.1.1.0/24abc\": the prefix length must be"),
        ("sshd: 10.1.1.0/33\n", "file:1:7: \"10.1.1.0/33\": the prefix length must be"),
        (
            "sshd: 0.0.0.0/0\n",
            "file:1:7: \"0.0.0.0/0\": the prefix length 0 matches nothing: ALL stands for everybody"
        ),
        ("sshd@10.1.1.1/00: ALL\n", "file:1:6: \"10.1.1.1/00\": the prefix length 0 matches nothing"),
        ("sshd: 10.1.1.0/-0\n", "file:1:7: \"10.1.1.0/-0\": the prefix length must be"),
        ("sshd: 10.0.0.0/0.0.0.0\n", "file:1:7: \"10.0.0.0/0.0.0.0\": bits are set behind the prefix: it matches"),
        (
            "sshd: 10.1.1.1/255.255.255.255\n",
            "file:1:7: \"10.1.1.1/255.255.255.255\": this mask matches nothing: write the address without it"
        ),
        ("sshd: 10.1.1.1/24\n", "file:1:7: \"10.1.1.1/24\": bits are set behind the prefix: it matches nothing"),
        ("sshd: 10.1.1.1/255.255.255.0\n", "file:1:7: \"10.1.1.1/255.255.255.0\": bits are set"),
        (
            "sshd: [::1]/64\n",
            "file:1:7: \"[::1]/64\": bits are set behind the prefix: they do not count, and it matches the"
        ),
        (
            "sshd: [::]/\n",
            "file:1:7: \"[::]/\": no prefix length: it matches nothing here, and every IPv6 address for lib"
        ),
        ("sshd: [2001:db8::]/abc\n", "file:1:7: \"[2001:db8::]/abc\": the prefix length must be"),
        ("sshd: [2001:db8::]/129\n", "file:1:7: \"[2001:db8::]/129\": the prefix length must be"),
        ("sshd: [2001:db8::1 : deny\n", "file:1:7: \"[2001:db8::1\": a bracket without its other half"),
        ("sshd: 10.1.1.1] : deny\n", "file:1:7: \"10.1.1.1]\": a bracket without its other half"),
        ("sshd: [2001:db8::1]x\n", "file:1:7: \"[2001:db8::1]x\": something other than a prefix length"),
        ("sshd: [2001:db8::/32]\n", "file:1:7: \"[2001:db8::/32]\": the prefix length stands in the brackets"),
        ("sshd: [2001:db8:*]\n", "file:1:7: \"[2001:db8:*]\": no IPv6 address in the brackets: it matches nothing"),
        ("sshd: [10.1.1.1]\n", "file:1:7: \"[10.1.1.1]\": brackets around an IPv4 address"),
        ("sshd: [10.1.1.0]/24\n", "file:1:7: \"[10.1.1.0]/24\": brackets around an IPv4 address"),
        ("sshd: [::ffff:10.1.1.1]\n", "file:1:7: \"[::ffff:10.1.1.1]\": an IPv4 address as IPv6"),
        ("sshd: [::ffff:10.1.1.0]/120\n", "file:1:7: \"[::ffff:10.1.1.0]/120\": an IPv4 address as IPv6"),
        ("sshd: [fe80::1%eth0]\n", "file:1:7: \"[fe80::1%eth0]\": a zone is not compared"),
        ("sshd: 10.1.1.1 2001:db8::1\n", "file:1:16: \"2001:db8::1\": an IPv6 address needs brackets"),
        ("sshd: 2001:db8::/32 : deny\n", "file:1:7: \"2001:db8::/32\": an IPv6 address needs brackets"),
        ("sshd: ::1\n", "file:1:7: \"::1\": an IPv6 address needs brackets"),
        ("sshd: /none\n", "file:1:7: \"/none\": can't be read"),
        ("sshd: /self\n", "/self:1:1: \"/self\": a pattern file that names itself"),
        ("sshd: /many\n", "/many:1:1: \"/many\": a pattern file that names itself"),
        ("sshd: /tick\n", "/tock:2:1: \"/tick\": a pattern file that names itself"),
        ("sshd: /1\n", "/4:1:1: \"/5\": too many pattern files, or one in another too often: everybody is denied"),
        ("sshd: /lost\n", "/lost:1:10: \"/none\": can't be read"),
        ("sshd: 10.1.1.1:\n", "file:1:16: no option behind the colon"),
        ("sshd: 10.1.1.1: frob\n", "file:1:17: \"frob\": no such option"),
        ("sshd: 10.1.1.1: spawn\n", "file:1:17: \"spawn\": an option without its value"),
        ("sshd: 10.1.1.1: keepalive 5\n", "file:1:17: \"keepalive\": an option that takes no value"),
        ("sshd: 10.1.1.1: deny : nice\n", "file:1:17: \"deny\": an option that must be the last"),
        ("sshd: 10.1.1.1: nice ten\n", "file:1:22: \"ten\": not a number for this option"),
        ("sshd: 10.1.1.1: umask 1000\n", "file:1:23: \"1000\": not a number for this option"),
        ("sshd: 10.1.1.1: umask 8\n", "file:1:23: \"8\": not a number for this option"),
        ("sshd: 10.1.1.1: linger -1\n", "file:1:24: \"-1\": not a number for this option"),
        ("sshd: 10.1.1.1: rfc931 0\n", "file:1:24: \"0\": not a number for this option"),
        ("sshd: 10.1.1.1: severity mail.loud\n", "file:1:31: \"loud\": no facility or level"),
        ("sshd: 10.1.1.1: severity authpriv.info\n", "file:1:26: \"authpriv\": no facility or level"),
        ("sshd: 10.1.1.1: user nosuch\n", "file:1:22: \"nosuch\": no such user"),
        ("sshd: 10.1.1.1: user nobody.nosuch\n", "file:1:29: \"nosuch\": no such group"),
        ("sshd: 10.1.1.1: group nosuch\n", "file:1:23: \"nosuch\": no such group"),
        ("sshd: 10.1.1.1: banners /nosuch\n", "file:1:25: \"/nosuch\": no such directory"),
        ("sshd: 10.1.1.1: spawn echo %q %z\n", "file:1:28: \"%q\": stands for nothing"),
        ("sshd: 10.1.1.1 \\\n  10.1.1.2 \\\n  10.1.1.3/ : deny\n", "file:3:3: \"10.1.1.3/\": no prefix length"),
        ("sshd: 10.1\\\n.1 : deny\n", "file:1:7: \"10.1.1\": no address is printed like this"),
        ("sshd: \u{1b}[0m@\u{7}.\u{e9}. \n", "file:1:12: \"\\007.\\303\\251.\": no address is printed like this"),
        ("\"sshd\": 10.1.1.1\n", "file:1:1: \"\"sshd\"\": a daemon's name with bytes that names seldom have: they"),
        ("ALL EXCEPT !s*: 10.1.1.1\n", "file:1:12: \"!s*\": a daemon's name with bytes that"),
        ("\u{a0}sshd: 10.1.1.1\n", "file:1:1: \"\\302\\240sshd\": a daemon's name with bytes that"),
        ("$DAEMON@10.1.1.1: 10.1.1.1\n", "file:1:1: \"$DAEMON\": a daemon's name with bytes that"),
        ("sshd: <user>@10.1.1.1\n", "file:1:7: \"<user>\": a user's name with bytes that names seldom have"),
        ("sshd: \"10.1.1.0/24\"\n", "file:1:7: \"\"10.1.1.0/24\"\": the net must be four numbers"),
    ])
    func eachProblemIsToldAtItsPlace(_ file: String, _ beginning: String) {
        let found = problems(file)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.hasPrefix(beginning) ?? false, "\(found)")
    }

    @Test(arguments: [
        "<_ip_value>", "\"192.0.2.7\"", "'192.0.2.7'", "192.0.2.7;", "192.0.2.5-192.0.2.9", "192.0.2.5-9",
        "192.0.2.0-24", "\u{a0}192.0.2.7", "\u{201c}192.0.2.7\u{201d}", "192.0.2.5\u{2013}9", "!192.0.2.7",
        "~192.0.2.7", "$ip", "${ip}", "%ip", "192.0.2.%", "-192.0.2.7", "-host", "+192.0.2.7", "=192.0.2.7",
        "(192.0.2.7)", "{192.0.2.7}", "192.0.2.7|192.0.2.8", "192.0.2.7&", "^192.0.2.", "192.0.2.7$", "192.0.2.[1-9]",
        "192.0.2.7\u{b}x", "a..example.com", "192.0.2.5_9", ".a..com", "*..com", "\"*\"", "!*", "<*>",
        "*.example.com;", "b\u{fc}ro.example.com", "\u{ff11}92.0.2.7", "h\\ost", "host#1", "!.example.com", "~LOCAL",
        "!ALL", "x@y", "\u{200b}ALL", "\u{feff}ALL", ".", "..", ".1..2", String(repeating: "a", count: 256),
    ])
    func whatNeitherAnAddressNorANameCanBeIsTold(_ word: String) {
        let words = "no address is printed like this, and no host has such a name: it matches nothing"
        for (rule, column) in [("sshd: root@\(word)\n", 12), ("sshd@\(word): 10.1.1.1\n", 6)] {
            let found = problems(rule)
            #expect(found.count == 1 && found.first?.hasPrefix("file:1:\(column): ") ?? false, "\(found)")
            #expect(found.first?.hasSuffix(words) ?? false, "\(found)")
        }
    }

    @Test(arguments: [
        "host_7.example.com", "_dmarc.example.com", "a-b.example.com", "r3---sn-x.example", "7of9", "4-2", "1_2",
        "web.1", "xn--bro-hoa.example", "10.1-2.example.com", "x-.example.com", "*-9", "192.0.2.*-9", "10.*", "?", "*",
        ".1-2.example", ".example.com", "192.0.2.", "UNKNOWN", "unk*", String(repeating: "a", count: 255),
        String(repeating: "*a", count: 200), "[fe80::1]", "[2001:db8::]/32", "[::]/0", "0.0.0.0/0.0.0.0",
    ])
    func whatAnAddressOrANameCanBeIsNot(_ word: String) {
        #expect(problems("sshd: \(word) : deny\n") == [])
        #expect(problems("sshd@\(word): ALL\n") == [])
    }

    /// There a colon ends no list, and an address can be text.
    @Test(arguments: [
        ("2001:db8::1", true), ("2001:db8:*", true), ("fe80::1%eth0", true), ("*%br-lan.7", true), ("fe80::?%e!", true),
        ("::1.2.", true), ("*:*", true), ("2001:db8:g::1", false), ("2001:db8", false), ("host:22", false),
        ("1::2::3", false), (".1:2", false), ("\"2001:db8:*\"", false), ("x:*%eth0", false), ("host%eth0", false),
        (":", false),
    ])
    func textWithAColonIsAnAddressOrNothing(_ word: String, _ isPossible: Bool) {
        var log = ProblemLog()
        var check = RuleLinter(.deny)
        let system = TestSystem(files: ["/file": Array(word.utf8)])
        while check.next(of: Array("sshd: /file\n".utf8).span, system, &log) != nil {}
        #expect(log.kinds.contains { $0 == .noHost } == !isPossible, "\(log.lines)")
    }

    @Test func everyBadWordOfAPatternFileIsTold() {
        #expect(
            problems("sshd: /bad\n") == [
                "/bad:1:1: \"10.1.1.1,10.1.1.2\": a comma separates nothing in a pattern file",
                "/bad:2:5: \"EXCEPT\": EXCEPT is a name in a pattern file",
                "/bad:3:1: \"root@10.1.1.1\": a user can't be named in a pattern file: it matches nothing",
                "/bad:3:15: \"300.1.\": no address is printed like this: it matches nothing",
                "/bad:3:22: \"@ours\": netgroup: it matches nothing here",
                "/bad:4:4: \"#y\": \"#\" begins no comment here: what follows are words of the rule",
                "/bad:5:1: \"2001:db8:0::1\": an IPv6 address needs brackets",
                "/bad:6:1: \"10.1.1.0/\": no prefix length: it matches nothing",
            ])
    }

    @Test func aPathInAPatternFileMayHaveAnyBytesButBlanks() {
        #expect(
            problems("sshd: /odd\n")
                == ["x@y", "a,b", "["].enumerated().map { number, file in
                    "/\(file):1:1: \"10.1.\(number + 1)\": no address is printed like this: it matches nothing"
                })
    }

    @Test func aLineMayHaveManyProblems() {
        #expect(
            problems("LOCAL .x: 10.1.1 @y : nice z : frob : severity : allow : deny").map { $0.prefix(10) } == [
                "file:1: no", "file:1:1: ", "file:1:7: ", "file:1:11:", "file:1:18:", "file:1:28:", "file:1:32:",
                "file:1:39:", "file:1:50:",
            ])
    }

    @Test func anImplicitAllowIsToldOnlyWhenAskedFor() {
        let file = "sshd: 10.1.1.1\nsshd: 10.1.1.2 : allow\nsshd: 10.1.1.3 : nice\nsshd: 10.1.1.4 : deny\n"
        #expect(problems(file, .allow) == [])
        let expected = ["file:1: grants without saying \"allow\"", "file:3: grants without saying \"allow\""]
        #expect(problems(file, .allow, implicitAllow: true) == expected)
        #expect(problems(file, .deny, implicitAllow: true) == [])
    }

    @Test func aRuleReadsNoMoreThan64PatternFiles() {
        let words = { (count: Int) in Array(repeating: "/good", count: count).joined(separator: " ") }
        #expect(problems("sshd: \(words(64))\n") == [])
        let expected = "file:1:391: \"/good\": too many pattern files, or one in another too often: everybody is denied"
        #expect(problems("sshd: \(words(66))\n") == [expected])
        let daemons = Array(repeating: "sshd@/good", count: 33).joined(separator: " ")
        #expect(problems("\(daemons): \(words(31))\n") == [])
        #expect(problems("\(daemons): \(words(32))\n").count == 1)
    }

    @Test func whatKeepsScanlogdFromStartingIsLeftToTheTableOfExemptSources() {
        for rule in ["x", "::1", "/none", "/many", "10.1.1.1 # y", "10.1.1.1 : frob", "", "10.1.1.1 \0", "[::1"] {
            #expect(problems("scanlogd: \(rule)", .exempt) == [])
        }
        #expect(problems("scanlogd 10.1.1.1", .exempt) == [])
        #expect(problems(" # 10.1.1.1", .exempt) == [])
        let hint = ": \"[::1]/64\": bits are set behind the prefix: they do not count, and it matches the whole net"
        #expect(problems("scanlogd: [::1]/64 /hint", .exempt) == ["file:1:11" + hint, "/hint:1:3" + hint])
    }

    @Test func aRuleOfAnExemptFileIsAboutScanlogd() {
        let file = "scanlogd: 10.1.1.1\nscanlgd: 10.1.1 : frob\nALL EXCEPT scanlogd: 10.1.1.2\nALL: 10.1.1.3"
        let expected = [2, 3].map { "file:\($0): not about scanlogd: it is not used" }
        #expect(problems("\u{feff}" + file, .exempt) == expected)
        let reserved = "file:1:1: \"KNOWN\": a daemon's name that is a word for clients"
        #expect(problems("KNOWN: 10.1.1.1", .exempt) == [reserved])
    }

    @Test(arguments: [
        ("ALL: 10.", "sshd: 10.1.1.1"), ("ALL: 10.0.0.0/8", "ALL: 10.1."), ("sshd: 10.", "sshd: 10.1.0.0/16"),
        ("sshd: 10.", "sshd: root@10.1.1.1"), ("sshd: 10.", "sshd@10.9.9.9: 10.1.1.1 : deny"),
        ("sshd ftpd: 10. 11.", "ftpd: 11.1.1.1, 10.1.1.1"), ("in.*: 10.", "in.ftpd: 10.1.1.1"),
        ("sshd: [2001:db8::]/32", "sshd: [2001:db8:1::]/48 [2001:db8::1]"),
        ("sshd: .example.com", "sshd: www.example.com"),
        ("sshd: .com", "sshd: .example.com"), ("sshd: 10.1.1.*", "sshd: 10.1.1.7"), ("sshd: *.com", "sshd: x.com"),
        ("sshd: ALL", "sshd: LOCAL /good @x root@KNOWN"), ("sshd: *", "sshd: 10.1.1.1 EXCEPT 10.1.1.2"),
        ("sshd: 10.0.0.0/255.0.0.0", "SSHD: 10.255.255.254"), ("sshd: 10.1.1.1 .x", "sshd: 10.1.1.1"),
        ("sshd: ALL@10.", "sshd: root@10.1.1.1"), ("sshd@ALL: 10.", "sshd@10.1.1.1: 10.1.1.1"),
        ("sshd: 255.", "sshd: 255.255.255.255"), ("sshd: 255.0.0.0/8", "sshd: 255.255.255.0/24"),
        ("*: 10.", "22: 10.1.1.1"),
        ("a b c d: .x .y .z 10.", "d: 10.1.1.1"), ("in.*: 10.1.1.1", "in.ftpd: 10.1.1.1"),
        ("sshd: 10.*", "sshd: 10.1.1.1"),
        ("sshd: a b c d e ALL f", "sshd: x"),
    ])
    func aRuleBehindOneThatMatchesAllOfItIsNeverReached(_ first: String, _ second: String) {
        let found = problems("\(first)\n\(second)\n").filter { $0.contains("never reached") }
        #expect(found == ["file:2: never reached: all it matches is matched by line 1"])
    }

    @Test(arguments: [
        ("sshd: 10.", "ftpd: 10.1.1.1"), ("sshd: 10.1.", "sshd: 10."), ("sshd: 10. EXCEPT 10.1.1.1", "sshd: 10.1.1.2"),
        ("sshd: root@ALL", "sshd: 10.1.1.1"), ("sshd@10.1.1.1: 10.", "sshd: 10.1.1.1"), ("sshd: .com", "sshd: com"),
        ("sshd: 10.0.0.0/9", "sshd: 10."), ("sshd: [::]/0", "sshd: 10.1.1.1"), ("sshd: LOCAL", "sshd: x"),
        ("sshd: 10.1.1.?", "sshd: 10.1.1.10"), ("22: 10.", "sshd: 10.1.1.1"), ("sshd: 10.", "sshd: 10.1.1.1 11.1.1.1"),
        ("sshd: .com", "sshd: *.com"), ("s*: 10.", "22: 10.1.1.1"), ("sshd: 10.", "ALL: 10.1.1.1"),
        ("ALL EXCEPT ftpd: 10.", "sshd: 10.1.1.1"), ("ALL: 255.0.0.0/8", "ALL: 255.255.255.255"),
        ("ALL: 255.0.0.0/8", "ALL: 255.255."), ("sshd: KNOWN@10.", "sshd: root@10.1.1.1"),
        ("a b c d e: 10.", "a: 10.1.1.1"), ("sshd: 10. 11. 12. 13. 14.", "sshd: 10.1.1.1"),
        ("sshd: .\(String(repeating: "x", count: 64))", "sshd: y.\(String(repeating: "x", count: 64))"),
    ])
    func aRuleThatCanBeReachedIsNoProblem(_ first: String, _ second: String) {
        #expect(problems("\(first)\n\(second)\n") == [])
    }

    @Test(arguments: ["ALL: ALL", "ALL: x ALL@ALL", "ALL@ALL: ALL", "*: **", "sshd ALL: ALL y"])
    func aRuleMayBeForEverythingInManyWays(_ rule: String) {
        #expect(problems("\(rule)\nx: y\n") == ["file:2: never reached: everything is matched by line 1"])
    }

    @Test func whatFollowsARuleForEverythingIsNeverReached() {
        #expect(
            problems("sshd: 10.1.1.1\nALL: 10.1.1.2 ALL\n\nsshd: 10.1.1.3\nALL: ALL\n") == [
                "file:4: never reached: everything is matched by line 2",
                "file:5: never reached: everything is matched by line 2",
            ])
        #expect(
            problems("sshd: 10.1.1.1\nsshd: 10.1.1.2\n", after: "\nALL: ALL\n") == [
                "file:1: never reached, with all that follow: everything is matched in hosts.allow by line 2"
            ])
        #expect(problems("sshd: 10.1.1.1\n", after: "ALL: ALL : aclexec /x\n") == [])
    }

    @Test func theFirst256WideRulesAreRemembered() {
        let nets = (0..<257).map { "sshd: 10.\($0 / 128).\($0 % 128 * 2).0/24\n" }.joined()
        #expect(
            problems(nets + "sshd: 10.1.254.7\n")
                == ["file:258: never reached: all it matches is matched by line 256"])
        #expect(problems(nets + "sshd: 10.2.0.7\n") == [])
        #expect(
            problems(nets + "ALL: ALL\nsshd: 10.2.0.7\n") == [
                "file:259: never reached: everything is matched by line 258"
            ])
    }

    @Test func noFileTakesMoreStepsThanAFixedMultipleOfItsLength() {
        func list(_ count: Int, _ line: (Int) -> String) -> String { (0..<count).map { line($0) + "\n" }.joined() }
        func words(_ word: String, _ count: Int) -> String {
            Array(repeating: word, count: count).joined(separator: " ")
        }
        let long = String(repeating: "a", count: 200)
        let files = [
            list(40) { "sshd: \(words("8.", 600)) 9. h\($0).z" } + list(40) { "sshd: \(words("9.", 600)) k\($0).z" },
            list(3000) { "ALL: 10.\($0 / 256).\($0 % 256).0/24" }, list(3000) { "ALL: .\($0).example.com" },
            list(256) { "sshd: 1\($0). 2\($0). 3\($0). 7" } + list(30) { _ in "sshd: \(words("7", 1000)) 8" },
            list(256) { "a b c d: 1\($0). 2\($0). 3\($0). 7" } + list(3000) { _ in "x:7" },
            list(256) { "sshd: *a*a*a*a*b\($0) *\(long.prefix(40))*d" } + list(30) { _ in "sshd: \(words(long, 9))" },
            list(256) { "*a*a*a*b\($0): ALL" } + list(60) { _ in "\(long)\(long): b" },
            list(256) { "sshd: *\($0)*\(long.prefix(50))" } + list(3) { _ in "sshd: \(words(long, 10))" },
            list(200) { _ in "sshd: \(words("1", 1000))" }, list(60) { _ in words("x@y@z", 300) + ": 1" },
            list(60) { _ in "x: " + words("1 \\\n", 400) }, list(60) { _ in "x: y" + words(":z", 600) },
        ]
        for file in files {
            var log = ProblemLog()
            var check = RuleLinter(.deny)
            let bytes = Array(file.utf8)
            while check.next(of: bytes.span, Self.system, &log) != nil {}
            #expect(check.steps <= 600 * bytes.count, "\(file.prefix(40)): \(check.steps) for \(bytes.count)")
        }
    }

    @Test(arguments: [
        ("ALL: 10.1.1.1 10.1.1.2", "sshd: 10.1.1.2", true), ("sshd ftpd: LOCAL", "sshd: LOCAL", true),
        ("a b c d: 1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5", "b c: 1.1.1.5 1.1.1.1 EXCEPT x", true),
        ("sshd: ALL x", "sshd: 10.1.1.1", true), ("ALL: 10.1.1.1 10.1.1.2", "sshd: 10.1.1.3", false),
        ("a b c d e: x y z v w", "a: x", false), ("sshd: x EXCEPT y", "sshd: x", false),
        ("sshd: x", "sshd: y@x", false),
        ("sshd: x", "EXCEPT: x", false), ("sshd: x", "sshd:", false),
    ])
    func pairsTellOfRulesThatNameWhatAnEarlierOneDoes(_ first: String, _ second: String, _ isHidden: Bool) {
        var reader = RuleReader()
        var rule = Rule()
        let text = Array("\(first)\n\(second)\n".utf8)
        guard case .rule = reader.next(of: text.span, into: &rule) else { return }
        var seen: Set<UInt64> = []
        if !rule.hasExcept {
            _ = rule.allPairs {
                seen.insert($0.own)
                return true
            }
        }
        guard case .rule = reader.next(of: text.span, into: &rule) else { return }
        let found = rule.allPairs {
            seen.contains($0.own) || seen.contains($0.ofAllDaemons) || seen.contains($0.ofAllClients)
        }
        #expect(found == isHidden)
    }

    @Test func aRuleOfHostsDenyThatHostsAllowCoversIsNeverReached() {
        let expected = ["file:2: never reached: all it matches is matched in hosts.allow by line 3"]
        #expect(problems("ftpd: 10.1.1.1\nsshd: 10.1.1.1\n", after: "ftpd: 11.\n\nsshd: 10.\n") == expected)
        #expect(problems("sshd: 11.1.1.1\n", after: "sshd: 10.\n") == [])
        // What the command says is known to nobody: if it fails, hosts.deny decides.
        #expect(problems("sshd: 10.1.1.1\n", after: "sshd: 10. : aclexec /bin/x\n") == [])
        #expect(
            problems("sshd: 10. : aclexec /bin/x\nsshd: 10.1.1.1\n")
                == ["file:2: never reached: all it matches is matched by line 1"])
    }

    @Test func aRuleThatNamesWhatEarlierOnesDoIsNeverReached() {
        let same = ["file:2: never reached: the same as line 1"]
        #expect(problems("sshd: x\nSSHD: x : deny\n") == same)
        #expect(problems("ALL: x\nsshd: x\n") == same)
        #expect(problems("ALL: a b\nsshd: b\n") == ["file:2: never reached: all it matches is matched by line 1"])
        let many = ["file:3: never reached: all it matches is matched by earlier lines, the last of which is 2"]
        #expect(problems("sshd: a\nftpd: b a\nsshd ftpd: a\n") == many)
        let allowed = ["file:1: never reached: all it matches is matched in hosts.allow by line 2"]
        #expect(problems("sshd: x\n", after: "\nsshd: x\n") == allowed)
        #expect(problems("sshd: x\n", after: "sshd: x : aclexec /bin/x\n") == [])
    }

    /// What else a caller reports of a line stands between what is wrong with it and what earlier lines make of it.
    @Test func aCallerMayReportMoreOfALine() {
        var log = ProblemLog()
        var check = RuleLinter(.exempt)
        var exempt = ExemptRules()
        let text = Array("scanlogd: x\nscanlogd: x\n".utf8)
        var line: RuleLine?
        repeat {
            line = check.next(of: text.span, Self.system, &log) {
                exempt.add($0, &$1, in: text.span, Self.system, &$2)
            }
        } while line != nil
        #expect(log.kinds == [.needsName, .needsName, .repeated])
    }

    @Test func rulesOfTheSameWordsHaveTheSameFingerprint() {
        func fingerprint(_ text: String) -> (own: UInt64, forAll: UInt64) {
            var reader = RuleReader()
            var rule = Rule()
            guard case .rule = reader.next(of: Array(text.utf8).span, into: &rule) else { return (0, 0) }
            return rule.fingerprint
        }
        let first = fingerprint("sshd: 10.1.1.1 10.1.1.2 : deny")
        #expect(fingerprint(" SSHD , : 10.1.1.1,10.1.1.2\n").own == first.own)
        for other in [
            "sshd: 10.1.1.2 10.1.1.1", "sshd 10.1.1.1: 10.1.1.2", "ftpd: 10.1.1.1 10.1.1.2", "sshd: 10.1.1.110.1.1.2",
        ] {
            #expect(fingerprint(other).own != first.own)
        }
        #expect(fingerprint("ALL: 10.1.1.1 10.1.1.2").own == first.forAll)
        #expect(fingerprint("sshd: /x/list").own != fingerprint("sshd: /x/List").own)
        #expect(fingerprint("sshd: root@/x/list").own != fingerprint("sshd: root@/x/List").own)
        #expect(fingerprint("sshd: 10.0.0.0/8 x@Y").own == fingerprint("sshd: 10.0.0.0/8 X@y").own)
    }
}
