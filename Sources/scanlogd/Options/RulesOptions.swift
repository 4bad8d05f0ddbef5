#if Rules
    import Capture
    import ScanCore
    import System

    /// The options of `scanlogd rules check` and `scanlogd rules match`.
    struct RulesOptions {
        /// The files; `nil`: not given.
        private(set) var allow: CString?
        private(set) var deny: CString?
        private(set) var exempt: CString?
        private(set) var name: CString?
        private(set) var port: CString?
        private(set) var isVerbose = false
        private(set) var reportsImplicitAllow = false
        /// Check the rules as those of `scanlogd wrap`.
        private(set) var isForWrap = false
        private(set) var wantsHelp = false
        /// The operands.
        private(set) var operands: InlineArray<2, CString?> = [nil, nil]
        private(set) var operandCount = 0

        /// Parses the arguments, of which the first is the name of the command; `nil` if they are invalid, with an
        /// error printed, mostly by getopt_long(3).
        init?(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, isMatch: Bool) {
            var reader = unsafe OptionReader(
                count, arguments, as: isMatch ? "scanlogd rules match" : "scanlogd rules check")
            let known = Self.known(isMatch: isMatch)
            do throws(SystemError) {
                while let letter = try reader.next(of: known.span) {
                    if !apply(letter) { return nil }
                }
            } catch {
                warn(error.line)
                return nil
            }
            while let operand = reader.operand(operandCount) {
                if operandCount < 2 { operands[operandCount] = operand }
                operandCount += 1
            }
        }

        private mutating func apply(_ letter: Unicode.Scalar) -> Bool {
            switch letter {
            case "A": allow = optionArgument()
            case "D": deny = optionArgument()
            case "E": exempt = optionArgument()
            case "N": name = optionArgument()
            case "P": port = optionArgument()
            case "W": isForWrap = true
            case "a": reportsImplicitAllow = true
            case "h": wantsHelp = true
            case "v": isVerbose = true
            default: return false
            }
            return true
        }

        /// The options of both commands, followed by those of one.
        private static func known(isMatch: Bool) -> InlineArray<7, CommandOption> {
            [
                CommandOption("--allow", knownBy: "A"),
                CommandOption("--deny", knownBy: "D"),
                CommandOption("--exempt", knownBy: "E"),
                CommandOption("-h", "--help"),
                CommandOption("-v", "--verbose"),
                isMatch ? CommandOption("--name", knownBy: "N") : CommandOption("-a"),
                isMatch
                    ? CommandOption("--port", knownBy: "P")
                    : CommandOption("--wrap", knownBy: "W", takesArgument: false),
            ]
        }
    }
#endif
