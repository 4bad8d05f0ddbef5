#if Wrap
    import ScanCore
    import System

    /// The options of `scanlogd wrap`, and the program that follows them.
    @safe struct WrapOptions {
        /// The rule files; `nil`: the host's.
        private(set) var allow: CString?
        private(set) var deny: CString?
        /// Whether the client's name is looked up in any case.
        private(set) var wantsName = false
        /// Whether a client whose name and address disagree is refused in any case.
        private(set) var isParanoid = false
        /// The directory with what limits traps; `nil`: none is run.
        private(set) var traps: CString?
        /// How long the process lives on after it has refused a connection, in seconds.
        private(set) var refuseDelay: UInt32 = 0
        private(set) var wantsHelp = false
        /// The program as it was given; `nil`: there is no service.
        let program: CString?
        /// The name of the service in rules and in the log.
        let service: CString
        /// The arguments of the program, with its name.
        let arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

        /// The longest delay.
        private static var longestDelay: UInt32 { 3600 }

        /// Parses the arguments after `wrap`. What follows the first that is no option is the program and its arguments.
        ///
        /// - Parameters:
        ///   - count: the number of arguments, of which the first is `wrap`.
        ///   - arguments: the arguments.
        init(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) throws(SystemError) {
            var reader = unsafe OptionReader(
                count, arguments, as: "scanlogd wrap", isSilent: true, endsAtOperand: true)
            let known = WrapOptions.known
            var given: CString?
            var options = Parsed()
            while let letter = try reader.next(of: known.span) {
                if letter == "N" {
                    given = optionArgument()
                } else if try !options.apply(letter) {
                    throw SystemError(
                        reader.refused, "option", because: "unknown, ambiguous, or without the argument that it needs")
                }
            }
            let program = reader.operand(0)
            guard let service = given ?? program?.lastComponent ?? (options.wantsHelp ? "wrap" : nil) else {
                throw SystemError("--service", "option", because: "needed if no program follows")
            }
            if !service.isServiceName {
                throw SystemError(service, "service", because: .serviceNameRule)
            }
            self.service = service
            self.program = program
            unsafe self.arguments = reader.operands(from: 0)
            allow = options.allow
            deny = options.deny
            wantsName = options.wantsName || options.isParanoid
            isParanoid = options.isParanoid
            traps = options.traps
            refuseDelay = options.refuseDelay
            wantsHelp = options.wantsHelp
        }

        /// The options of tcpd(8), which has none: all arguments are the program's, and the first is the program.
        init(tcpd arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) throws(SystemError) {
            guard let first = unsafe arguments[0] else {
                throw SystemError("tcpd", "start", because: "there is no program")
            }
            let program = unsafe CString(unsafe: first)
            let service = program.lastComponent
            if !service.isServiceName {
                throw SystemError(program, "service", because: .serviceNameRule)
            }
            self.program = program
            self.service = service
            unsafe self.arguments = arguments
        }

        /// The options without what follows them.
        private struct Parsed {
            var allow: CString?
            var deny: CString?
            var wantsName = false
            var isParanoid = false
            var traps: CString?
            var refuseDelay: UInt32 = 0
            var wantsHelp = false

            mutating func apply(_ letter: Unicode.Scalar) throws(SystemError) -> Bool {
                switch letter {
                case "A": allow = optionArgument()
                case "D": deny = optionArgument()
                case "n": wantsName = true
                case "p": isParanoid = true
                case "T": traps = optionArgument()
                case "R": refuseDelay = try WrapOptions.delay(optionArgument())
                case "h": wantsHelp = true
                default: return false
                }
                return true
            }
        }

        private static func delay(_ text: CString) throws(SystemError) -> UInt32 {
            let value: UInt32? = text.withBytes { digits in
                var value: UInt32 = 0
                if digits.isEmpty { return nil }
                for index in digits.indices {
                    if digits[index] < 48 || digits[index] > 57 || value > longestDelay { return nil }
                    value = value * 10 + UInt32(digits[index] - 48)
                }
                return value <= longestDelay ? value : nil
            }
            guard let value else {
                throw SystemError(text, "refuse delay", because: "must be 0 to 3600 seconds")
            }
            return value
        }

        private static var known: InlineArray<8, CommandOption> {
            [
                CommandOption("--allow", knownBy: "A"),
                CommandOption("--deny", knownBy: "D"),
                CommandOption("--names", knownBy: "n", takesArgument: false),
                CommandOption("--paranoid", knownBy: "p", takesArgument: false),
                CommandOption("--traps", knownBy: "T"),
                CommandOption("--service", knownBy: "N"),
                CommandOption("--refuse-delay", knownBy: "R"),
                CommandOption("-h", "--help"),
            ]
        }
    }

    extension CString {
        /// Whether it can stand at the beginning of each line of the log, where its end must be seen.
        fileprivate var isServiceName: Bool {
            withBytes { name in
                for index in name.indices where name[index] <= 32 || name[index] >= 127 { return false }
                return name.count > 0 && name.count <= 255
            } && !(self == ".")
        }

        fileprivate static var serviceNameRule: CString { "a name has 1 to 255 printable characters, and no blank" }
    }

    /// The text of `scanlogd wrap --help`.
    let wrapUsage = """
        usage: scanlogd wrap [--allow FILE] [--deny FILE] [--names] [--paranoid] [--traps DIR]
                             [--service NAME] [--refuse-delay SECONDS] [--] [PROGRAM [ARG...]]

        Started by a super-server with a connection as standard input: logs who connects, decides by
        access rules, scanlogd-rules(5), then becomes PROGRAM or closes the connection. Started as
        tcpd it does what tcpd(8) does, and all arguments are PROGRAM's.

              --allow FILE      instead of /etc/hosts.allow
              --deny FILE       instead of /etc/hosts.deny
              --names           look the client's name up in any case
              --paranoid        the same, and refuse a client whose name has another address
              --traps DIR       run the commands of rules, within limits that are kept in DIR
              --service NAME    the name in rules and in the log (that of PROGRAM)
              --refuse-delay SECONDS
                                live on for so long after a refusal (0)
          -h, --help            print this

        Without PROGRAM there is no service: the connection is logged, judged and closed.

        """
#endif
