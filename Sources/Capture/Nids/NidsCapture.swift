#if Nids
    import ScanCore
    import System

    /// Packets from libnids.
    ///
    /// It delivers all probes of ``PcapCapture``, and in addition those of IPv4 fragments that libnids reassembles: it
    /// resolves contradicting overlaps as systems other than Linux do. It can add probes, and hide none. Its scan
    /// detector, TCP tracking and checksum test are off, and its log is suppressed. libpcap captures, as it does for
    /// libnids itself.
    public struct NidsCapture: ~Copyable, PacketSource {
        private var capture: PcapCapture

        /// See ``PcapCapture/gatherTime``.
        public var gatherTime: Int32 { capture.gatherTime }

        /// See ``PcapCapture/descriptor``.
        public var descriptor: Int32 { capture.descriptor }

        /// Loads libpcap and libnids, and starts to capture: see ``PcapCapture/init(_:key:)``.
        public init(_ selection: CaptureOptions, key: HashKey) throws(SystemError) {
            let nids = try NidsDefragmenter(try PcapLibrary())
            capture = try PcapCapture(selection, try PcapFrameReader(selection, key: key, nids))
        }

        /// Delivers waiting packets: see ``PcapCapture/receive(into:)``.
        public mutating func receive(into sink: inout some ProbeSink & ~Copyable) throws(SystemError) -> Reception {
            try capture.receive(into: &sink)
        }

        /// Delivers other packets too: see ``PcapCapture/admit(_:)``.
        public mutating func admit(_ others: OtherPackets) throws(SystemError) { try capture.admit(others) }

        /// The counters of fragments: see ``PcapCapture/fragments``.
        public var fragments: FragmentCounters { capture.fragments }

        /// Counts the packets that did not fit into libpcap's buffer: see ``PcapCapture/makeDropCounter()``.
        public func makeDropCounter() -> DropCounter { capture.makeDropCounter() }
    }
#endif
