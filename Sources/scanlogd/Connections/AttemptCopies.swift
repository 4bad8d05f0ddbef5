#if Connections
    import Capture
    import ScanCore
    import System

    /// All zero is the empty state (tested by PacketCopiesTests).
    extension PacketCopies: Zeroable {}

    extension ZeroedPages<Parameters.Copies> {
        /// An empty memory of packets.
        init(key: HashKey) throws(SystemError) {
            try self.init("memory of taken packets")
            value.start(key: key)
        }
    }
#endif
