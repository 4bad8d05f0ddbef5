#if Connections
    import CLinux
    import ScanCore
    import System
    import Testing

    @testable import scanlogd

    /// What the helper for names says is checked again: it reads what the network sends.
    struct ResolverMessageTests {
        private static var size: Int { MemoryLayout<ResolverMessage>.size }

        /// The message that some bytes make, as it comes from the helper.
        private func received(_ bytes: [UInt8]) throws -> ResolverMessage? {
            let ends = try makeSockets("test")
            let ours = Descriptor(owning: ends[0])
            let theirs = Descriptor(owning: ends[1])
            let isSent = unsafe sendMessage(bytes.span.bytes, to: theirs.number)
            #expect(isSent)
            var message = ResolverMessage.none
            return message.receive(from: ours.number) == .message ? message : nil
        }

        private func bytes(of message: ResolverMessage) -> [UInt8] {
            unsafe withUnsafeBytes(of: message) { unsafe Array($0) }
        }

        private func answer(_ name: String, to address: Address) -> ResolverMessage {
            var message = ResolverMessage(address, due: Timestamp(nanoseconds: 5))
            if let name = HostName(Array(name.utf8).span) { message.answer(name) }
            return message
        }

        @Test(arguments: [Address(ipv4: 0xc000_0207), Address(ipv6High: 0x2001_0db8_0000_0000, low: 7)])
        func aQuestionComesBackWithItsAnswer(address: Address) throws {
            let sent = answer("host.example", to: address)
            let message = try #require(try received(bytes(of: sent)))
            #expect(message.address == address)
            let name = try #require(message.name)
            #expect(String(decoding: (0..<name.count).map { name[$0] }, as: UTF8.self) == "host.example")
            #expect(!message.isUnanswered)
            #expect(!message.isOver(at: Timestamp(nanoseconds: 4)))
            #expect(message.isOver(at: Timestamp(nanoseconds: 5)))
        }

        @Test(arguments: ["", "a b", "a\nb", "-x", ".x", "1.2.3.4", "0x7f", "ho\u{fc}st"])
        func whatIsNoNameIsNoneWhoeverSaysIt(name: String) throws {
            let honest = answer("a", to: Address(ipv4: 1))
            var forged = bytes(of: honest)
            let text = Array(name.utf8)
            // The name's length, and its bytes behind it: found by what an honest answer has there.
            let first = try #require(forged.firstIndex(of: UInt8(ascii: "a")))
            forged[first - 1] = UInt8(text.count)
            for (index, byte) in text.enumerated() { forged[first + index] = byte }
            #expect(try #require(try received(forged)).name == nil)
        }

        @Test func anyBytesOfTheRightSizeCanBeRead() throws {
            var random = SystemRandomNumberGenerator()
            for _ in 0..<500 {
                let some = (0..<Self.size).map { _ in UInt8.random(in: 0...255, using: &random) }
                let message = try #require(try received(some))
                _ = message.address
                if let name = message.name { #expect((1...HostName.longest).contains(name.count)) }
            }
        }

        @Test func aMessageOfAnotherSizeIsTheEnd() throws {
            for size in [1, Self.size - 1] {
                #expect(try received([UInt8](repeating: 0, count: size)) == nil)
            }
        }
    }
#endif
