import Capture
import ScanCore
import System

/// Prints the text of `--help`, limited to what is built in.
func printUsage() throws(SystemError) {
    let roles = Role.all
    let readsFiles = Backend.pcap.isBuiltIn
    let hasRules = Role.rules.isBuiltIn
    try print(
        """
        usage: scanlogd [-b | -d] [--backend NAME] [-i INTERFACE]...
                        [--direction in|out|both] [--promiscuous] [--answers]
                        [--kinds LIST] [--rule RULE] [--end] [--journal]
                        [--events [--touches]]
        """)
    try print(hasRules ? " [--exempt FILE] [-P FILE]\n" : " [-P FILE]\n")
    if readsFiles {
        try print("       scanlogd -r FILE [--kinds LIST] [--rule RULE] [--end] [--local NETWORK]...")
        try print("\n                [--json [--touches]]")
        try print(hasRules ? " [--exempt FILE]\n" : "\n")
    }
    try print("       scanlogd --self-test ...   with the options of a start\n")
    for index in roles.indices where roles[index].isBuiltIn { try print(roles[index].usage) }
    try print(
        """
               scanlogd -h | -V

        Detects TCP port scans and logs each in one line to syslog (daemon.alert).

          -b, --background      go to the background once all is ready, which is the default
          -d, --foreground      stay in the foreground, and copy the log to standard error
          -P, --pidfile FILE    where the process id goes (/run/scanlogd.pid; with -d: nowhere)

              --backend NAME    where packets come from (the first that works of ring, raw):

        """)
    try printBackends()
    try print(
        """
          -i, --interface NAME  take packets from this interface only; up to 16 times (any)
              --direction in|out|both
                                what comes in, what goes out, or both (in)
              --promiscuous     take packets for other hosts as well
              --answers         see what this host answers, and what it refuses

              --kinds LIST      the kinds of scans to find, of quick, slow, spread, sweep, ping,
                                udp, ack, protocols, sctp (all)
              --rule RULE       what makes a quick scan: touches, or answers, by which ports
                                that accept count little (touches)
              --end             report the end of a scan, too, with what it amounted to

              --events          log each line a second time, for machines, as JSON
              --touches         events of what each source touched in a minute, unreported
              --journal         log to systemd's journal with fields, where that runs


        """)
    if hasRules { try print("      --exempt FILE     leave out the sources that its rules name\n\n") }
    if readsFiles {
        try print(
            """
              -r, --read FILE       report the scans in a capture file (- for standard input)
                                    on standard output, and end
                  --local NETWORK   the file is of hosts in this network; up to 16 times
                  --json            print each report as an object of JSON


            """)
    }
    try print(
        """
              --self-test       try the steps of a start, say what to do, and end
          -h, --help            print this
          -V, --version         print the version, what is built in, and its memory

        """)
}

private func printBackends() throws(SystemError) {
    let backends = Backend.all
    for index in backends.indices where backends[index].isInUsage { try print(backends[index].usage) }
}

/// The text of `--version`: the version, what is built in, and the size of its tables.
func buildInformation() -> LogLine {
    var text = LogLine("scanlogd ")
    text.append(version)
    text.append("\nbackends:")
    let backends = Backend.all
    for index in backends.indices where backends[index].isBuiltIn {
        text.append(" ")
        text.append(backends[index].name)
    }
    text.append("\nmemory: ")
    text.append(decimal: UInt(Parameters.Detector.probationCapacity))
    text.append(" sources seen once, ")
    text.append(decimal: UInt(Parameters.Detector.capacity))
    text.append(" sources followed, ")
    text.append(decimal: UInt(MemoryLayout<Parameters.Detector>.size))
    text.append(" bytes, touched as needed\n")
    return text
}
