/// What a line about suppressed reports says, apart from its words.
public struct SuppressionSummary: Sendable {
    /// What the scans are called.
    public internal(set) var subject: ReportSubject
    /// Whether it only announces that reports are suppressed from here on.
    public internal(set) var isNotice = false
    /// The number of scans since the last summary; 0 in all lines of a summary but the first.
    public internal(set) var scans: UInt64 = 0
    /// How many sources that are known are not named: in the last line of a summary only.
    public internal(set) var unlisted: UInt32 = 0
    /// The sources that the line names.
    public internal(set) var sources = SourceList()

    init(of subject: ReportSubject) { self.subject = subject }

    /// The sources of one line, at most ``capacity``.
    public struct SourceList: Sendable {
        /// The maximum number of sources: more than fit into a line of ``Parameters/lineLength``.
        public static let capacity = 12

        /// The number of sources.
        public private(set) var count = 0
        private var storage = InlineArray<12, Address>(repeating: Address(ipv4: 0))

        init() {}

        /// Whether there is no room for one more.
        var isFull: Bool { count == SourceList.capacity }

        /// The source at an index below ``count``.
        public subscript(index: Int) -> Address {
            precondition(index < count)
            return storage[index]
        }

        /// Adds a source, if there is room.
        mutating func append(_ source: Address) {
            if isFull { return }
            storage[count] = source
            count += 1
        }
    }
}

/// A line about suppressed reports, with what it says.
public struct SuppressionLine: Sendable {
    /// The line.
    public let text: LogLine
    /// What it says.
    public let summary: SuppressionSummary

    /// The maximum length of the line: with the summary, it has to fit into a message between processes.
    static var longest: Int { 288 }
}

/// The encoding of a summary that is passed between processes of this host: as that of ``ScanReport``.
extension SuppressionSummary {
    /// The size of an encoded summary in bytes.
    package static var encodedSize: Int { 208 }

    /// The offsets of the fields, in bytes.
    private enum Offset {
        /// The subject, and in the bit above whether it is a notice.
        static var subject: Int { 0 }
        static var count: Int { 1 }
        /// A bit for each source, the first the lowest: whether it is an IPv4 address.
        static var families: Int { 2 }
        static var unlisted: Int { 4 }
        static var scans: Int { 8 }
        static var sources: Int { 16 }
    }

    /// The encoded summary.
    package var encoded: InlineArray<208, UInt8> {
        var bytes = InlineArray<208, UInt8>(repeating: 0)
        bytes[Offset.subject] = subject.rawValue | (isNotice ? 2 : 0)
        bytes[Offset.count] = UInt8(sources.count)
        bytes.put(unlisted, at: Offset.unlisted)
        bytes.put(scans, at: Offset.scans)
        var families: UInt16 = 0
        for index in 0..<sources.count {
            let source = sources[index]
            if source.isIPv4 { families |= 1 << UInt16(index) }
            bytes.put(source.high, at: Offset.sources + 16 * index)
            bytes.put(source.low, at: Offset.sources + 16 * index + 8)
        }
        bytes.put(families, at: Offset.families)
        return bytes
    }

    /// Decodes the result of ``encoded``.
    ///
    /// - Throws: ``PacketFault/truncated`` if there are too few bytes, ``PacketFault/malformed`` if there are too many
    ///   or they encode no summary.
    package init(encoded bytes: Span<UInt8>) throws(PacketFault) {
        if bytes.count < SuppressionSummary.encodedSize { throw .truncated }
        if bytes.count > SuppressionSummary.encodedSize { throw .malformed }
        let first = try bytes.uint8(at: Offset.subject)
        guard first <= 3, let subject = ReportSubject(rawValue: first & 1) else { throw .malformed }
        self.init(of: subject)
        isNotice = first & 2 != 0
        unlisted = try bytes.uint32(at: Offset.unlisted)
        scans = try bytes.uint64(at: Offset.scans)
        let count = Int(try bytes.uint8(at: Offset.count))
        let families = try bytes.uint16(at: Offset.families)
        if count > SourceList.capacity || Int(families) >> count != 0 { throw .malformed }
        if isNotice && (count > 0 || unlisted > 0 || scans > 0) { throw .malformed }
        for index in 0..<SourceList.capacity {
            let offset = Offset.sources + 16 * index
            let isIPv4 = families >> UInt16(index) & 1 != 0
            let source = try Address(encodedIn: bytes, at: offset, isIPv4: isIPv4)
            if index < count { sources.append(source) } else if !source.isUnspecified { throw .malformed }
        }
    }
}
