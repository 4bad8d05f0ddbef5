#if Connections
    import ScanCore
    import System

    /// What goes between the command, its helper for names, and the helper's processes: a question, which comes back with
    /// the answer.
    ///
    /// It goes as it is in memory, and is nothing but numbers: whatever comes can be read.
    struct ResolverMessage {
        /// What came.
        enum Received {
            case message
            /// Nothing waits.
            case nothing
            /// The other end is closed, or isn't itself any more.
            case end
        }

        private var addressHigh: UInt64
        private var addressLow: UInt64
        private var due: Int64
        private var family: UInt8
        private var nameLength: UInt8 = 0
        private var nameBytes = InlineArray<128, UInt8>(repeating: 0)
        private var hasNoAnswer: UInt8 = 0

        /// The question for the name of an address, which nobody waits for any longer when it is due.
        init(_ address: Address, due: Timestamp) {
            addressHigh = address.high
            addressLow = address.low
            self.due = due.nanoseconds
            family = address.isIPv4 ? 4 : 6
        }

        /// What stands where there is none.
        static var none: ResolverMessage { ResolverMessage(Address(ipv4: 0), due: Timestamp(nanoseconds: 0)) }

        /// The address in question.
        var address: Address {
            if family == 4 { return Address(ipv4: UInt32(truncatingIfNeeded: addressLow)) }
            return Address(ipv6High: addressHigh, low: addressLow)
        }

        /// Whether nobody waits for the answer any longer.
        func isOver(at now: Timestamp) -> Bool { now.nanoseconds >= due }

        /// Whether the time of the lookup was over before anybody had answered, be it that there is no name.
        var isUnanswered: Bool { hasNoAnswer != 0 }

        /// The name in the answer, if it has one. It came from the network: what is no name is left out.
        var name: HostName? {
            let span = nameBytes.span
            return HostName(span.extracting(0..<min(Int(nameLength), span.count)))
        }

        /// Answers with a name.
        mutating func answer(_ name: HostName) {
            nameLength = UInt8(name.count)
            for index in 0..<name.count { nameBytes[index] = name[index] }
        }

        /// Says that nobody has answered.
        mutating func setUnanswered() {
            hasNoAnswer = 1
        }

        /// Answers with what another answer says, whatever that is.
        mutating func answer(as other: ResolverMessage) {
            nameLength = other.nameLength
            nameBytes = other.nameBytes
        }

        /// Sends the message, and says whether there was somebody to take it, and room.
        func send(to socket: Int32) -> Bool {
            unsafe withUnsafeBytes(of: self) { sendMessage(unsafe $0.bytes, to: socket) }
        }

        /// Receives a message in place of this one.
        @inline(never)
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
