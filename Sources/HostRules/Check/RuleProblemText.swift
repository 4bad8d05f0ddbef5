import ScanCore

extension LogLine {
    /// A problem in words: `file:line:column: "word": what is wrong`.
    ///
    /// - Parameters:
    ///   - problem: what and where.
    ///   - word: the word it is about; empty: there is none.
    ///   - file: the path of the file it is in.
    ///   - isForExempt: whether it is about a file of exempt sources.
    public init(_ problem: RuleProblem, word: Span<UInt8>, file: Span<UInt8>, isForExempt: Bool = false) {
        self.init()
        append(escaping: file, limit: 128)
        append(":")
        append(decimal: UInt(problem.line))
        if problem.column > 0 {
            append(":")
            append(decimal: UInt(problem.column))
        }
        append(": ")
        if !word.isEmpty {
            append("\"")
            append(escaping: word, limit: 128)
            append("\": ")
        }
        append(LogLine(problem.kind, isForExempt: isForExempt))
        if problem.kind == .otherBase, case .net(let net, let mask) = HostPattern(word) {
            append(": it means ")
            append(Address(ipv4: net))
            append("/")
            append(Address(ipv4: mask))
        }
        if problem.earlierLine > 0 { append(decimal: UInt(problem.earlierLine)) }
    }

    /// What is wrong, and what comes of it.
    public init(_ kind: RuleProblem.Kind, isForExempt: Bool = false) {
        self.init()
        append(kind.text)
        guard let consequence = kind.consequence else { return }
        append(": ")
        append(isForExempt ? "scanlogd does not start" : consequence)
    }

    /// Appends bytes from a file so that they are nothing but text wherever they are shown: what is no printable ASCII,
    /// and a backslash, becomes a backslash and three octal digits. What would take more than `limit` bytes is cut off,
    /// and three dots say so.
    public mutating func append(escaping bytes: Span<UInt8>, limit: Int) {
        let end = count + limit
        for index in bytes.indices {
            let byte = bytes[index]
            let isPlain = byte >= 32 && byte < 127 && byte != UInt8(ascii: "\\")
            if count + (isPlain ? 1 : 4) > end - (index + 1 < bytes.count ? 3 : 0) {
                append("...")
                return
            }
            append(escaping: byte)
        }
    }

    /// Appends one byte of a file: printable ASCII as it is, anything else, and a backslash, as a backslash and three
    /// octal digits.
    public mutating func append(escaping byte: UInt8) {
        if byte >= 32 && byte < 127 && byte != UInt8(ascii: "\\") {
            append(byte: byte)
            return
        }
        append("\\")
        append(byte: UInt8(ascii: "0") + byte >> 6)
        append(byte: UInt8(ascii: "0") + byte >> 3 & 7)
        append(byte: UInt8(ascii: "0") + byte & 7)
    }
}

extension RuleProblem.Kind {
    /// What comes of it in hosts.allow and hosts.deny; in a file of exempt sources, all of these keep scanlogd from
    /// starting.
    fileprivate var consequence: String? {
        switch self {
        case .tooLong, .zeroByte: "all after it is ignored, and in hosts.deny everybody is denied"
        case .joinAtEnd: "there is no next line to join, this one is ignored, and in hosts.deny everybody is denied"
        case .missingColon: "the line is skipped"
        case .noFile, .noHost, .badNet, .emptyLength, .emptyHost, .notAnAddress, .dottedWildcard, .hostBits,
            .afterBracket, .lengthInBrackets, .badIPv6, .bracketedIPv4, .mappedIPv4:
            "it matches nothing"
        case .netgroup, .badLength: "it matches nothing here"
        case .numberBeginsWithDot: "it matches addresses that end in it"
        case .openBracket: "it matches nothing, and no colon behind it ends a list"
        case .emptyLengthOfIPv6: "it matches nothing here, and every IPv6 address for libwrap"
        case .tooManyFiles, .fileLoop: "everybody is denied"
        case .missingOption, .unknownOption, .bareCommand, .notRunByWrap, .missingValue, .unexpectedValue,
            .optionNotLast, .badNumber, .badSeverity,
            .unknownUser, .unknownGroup:
            "the rule denies"
        default: nil
        }
    }

    /// What is wrong, in words.
    fileprivate var text: String {
        @inline(never) get { lineText ?? listText ?? hostText ?? optionText ?? exemptText ?? "?" }
    }

    private var lineText: String? {
        switch self {
        case .byteOrderMark: "byte order mark: libwrap takes it for a part of the first word"
        case .missingNewline: "no newline: libwrap ignores the line in hosts.allow, and in hosts.deny denies everybody"
        case .tooLong: "longer than 2047 bytes"
        case .zeroByte: "zero byte"
        case .missingColon: "no \":\""
        case .joinAtEnd: "backslash at the end of the last line"
        case .joinBeforeReturn: "backslash before a carriage return: the next line is not joined"
        case .joinedComment: "comment that ends in a backslash: the next line is a part of it"
        case .blankBeforeComment: "blank before \"#\": this is no comment"
        case .trailingComment: "\"#\" begins no comment here: what follows are words of the rule"
        case .shadowed: "never reached: all it matches is matched by line "
        case .shadowedByMany: "never reached: all it matches is matched by earlier lines, the last of which is "
        case .shadowedInAllow: "never reached: all it matches is matched in hosts.allow by line "
        case .repeated: "never reached: the same as line "
        case .allowedBefore: "never reached, with all that follow: everything is matched in hosts.allow by line "
        case .afterAll: "never reached: everything is matched by line "
        default: nil
        }
    }

    private var listText: String? {
        switch self {
        case .noDaemons: "the daemon list is empty, or EXCEPT has nothing beside it"
        case .noClients: "the client list is empty, or EXCEPT has nothing beside it"
        case .daemonIsFile: "a daemon's name begins with \"/\": files are for clients"
        case .daemonIsNetgroup: "a daemon's name begins with \"@\": netgroups are for clients"
        case .daemonIsReserved: "a daemon's name that is a word for clients"
        case .daemonBeginsWithDot: "a daemon's name begins with a dot"
        case .daemonEndsInDot: "a daemon's name ends in a dot"
        case .oddDaemon: "a daemon's name with bytes that names seldom have: they are compared as well"
        case .userIsFile: "a user's name begins with \"/\": files are for hosts"
        case .userIsNetgroup: "a user's name begins with \"@\": netgroups are for hosts"
        case .userIsReserved: "a user's name that is a word for hosts"
        case .userBeginsWithDot: "a user's name begins with a dot"
        case .userEndsInDot: "a user's name ends in a dot"
        case .oddUser: "a user's name with bytes that names seldom have: they are compared as well"
        case .noFile: "can't be read"
        case .tooManyFiles: "too many pattern files, or one in another too often"
        case .fileLoop: "a pattern file that names itself, or one that names it"
        case .commaInFile: "a comma separates nothing in a pattern file"
        case .exceptInFile: "EXCEPT is a name in a pattern file"
        case .atSignInFile: "a user can't be named in a pattern file: it matches nothing"
        default: nil
        }
    }

    private var hostText: String? {
        switch self {
        case .noHost: "no address is printed like this, and no host has such a name"
        case .emptyHost: "no host behind \"@\""
        case .netgroup: "netgroup"
        case .fail: "FAIL is no longer known: use EXCEPT, or deny"
        case .nameEndsInDot: "a name that ends in a dot: it matches what begins with it"
        case .numberBeginsWithDot: "begins with a dot"
        case .notAnAddress: "no address is printed like this"
        case .dottedWildcard: "wildcards, and a dot in front"
        case .badNet: "the net must be four numbers of an IPv4 address, or an IPv6 address in brackets"
        case .emptyLength, .emptyLengthOfIPv6: "no prefix length"
        case .zeroLength: "the prefix length 0 matches nothing: ALL stands for everybody"
        case .badLength: "the prefix length must be digits only, 1 to 32, or 0 to 128 behind brackets"
        case .hostMask: "this mask matches nothing: write the address without it"
        case .hostBits: "bits are set behind the prefix"
        case .hostBitsOfIPv6: "bits are set behind the prefix: they do not count, and it matches the whole net"
        case .openBracket: "a bracket without its other half"
        case .afterBracket: "something other than a prefix length behind \"]\""
        case .lengthInBrackets: "the prefix length stands in the brackets"
        case .badIPv6: "no IPv6 address in the brackets"
        case .bracketedIPv4: "brackets around an IPv4 address"
        case .mappedIPv4: "an IPv4 address as IPv6, to be written as IPv4"
        case .zone: "a zone is not compared"
        case .bareIPv6: "an IPv6 address needs brackets"
        case .otherBase: "a number behind a 0 is octal, one behind 0x hexadecimal"
        default: nil
        }
    }

    private var optionText: String? {
        switch self {
        case .missingOption: "no option behind the colon"
        case .unknownOption: "no such option"
        case .bareCommand: "a command without an option: write spawn or twist before it"
        case .needsTraps: "scanlogd wrap runs it with --traps only, for TCP, and for root only behind the option user"
        case .notRunByWrap: "scanlogd wrap does not run it"
        case .nobodyIsAsked: "scanlogd wrap asks nobody: users are unknown"
        case .missingValue: "an option without its value"
        case .unexpectedValue: "an option that takes no value"
        case .optionNotLast: "an option that must be the last"
        case .badNumber: "not a number for this option"
        case .badSeverity: "no facility or level that libwrap knows"
        case .unknownUser: "no such user"
        case .unknownGroup: "no such group"
        case .noDirectory: "no such directory"
        case .unknownExpansion: "stands for nothing: %a %c %d %h %n %p %r %s %u %A %H %N %R %% do"
        case .implicitAllow: "grants without saying \"allow\""
        default: nil
        }
    }

    private var exemptText: String? {
        switch self {
        case .needsName: "needs a name, and no name is looked up: addresses only"
        case .needsServer: "the address that packets went to is not compared"
        case .acts: "only allow, deny and severity may stand in an exempt file"
        case .noFamily: "wildcards for IPv4 and IPv6 alike: write a dot, or a colon in a file of patterns"
        case .tooManyRules: "more than 256 rules"
        case .tooManyPatterns: "more than 1024 patterns in all"
        case .tooMuchText: "more than 4096 bytes of patterns with wildcards in all"
        case .otherDaemon: "not about scanlogd: it is not used"
        default: nil
        }
    }
}
