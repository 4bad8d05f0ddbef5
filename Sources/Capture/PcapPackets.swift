#if Pcap
    import ScanCore

    /// Makes segments of the frames that libpcap gives.
    struct PcapPackets: ~Copyable {
        private var reader: Box<PacketReader>
        private let untaggedOnly: Bool
        #if Nids
            private var nids: NidsDefragmenter?
        #endif

        /// Packets whose fragments we put together ourselves.
        init(_ selection: CaptureSelection, key: HashKey) {
            reader = Box { PacketReader(key: key, takesCutHeaders: selection.takesCutHeaders) }
            untaggedOnly = selection.untaggedOnly
            #if Nids
                nids = nil
            #endif
        }

        #if Nids
            /// Packets whose IPv4 fragments libnids puts together.
            init(_ selection: CaptureSelection, key: HashKey, _ nids: consuming NidsDefragmenter) {
                reader = Box { PacketReader(key: key, takesCutHeaders: selection.takesCutHeaders) }
                untaggedOnly = selection.untaggedOnly
                self.nids = consume nids
            }
        #endif

        /// Reads a frame, and gives its segment, or what is wrong with it, to a sink.
        mutating func read(
            _ frame: Span<UInt8>, of link: LinkLayer, at now: Timestamp, realTime: Int64,
            into sink: inout some SegmentSink & ~Copyable
        ) {
            do throws(PacketFault) {
                if untaggedOnly, try link.hasTag(frame) { return }
                let packet = frame.extracting(try link.packetOffset(pastHiddenTagsIn: frame)...)
                if try sink.take(packet: packet, at: now, realTime: realTime) { return }
                if let segment = try read(packet, at: now) { sink.take(segment, at: now, realTime: realTime) }
            } catch {
                sink.take(error)
            }
        }

        private mutating func read(_ packet: Span<UInt8>, at now: Timestamp) throws(PacketFault) -> Segment? {
            #if Nids
                if try NidsDefragmenter.isFragment(packet), let outcome = try nids?.join(packet, at: now) {
                    switch outcome {
                    case .segment(let segment): return segment
                    case .kept: return nil
                    case .refused: break
                    }
                }
            #endif
            return try reader.value.read(packet, at: now)
        }
    }
#endif
