import Capture
import ScanCore
import System

/// The options of `scanlogd`.
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

    /// The backend; `nil`: the first one that works.
    private(set) var backend: Backend?

    /// Which packets are wanted.
    private(set) var selection = CaptureOptions()

    /// The first option that selects packets, if any.
    private(set) var selectingOption: CString?

    /// The file of exempt sources; `nil`: all sources are reported.
    private(set) var exemptFile: CString?

    /// The kinds of scans to detect, and whether they were named one by one.
    private var kinds = ScanKinds.all
    private var kindsAreNamed = false
    /// What the quick rule counts.
    private var quickRule = QuickRule.touches
    /// The first option that is of use with a capture file only, if any.
    private(set) var fileOption: CString?
    /// The networks of the hosts that a capture file was made at.
    private(set) var local = NetworkList()

    /// What a replay detects.
    var kindSettings: KindSettings {
        var settings = KindSettings(kinds, quickRule: quickRule)
        settings.local = local
        settings.firstClientPort = Parameters.firstClientPort
        return settings
    }

    /// What a start detects.
    var wantedKinds: WantedKinds {
        WantedKinds(
            kinds: kinds, areNamed: kindsAreNamed, quickRule: quickRule, isPromiscuous: selection.promiscuous,
            reportsEnds: reportsEnds, logsTouches: logsTouches, seesAnswers: selection.ownAnswers)
    }

    /// Whether the ends of scans are reported, too.
    private(set) var reportsEnds = false
    /// Whether it is logged what sources touch in each minute.
    private var logsTouches = false

    /// The format of the reports of a replay.
    private(set) var reportFormat = ReportFormat.classic

    /// What is written to the log beside its lines.
    private(set) var logForm = SystemLog.Form()
    /// The first option that says so, if any.
    private var logOption: CString?

    /// The capture file to replay; `-` is standard input.
    private(set) var captureFile: CString = "-"

    /// Stay in the foreground, and copy the log to standard error.
    private(set) var foreground = false

    /// Go to the background explicitly: an action that does not is refused.
    private var background = false

    /// The pid file; `nil`: none.
    private(set) var pidFile: CString?

    /// Parses the arguments with getopt_long(3), which prints an error for an unknown option: then `nil`.
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

    private static var known: InlineArray<21, CommandOption> {
        [
            CommandOption("--answers", knownBy: "A", takesArgument: false),
            CommandOption("--backend", knownBy: "B"),
            CommandOption("-b", "--background"),
            CommandOption("--direction", knownBy: "D"),
            CommandOption("--end", knownBy: "N", takesArgument: false),
            CommandOption("--events", knownBy: "S", takesArgument: false),
            CommandOption("--exempt", knownBy: "E"),
            CommandOption("-d", "--foreground"),
            CommandOption("-h", "--help"),
            CommandOption("-i", "--interface", takesArgument: true, mayRepeat: true),
            CommandOption("--journal", knownBy: "U", takesArgument: false),
            CommandOption("--json", knownBy: "J", takesArgument: false),
            CommandOption("--kinds", knownBy: "K"),
            CommandOption("--local", knownBy: "L", mayRepeat: true),
            CommandOption("-P", "--pidfile", takesArgument: true),
            CommandOption("--promiscuous", knownBy: "M", takesArgument: false),
            CommandOption("-r", "--read", takesArgument: true),
            CommandOption("--rule", knownBy: "R"),
            CommandOption("--self-test", knownBy: "T", takesArgument: false),
            CommandOption("--touches", knownBy: "O", takesArgument: false),
            CommandOption("-V", "--version"),
        ]
    }

    /// Applies an option. Returns whether there is one of this letter.
    private mutating func apply(_ letter: Unicode.Scalar) throws(SystemError) -> Bool {
        switch letter {
        case "A": selection.ownAnswers = true
        case "B": backend = try Backend(named: optionArgument())
        case "b": background = true
        case "D": try set(direction: optionArgument())
        case "d": foreground = true
        case "E": try set(exemptFile: optionArgument())
        case "h": try set(action: .help)
        case "i": try set(interface: optionArgument())
        case "J":
            fileOption = fileOption ?? "--json"
            reportFormat = .json
        case "K": try set(kinds: optionArgument())
        case "N": reportsEnds = true
        case "L": try addLocal(optionArgument())
        case "M": set(promiscuous: true)
        case "O": logsTouches = true
        case "P": pidFile = optionArgument()
        case "r":
            try set(action: .replay)
            captureFile = optionArgument()
        case "R": quickRule = try QuickRule(named: optionArgument())
        case "S":
            logOption = logOption ?? "--events"
            logForm.hasEvents = true
        case "T": try set(action: .selfTest)
        case "U":
            logOption = logOption ?? "--journal"
            logForm.prefersJournal = true
        case "V": try set(action: .version)
        default: return false
        }
        return true
    }

    private mutating func set(action: Action) throws(SystemError) {
        if self.action == .help || self.action == .version { return }  // they override all other actions
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

    private mutating func set(kinds: CString) throws(SystemError) {
        self.kinds = try ScanKinds(named: kinds)
        kindsAreNamed = self.kinds != .all
    }

    private mutating func addLocal(_ network: CString) throws(SystemError) {
        fileOption = fileOption ?? "--local"
        let (address, prefixLength) = try parseNetwork(network)
        if local.append(address, prefixLength: prefixLength) { return }
        throw SystemError(network, "--local", because: "the most that can be named are ", 16)
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

    /// Refuses combinations in which an option would be ignored.
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
        if selection.ownAnswers { try checkAnswers() }
        if logsTouches && !(action == .replay ? reportFormat == .json : logForm.hasEvents) {
            let other: CString =
                action == .replay ? "with --read it goes with --json only" : "it goes with --events only"
            throw SystemError("--touches", "option", because: other)
        }
        if let fileOption, action != .replay {
            throw SystemError(fileOption, "option", because: "it goes with --read only")
        }
        if action != .replay { return try checkKinds() }
        if let logOption {
            throw SystemError(logOption, "option", because: "reports of a capture file are not logged; see --json")
        }
        if backend != nil { throw SystemError("--backend", "option", because: "a capture file is read as it is") }
        if pidFile != nil { throw SystemError("--pidfile", "option", because: "reading a capture file is no daemon") }
    }
}

extension Options {
    /// Refuses the host's own answers where they are not seen, or seen anyway.
    private func checkAnswers() throws(SystemError) {
        if action == .replay { throw SystemError("--answers", "option", because: "of a capture file all are read") }
        if !(backend ?? .first).takesSelection {
            throw SystemError("--answers", "option", because: "raw sockets do not see what the host sends")
        }
        if selection.direction != .incoming {
            throw SystemError("--answers", "option", because: "it goes with --direction in")
        }
    }

    /// Refuses kinds that the backend can't see.
    private func checkKinds() throws(SystemError) {
        let backend = backend ?? .first
        if kindsAreNamed && kinds.intersection(backend.kinds) != kinds {
            throw SystemError(backend.name, "--kinds", because: "this backend does not see all of these")
        }
    }
}

extension CaptureOptions.Direction {
    /// The direction for an argument of `--direction`.
    ///
    /// - Throws: an error for any other name.
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

extension QuickRule {
    /// The rule for an argument of `--rule`.
    ///
    /// - Throws: an error for any other name.
    init(named name: CString) throws(SystemError) {
        if name == "touches" {
            self = .touches
        } else if name == "answers" {
            self = .answers
        } else {
            throw SystemError(name, "--rule", because: "must be touches or answers")
        }
    }
}

extension ScanKinds {
    /// The kinds for an argument of `--kinds`: their names, separated by commas, or `all`.
    ///
    /// - Throws: an error for any other name, and if none is given.
    init(named list: CString) throws(SystemError) {
        self = .none
        let isKnown = list.withBytes { list in
            var start = 0
            for end in 0...list.count where end == list.count || list[end] == UInt8(ascii: ",") {
                if !insert(named: list.extracting(start..<end)) { return false }
                start = end + 1
            }
            return true
        }
        if isKnown { return }
        throw SystemError(
            list, "--kinds",
            because: "must be all, or a list of quick, slow, spread, sweep, ping, udp, ack, protocols and sctp")
    }

    private mutating func insert(named name: Span<UInt8>) -> Bool {
        if name.isText("all") {
            self = .all
            return true
        }
        for number in 0..<ScanKind.count {
            guard let kind = ScanKind(rawValue: number), name.isText(kind.name) else { continue }
            insert(kind)
            return true
        }
        return false
    }
}

extension Span<UInt8> {
    fileprivate func isText(_ text: String) -> Bool {
        let bytes = text.utf8Span.span
        if bytes.count != count { return false }
        for index in indices where self[index] != bytes[index] { return false }
        return true
    }
}
