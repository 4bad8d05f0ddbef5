/// Every tunable of scanlogd: change a value here and build again.
///
/// What a value may be is written beside it and checked by ``problem``, which the daemon asks before it does
/// anything else.
public enum Parameters {
    // MARK: What is a scan

    /// The first port that is not privileged. Services that matter live below it (RFC 6335, section 6).
    public static let privilegedPortEnd: UInt16 = 1024

    /// What a destination port below ``privilegedPortEnd`` adds to its source's weight. 1 to 255.
    public static let privilegedPortWeight: UInt8 = 3

    /// What any other destination port adds. Peers of passive FTP touch many of these, so they count less. 1 to 255.
    public static let otherPortWeight: UInt8 = 1

    /// The weight at which a source is reported: 7 privileged ports, 21 others, or a mix. Above both weights.
    public static let weightThreshold: UInt8 = 21

    /// The longest time between two new ports of one scan, in nanoseconds. Longer finds slower scans and keeps
    /// sources in the table for longer. Above 0.
    public static let longestGap: Int64 = 3_000_000_000

    // MARK: What is kept

    /// The sources known at a time: 65,536 seen with one port, 1,792 followed from the second on, and the 4,096 hash
    /// buckets these are found through. All together take less than 4 MiB, of which only what is needed is touched.
    ///
    /// Eight sources seen once are remembered for each of the first number, a power of two up to 65,536. What counts is
    /// how many come between two probes of a scan behind a flood. Capacity: 1 to 65,534. Buckets: a power of two, about
    /// twice the capacity so that chains stay short.
    public typealias Detector = ScanDetector<8192, 1792, 4096>

    /// The most sources in one bucket, which bounds the work a packet can cause. 1 or more.
    ///
    /// The hash is keyed, so nobody can fill a bucket on purpose, and chance does not: of half a million full tables,
    /// one has a bucket with more than 8.
    public static let collisionCap = 8

    /// Of how many sources the one with the fewest ports makes room in a full table: of those that have touched no new
    /// port for longest. It bounds the work a packet can cause. 1 or more.
    public static let evictionCandidates = 4

    /// The fragmented packets whose beginning is put together at a time, and how many of them share a place.
    ///
    /// Taken are fragments within the first 64 bytes of a packet only, which hardly anything but a scan sends: 256 are
    /// 2.5 s of `nmap -T3 -f` if none is ever completed. A set of 4 bounds the work a fragment can cause. Sets (capacity
    /// divided by their size): a power of two, without remainder.
    public typealias Fragments = Defragmenter<256, 4>

    /// What is known of IPv6 packets whose extension headers are divided: 2,048 places at which a header begins, 2,048
    /// fragments, and 2.5 MiB for what these hold, touched as it is needed. Linux itself keeps
    /// 4 MiB of fragments, which are some 1,800 long ones (ip6frag_high_thresh).
    ///
    /// A sixteenth of the places, 1 or more, then the bytes: 65,536 or more.
    public typealias Chains = SplitChains<128, 2_621_440>

    /// How long a fragment waits for the others, in nanoseconds: as long as in Linux (ipfrag_time), so that a packet
    /// which its host still joins is joined, and none with what its host gave up. Above 0.
    public static let fragmentLifetime: Int64 = 30_000_000_000

    /// The same for IPv6 (ip6frag_time; RFC 8200, section 4.5). Above 0.
    public static let fragmentLifetimeIPv6: Int64 = 60_000_000_000

    // MARK: What is said

    /// The length a report is kept to by leaving ports out, in bytes, or `nil` for no limit.
    ///
    /// 120 leaves room for the time, host and tag that syslogd puts before it on a 160-column line. 80 or more.
    public static let lineLength: Int? = 120

    /// The reports that may follow one another before the log falls silent. 1 or more.
    public static let reportBurst: UInt32 = 5

    /// How long no report may come for the log to speak again, in nanoseconds. Above 0.
    public static let reportQuiet: Int64 = 20_000_000_000

    /// The most lines in which the sources of scans that were not logged are named, at most once in ``reportQuiet``.
    /// 28 IPv4 sources need 5 lines. 1 or more.
    public static let summaryLines = 7

    /// The name syslog puts before each line.
    public static let syslogIdent: StaticString = "scanlogd"

    /// The syslog facility, as its number: 3 is daemon (RFC 5424, table 1). 0 to 23.
    public static let syslogFacility: Int32 = 3

    /// The syslog level of a report: 1 is alert (RFC 5424, table 2). 0 to 7.
    public static let reportLevel: Int32 = 1

    /// How often the status line is logged, in nanoseconds; 0: only when asked for. 0 or more.
    public static let statusInterval: Int64 = 24 * 3600 * 1_000_000_000

    // MARK: Where it runs

    /// The user, and its group, that the daemon becomes. Never root.
    public static let user: StaticString = "scanlogd"

    /// The directory the daemon locks itself into: owned by root, and writable by nobody else.
    public static let chrootDirectory: StaticString = "/var/empty"

    /// Where the daemon's process id stands, and what keeps a second one from starting.
    public static let pidFile: StaticString = "/run/scanlogd.pid"

    // MARK: How packets are taken

    /// What the kernel may hold for us between two readings, in bytes for each raw socket. It is memory only while
    /// packets wait: at 100,000 a second a packet waits 5 ms. 4,096 or more.
    public static let receiveBuffer: Int32 = 8 << 20

    /// How long to let packets gather while they keep coming, in milliseconds. 0 reads each at once, which costs
    /// three times the time on a busy host. The time of a packet is known to this precision. 0 to 50.
    public static let gatherTime: Int32 = 5

    /// The bytes of a frame that libpcap copies. A whole packet, also on networks with jumbo frames, so that no extension
    /// headers can be so many that the TCP header is left out. Little is copied all the same: the filter leaves out data.
    /// 256 to 65,535.
    public static let pcapSnapshot: Int32 = 65_535

    /// How long libpcap may hold a packet back, in milliseconds. 0 would hold it until a whole block is full. 1 to 100.
    public static let pcapTimeout: Int32 = 50

    /// What libpcap may hold for each interface between two readings, in bytes, which count as our memory from the start:
    /// 10,000 packets and more, as libpcap's own default. 262,144 or more.
    public static let pcapBuffer: Int32 = 2 << 20

    /// The same as ``pcapSnapshot`` where the order of packets matters between interfaces. Then each takes as much room as
    /// the longest, which with its header is just small enough that two share a page. Of an interface with jumbo frames
    /// more is kept, so that there is room for fewer. 256 to 65,535.
    public static let pcapOrderedSnapshot: Int32 = 1900

    /// What libpcap may hold then, for all interfaces together, in bytes: 8,000 packets. 16 times 262,144 or more.
    public static let pcapOrderedBuffer: Int32 = 16 << 20

    /// The size of a block of the packet ring, in bytes. In a flood we are woken once for each. A power of two, 131,072 or
    /// more, so that the longest packet fits: any of it may be headers.
    public static let ringBlockSize = 256 << 10

    /// The blocks of the packet ring. All together hold some 14,000 packets. Each costs a page of private memory, where we
    /// write that it is the kernel's again; on a quiet link one is used up per ``ringBlockTimeout``. 2 to 1,024.
    public static let ringBlockCount = 8

    /// How long a packet waits for its block to fill, in milliseconds: up to twice that when the block is begun just
    /// after the kernel has looked. Longer wakes us less often, shorter reports sooner. 1 to 500.
    public static let ringBlockTimeout = 50

    /// The lines about network interfaces that may be logged in a minute, before one that says that more follow. A
    /// host of containers makes interfaces all day. 1 or more.
    public static let interfaceLines: UInt32 = 10

    // MARK: Connection attempts

    /// The lines a second that `scanlogd connections` writes of a network where no other limit is given: an hour of them
    /// takes some 200 MB of a disk. 1 or more.
    public static let attemptLines: UInt64 = 1000

    /// How long after a packet its copies may come from other interfaces, in nanoseconds. A host passes a packet on in
    /// microseconds, or in milliseconds where it has to wait in a queue. Nobody sends one again so soon: Linux waits 1 s for
    /// the answer to a SYN (TCP_TIMEOUT_INIT), nmap 100 ms at least. Above 0.
    public static let copyWindow: Int64 = 50_000_000

    /// How many packets are known whose copies may come: 256 KiB, touched as it is needed. At 100,000 a second, passed on
    /// within a millisecond, one copy in 40 finds that its packet had to make room, and gives a line more. A power of two.
    public typealias Copies = PacketCopies<4096>
}

extension Parameters {
    /// What is wrong with the values above, or `nil`: the first fault, in words.
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
        return nil
    }
}
