#if Pcap
    import CLinux
    import CPcap
    import ScanCore
    import System

    /// Fixed memory that libpcap's packets are copied into: they are valid during its callback only.
    @safe @usableFromInline struct PcapBatch: ~Copyable {
        /// The maximum number of packets in a batch: few enough that they are still in the processor's cache when they
        /// are read.
        static let count = 32

        @usableFromInline let packets: UnsafeMutableBufferPointer<cpcap_packet>
        @usableFromInline let bytes: UnsafeMutableBufferPointer<UInt8>
        private var batch: cpcap_batch
        /// The next packet to deliver.
        var next = 0

        /// - Parameter snapshot: the capacity for each packet, in bytes.
        init(snapshot: Int32) {
            let size = Int(snapshot)
            unsafe packets = .allocate(capacity: PcapBatch.count)
            unsafe bytes = .allocate(capacity: PcapBatch.count * size)
            unsafe packets.initialize(repeating: cpcap_packet())
            unsafe batch = cpcap_batch(
                packets: packets.baseAddress, bytes: bytes.baseAddress, most: UInt32(PcapBatch.count),
                snapshot: UInt32(snapshot), count: 0, used: 0)
        }

        @inlinable  // Embedded Swift must see a deinit to call it from another module
        deinit {
            unsafe packets.deallocate()
            unsafe bytes.deallocate()
        }

        /// How many packets there are.
        var count: Int { unsafe Int(batch.count) }

        /// Whether some packets have not been delivered yet.
        var hasNext: Bool { next < count }

        /// Replaces the content with the waiting packets. Returns whether libpcap reported no error.
        mutating func fill(from handle: OpaquePointer, _ library: PcapLibrary) -> Bool {
            next = 0
            return unsafe cpcap_dispatch(library.functions, handle, &batch) >= 0
        }

        /// The time of arrival of a packet, in nanoseconds since 1970 UTC.
        func stamp(_ index: Int) -> Int64 {
            unsafe nanoseconds(seconds: packets[index].seconds, and: packets[index].nanoseconds)
        }

        /// The original length of a packet, in bytes.
        func wholeLength(_ index: Int) -> Int { unsafe Int(packets[index].whole) }

        /// Passes the bytes of a packet to a function.
        func withPacket<Result>(_ index: Int, _ body: (Span<UInt8>) -> Result) -> Result {
            let start = unsafe Int(packets[index].offset)
            let end = unsafe start + Int(packets[index].length)
            // libpcap's callback has written these bytes, and their number was limited by the copy.
            return body(unsafe UnsafeBufferPointer(rebasing: UnsafeBufferPointer(bytes)[start..<end]).span)
        }
    }

    /// A time in nanoseconds, clamped to the range of the type.
    func nanoseconds(seconds: Int64, and rest: Int64) -> Int64 {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, sumOverflow) = product.addingReportingOverflow(rest)
        return sumOverflow ? (rest < 0 ? .min : .max) : sum
    }
#endif
