import Capture
import CLinux
import ScanCore

/// Checks what a start would check, prints a table of it, and returns whether all that a start needs is there.
///
/// Opens everything as a start does and closes it again: nothing is captured, logged or left behind.
func selfTest(_ options: Options) throws(SystemError) -> Bool {
    var test = SelfTest()
    try test.check("parameters", remedy: "correct Sources/ScanCore/Parameters.swift and build again") {
        () throws(SystemError) in
        if let problem = Parameters.problem {
            throw SystemError("parameters", "check", because: ConstantText(problem))
        }
    }
    try test.check("root", remedy: "run it as root, as a start has to be") { () throws(SystemError) in
        if geteuid() != 0 { throw SystemError("user", "check", because: "not root") }
    }
    try test.check("user scanlogd", remedy: "useradd --system --user-group scanlogd") { () throws(SystemError) in
        _ = try Account(named: ConstantText(Parameters.user))
    }
    try test.check("directory /var/empty", remedy: "install -d -m 755 -o root -g root /var/empty") {
        () throws(SystemError) in
        _ = try ChrootDirectory(ConstantText(Parameters.chrootDirectory))
    }
    try test.checkCaptures(options)
    try test.check("log socket /dev/log", remedy: "start a syslog daemon, or systemd-journald") {
        () throws(SystemError) in _ = try LogSocket.look()
    }
    try test.checkOptional("system-call filter", remedy: "a kernel with CONFIG_SECCOMP_FILTER, x86-64 or arm64") {
        () throws(SystemError) in
        if !systemCallsAreFiltered { throw SystemError("system-call filter", "look", because: "not on this machine") }
    }
    try test.checkOptional("Landlock", remedy: "Linux 5.13 or later, with landlock among its security modules") {
        () throws(SystemError) in
        _ = try check("Landlock", "look") { clinux_landlock_version() }
    }
    return test.isPassed
}

/// What was found so far.
private struct SelfTest {
    private(set) var isPassed = true

    /// Runs a check that a start depends on.
    mutating func check(
        _ name: ConstantText, remedy: ConstantText, _ body: () throws(SystemError) -> Void
    ) throws(SystemError) {
        do throws(SystemError) {
            try body()
        } catch {
            isPassed = false
            return try report("failed  ", name, error, remedy)
        }
        try report("ok      ", name)
    }

    /// Runs a check of something that only some starts need.
    func checkOptional(
        _ name: ConstantText, remedy: ConstantText, _ body: () throws(SystemError) -> Void
    ) throws(SystemError) {
        do throws(SystemError) {
            try body()
        } catch {
            return try report("absent  ", name, error, remedy)
        }
        try report("ok      ", name)
    }

    /// The backend that was asked for, or the default one, has to work. The others may.
    mutating func checkCaptures(_ options: Options) throws(SystemError) {
        let key = try HashKey.random()
        let wanted = options.backend ?? .first
        #if Ring
            try check(.ring, wanted, remedy: "give it CAP_NET_RAW, or --backend raw, which a firewall blinds") {
                () throws(SystemError) in _ = try PacketSocketCapture(options.selection, key: key)
            }
        #endif
        try check(.raw, wanted, remedy: "give it CAP_NET_RAW") { () throws(SystemError) in
            _ = try openRawSockets()
        }
        #if Pcap
            try check(.pcap, wanted, remedy: "install libpcap (Debian's package libpcap0.8), and give it CAP_NET_RAW") {
                () throws(SystemError) in _ = try PcapCapture(options.selection, key: key)
            }
        #endif
        #if Nids
            try check(.nids, wanted, remedy: "install libnids (Debian's package libnids1.21), and give it CAP_NET_RAW") {
                () throws(SystemError) in _ = try NidsCapture(options.selection, key: key)
            }
        #endif
    }

    private mutating func check(
        _ backend: Backend, _ wanted: Backend, remedy: ConstantText, _ body: () throws(SystemError) -> Void
    ) throws(SystemError) {
        if backend == wanted {
            try check(backend.name, remedy: remedy, body)
        } else {
            try checkOptional(backend.name, remedy: remedy, body)
        }
    }

    private func report(_ verdict: ConstantText, _ name: ConstantText) throws(SystemError) {
        var line = LogLine()
        line.append(verdict)
        line.append(name)
        line.append("\n")
        try print(line)
    }

    private func report(
        _ verdict: ConstantText, _ name: ConstantText, _ error: SystemError, _ remedy: ConstantText
    ) throws(SystemError) {
        try report(verdict, name)
        var line = LogLine("            ")
        line.append(error.line)
        line.append("\n            remedy: ")
        line.append(remedy)
        line.append("\n")
        try print(line)
    }
}
