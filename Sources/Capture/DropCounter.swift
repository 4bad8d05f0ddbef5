#if Pcap
    import CLinux
    import System

    /// How many packets found no room in the sockets of a capture: for somebody who has to know while the capture hands
    /// packets over, and can't be asked.
    ///
    /// To be asked in place of the capture, which must outlive it: the kernel tells of each packet once.
    public struct DropCounter {
        private var sockets = InlineArray<16, Int32>(repeating: -1)
        private var count = 0
        private var total: UInt64 = 0

        mutating func append(_ socket: Int32) {
            sockets[count] = socket
            count += 1
        }

        /// How many there were since the start.
        public mutating func update() throws(SystemError) -> UInt64 {
            for index in 0..<count { total &+= try newDropCounter(of: sockets[index], "packet socket") }
            return total
        }
    }

    extension PcapCapture {
        /// What found libpcap's buffer full.
        public var drops: DropCounter {
            var drops = DropCounter()
            for index in interfaces.indices {
                if let interface = interfaces[index] { drops.append(interface.descriptor) }
            }
            return drops
        }
    }
#endif
