import Capture
import CLinux
import ScanCore

#if Rules
    import HostRules

    /// The sources that are not to be reported, as a file says, in pages that are only there when there is a file.
    ///
    /// Safe: the memory is private, of the table's size, aligned to a page, and nobody else's for as long as the process
    /// lives; zero, it is the empty table.
    @safe struct ExemptList: ~Copyable {
        private let rules: UnsafeMutablePointer<ExemptRules>?

        /// The most bytes of a file, and of each that it names.
        private static var fileLimit: Int { 1 << 20 }

        /// Reads a file, if there is one; what is wrong with its rules is said on standard error, and then `nil`.
        init?(_ path: ConstantText?) throws(SystemError) {
            guard let path else {
                unsafe rules = nil
                return
            }
            guard let memory = unsafe clinux_map_zero(MemoryLayout<ExemptRules>.size) else {
                throw SystemError("memory of exempt sources", "map")
            }
            let rules = unsafe memory.bindMemory(to: ExemptRules.self, capacity: 1)
            let text = try FileText(path, limit: ExemptList.fileLimit)
            var complaints = Complaints(path: path)
            let isSound = text.withBytes { text in
                unsafe rules.pointee.compile(text, PatternFiles(limit: ExemptList.fileLimit), &complaints)
            }
            if !isSound { return nil }
            unsafe self.rules = rules
        }

        /// What becomes of a report about a source.
        func verdict(for source: Address) -> ExemptVerdict {
            unsafe rules?.pointee.verdict(for: source) ?? .reported
        }
    }

    /// Says on standard error what is wrong with a file.
    private struct Complaints: RuleProblemSink {
        let path: ConstantText

        func take(_ problem: RuleProblem, word: Span<UInt8>, patternFile: Span<UInt8>) {
            if !patternFile.isEmpty { return complain(LogLine(problem, word: word, file: patternFile)) }
            path.withBytes { complain(LogLine(problem, word: word, file: $0)) }
        }
    }

    /// The files of patterns that rules name.
    struct PatternFiles: RuleSystem {
        /// The most bytes of one.
        let limit: Int

        func withPatterns(in path: Span<UInt8>, _ body: (Span<UInt8>) -> Void) -> Bool {
            // Longer than any word of a rule, with the zero at its end.
            var text = InlineArray<2048, CChar>(repeating: 0)
            if path.count >= text.count { return false }
            for index in path.indices { text[index] = CChar(bitPattern: path[index]) }
            let span = text.span
            return unsafe span.withUnsafeBufferPointer { text in
                guard let start = text.baseAddress else { return false }
                do throws(SystemError) {
                    // Constant as long as the file is read.
                    try FileText(unsafe ConstantText(unsafe: start), limit: limit).withBytes(body)
                    return true
                } catch {
                    return false
                }
            }
        }
    }
#else
    /// What stands where rules are not built in: an option that names a file was refused.
    struct ExemptList: ~Copyable {
        init?(_ path: ConstantText?) throws(SystemError) {}
    }
#endif
