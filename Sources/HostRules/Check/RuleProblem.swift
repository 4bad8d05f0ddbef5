/// Something that is wrong with a rule file, or will not do what it seems to, and where.
public struct RuleProblem: Sendable {
    /// What it is.
    public let kind: Kind
    /// The number of its line, from 1.
    public let line: Int
    /// The number of the byte in the line where the word begins, from 1; 0: it is about the whole line.
    public let column: Int
    /// The number of the line of an earlier rule that this one repeats; else 0.
    public let earlierLine: Int

    init(_ kind: Kind, line: Int, column: Int = 0, earlierLine: Int = 0) {
        self.kind = kind
        self.line = line
        self.column = column
        self.earlierLine = earlierLine
    }

    /// What can be wrong.
    public enum Kind: Sendable {
        // The line.
        case byteOrderMark, missingNewline, tooLong, zeroByte, missingColon, joinAtEnd, joinBeforeReturn
        case joinedComment, blankBeforeComment, trailingComment
        // The lists.
        case noDaemons, noClients
        case daemonIsFile, daemonIsNetgroup, daemonIsReserved, daemonBeginsWithDot, daemonEndsInDot, oddDaemon
        case userIsFile, userIsNetgroup, userIsReserved, userBeginsWithDot, userEndsInDot, oddUser
        case noHost, emptyHost, netgroup, fail, nameEndsInDot, numberBeginsWithDot, notAnAddress, dottedWildcard
        case badNet, emptyLength, emptyLengthOfIPv6, zeroLength, badLength, hostMask, hostBits, hostBitsOfIPv6
        case openBracket, afterBracket, lengthInBrackets, badIPv6, bracketedIPv4, mappedIPv4, zone, bareIPv6
        case otherBase, noFamily
        // Pattern files.
        case noFile, tooManyFiles, fileLoop, commaInFile, exceptInFile, atSignInFile
        // Options.
        case missingOption, unknownOption, missingValue, unexpectedValue, optionNotLast, badNumber, badSeverity
        case bareCommand, needsTraps, notRunByWrap, nobodyIsAsked
        case unknownUser, unknownGroup, noDirectory, unknownExpansion, implicitAllow
        // The file as a whole.
        case shadowed, shadowedByMany, shadowedInAllow, repeated, afterAll, allowedBefore
        // Exempt files.
        case needsName, needsServer, acts, tooManyRules, tooManyPatterns, tooMuchText, otherDaemon

        /// Whether exempt files may have it: it does not keep scanlogd from starting.
        ///
        /// `blankBeforeComment` may stand before rules for others only; before one for scanlogd ``ExemptRules`` refuses it.
        var isHint: Bool {
            switch self {
            case .joinBeforeReturn, .joinedComment, .blankBeforeComment, .hostBitsOfIPv6, .daemonIsFile,
                .daemonIsNetgroup, .daemonIsReserved, .daemonBeginsWithDot, .daemonEndsInDot, .oddDaemon, .otherDaemon,
                .shadowed, .shadowedByMany, .shadowedInAllow, .repeated, .afterAll, .allowedBefore:
                true
            default: false
            }
        }
    }
}

/// Where problems go.
public protocol RuleProblemSink: ~Copyable {
    /// Takes a problem.
    ///
    /// - Parameters:
    ///   - problem: what and where.
    ///   - word: the word it is about, as it stands in the file, any bytes; empty if there is none.
    ///   - patternFile: the path of the pattern file it is in; empty if it is in the rule file itself.
    mutating func receive(_ problem: RuleProblem, word: Span<UInt8>, patternFile: Span<UInt8>)
}
