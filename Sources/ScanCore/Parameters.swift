/// Every tunable of scanlogd: change a value here and build again.
///
/// The valid range of each value is documented beside it and checked by ``problem``, which the daemon evaluates before
/// anything else.
public enum Parameters {
    // MARK: Detection

    /// The first port that is not privileged. Services that matter live below it (RFC 6335, section 6).
    public static let privilegedPortEnd: UInt16 = 1024

    /// The weight of a destination port below ``privilegedPortEnd``. 1 to 255.
    public static let privilegedPortWeight: UInt8 = 3

    /// The weight of any other destination port. Peers of passive FTP touch many of these, so they count less. 1 to
    /// 255.
    public static let otherPortWeight: UInt8 = 1

    /// The weight at which a source is reported: 7 privileged ports, 21 others, or a mix. Above both weights.
    public static let weightThreshold: UInt8 = 21

    /// The maximum time between two new ports of one scan, in nanoseconds. A longer one detects slower scans and keeps
    /// sources in the table for longer. Above 0.
    public static let longestGap: Int64 = 3_000_000_000

    // MARK: Other kinds

    /// The weight of the ports of one host at which a source is reported as ``ScanKind/slow``, ``ScanKind/spread`` or
    /// ``ScanKind/ack``: 7 privileged ports that failed, 11 others.
    static let candidateWeight = 21

    /// How long a source is known after its first pair, or its last new one, in nanoseconds: the longest pause of a slow
    /// scan.
    static let rememberedTime: Int64 = 1_800_000_000_000

    /// The same in milliseconds.
    static let candidateLifetime: Int32 = 1_800_000

    /// How long candidates are kept of those that send acknowledgements, and of those that sweep, in milliseconds.
    static let ackLifetime: Int32 = 600_000
    static let sweepLifetime: Int32 = 60_000

    /// After how long a scan that still goes on is reported again, in milliseconds.
    static let reportedLifetime: Int32 = 86_400_000

    /// The longest time that a scan of another kind is said to have taken, in milliseconds: 24 days. With
    /// ``candidateLifetime`` it stays below the 2^31 of a difference between times that wrap around.
    static let longestDuration: Int32 = 2_073_600_000

    /// The shortest pause of a slow scan, in milliseconds: what ends a quick one.
    static let candidatePause: Int32 = Int32(longestGap / 1_000_000)

    /// For how long a quick scan's source must touch nothing new until the scan is over, in nanoseconds.
    static let endSilence: Int64 = 30_000_000_000

    /// How many addresses of a /64 have to take part in a scan that is spread.
    static let spreadAddresses = 4

    /// The first port that a host's own clients use where it is not known otherwise: the default of Linux
    /// (ip_local_port_range).
    public static let firstClientPort: UInt16 = 32_768

    /// The weight of a sweep: 16 hosts in vain.
    static let sweepWeight = 32

    /// How many UDP ports have to be refused. Linux sends a source 6 errors at once and then one a second
    /// (icmp_ratelimit): above 6 no quick scan would be seen.
    static let udpPorts = 4

    /// How many protocols have to be tried.
    static let protocolNumbers = 6

    /// How many UDP ports, or protocols, of the monitored host have to be tried where it tells itself that nothing takes
    /// them: as many packets as the quick rule needs, so that forged ones name nobody more easily.
    static let ownFailures = 7

    /// How many of these have to be refused, where the errors are what is seen: not more than are sent at once.
    static let ownRefusals = 6

    /// How many SCTP ports have to be tried.
    static let sctpPorts = 7

    // MARK: State

    /// The sources tracked at a time: 65,536 seen with one port, 1,792 with two or more, and the 4,096 hash buckets of
    /// the latter; and eight times 512 that may be scans of other kinds. Together they take less than 5.5 MiB, of which
    /// only what is needed is touched.
    ///
    /// The first number, a power of two up to 65,536, has room for eight sources seen once each. It determines how many
    /// may arrive between two probes of a scan during a flood. Capacity: 1 to 65,534. Buckets: a power of two, about
    /// twice the capacity so that chains stay short.
    public typealias Detector = ScanDetector<8192, 1792, 4096, 512>

    /// The maximum number of sources in one bucket, which bounds the work for a packet. 1 or more.
    ///
    /// The hash is keyed, so an attacker can't fill a bucket, and it hardly ever happens by chance: of half a million
    /// full tables, one has a bucket with more than 8.
    public static let collisionCap = 8

    /// How many sources are compared to evict the one with the fewest ports from a full table: those that have touched
    /// no new port for longest. It bounds the work for a packet. 1 or more.
    public static let evictionCandidates = 4

    /// The number of fragmented packets reassembled at a time, and the size of a set of them.
    ///
    /// Only fragments within the first 64 bytes of a packet are stored, which hardly anything but a scan sends: 256
    /// packets are 2.5 s of `nmap -T3 -f` if none is ever completed. A set of 4 bounds the work for a fragment. The
    /// number of sets (capacity divided by set size) is a power of two, without remainder.
    public typealias Fragments = Defragmenter<256, 4>

    /// The state of IPv6 packets with fragmented extension headers: 2,048 places at which a header begins, 2,048
    /// fragments, and 2.25 MiB for their contents, touched as needed. Linux itself stores 4 MiB of fragments, which are
    /// some 1,800 long ones (ip6frag_high_thresh).
    ///
    /// A sixteenth of the number of places, 1 or more, then the bytes: 65,536 or more.
    public typealias Chains = SplitChains<128, 2_359_296>

    /// How long a fragment waits for the others, in nanoseconds: the same as in Linux (ipfrag_time), so that packets
    /// are reassembled exactly as long as their host does it. Above 0.
    public static let fragmentLifetime: Int64 = 30_000_000_000

    /// The same for IPv6 (ip6frag_time; RFC 8200, section 4.5). Above 0.
    public static let fragmentLifetimeIPv6: Int64 = 60_000_000_000

    // MARK: Logging

    /// The maximum length of a report, kept by omitting ports, in bytes, or `nil` for no limit.
    ///
    /// 120 leaves room for the time, host and tag that syslogd prepends on a 160-column line. 80 or more.
    public static let lineLength: Int? = 120

    /// The number of reports in a burst before further ones are suppressed. 1 or more.
    public static let reportBurst: UInt32 = 5

    /// The time without a logged report after which reports are logged again, in nanoseconds. Above 0.
    public static let reportQuiet: Int64 = 20_000_000_000

    /// The maximum number of lines of a summary of suppressed scans, which is logged at most once in ``reportQuiet``.
    /// 28 IPv4 sources need 5 lines. 1 or more.
    public static let summaryLines = 7

    /// The name that syslog prepends to each line.
    public static let syslogIdent: StaticString = "scanlogd"

    /// The syslog facility, as its number: 3 is daemon (RFC 5424, table 1). 0 to 23.
    public static let syslogFacility: Int32 = 3

    /// The syslog level of a report: 1 is alert (RFC 5424, table 2). 0 to 7.
    public static let reportLevel: Int32 = 1

    /// The interval of the status line, in nanoseconds; 0: only on request. 0 or more.
    public static let statusInterval: Int64 = 24 * 3600 * 1_000_000_000

    // MARK: Environment

    /// The user that the daemon runs as, with its group. Never root.
    public static let user: StaticString = "scanlogd"

    /// The directory that the daemon changes its root to: owned by root, and writable by root only.
    public static let chrootDirectory: StaticString = "/var/empty"

    /// The file that holds the daemon's process id, and whose lock prevents a second instance.
    public static let pidFile: StaticString = "/run/scanlogd.pid"

    // MARK: Capture

    /// The kernel's receive buffer of each raw socket, in bytes. It takes memory only while packets wait: at 100,000 a
    /// second a packet waits 5 ms. 4,096 or more.
    public static let receiveBuffer: Int32 = 8 << 20

    /// How long packets are batched during continuous traffic, in milliseconds. 0 reads each at once, which costs three
    /// times the time on a busy host. Packet times have this precision. 0 to 50.
    public static let gatherTime: Int32 = 5

    /// The snapshot length of libpcap. It covers a whole packet, also on networks with jumbo frames, so that extension
    /// headers can't push the TCP header out of the snapshot. Little is copied all the same: the filter drops data
    /// packets. 256 to 65,535.
    public static let pcapSnapshot: Int32 = 65_535

    /// libpcap's packet buffer timeout, in milliseconds. 0 would delay packets until a whole block is full. 1 to 100.
    public static let pcapTimeout: Int32 = 50

    /// The size of libpcap's buffer for each interface, in bytes, which count as this process's memory from the start:
    /// 10,000 packets and more, libpcap's own default. 262,144 or more.
    public static let pcapBuffer: Int32 = 2 << 20

    /// The same as ``pcapSnapshot`` if the order of packets across interfaces matters. Then each packet takes as much
    /// space as the longest, which with its header is just small enough that two share a page. For an interface with
    /// jumbo frames the snapshot is longer, so that fewer packets fit. 256 to 65,535.
    public static let pcapOrderedSnapshot: Int32 = 1900

    /// The size of libpcap's buffers in that case, for all interfaces together, in bytes: 8,000 packets. 16 times
    /// 262,144 or more.
    public static let pcapOrderedBuffer: Int32 = 16 << 20

    /// The size of a block of the packet ring, in bytes. In a flood the process is woken once per block. A power of
    /// two, 131,072 or more, so that the longest packet fits: all of it may be headers.
    public static let ringBlockSize = 256 << 10

    /// The number of blocks of the packet ring. Together they hold some 14,000 packets. Each costs a page of private
    /// memory, where its status is written to return it to the kernel; on a quiet link one block is used up per
    /// ``ringBlockTimeout``. 2 to 1,024.
    public static let ringBlockCount = 8

    /// How long a packet waits for its block to fill, in milliseconds: up to twice that if the block is begun just
    /// after the kernel's timer has fired. Longer means fewer wakeups, shorter means earlier reports. 1 to 500.
    public static let ringBlockTimeout = 50

    /// The number of lines about network interfaces logged per minute, before one that says that more follow. A host of
    /// containers creates interfaces all day. 1 or more.
    public static let interfaceLines: UInt32 = 10

    // MARK: Connection attempts

    /// The default limit on the lines per second that `scanlogd connections` writes in live capture: an hour of them
    /// takes some 200 MB of disk space. 1 or more.
    public static let attemptLines: UInt64 = 1000

    /// How long after a packet its copies may arrive from other interfaces, in nanoseconds. A host forwards a packet in
    /// microseconds, or in milliseconds if it is queued. Retransmissions come later: Linux waits 1 s for the answer to
    /// a SYN (TCP_TIMEOUT_INIT), nmap 100 ms at least. Above 0.
    public static let copyWindow: Int64 = 50_000_000

    /// The number of packets remembered to detect copies: 256 KiB, touched as needed. At 100,000 packets a second,
    /// forwarded within a millisecond, one copy in 40 finds its packet evicted and gives an extra line. A power of two.
    public typealias Copies = PacketCopies<4096>

    // MARK: Touches

    /// The sources of a minute that `--touches` knows: 2,048 while 2,048 of the minute before are logged; 640 KiB,
    /// touched as needed, and not at all without the option. A power of two, 16 or more.
    public typealias Touches = TouchTable<4096>
}

extension Parameters {
    /// The first invalid value above, described in words, or `nil`.
    public static var problem: StaticString? {
        if privilegedPortWeight < 1 || otherPortWeight < 1 {
            return "port weights: must be at least 1"
        }
        if weightThreshold <= privilegedPortWeight || weightThreshold <= otherPortWeight {
            return "weightThreshold: must be above the weight of one port"
        }
        if Int(weightThreshold) + Int(max(privilegedPortWeight, otherPortWeight)) > 255 {
            return "weightThreshold: must leave room in a byte for one port more"
        }
        if (Int(weightThreshold) - 1) / Int(min(privilegedPortWeight, otherPortWeight)) > PortList.capacity {
            return "weightThreshold: more ports than PortList.capacity stay below it"
        }
        if longestGap <= 0 || reportQuiet <= 0 { return "longestGap and reportQuiet: must be above 0" }
        if Detector.firstTouchLines < 1 || Detector.firstTouchLines > 65_536
            || Detector.firstTouchLines & (Detector.firstTouchLines - 1) != 0
        {
            return "Detector: lines of first touches: must be a power of two up to 65536"
        }
        if Detector.capacity < 1 || Detector.capacity >= Int(UInt16.max) {
            return "Detector: capacity: must be 1 to 65534"
        }
        if Detector.bucketCount < 1 || Detector.bucketCount & (Detector.bucketCount - 1) != 0 {
            return "Detector: buckets: must be a power of two"
        }
        let fragmentSets = Fragments.capacity / max(Fragments.setSize, 1)
        if fragmentSets < 1 || fragmentSets & (fragmentSets - 1) != 0
            || fragmentSets * Fragments.setSize != Fragments.capacity
        {
            return "Fragments: sets: must be a power of two"
        }
        if Chains.lines < 1 || Chains.room < 65_536 { return "Chains: must be at least 1 line and 65536 bytes" }
        if fragmentLifetime <= 0 || fragmentLifetimeIPv6 <= 0 {
            return "fragmentLifetime and fragmentLifetimeIPv6: must be above 0"
        }
        if collisionCap < 1 { return "collisionCap: must be at least 1" }
        if evictionCandidates < 1 { return "evictionCandidates: must be at least 1" }
        if let lineLength, lineLength < 80 || lineLength > LogLine.capacity {
            return "lineLength: must be 80 to LogLine.capacity, or nil"
        }
        if summaryLines < 1 { return "summaryLines: must be at least 1" }
        if reportBurst < 1 || reportBurst > 1000 { return "reportBurst: must be 1 to 1000" }
        if syslogFacility < 0 || syslogFacility > 23 { return "syslogFacility: must be 0 to 23" }
        if reportLevel < 0 || reportLevel > 7 { return "reportLevel: must be 0 to 7" }
        if statusInterval < 0 { return "statusInterval: must be 0 or more" }
        if receiveBuffer < 4096 { return "receiveBuffer: must be at least 4096 bytes" }
        if pcapSnapshot < 256 || pcapSnapshot > 65_535 { return "pcapSnapshot: must be 256 to 65535 bytes" }
        if pcapTimeout < 1 || pcapTimeout > 100 { return "pcapTimeout: must be 1 to 100 ms" }
        if pcapBuffer < 262_144 { return "pcapBuffer: must be at least 262144 bytes" }
        if pcapOrderedSnapshot < 256 || pcapOrderedSnapshot > 65_535 {
            return "pcapOrderedSnapshot: must be 256 to 65535 bytes"
        }
        if pcapOrderedBuffer < 16 * 262_144 { return "pcapOrderedBuffer: must be at least 4194304 bytes" }
        if gatherTime < 0 || gatherTime > 50 { return "gatherTime: must be 0 to 50 ms" }
        if ringBlockSize < 131_072 || ringBlockSize & (ringBlockSize - 1) != 0 {
            return "ringBlockSize: must be a power of two of at least 131072"
        }
        if ringBlockCount < 2 || ringBlockCount > 1024 { return "ringBlockCount: must be 2 to 1024" }
        if ringBlockTimeout < 1 || ringBlockTimeout > 500 { return "ringBlockTimeout: must be 1 to 500 ms" }
        if interfaceLines < 1 { return "interfaceLines: must be at least 1" }
        if attemptLines < 1 { return "attemptLines: must be at least 1" }
        if copyWindow <= 0 { return "copyWindow: must be above 0" }
        if Copies.capacity < 1 || Copies.capacity & (Copies.capacity - 1) != 0 {
            return "Copies: capacity: must be a power of two"
        }
        if Touches.capacity < 16 || Touches.capacity & (Touches.capacity - 1) != 0 {
            return "Touches: capacity: must be a power of two of at least 16"
        }
        return nil
    }
}
