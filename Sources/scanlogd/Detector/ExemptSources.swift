import Capture
import ScanCore
import System

#if Rules
    import HostRules

    /// What is in memory when there are rules.
    private struct ExemptState: ~Copyable, Zeroable {
        var rules = ExemptRules()
        /// Reports of sources that rules only want at another level.
        var reports = ReportsByLevel()
    }

    /// The sources that are not to be reported, as a file says, in pages that are only there when there is a file.
    struct ExemptSources: ~Copyable {
        private let state: ZeroedPages<ExemptState>?

        /// Reads a file, if there is one; what is wrong with its rules is said on standard error, and then `nil`.
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

        /// What becomes of a report about a source.
        func verdict(for source: Address) -> ExemptVerdict {
            switch state {
            case .some(let state): state.value.rules.verdict(for: source)
            case .none: .reported
            }
        }

        /// Logs the report of a scan at the level of a rule, or what stands in its place; see ``ReportsByLevel``.
        func log<Log: ReportLog & ~Copyable>(
            _ finding: inout ScanFinding, level: UInt8, at now: Timestamp, into log: inout Log
        ) -> Bool {
            switch state {
            case .some(let state): state.value.reports.log(&finding, level: level, at: now, into: &log)
            case .none: false
            }
        }

        /// When there are sources to name that were not logged at such a level.
        var nextSummaryDue: Timestamp? {
            switch state {
            case .some(let state): state.value.reports.nextSummaryDue
            case .none: nil
            }
        }

        /// Names those sources, if it is time to.
        func logSuppressed<Log: ReportLog & ~Copyable>(at now: Timestamp, atExit: Bool, into log: inout Log) {
            switch state {
            case .some(let state): state.value.reports.logSuppressed(at: now, atExit: atExit, into: &log)
            case .none: break
            }
        }
    }
#else
    /// What stands where rules are not built in: an option that names a file was refused.
    struct ExemptSources: ~Copyable {
        init?(_ path: CString?) throws(SystemError) {}
    }
#endif
