import Capture
import CLinux
import ScanCore

/// Checks what a start would check, prints a table of it, and returns whether all that a start needs is there.
///
/// Opens everything as a start does and closes it again: nothing is captured, logged or left behind.
func selfTest(_ options: Options) throws(SystemError) -> Bool {
    var test = SelfTest(wanted: options.backend ?? .first)
    try test.report("root", isRoot, remedy: "run it as root, as a start has to be")
    try test.report(
        "user scanlogd",
        failure { () throws(SystemError) in _ = try Account(named: ConstantText(Parameters.user)) },
        remedy: "useradd --system --user-group scanlogd")
    try test.report(
        "directory /var/empty",
        failure { () throws(SystemError) in _ = try ChrootDirectory(ConstantText(Parameters.chrootDirectory)) },
        remedy: "install -d -m 755 -o root -g root /var/empty")
    try test.checkCaptures(options)
    try test.report(
        "log socket /dev/log", failure { () throws(SystemError) in _ = try LogSocket.look() },
        remedy: "start a syslog daemon, or systemd-journald")
    #if Rules
        if let path = options.exemptFile { try test.checkExemptSources(path) }
    #endif
    try test.report(
        "system-call filter", isNeeded: false, isFiltered, remedy: "Linux 4.14 or later, on x86-64 or arm64")
    try test.report(
        "Landlock", isNeeded: false,
        failure { () throws(SystemError) in _ = try check("Landlock", "look") { clinux_landlock_version() } },
        remedy: "Linux 5.13 or later, with landlock among its security modules")
    return test.isPassed
}

/// Why something does not work, or `nil`.
private func failure(_ body: () throws(SystemError) -> Void) -> SystemError? {
    do throws(SystemError) {
        try body()
        return nil
    } catch {
        return error
    }
}

private var isRoot: SystemError? {
    geteuid() == 0 ? nil : SystemError("user", "check", because: "not root")
}

private var isFiltered: SystemError? {
    systemCallsAreFiltered ? nil : SystemError("system-call filter", "look", because: "not on this machine")
}

/// What was found so far.
private struct SelfTest {
    /// The backend that was asked for, or the default one. The others may be missing.
    let wanted: Backend
    private(set) var isPassed = true

    mutating func checkCaptures(_ options: Options) throws(SystemError) {
        let key = try HashKey.random()
        #if Ring
            try report(
                .ring,
                failure { () throws(SystemError) in _ = try PacketSocketCapture(options.selection, key: key) },
                remedy: "give it CAP_NET_RAW, or --backend raw, which a firewall blinds")
        #endif
        try report(
            .raw, failure { () throws(SystemError) in _ = try openRawSockets() }, remedy: "give it CAP_NET_RAW")
        #if Pcap
            try report(
                .pcap, failure { () throws(SystemError) in _ = try PcapCapture(options.selection, key: key) },
                remedy: "install libpcap (Debian's package libpcap0.8), and give it CAP_NET_RAW")
        #endif
        #if Nids
            try report(
                .nids, failure { () throws(SystemError) in _ = try NidsCapture(options.selection, key: key) },
                remedy: "install libnids (Debian's package libnids1.21), and give it CAP_NET_RAW")
        #endif
    }

    #if Rules
        mutating func checkExemptSources(_ path: ConstantText) throws(SystemError) {
            let failure = failure { () throws(SystemError) in
                switch try ExemptList(path) {
                case .some: return
                case .none: throw SystemError(path, "read rules", because: "one can't be used, as said above")
                }
            }
            try report("exempt sources", failure, remedy: "scanlogd rules check --exempt, with this file")
        }
    #endif

    private mutating func report(
        _ backend: Backend, _ failure: SystemError?, remedy: ConstantText
    ) throws(SystemError) {
        try report(backend.name, isNeeded: backend == wanted, failure, remedy: remedy)
    }

    /// Prints a row of the table.
    ///
    /// - Parameters:
    ///   - isNeeded: whether a start depends on it.
    ///   - remedy: what to do if it has failed.
    @inline(never)
    mutating func report(
        _ name: ConstantText, isNeeded: Bool = true, _ failure: SystemError?, remedy: ConstantText
    ) throws(SystemError) {
        if isNeeded && failure != nil { isPassed = false }
        var row = LogLine()
        row.append(failure == nil ? "ok      " : isNeeded ? "failed  " : "absent  ")
        row.append(name)
        row.append("\n")
        try print(row)
        guard let failure else { return }
        var reason = LogLine("            ")
        reason.append(failure.line)
        reason.append("\n            remedy: ")
        reason.append(remedy)
        reason.append("\n")
        try print(reason)
    }
}
