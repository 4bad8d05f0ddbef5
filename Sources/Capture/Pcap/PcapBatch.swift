#if Pcap
    import CLinux
    import CPcap
    import ScanCore
    import System

    /// Fixed memory that libpcap's packets are copied into: those it gives end with its callback.
    @safe @usableFromInline struct PcapBatch: ~Copyable {
        /// The most packets in a batch: copied while they are in the processor's cache, and read while they still are.
        static let count = 32

        @usableFromInline let packets: UnsafeMutableBufferPointer<cpcap_packet>
        @usableFromInline let bytes: UnsafeMutableBufferPointer<UInt8>
        private var batch: cpcap_batch
        /// The packet that is to be handed over next.
        var next = 0

        /// - Parameter snapshot: how many bytes there is room for of each packet.
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

        /// Whether packets have not been handed over yet.
        var hasNext: Bool { next < count }

        /// Takes what waits, in place of what was there: whether libpcap found no fault.
        mutating func fill(from handle: OpaquePointer, _ library: PcapLibrary) -> Bool {
            next = 0
            return unsafe cpcap_dispatch(library.functions, handle, &batch) >= 0
        }

        /// When a packet came, in nanoseconds since 1970 UTC.
        func stamp(_ index: Int) -> Int64 {
            unsafe nanoseconds(seconds: packets[index].seconds, and: packets[index].nanoseconds)
        }

        /// How many bytes a packet had in all.
        func wholeLength(_ index: Int) -> Int { unsafe Int(packets[index].whole) }

        /// Lends the bytes of a packet.
        func withPacket<Result>(_ index: Int, _ body: (Span<UInt8>) -> Result) -> Result {
            let start = unsafe Int(packets[index].offset)
            let end = unsafe start + Int(packets[index].length)
            // libpcap's callback has written these bytes, and the copy checked their number.
            return body(unsafe UnsafeBufferPointer(rebasing: UnsafeBufferPointer(bytes)[start..<end]).span)
        }
    }

    /// A time in nanoseconds; one that is too far off counts as the last or first that can be told.
    func nanoseconds(seconds: Int64, and rest: Int64) -> Int64 {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, sumOverflow) = product.addingReportingOverflow(rest)
        return sumOverflow ? (rest < 0 ? .min : .max) : sum
    }
#endif
