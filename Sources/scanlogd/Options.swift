import Capture
import CLinux
import ScanCore

/// What the command line asks for.
struct Options {
    /// What to do.
    enum Action {
        case detect
        case help
        case version
    }

    private(set) var action = Action.detect

    /// Stay in the foreground, and copy the log to standard error.
    private(set) var foreground = false

    /// Where the process id goes; `nil`: nowhere.
    private(set) var pidFile: ConstantText?

    /// Reads the arguments with getopt_long(3), which says itself what it does not know: then `nil`.
    init?(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) throws(SystemError) {
        unsafe arguments[0] = UnsafeMutablePointer(mutating: ConstantText("scanlogd").pointer)  // begins its messages
        while let letter = unsafe nextOption(count, arguments) {
            switch letter {
            case "B": try requireBackend(optionArgument())
            case "d": foreground = true
            case "h": action = .help
            case "P": pidFile = optionArgument()
            case "V": action = .version
            default:
                complain(LogLine("try 'scanlogd --help'"))
                return nil
            }
        }
        if clinux_option_index() < count, let extra = unsafe arguments[Int(clinux_option_index())] {
            throw SystemError(unsafe ConstantText(unsafe: extra), "argument", because: "none is expected")
        }
        if pidFile == nil && !foreground { pidFile = ConstantText(Parameters.pidFile) }
    }
}

/// The text of `--help`.
let usage = """
    usage: scanlogd [-d] [--backend raw] [-P FILE]
           scanlogd -h | -V

    Detects TCP port scans and logs each in one line to syslog (daemon.alert).

      -d, --foreground     stay in the foreground, and copy the log to standard error
          --backend raw    where packets come from: raw sockets, the only one so far
      -P, --pidfile FILE   where the process id goes (/run/scanlogd.pid; with -d: nowhere)
      -h, --help           print this
      -V, --version        print the version, what is built in, and its memory

    """

/// The text of `--version`: what this binary is, and the memory its tables take.
func buildInformation() -> LogLine {
    var text = LogLine("scanlogd ")
    text.append(version)
    text.append("\nbackends: raw\ntable: ")
    text.append(decimal: UInt(Parameters.Detector.capacity))
    text.append(" sources, ")
    text.append(decimal: UInt(Parameters.Detector.bucketCount))
    text.append(" buckets, at most ")
    text.append(decimal: UInt(Parameters.collisionCap))
    text.append(" in one, ")
    text.append(decimal: UInt(MemoryLayout<Parameters.Detector>.size))
    text.append(" bytes\n")
    return text
}

/// The letter of the next option, `?` for one that is wrong, or `nil` when there are no more.
private func nextOption(
    _ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> Unicode.Scalar? {
    let longOptions: InlineArray<6, option> = unsafe [
        longOption("backend", required_argument, "B"),
        longOption("foreground", no_argument, "d"),
        longOption("help", no_argument, "h"),
        longOption("pidfile", required_argument, "P"),
        longOption("version", no_argument, "V"),
        option(),
    ]
    let found = unsafe longOptions.span.withUnsafeBufferPointer { options in
        unsafe getopt_long(count, arguments, "dhP:V", options.baseAddress, nil)
    }
    return found < 0 ? nil : Unicode.Scalar(UInt8(truncatingIfNeeded: found))
}

private func longOption(_ name: StaticString, _ argument: Int32, _ letter: Unicode.Scalar) -> option {
    let text = unsafe UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)  // ends in 0
    return unsafe option(name: text, has_arg: argument, flag: nil, val: Int32(letter.value))
}

/// The argument of the option just found, which must have one.
private func optionArgument() -> ConstantText {
    guard let argument = unsafe clinux_option_argument() else { return "(none)" }
    return unsafe ConstantText(unsafe: argument)
}

private func requireBackend(_ name: ConstantText) throws(SystemError) {
    if unsafe strcmp(name.pointer, "raw") == 0 { return }
    throw SystemError(name, "backend", because: "not built in; there is: raw")
}
