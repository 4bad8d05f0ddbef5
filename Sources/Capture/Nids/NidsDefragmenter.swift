#if Nids
    import CNids
    import CPcap
    import ScanCore
    import System

    /// Reassembles IPv4 fragments of TCP segments with libnids.
    ///
    /// libnids gets a copy that it has no reason to reject: without options, about which it is strict and which are not
    /// used here; with a protocol number unknown to it, so that its TCP tracking ignores it; and, where the snapshot
    /// truncated a fragment, with zeros in place of payload. One per process.
    @safe @usableFromInline struct NidsDefragmenter: ~Copyable {
        /// The result for a fragment.
        enum Outcome {
            case probe(Probe)
            case kept
            /// Too many destinations at a time: libnids allocates memory for each, without a limit on all of them.
            case refused
        }

        /// A destination whose fragments libnids may hold: up to 256 KiB of them.
        private struct Destination {
            var address = Address(ipv4: 0)
            var last = Timestamp(nanoseconds: .min)
        }

        /// How long libnids keeps a fragment, and a margin, in nanoseconds.
        private static var lifetime: Int64 { 40_000_000_000 }
        private static var headerLength: Int { 20 }
        private static var unknownProtocol: UInt8 { 255 }  // reserved
        private static var joinedCapacity: Int { 128 }

        @usableFromInline let fragment: UnsafeMutableBufferPointer<UInt8>
        @usableFromInline let joined: UnsafeMutableBufferPointer<UInt8>
        private var destinations = InlineArray<16, Destination>(repeating: Destination())

        /// Loads libnids, which must be done outside the chroot, and starts it.
        init(_ library: PcapLibrary) throws(SystemError) {
            let raw: Int32 = 12  // DLT_RAW: frames begin with the IP header
            guard let handle = unsafe library.functions.pointee.open_dead(raw, 65_535) else {
                throw SystemError("libnids", "start", because: "out of memory")
            }
            if unsafe cnids_start(UnsafeMutableRawPointer(handle)) < 0 {
                throw SystemError("libnids", "load", because: unsafe CString(unsafe: cnids_reason()))
            }
            unsafe fragment = .allocate(capacity: 65_536)
            unsafe joined = .allocate(capacity: NidsDefragmenter.joinedCapacity)
            unsafe fragment.initialize(repeating: 0)
            unsafe joined.initialize(repeating: 0)
        }

        @inlinable  // Embedded Swift must see a deinit to call it from another module
        deinit {
            unsafe fragment.deallocate()
            unsafe joined.deallocate()
        }

        /// Whether a packet is a fragment of an IPv4 packet that holds TCP.
        static func isFragment(_ packet: Span<UInt8>) throws(PacketFault) -> Bool {
            if try IPVersion(of: packet) != .ipv4 { return false }
            let header = try IPHeader(ipv4: packet)
            return header.part.isFragment && header.next == IPProtocol.tcp
        }

        /// Passes a fragment to libnids.
        ///
        /// - Throws: the fault of the fragment, or of the packet that it completes.
        mutating func join(_ packet: Span<UInt8>, at now: Timestamp) throws(PacketFault) -> Outcome {
            let header = try IPHeader(ipv4: packet)
            let length = try copy(packet, header)
            if !admits(header.destination, at: now) { return .refused }
            guard let input = unsafe fragment.baseAddress, let output = unsafe joined.baseAddress else { return .kept }
            let count = unsafe cnids_join(input, length, output, NidsDefragmenter.joinedCapacity)
            if count == 0 { return .kept }
            unsafe joined[9] = IPProtocol.tcp
            return .probe(try Probe(packet: unsafe UnsafeBufferPointer(joined).span.extracting(0..<count)))
        }

        /// Copies a fragment in the form for libnids, and returns its length.
        private mutating func copy(_ packet: Span<UInt8>, _ header: IPHeader) throws(PacketFault) -> Int {
            let size = header.statedEnd - header.length
            if size <= 0 || header.part.isFollowed && size % 8 != 0 { throw .malformed }
            // A frame that is shorter than the snapshot was not truncated by it: its length field is wrong.
            let isCut = packet.count < header.statedEnd
            if isCut && packet.count < Int(Parameters.pcapSnapshot) - 256 { throw .truncated }
            if packet.count < header.length { throw .truncated }
            let length = NidsDefragmenter.headerLength + size
            for index in 0..<NidsDefragmenter.headerLength { unsafe fragment[index] = packet[index] }
            unsafe fragment[0] = 0x45
            unsafe fragment[2] = UInt8(length >> 8)
            unsafe fragment[3] = UInt8(length & 0xff)
            unsafe fragment[9] = NidsDefragmenter.unknownProtocol
            for index in 0..<size {
                let place = header.length + index
                unsafe fragment[NidsDefragmenter.headerLength + index] = place < packet.count ? packet[place] : 0
            }
            return length
        }

        /// Whether libnids may hold a fragment for a destination: it is among the known ones, or a slot has expired.
        private mutating func admits(_ address: Address, at now: Timestamp) -> Bool {
            var free: Int?
            for index in destinations.indices {
                let isAlive = now.isWithin(NidsDefragmenter.lifetime, after: destinations[index].last)
                if isAlive && destinations[index].address == address {
                    destinations[index].last = now
                    return true
                }
                if !isAlive { free = index }
            }
            guard let free else { return false }
            destinations[free] = Destination(address: address, last: now)
            return true
        }
    }
#endif
