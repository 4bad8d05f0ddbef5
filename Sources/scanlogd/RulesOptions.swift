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

        /// Reads the arguments, of which the first is the name of the command; `nil` if getopt_long(3) has said what is
        /// wrong.
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

        private mutating func take(_ letter: UInt8) -> Bool {
            switch letter {
            case UInt8(ascii: "A"): allow = Self.argument
            case UInt8(ascii: "D"): deny = Self.argument
            case UInt8(ascii: "E"): exempt = Self.argument
            case UInt8(ascii: "N"): name = Self.argument
            case UInt8(ascii: "P"): port = Self.argument
            case UInt8(ascii: "a"): reportsImplicitAllow = true
            case UInt8(ascii: "h"): wantsHelp = true
            case UInt8(ascii: "v"): isVerbose = true
            default: return false
            }
            return true
        }

        /// The letter of the next option, `?` for one that is wrong.
        private static func next(
            _ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, isMatch: Bool
        ) -> UInt8? {
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
            let letters: ConstantText = isMatch ? "hv" : "ahv"
            let found = unsafe options.span.withUnsafeBufferPointer { options in
                unsafe getopt_long(count, arguments, letters.pointer, options.baseAddress, nil)
            }
            return found < 0 ? nil : UInt8(truncatingIfNeeded: found)
        }

        private static var argument: ConstantText? {
            guard let argument = unsafe clinux_option_argument() else { return nil }
            return unsafe ConstantText(unsafe: argument)
        }
    }
#endif
