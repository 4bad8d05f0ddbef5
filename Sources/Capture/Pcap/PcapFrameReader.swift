#if Pcap
    import ScanCore
    import System

    /// Extracts probes from the frames that libpcap delivers.
    struct PcapFrameReader: ~Copyable {
        private var reader: Box<ProbeReader>
        private let untaggedOnly: Bool
        /// Whether frames that are marked as not sent by this host are left out.
        private let outgoingOnly: Bool
        #if Nids
            private var nids: NidsDefragmenter?
        #endif

        /// A reader that reassembles fragments by itself.
        init(_ selection: CaptureOptions, key: HashKey) throws(SystemError) {
            reader = try Box(selection, key: key)
            untaggedOnly = selection.untaggedOnly
            outgoingOnly = selection.direction == .outgoing
            #if Nids
                nids = nil
            #endif
        }

        #if Nids
            /// A reader whose IPv4 fragments libnids reassembles as well.
            init(
                _ selection: CaptureOptions, key: HashKey, _ nids: consuming NidsDefragmenter
            ) throws(SystemError) {
                reader = try Box(selection, key: key)
                untaggedOnly = selection.untaggedOnly
                outgoingOnly = selection.direction == .outgoing
                self.nids = consume nids
            }
        #endif

        /// Parses a frame, and passes its probe, or its fault, to a sink.
        ///
        /// - Parameters:
        ///   - length: the original length of the frame, in bytes.
        ///   - interface: the number of the interface that it arrived on, or 0.
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

        /// Parses an IP packet, and passes its probes to a sink.
        ///
        /// - Parameter path: the link it came over.
        /// - Returns: whether a probe was passed on, or the sink handled the packet; a fragment kept for later yields
        ///   none yet.
        /// - Throws: why it has no probe.
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
            /// The probe that a fragment completes by the rules of libnids. The reader reports faults of the fragment.
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

        /// The counters of fragments.
        var fragments: FragmentCounters { FragmentCounters(reader.value) }
    }
#endif
