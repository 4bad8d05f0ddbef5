#if Pcap
    import Capture
    import CLinux
    import ScanCore

    /// What goes between the command, its helper for names, and the processes of the helper: an address as the question,
    /// and the same with its name, or without one, as the answer.
    struct NameMessage {
        /// What came.
        enum Received {
            case message(NameMessage)
            /// Nothing waits.
            case nothing
            /// The other end is closed, or isn't itself any more.
            case end
        }

        let address: Address
        let name: HostName?

        init(_ address: Address, name: HostName? = nil) {
            self.address = address
            self.name = name
        }

        // A byte for the family, 16 of the address, which begin with zeros for IPv4, and as many as the name has.
        private static let headerSize = 17
        private typealias Bytes = InlineArray<145, UInt8>

        /// Makes two sockets that keep messages apart and never block.
        static func makeSockets() throws(SystemError) -> InlineArray<2, Int32> {
            var ends: InlineArray<2, Int32> = [-1, -1]
            var span = ends.mutableSpan
            let type = Int32(SOCK_SEQPACKET.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
            _ = try check("host names", "make sockets") {
                unsafe span.withUnsafeMutableBufferPointer { unsafe socketpair(AF_UNIX, type, 0, $0.baseAddress) }
            }
            return ends
        }

        /// Sends the message, and says whether there was somebody to take it, and room.
        @inline(never)
        func send(to socket: Int32) -> Bool {
            var bytes = Bytes(repeating: 0)
            bytes[0] = address.isIPv4 ? 4 : 6
            for index in 0..<8 {
                let shift = UInt64(56 - 8 * index)
                bytes[1 + index] = UInt8(truncatingIfNeeded: address.high >> shift)
                bytes[9 + index] = UInt8(truncatingIfNeeded: address.low >> shift)
            }
            let length = name?.count ?? 0
            for index in 0..<length { bytes[NameMessage.headerSize + index] = name?[index] ?? 0 }
            let count = NameMessage.headerSize + length
            var span = bytes.mutableSpan
            let sent = unsafe span.withUnsafeMutableBytes {
                unsafe CLinux.send(socket, $0.baseAddress, count, Int32(MSG_NOSIGNAL))
            }
            return sent == count
        }

        /// Receives a message, and trusts it no more than a packet.
        @inline(never)
        static func receive(from socket: Int32) -> Received {
            var bytes = InlineArray<146, UInt8>(repeating: 0)  // one more, to see what is too long
            var span = bytes.mutableSpan
            let count = unsafe span.withUnsafeMutableBytes { unsafe read(socket, $0.baseAddress, $0.count) }
            if count < 0 { return clinux_errno() == EAGAIN ? .nothing : .end }
            guard count < bytes.count, let message = NameMessage(bytes.span.extracting(0..<count)) else { return .end }
            return .message(message)
        }

        /// Reads a message; `nil` if it is none. A name that is none is left out: it came from the network.
        private init?(_ bytes: Span<UInt8>) {
            if bytes.count < NameMessage.headerSize { return nil }
            var (high, low) = (UInt64(0), UInt64(0))
            for index in 1...8 {
                high = high << 8 | UInt64(bytes[index])
                low = low << 8 | UInt64(bytes[8 + index])
            }
            switch bytes[0] {
            case 4:
                guard high == 0, let value = UInt32(exactly: low) else { return nil }
                address = Address(ipv4: value)
            case 6: address = Address(ipv6High: high, low: low)
            default: return nil
            }
            name = HostName(bytes.extracting(NameMessage.headerSize...))
        }
    }
#endif
