#if Connections
    import Capture
    import ScanCore
    import System

    /// The options of `scanlogd connections`.
    struct ConnectionsOptions {
        /// The format of the date of a line.
        enum DateFormat {
            case iso
            case epoch
        }

        private(set) var wantsHelp = false
        /// Go to the background.
        private(set) var background = false
        /// Print host names.
        private(set) var names = false
        /// Which packets are wanted.
        private(set) var selection = CaptureOptions()
        /// The file to write lines to; `nil`: standard output.
        private(set) var outputFile: CString?
        /// The pid file; `nil`: none.
        private(set) var pidFile: CString?
        /// The capture file to read; `nil`: live capture.
        private(set) var captureFile: CString?
        private(set) var dateFormat = DateFormat.iso
        /// Write objects of JSON in place of lines of five fields.
        private(set) var writesEvents = false
        /// The maximum number of lines per second; `nil`: no limit.
        private(set) var limit: UInt64?
        /// The number of lines after which to end; `nil`: no limit.
        private(set) var count: UInt64?

        private var takesAllFrames = true
        private var hasDate = false
        private var hasLimit = false
        private var hasInterface = false

        /// Parses the arguments after `connections` with getopt_long(3), which prints an error for an unknown option:
        /// then `nil`.
        ///
        /// - Parameters:
        ///   - count: the number of arguments, of which the first is `connections`.
        ///   - arguments: the arguments.
        init?(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) throws(SystemError) {
            selection.direction = .both
            selection.interest = .attempts
            var reader = unsafe OptionReader(count, arguments, as: "scanlogd connections")
            let known = ConnectionsOptions.known
            while let letter = try reader.next(of: known.span) {
                if wantsHelp && letter != "?" { continue }  // whatever else is asked for
                if try !apply(letter) {
                    warn(LogLine("try 'scanlogd connections -h'"))
                    return nil
                }
            }
            if wantsHelp { return }
            try reader.refuseOperands()
            try checkCombination()
            // As tcpdump does: promiscuous mode only on interfaces that are named, not on all.
            selection.promiscuous = takesAllFrames && !selection.interfaces.areAll
            selection.untaggedOnly = captureFile == nil && !names("vlan")
            selection.expressionNamesLink = namesLink
            if !hasLimit && captureFile == nil { limit = Parameters.attemptLines }
        }

        /// Whether the expression refers to the link header, or to headers between that and the packet.
        private var namesLink: Bool {
            names("vlan") || names("mpls") || names("pppoes") || names("ether") || names("link")
        }

        /// Whether the expression contains a word. Without `vlan` it would match tagged frames of a live capture that
        /// it is not meant to: the kernel has removed their tag.
        ///
        /// It must be a whole word: a host name may contain it, too.
        private func names(_ word: CString) -> Bool {
            selection.expression?.hasWord(word, of: HostName.isAllowed) ?? false
        }

        private static var known: InlineArray<16, CommandOption> {
            [
                CommandOption("-b"),
                CommandOption("-c", "--count", takesArgument: true),
                CommandOption("--date", knownBy: "D"),
                CommandOption("--direction", knownBy: "W"),
                CommandOption("-F", takesArgument: true),
                CommandOption("-f", takesArgument: true),
                CommandOption("-h", "--help"),
                CommandOption("-i", "--interface", takesArgument: true, mayRepeat: true),
                CommandOption("--json", knownBy: "J", takesArgument: false),
                CommandOption("--limit", knownBy: "L"),
                CommandOption("-n"),
                CommandOption("-o", takesArgument: true),
                CommandOption("-P", "--pidfile", takesArgument: true),
                CommandOption("-p"),
                CommandOption("--read", knownBy: "R"),
                CommandOption("-r"),
            ]
        }

        /// Applies an option. Returns whether there is one of this letter.
        private mutating func apply(_ letter: Unicode.Scalar) throws(SystemError) -> Bool {
            switch letter {
            case "b": background = true
            case "c": count = try number(of: "--count", most: 1 << 62)
            case "D": try set(date: optionArgument())
            case "F": try set(expression: optionArgument(), for: .everything)
            case "f": try set(expression: optionArgument(), for: .attempts)
            case "h": wantsHelp = true
            case "i":
                hasInterface = true
                try selection.interfaces.append(optionArgument())
            case "J": writesEvents = true
            case "L": try setLimit()
            case "n": names = false
            case "o": outputFile = optionArgument()
            case "P": pidFile = optionArgument()
            case "p": takesAllFrames = false
            case "R": captureFile = optionArgument()
            case "r": names = true
            case "W": selection.direction = try CaptureOptions.Direction(named: optionArgument())
            default: return false
            }
            return true
        }

        private mutating func set(date: CString) throws(SystemError) {
            hasDate = true
            if date == "iso" {
                dateFormat = .iso
            } else if date == "epoch" {
                dateFormat = .epoch
            } else {
                throw SystemError(date, "date", because: "must be iso or epoch")
            }
        }

        private mutating func set(
            expression: CString, for interest: CaptureOptions.Interest
        ) throws(SystemError) {
            if selection.expression != nil {
                throw SystemError(expression, "filter", because: "there is one already: only one of -f and -F is taken")
            }
            selection.expression = expression
            selection.interest = interest
        }

        private mutating func setLimit() throws(SystemError) {
            hasLimit = true
            limit = optionArgument() == "off" ? nil : try number(of: "--limit", most: 1_000_000_000)
        }

        /// The argument of an option as a number, 1 or greater.
        private func number(of option: CString, most: UInt64) throws(SystemError) -> UInt64 {
            let text = optionArgument()
            var value: UInt64 = 0
            var next = unsafe text.pointer
            while let digit = UInt8(exactly: Int(unsafe next.pointee) - 48), digit <= 9, value <= most / 10 {
                value = value * 10 + UInt64(digit)
                unsafe next += 1
            }
            if unsafe next.pointee != 0 || value < 1 || value > most {
                throw SystemError(text, option, because: "not a number of this kind")
            }
            return value
        }

        /// Refuses combinations in which an option would be ignored.
        private func checkCombination() throws(SystemError) {
            if hasDate && writesEvents {
                throw SystemError("--date", "option", because: "with --json times are numbers")
            }
            if captureFile != nil {
                let reason: CString = "a capture file is read as it is, in the foreground"
                if hasInterface { throw SystemError("-i", "option", because: reason) }
                if !takesAllFrames { throw SystemError("-p", "option", because: reason) }
                if background { throw SystemError("-b", "option", because: reason) }
                if selection.direction != .both {
                    let reason: CString = "most files don't tell; -f inbound asks those that do"
                    throw SystemError("--direction", "--read", because: reason)
                }
            }
            if background && outputFile == nil {
                throw SystemError("-b", "option", because: "in the background lines need a file: -o")
            }
            // Aliases are found once all files are open; but a file that does not exist yet would be created first.
            if let outputFile, let pidFile, outputFile == pidFile {
                throw SystemError(outputFile, .writeLines, because: .isPidFile)
            }
        }
    }

    /// The text of `scanlogd connections -h`.
    let connectionsUsage = """
        usage: scanlogd connections [-b] [-n | -r] [-p] [-i INTERFACE]...
                                    [--direction in|out|both] [-o FILE] [-P FILE]
                                    [-f EXPRESSION | -F EXPRESSION]
                                    [--read FILE] [--date iso|epoch | --json]
                                    [--limit N|off] [-c COUNT]

        Writes a line for each attempt to connect: DATE|SOURCE|PORT|DESTINATION|PORT

          -i, --interface NAME  take packets from this interface; up to 16 times (any)
              --direction in|out|both
                                what comes in, what goes out, or both (both)
          -p                    leave out packets for other hosts
          -f EXPRESSION         only attempts that match a filter of tcpdump's
          -F EXPRESSION         whatever matches it instead, of TCP and UDP
              --read FILE       from a capture file (- for standard input)

          -o FILE               append to this file; SIGHUP opens it anew
              --date iso|epoch  how dates are written (iso)
              --json            an object of JSON in place of each line
          -n                    addresses as they are (this is so without it, too)
          -r                    names for addresses: asks the name servers of whoever connects
              --limit N|off     at most so many lines a second (1000; with --read: off)
          -c, --count COUNT     end after so many lines

          -b                    go to the background; needs -o
          -P, --pidfile FILE    where the process id goes (nowhere)
          -h, --help            print this

        """
#endif
