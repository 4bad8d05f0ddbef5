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

        /// The most bytes of a file.
        private static var fileLimit: Int64 { 1 << 20 }

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
            let text = try FileText(path, isRegular: true, limit: ExemptList.fileLimit)
            var complaints = Complaints(path: path)
            let isSound = text.withBytes { text in
                unsafe rules.pointee.compile(text, HostSystem(), &complaints)
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
#else
    /// What stands where rules are not built in: an option that names a file was refused.
    struct ExemptList: ~Copyable {
        init?(_ path: ConstantText?) throws(SystemError) {}
    }
#endif
