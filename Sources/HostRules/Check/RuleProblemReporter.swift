/// Hands on the problems of a file to the sink of a caller, and counts them.
///
/// It owns the sink for as long as a line is looked at, so that there is one value to give along. The file itself can't
/// be kept, as it is only lent: whoever reports a word lends it again.
struct RuleProblemReporter<Sink: RuleProblemSink & ~Copyable>: ~Copyable {
    /// Which problems the sink gets.
    enum Filter {
        case all
        /// Those that ``ExemptRules`` does not report: see ``RuleProblem/Kind/isHint``.
        case hints
        /// The first of them.
        case first
    }

    private let filter: Filter
    private var sink: Sink
    /// How many problems there were, whether the sink got them or not.
    private(set) var count = 0

    init(_ filter: Filter, to sink: consuming Sink) {
        self.filter = filter
        self.sink = sink
    }

    /// Gives the sink back.
    consuming func finish() -> Sink { sink }

    /// Whether it matters if there are more problems.
    var wantsMore: Bool { filter != .first || count == 0 }

    /// Reports a problem with a line as a whole.
    ///
    /// - Parameter earlierLine: the line that it repeats, if it does; else 0.
    mutating func report(_ kind: RuleProblem.Kind, in rule: inout Rule, earlierLine: Int = 0) {
        let problem = RuleProblem(kind, line: rule.firstLine, earlierLine: earlierLine)
        rule.withText { text in
            let nothing = text.extracting(0..<0)
            report(problem, word: nothing, patternFile: nothing)
        }
    }

    /// Reports a problem with a word of a line.
    mutating func report(
        _ kind: RuleProblem.Kind, _ word: Range<Int>, in rule: inout Rule, of file: Span<UInt8>
    ) {
        let place = rule.place(of: word.lowerBound, in: file)
        let problem = RuleProblem(kind, line: place.line, column: place.column)
        rule.withText { report(problem, word: $0.extracting(word), patternFile: $0.extracting(0..<0)) }
    }

    /// Reports a problem with a word of a pattern file.
    ///
    /// - Parameters:
    ///   - words: those of the file, of which this was the last.
    ///   - path: that of the file.
    mutating func report(
        _ kind: RuleProblem.Kind, _ range: Range<Int>, in words: PatternTokenizer, of text: Span<UInt8>,
        at path: Span<UInt8>
    ) {
        let problem = RuleProblem(kind, line: words.line, column: range.lowerBound - words.lineStart + 1)
        report(problem, word: text.extracting(range), patternFile: path)
    }

    private mutating func report(_ problem: RuleProblem, word: Span<UInt8>, patternFile: Span<UInt8>) {
        let isWanted = filter == .hints ? problem.kind.isHint : wantsMore
        count += 1
        if isWanted { sink.receive(problem, word: word, patternFile: patternFile) }
    }
}

// Not only for its own sake: Swift 6.3 fails to optimize finish() for a sink that can be copied in what can't.
extension RuleProblemReporter: Copyable where Sink: Copyable {}
