import HostRules
import ScanCore

/// Keeps problems as the lines that people read.
struct ProblemLog: RuleProblemSink {
    var isForExempt = false
    private(set) var lines: [String] = []
    private(set) var kinds: [RuleProblem.Kind] = []

    mutating func receive(_ problem: RuleProblem, word: Span<UInt8>, patternFile: Span<UInt8>) {
        let file = patternFile.isEmpty ? Array("file".utf8) : Array(patternFile.string.utf8)
        let line = LogLine(problem, word: word, file: file.span, isForExempt: isForExempt)
        lines.append(line.bytes.span.extracting(0..<line.count).string)
        kinds.append(problem.kind)
    }
}

extension Array<UInt8> {
    /// The bytes of some text.
    init(text: String) { self = Array(text.utf8) }
}
