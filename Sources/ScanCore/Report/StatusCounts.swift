/// The counters of the daemon since its start: those of the detector, and what its tables hold.
public struct StatusCounts: Equatable, Sendable {
    /// The counters of the detector.
    public var counters = DetectorCounters()
    /// Sources held in its tables.
    public var sourcesHeld: UInt64 = 0
    /// Sources that were evicted from them.
    public var sourcesEvicted: UInt64 = 0
    /// Whether sources can be exempt at all.
    public var hasExempt = false
    /// Whether kinds of scans other than the quick one are looked for; if not, the next two are 0.
    public var hasOthers = false
    /// How far back the memory of slow sources reaches, in seconds.
    public var slowMemory: UInt64 = 0
    /// Slow sources that were evicted.
    public var slowEvicted: UInt64 = 0
    /// Log lines lost.
    public var lost: UInt64 = 0

    /// All zero.
    public init() {}
}

extension LogLine {
    /// The counters in one line.
    public init(_ status: StatusCounts) {
        let counters = status.counters
        self.init("packets ")
        append(decimal: counters.packets)
        append(", probes ", counters.probes)
        append(", dropped by the kernel ", counters.droppedByKernel)
        append(", ignored ", counters.ignored)
        append(", malformed ", counters.malformed)
        append(", fragments kept ", counters.fragmentsKept)
        append(", fragments evicted ", counters.fragmentsEvicted)
        append(", sources held ", status.sourcesHeld)
        append(", evicted ", status.sourcesEvicted)
        append(", reports ", counters.reports)
        if status.hasExempt { append(", exempt ", counters.exempt) }
        append(", suppressed ", counters.suppressed)
        if status.hasOthers {
            append(", slow memory ", status.slowMemory)
            append(" s, slow sources put out ", status.slowEvicted)
        }
        append(", log lines lost ", status.lost)
    }

    private mutating func append(_ name: String, _ count: UInt64) {
        append(name)
        append(decimal: count)
    }
}

extension StatusCounts {
    func write(into fields: inout some EventFields) {
        fields.add("packets", counters.packets)
        fields.add("probes", counters.probes)
        fields.add("dropped", counters.droppedByKernel)
        fields.add("ignored", counters.ignored)
        fields.add("malformed", counters.malformed)
        fields.add("fragments_kept", counters.fragmentsKept)
        fields.add("fragments_evicted", counters.fragmentsEvicted)
        fields.add("sources_held", sourcesHeld)
        fields.add("sources_evicted", sourcesEvicted)
        fields.add("reports", counters.reports)
        if hasExempt { fields.add("exempt", counters.exempt) }
        fields.add("suppressed", counters.suppressed)
        if hasOthers {
            fields.add("slow_memory", slowMemory)
            fields.add("slow_evicted", slowEvicted)
        }
        fields.add("lost", lost)
    }
}

/// The encoding of counters that are passed between processes of this host: as that of ``ScanReport``.
extension StatusCounts {
    /// The size of encoded counters in bytes.
    package static var encodedSize: Int { 128 }

    /// Takes each number in the order of the encoding.
    private mutating func visit(_ body: (inout UInt64) -> Void) {
        body(&counters.packets)
        body(&counters.probes)
        body(&counters.ignored)
        body(&counters.malformed)
        body(&counters.droppedByKernel)
        body(&counters.fragmentsKept)
        body(&counters.fragmentsEvicted)
        body(&counters.reports)
        body(&counters.exempt)
        body(&counters.suppressed)
        body(&sourcesHeld)
        body(&sourcesEvicted)
        body(&slowMemory)
        body(&slowEvicted)
        body(&lost)
    }

    /// The encoded counters: two marks in 8 bytes, then the numbers.
    package var encoded: InlineArray<128, UInt8> {
        var bytes = InlineArray<128, UInt8>(repeating: 0)
        bytes[0] = (hasExempt ? 1 : 0) | (hasOthers ? 2 : 0)
        var offset = 8
        var copy = self
        copy.visit {
            bytes.put($0, at: offset)
            offset += 8
        }
        return bytes
    }

    /// Decodes the result of ``encoded``.
    ///
    /// - Throws: ``PacketFault/truncated`` if there are too few bytes, ``PacketFault/malformed`` if there are too many
    ///   or they encode no counters.
    package init(encoded bytes: Span<UInt8>) throws(PacketFault) {
        if bytes.count < StatusCounts.encodedSize { throw .truncated }
        let marks = try bytes.uint64(at: 0)
        if bytes.count > StatusCounts.encodedSize || marks & 0xfcff_ffff_ffff_ffff != 0 { throw .malformed }
        self.init()
        hasExempt = marks >> 56 & 1 != 0
        hasOthers = marks >> 56 & 2 != 0
        var numbers = InlineArray<15, UInt64>(repeating: 0)
        for index in numbers.indices { numbers[index] = try bytes.uint64(at: 8 + 8 * index) }
        var next = 0
        visit {
            $0 = numbers[next]
            next += 1
        }
        if !hasOthers && slowMemory | slowEvicted != 0 || !hasExempt && counters.exempt != 0 { throw .malformed }
    }
}
