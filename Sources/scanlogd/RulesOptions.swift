#if Rules
    import Capture
    import CLinux
    import ScanCore

    /// The options of `scanlogd rules check` and `scanlogd rules match`.
    struct RulesOptions {
        /// The files; `nil`: not given.
        private(set) var allow: ConstantText?
        private(set) var deny: ConstantText?
        private(set) var exempt: ConstantText?
        private(set) var name: ConstantText?
        private(set) var port: ConstantText?
        private(set) var isVerbose = false
        private(set) var reportsImplicitAllow = false
        private(set) var wantsHelp = false
        /// The arguments behind the options.
        private(set) var operands: InlineArray<2, ConstantText?> = [nil, nil]
        private(set) var operandCount = 0

        /// Reads the arguments, of which the first is the name of the command; `nil` if it has been said what is wrong,
        /// mostly by getopt_long(3).
        init?(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, isMatch: Bool) {
            let program: ConstantText = isMatch ? "scanlogd rules match" : "scanlogd rules check"
            unsafe arguments[0] = UnsafeMutablePointer(mutating: program.pointer)  // begins its messages
            while let letter = unsafe Self.next(count, arguments, isMatch: isMatch) {
                if !take(letter) { return nil }
            }
            var index = clinux_option_index()
            while index < count, let argument = unsafe arguments[Int(index)] {
                if operandCount < 2 { unsafe operands[operandCount] = ConstantText(unsafe: argument) }
                operandCount += 1
                index += 1
            }
        }

        private mutating func take(_ letter: Unicode.Scalar) -> Bool {
            switch letter {
            case "A": return Self.take("--allow", &allow)
            case "D": return Self.take("--deny", &deny)
            case "E": return Self.take("--exempt", &exempt)
            case "N": name = optionArgument()
            case "P": port = optionArgument()
            case "a": reportsImplicitAllow = true
            case "h": wantsHelp = true
            case "v": isVerbose = true
            default: return false
            }
            return true
        }

        /// Takes the file of an option, and returns whether it is the first.
        private static func take(_ option: ConstantText, _ file: inout ConstantText?) -> Bool {
            if file != nil {
                complain(SystemError(option, "argument", because: "given twice: one file is read").line)
                return false
            }
            file = optionArgument()
            return true
        }

        /// The letter of the next option, `?` for one that is wrong.
        private static func next(
            _ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, isMatch: Bool
        ) -> Unicode.Scalar? {
            let end = unsafe option()
            let options: InlineArray<8, option> = unsafe [
                longOption("allow", required_argument, "A"),
                longOption("deny", required_argument, "D"),
                longOption("exempt", required_argument, "E"),
                longOption("help", no_argument, "h"),
                longOption("verbose", no_argument, "v"),
                isMatch ? longOption("name", required_argument, "N") : end,
                isMatch ? longOption("port", required_argument, "P") : end,
                end,
            ]
            return unsafe nextOption(count, arguments, isMatch ? "hv" : "ahv", options.span)
        }
    }
#endif
