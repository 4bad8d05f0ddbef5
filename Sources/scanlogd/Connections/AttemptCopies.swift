#if Connections
    import Capture
    import ScanCore
    import System

    /// One that is all zero knows no packet (tested by PacketCopiesTests).
    extension PacketCopies: Zeroable {}

    extension ZeroedPages<Parameters.Copies> {
        /// Memory of packets that knows none yet.
        init(key: HashKey) throws(SystemError) {
            try self.init("memory of taken packets")
            value.start(key: key)
        }
    }
#endif
