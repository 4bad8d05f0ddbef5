import Capture
import ScanCore
import System

#if Rules
    import HostRules

    /// The state that is allocated if there are rules.
    private struct ExemptState: ~Copyable, Zeroable {
        var rules = ExemptRules()
        /// Reports of sources that rules want at another level.
        var reports = ReportsByLevel()
    }

    /// The sources that a file exempts from reports, in pages that are allocated only if there is a file.
    struct ExemptSources: ~Copyable {
        private let state: ZeroedPages<ExemptState>?

        /// Reads a file, if there is one. Problems in its rules are printed on standard error, and then the result is
        /// `nil`.
        init?(_ path: CString?) throws(SystemError) {
            guard let path else {
                state = nil
                return
            }
            let state = try ZeroedPages<ExemptState>("memory of exempt sources")
            let text = try ExemptFile.read(path)
            var report = RulesReport(path, onStandardError: true)
            let isSound = text.withBytes { text in
                state.value.rules.compile(text, ExemptFile.system, &report)
            }
            if !isSound { return nil }
            self.state = consume state
        }

        /// The verdict on reports about a source.
        func verdict(for source: Address) -> ExemptVerdict {
            switch state {
            case .some(let state): state.value.rules.verdict(for: source)
            case .none: .reported
            }
        }

        /// Logs the report of a scan at the level of a rule, or a notice in its place; see ``ReportsByLevel``.
        func log<Log: ReportLog & ~Copyable>(
            _ finding: inout ScanFinding, level: UInt8, at now: Timestamp, into log: inout Log
        ) -> Bool {
            switch state {
            case .some(let state): state.value.reports.log(&finding, level: level, at: now, into: &log)
            case .none: false
            }
        }

        /// When the summary of sources that were not logged at such a level is due.
        var nextSummaryDue: Timestamp? {
            switch state {
            case .some(let state): state.value.reports.nextSummaryDue
            case .none: nil
            }
        }

        /// Logs a summary of those sources, if it is due.
        func logSuppressed<Log: ReportLog & ~Copyable>(at now: Timestamp, atExit: Bool, into log: inout Log) {
            switch state {
            case .some(let state): state.value.reports.logSuppressed(at: now, atExit: atExit, into: &log)
            case .none: break
            }
        }
    }
#else
    /// A stub for builds without rules: an option that names a file has been refused.
    struct ExemptSources: ~Copyable {
        init?(_ path: CString?) throws(SystemError) {}
    }
#endif
