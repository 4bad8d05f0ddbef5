#if Connections
    import ScanCore
    import System

    /// The message between the command, its helper for names, and the helper's processes: a query, which comes back
    /// with the answer.
    ///
    /// It is sent as it is in memory, and consists of numbers only: any bytes received are a valid value.
    struct ResolverMessage {
        /// The result of a receive.
        enum Received {
            case message
            /// Nothing waits.
            case nothing
            /// The other end is closed, or violates the protocol.
            case end
        }

        private var addressHigh: UInt64
        private var addressLow: UInt64
        private var due: Int64
        private var family: UInt8
        private var nameLength: UInt8 = 0
        private var nameBytes = InlineArray<128, UInt8>(repeating: 0)
        private var hasNoAnswer: UInt8 = 0

        /// The query for the name of an address, which is void after the deadline.
        init(_ address: Address, due: Timestamp) {
            addressHigh = address.high
            addressLow = address.low
            self.due = due.nanoseconds
            family = address.isIPv4 ? 4 : 6
        }

        /// An empty message.
        static var none: ResolverMessage { ResolverMessage(Address(ipv4: 0), due: Timestamp(nanoseconds: 0)) }

        /// The address that is looked up.
        var address: Address {
            if family == 4 { return Address(ipv4: UInt32(truncatingIfNeeded: addressLow)) }
            return Address(ipv6High: addressHigh, low: addressLow)
        }

        /// Whether the query's deadline has passed.
        func isOver(at now: Timestamp) -> Bool { now.nanoseconds >= due }

        /// Whether the lookup timed out without any answer, not even that there is no name.
        var isUnanswered: Bool { hasNoAnswer != 0 }

        /// The name in the answer, if there is one. It came from the network: an invalid name is dropped.
        var name: HostName? {
            let span = nameBytes.span
            return HostName(span.extracting(0..<min(Int(nameLength), span.count)))
        }

        /// Sets a name as the answer.
        mutating func answer(_ name: HostName) {
            nameLength = UInt8(name.count)
            for index in 0..<name.count { nameBytes[index] = name[index] }
        }

        /// Marks the lookup as timed out.
        mutating func setUnanswered() {
            hasNoAnswer = 1
        }

        /// Copies the answer of another message, whatever it is.
        mutating func answer(as other: ResolverMessage) {
            nameLength = other.nameLength
            nameBytes = other.nameBytes
        }

        /// Sends the message. Returns whether there was a receiver, and room.
        func send(to socket: Int32) -> Bool {
            unsafe withUnsafeBytes(of: self) { sendMessage(unsafe $0.bytes, to: socket) }
        }

        /// Receives a message into this one.
        mutating func receive(from socket: Int32) -> Received {
            let count = unsafe withUnsafeMutableBytes(of: &self) { buffer in
                var bytes = unsafe buffer.mutableBytes
                return receiveMessage(into: &bytes, from: socket)
            }
            guard let count else { return .nothing }
            return count == MemoryLayout<ResolverMessage>.size ? .message : .end
        }
    }
#endif
