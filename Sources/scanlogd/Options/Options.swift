import Capture
import ScanCore
import System

/// What the command line asks for.
struct Options {
    /// What to do.
    enum Action {
        case detect
        case help
        case replay
        case selfTest
        case version
    }

    private(set) var action = Action.detect

    /// Where packets come from; `nil`: from the first backend that works.
    private(set) var backend: Backend?

    /// Which packets are wanted.
    private(set) var selection = CaptureOptions()

    /// The first option that chooses packets, if one does.
    private(set) var selectingOption: CString?

    /// The file of sources that are not to be reported; `nil`: all are.
    private(set) var exemptFile: CString?

    /// How reports are written.
    let reportFormat = ReportFormat.classic

    /// The capture file to replay; `-` is standard input.
    private(set) var captureFile: CString = "-"

    /// Stay in the foreground, and copy the log to standard error.
    private(set) var foreground = false

    /// Go to the background, and do nothing else: whoever gives the option waits for that.
    private var background = false

    /// Where the process id goes; `nil`: nowhere.
    private(set) var pidFile: CString?

    /// Reads the arguments with getopt_long(3), which says itself what it does not know: then `nil`.
    init?(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) throws(SystemError) {
        var reader = unsafe OptionReader(count, arguments, as: "scanlogd")
        let known = Options.known
        while let letter = try reader.next(of: known.span) {
            if try !apply(letter) {
                warn(LogLine("try 'scanlogd --help'"))
                return nil
            }
        }
        try reader.refuseOperands()
        try checkCombination()
        if pidFile == nil && !foreground { pidFile = CString(Parameters.pidFile) }
    }

    private static var known: InlineArray<12, CommandOption> {
        [
            CommandOption("--backend", knownBy: "B"),
            CommandOption("-b", "--background"),
            CommandOption("--direction", knownBy: "D"),
            CommandOption("--exempt", knownBy: "E"),
            CommandOption("-d", "--foreground"),
            CommandOption("-h", "--help"),
            CommandOption("-i", "--interface", takesArgument: true, mayRepeat: true),
            CommandOption("-P", "--pidfile", takesArgument: true),
            CommandOption("--promiscuous", knownBy: "M", takesArgument: false),
            CommandOption("-r", "--read", takesArgument: true),
            CommandOption("--self-test", knownBy: "T", takesArgument: false),
            CommandOption("-V", "--version"),
        ]
    }

    /// Takes an option, and returns whether there is one of this letter.
    private mutating func apply(_ letter: Unicode.Scalar) throws(SystemError) -> Bool {
        switch letter {
        case "B": backend = try Backend(named: optionArgument())
        case "b": background = true
        case "D": try set(direction: optionArgument())
        case "d": foreground = true
        case "E": try set(exemptFile: optionArgument())
        case "h": try set(action: .help)
        case "i": try set(interface: optionArgument())
        case "M": set(promiscuous: true)
        case "P": pidFile = optionArgument()
        case "r":
            try set(action: .replay)
            captureFile = optionArgument()
        case "T": try set(action: .selfTest)
        case "V": try set(action: .version)
        default: return false
        }
        return true
    }

    private mutating func set(action: Action) throws(SystemError) {
        if self.action == .help || self.action == .version { return }  // whoever asks for them gets nothing else
        if self.action != .detect && action != .help && action != .version {
            throw SystemError("--self-test", "option", because: "it is that of a start, not of -r")
        }
        self.action = action
    }

    private mutating func set(exemptFile: CString) throws(SystemError) {
        #if Rules
            self.exemptFile = exemptFile
        #else
            throw SystemError("--exempt", "option", because: "not built in")
        #endif
    }

    private mutating func set(direction: CString) throws(SystemError) {
        selectingOption = selectingOption ?? "--direction"
        selection.direction = try CaptureOptions.Direction(named: direction)
    }

    private mutating func set(interface: CString) throws(SystemError) {
        selectingOption = selectingOption ?? "--interface"
        try selection.interfaces.append(interface)
    }

    private mutating func set(promiscuous: Bool) {
        selectingOption = selectingOption ?? "--promiscuous"
        selection.promiscuous = promiscuous
    }

    /// Refuses options that would be ignored.
    private func checkCombination() throws(SystemError) {
        if background && foreground {
            throw SystemError("--background", "option", because: "does not go with --foreground")
        }
        if background && action != .detect {
            throw SystemError("--background", "option", because: "only a start goes to the background")
        }
        if let option = selectingOption {
            if action == .replay { throw SystemError(option, "option", because: "a capture file is read as it is") }
            if !(backend ?? Backend.first).takesSelection {
                throw SystemError(option, "option", because: "raw sockets take what comes in for this host, no choice")
            }
        }
        if action != .replay { return }
        if backend != nil { throw SystemError("--backend", "option", because: "a capture file is read as it is") }
        if pidFile != nil { throw SystemError("--pidfile", "option", because: "reading a capture file is no daemon") }
    }
}

extension CaptureOptions.Direction {
    /// The direction that `--direction` takes by a name.
    ///
    /// - Throws: that there is none of this name.
    init(named name: CString) throws(SystemError) {
        if name == "in" {
            self = .incoming
        } else if name == "out" {
            self = .outgoing
        } else if name == "both" {
            self = .both
        } else {
            throw SystemError(name, "direction", because: "must be in, out or both")
        }
    }
}
