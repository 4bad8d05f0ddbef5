#if Nids
    import ScanCore
    import System

    /// Packets from libnids.
    ///
    /// All that ``PcapCapture`` sees, and besides what libnids makes of IPv4 fragments: where they contradict each other, it
    /// joins them as other systems than Linux do. It can add to what is seen, and hide nothing. Its scan detector, TCP
    /// tracking and checksum test are off, and its log is suppressed. libpcap captures, as it does for libnids itself.
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

        /// Hands over what waits: see ``PcapCapture/receive(into:)``.
        public mutating func receive(into sink: inout some ProbeSink & ~Copyable) throws(SystemError) -> Reception {
            try capture.receive(into: &sink)
        }

        /// What became of fragments: see ``PcapCapture/fragments``.
        public var fragments: FragmentCounters { capture.fragments }

        /// Counts the packets that found libpcap's buffer full: see ``PcapCapture/makeDropCounter()``.
        public func makeDropCounter() -> DropCounter { capture.makeDropCounter() }
    }
#endif
