#if Pcap
    import ScanCore
    import System

    /// Makes probes of the frames that libpcap gives.
    struct PcapFrameReader: ~Copyable {
        private var reader: Box<ProbeReader>
        private let untaggedOnly: Bool
        /// Whether frames are left out that say that the host did not send them.
        private let outgoingOnly: Bool
        #if Nids
            private var nids: NidsDefragmenter?
        #endif

        /// Packets whose fragments we put together ourselves.
        init(_ selection: CaptureOptions, key: HashKey) throws(SystemError) {
            reader = try Box(selection, key: key)
            untaggedOnly = selection.untaggedOnly
            outgoingOnly = selection.direction == .outgoing
            #if Nids
                nids = nil
            #endif
        }

        #if Nids
            /// Packets whose IPv4 fragments libnids puts together as well.
            init(
                _ selection: CaptureOptions, key: HashKey, _ nids: consuming NidsDefragmenter
            ) throws(SystemError) {
                reader = try Box(selection, key: key)
                untaggedOnly = selection.untaggedOnly
                outgoingOnly = selection.direction == .outgoing
                self.nids = consume nids
            }
        #endif

        /// Reads a frame, and gives its probe, or what is wrong with it, to a sink.
        ///
        /// - Parameters:
        ///   - length: how many bytes the frame had in all.
        ///   - interface: the number of the interface that it came over, or 0.
        mutating func read(
            _ frame: Span<UInt8>, length: Int, of link: LinkLayer, interface: Int32 = 0, at now: Timestamp,
            realTime: Int64,
            into sink: inout some ProbeSink & ~Copyable
        ) {
            do throws(PacketFault) {
                if outgoingOnly, try !link.isSent(frame) { return }
                let place = try link.place(in: frame, length: length, interface: interface)
                if untaggedOnly && place.path.vlans != 0 { return }
                let packet = frame.extracting(place.offset...)
                _ = try read(packet, over: place.path, at: now, realTime: realTime, into: &sink)
            } catch {
                sink.count(error)
            }
        }

        /// Reads an IP packet, and gives its probes to a sink.
        ///
        /// - Parameter path: over which link it came.
        /// - Returns: whether there was anything to give: what is kept until other packets come gives nothing yet.
        /// - Throws: why there is no probe in it.
        @inline(__always)
        mutating func read(
            _ packet: Span<UInt8>, over path: LinkPath, at now: Timestamp, realTime: Int64,
            into sink: inout some ProbeSink & ~Copyable
        ) throws(PacketFault) -> Bool {
            if try sink.inspect(packet: packet, over: path, at: now, realTime: realTime) { return true }
            #if Nids
                if let probe = joinedByNids(packet, at: now) { sink.receive(probe, at: now, realTime: realTime) }
            #endif
            var isGiven = false
            try reader.value.read(packet, over: path, at: now) { probe in
                isGiven = true
                sink.receive(probe, of: packet, over: path, at: now, realTime: realTime)
            }
            return isGiven
        }

        #if Nids
            /// The probe that a fragment makes whole by the rules of libnids. What is wrong with it, the reader says.
            private mutating func joinedByNids(_ packet: Span<UInt8>, at now: Timestamp) -> Probe? {
                do throws(PacketFault) {
                    if try !NidsDefragmenter.isFragment(packet) { return nil }
                    guard case .probe(let probe) = try nids?.join(packet, at: now) else { return nil }
                    return probe
                } catch {
                    return nil
                }
            }
        #endif

        /// What became of fragments.
        var fragments: FragmentCounters { FragmentCounters(reader.value) }
    }
#endif
