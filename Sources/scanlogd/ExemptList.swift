import Capture
import CLinux
import ScanCore

#if Rules
    import HostRules

    extension ExemptRules: ZeroIsEmpty {}

    /// The sources that are not to be reported, as a file says, in pages that are only there when there is a file.
    struct ExemptList: ~Copyable {
        private let rules: ZeroedPages<ExemptRules>?

        /// The most bytes of a file.
        private static var fileLimit: Int64 { 1 << 20 }

        /// Reads a file, if there is one; what is wrong with its rules is said on standard error, and then `nil`.
        init?(_ path: ConstantText?) throws(SystemError) {
            guard let path else {
                rules = nil
                return
            }
            let rules = try ZeroedPages<ExemptRules>("memory of exempt sources")
            let text = try FileText(path, isRegular: true, limit: ExemptList.fileLimit)
            var report = RulesReport(path, complains: true)
            let isSound = text.withBytes { text in
                rules.value.compile(text, HostSystem(), &report)
            }
            if !isSound { return nil }
            self.rules = consume rules
        }

        /// What becomes of a report about a source.
        func verdict(for source: Address) -> ExemptVerdict {
            switch rules {
            case .some(let rules): rules.value.verdict(for: source)
            case .none: .reported
            }
        }
    }
#else
    /// What stands where rules are not built in: an option that names a file was refused.
    struct ExemptList: ~Copyable {
        init?(_ path: ConstantText?) throws(SystemError) {}
    }
#endif
