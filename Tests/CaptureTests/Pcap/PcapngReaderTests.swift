#if Pcap
    import ScanCore
    import Testing

    @testable import Capture

    /// What libpcap does not read: interfaces that differ, sections that differ.
    struct PcapngReaderTests {
        private func syn(to port: UInt8) -> [UInt8] { Array(synFrame(to: port).dropFirst(14)) }

        @Test(arguments: [true, false])
        func interfacesMayDifferInLinkTypeAndSnapshotLength(bigEndian: Bool) throws {
            let text = CaptureText(bigEndian: bigEndian)
            var bytes = text.sectionHeader() + text.interface(linkType: 1, snapshot: 96)
            bytes += text.interface(linkType: 101, snapshot: 262_144) + text.interface(linkType: 1, snapshot: 0)
            bytes += text.packet(synFrame(to: 22), time: 5_000_000)
            bytes += text.packet(syn(to: 23), time: 6_000_000, interface: 1)
            bytes += text.packet(synFrame(to: 24), time: 7_000_000, interface: 2)
            bytes += text.interface(linkType: 113)  // one that comes late
            let cooked: [UInt8] = [0, 0, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0, 8, 0]
            bytes += text.packet(cooked + syn(to: 25), time: 8_000_000, interface: 3)
            for replayed in [try replay(bytes), replay(try TestFile(pipeWith: bytes))] {
                #expect(replayed.ports == [22, 23, 24, 25])
                #expect(replayed.arrivals.map(\.realTime) == [5, 6, 7, 8].map { $0 * 1_000_000_000 })
                #expect(replayed.error == nil && replayed.leftOut == nil)
            }
        }

        @Test func sectionsHaveInterfacesAndAByteOrderOfTheirOwn() throws {
            var bytes: [UInt8] = []
            for (index, bigEndian) in [false, true, true, false].enumerated() {
                let text = CaptureText(bigEndian: bigEndian)
                bytes += text.sectionHeader() + text.interface(linkType: index % 2 == 0 ? 1 : 12)
                let frame = index % 2 == 0 ? synFrame(to: UInt8(index)) : syn(to: UInt8(index))
                bytes += text.packet(frame, time: 5_000_000)
            }
            let text = CaptureText()
            #expect(try replay(bytes).ports == [0, 1, 2, 3])
            let missing = try replay(bytes + text.sectionHeader() + text.packet(synFrame(to: 1), time: 1))
            #expect(missing.ports == [0, 1, 2, 3])
            let place = "FILE: read at byte \(bytes.count + 28)"
            #expect(missing.error == "\(place): a packet is of an interface that there is not")
        }

        @Test(arguments: [true, false])
        func packetsOfTheOtherTwoKindsOfBlocksAreRead(bigEndian: Bool) throws {
            let text = CaptureText(bigEndian: bigEndian)
            let frame = synFrame(to: 22)
            var bytes = text.sectionHeader() + text.interface(linkType: 1, snapshot: 60)
            let length = text.word(UInt32(frame.count))
            let head = text.half(0) + text.half(7) + text.word(0) + text.word(5_000_000)
            bytes += text.block(2, head + length + length + frame)
            bytes += text.block(3, length + frame)
            bytes += text.block(3, text.word(1500) + frame + [0, 0, 0, 0, 0, 0])  // as much as is kept
            let replayed = try replay(bytes)
            #expect(replayed.ports == [22, 22, 22])
            #expect(replayed.arrivals.map(\.realTime) == [5_000_000_000, 0, 0])
            #expect(replayed.error == nil)
        }

        /// A second may be divided into any number of digits or bits.
        @Test(arguments: UInt8(0)...255)
        func timesOfAnyResolutionAreReadOrRefused(resolution: UInt8) throws {
            let text = CaptureText()
            let digits = Int(resolution & 0x7f)
            let isBinary = resolution & 0x80 != 0
            let front = text.sectionHeader()
            var bytes = front + text.interface(linkType: 1, digits: resolution)
            let isPossible = digits <= (isBinary ? 63 : 19)
            var unit: UInt64 = 1
            if isPossible { for _ in 0..<digits { unit *= isBinary ? 2 : 10 } }
            // One second, and half a second where it can be told.
            let time = digits == 0 ? unit : unit + unit / 2 - (isBinary && digits == 63 ? unit : 0)
            bytes += text.packet(synFrame(to: 22), time: time)
            let replayed = try replay(bytes)
            if !isPossible {
                #expect(
                    replayed.error
                        == "FILE: read at byte \(front.count): an interface has an impossible resolution of time")
                return
            }
            let expected: Int64 = digits == 0 ? 1_000_000_000 : isBinary && digits == 63 ? 500_000_000 : 1_500_000_000
            #expect(replayed.arrivals.map(\.realTime) == [expected])
        }

        @Test func everyWrongLengthIsAnErrorAtItsBlock() throws {
            let text = CaptureText()
            let front = text.sectionHeader() + text.interface(linkType: 1) + text.packet(synFrame(to: 22), time: 1)
            func error(_ block: [UInt8]) throws -> String? {
                let replayed = try replay(front + block + text.packet(synFrame(to: 23), time: 1))
                #expect(replayed.ports == [22])
                let place = "FILE: read at byte \(front.count): "
                let line = try #require(replayed.error)
                #expect(line.hasPrefix(place))
                return String(line.dropFirst(place.count))
            }
            for length in [0, 1, 4, 8, 11, 13, 27, 0xffff_ffff] as [UInt32] {
                #expect(try error(text.word(6) + text.word(length)) == "a block has an impossible length")
            }
            let section = text.word(0x0a0d_0d0a)
            #expect(
                try error(section + text.word(24) + text.word(0x1a2b_3c4d)) == "a block has an impossible length")
            #expect(try error(section + text.word(28) + text.word(7)) == "a section has no byte order")
            let future = text.word(0x1a2b_3c4d) + text.half(2) + text.half(0) + text.word(.max) + text.word(.max)
            #expect(try error(text.block(0x0a0d_0d0a, future)) == "a section is of a version that is not known: 2")
            #expect(try error(text.word(99) + text.word(0xffff_fffc)) == "the file is cut off: it ends within a block")
            var block = text.block(99, [1, 2, 3, 4])
            block[block.count - 4] = 20
            #expect(try error(block) == "a block ends in another length than it begins with")
            #expect(try error(text.block(6, [0, 0, 0, 0])) == "a block is shorter than what is in it")
            #expect(try error(text.block(1, [1, 0, 0, 0])) == "a block is shorter than what is in it")
            #expect(try error(text.block(3, [])) == "a block is shorter than what is in it")
            let words: ([UInt32]) -> [UInt8] = { $0.flatMap { text.word($0) } }
            #expect(try error(text.block(6, words([0, 0, 0, 8, 8, 0]))) == "a block is shorter than what is in it")
            #expect(try error(text.block(6, words([0, 0, 0, 262_145, 8, 0]))) == "a packet is longer than any can be")
            for index in [1, .max] as [UInt32] {
                let packet = text.block(6, words([index, 0, 0, 0, 0]))
                #expect(try error(packet) == "a packet is of an interface that there is not")
            }
            let option = text.half(1) + text.half(0) + text.word(0) + text.half(2) + text.half(5) + [1, 2, 3, 4]
            #expect(try error(text.block(1, option)) == "an option is longer than its block")
            let offset = text.half(1) + text.half(0) + text.word(0) + text.half(14) + text.half(4) + [1, 2, 3, 4]
            #expect(try error(text.block(1, offset)) == "an interface has an impossible offset of time")
        }

        @Test func aFileThatIsCutOffAnywhereGivesWhatIsBeforeAndThePlace() throws {
            let text = CaptureText()
            let blocks = [
                text.sectionHeader(), text.interface(linkType: 1, digits: 6), text.packet(synFrame(to: 22), time: 1),
                text.block(99, [UInt8](repeating: 1, count: 40)), text.packet(synFrame(to: 23), time: 1),
            ]
            let whole = blocks.flatMap { $0 }
            for count in 8..<whole.count {
                let replayed = try replay(Array(whole.prefix(count)))
                var start = 0
                for block in blocks {
                    if start + block.count > count { break }
                    start += block.count
                }
                let error = "FILE: read at byte \(start): the file is cut off: it ends within a block"
                #expect(replayed.error == (start == count ? nil : error))
                let isFirstThere = count >= whole.count - blocks[4].count - blocks[3].count
                #expect(replayed.ports == (isFirstThere ? [22] : []))
            }
            #expect(try replay(whole).ports == [22, 23])
        }

        @Test func noMoreInterfacesAreTakenThanThereIsRoomFor() throws {
            let text = CaptureText()
            var bytes = text.sectionHeader()
            for _ in 0..<4096 { bytes += text.interface(linkType: 1) }
            let last = bytes + text.packet(synFrame(to: 22), time: 1, interface: 4095)
            #expect(try replay(last).ports == [22])
            #expect(
                try replay(bytes + text.interface(linkType: 1)).error
                    == "FILE: read at byte \(bytes.count): too many interfaces: the most are 4096")
        }

        @Test func packetsOfLinkTypesThatAreNotKnownAreLeftOutAndCounted() throws {
            let text = CaptureText()
            var bytes = text.sectionHeader() + text.interface(linkType: 127) + text.interface(linkType: 1)
            bytes += text.packet(synFrame(to: 21), time: 1, interface: 0)
            let unknown = try replay(bytes)
            #expect(unknown.error == "FILE: read frames of link type: IEEE802_11_RADIO")
            bytes += text.packet(synFrame(to: 22), time: 1, interface: 1)
            let replayed = try replay(bytes)
            #expect(replayed.ports == [22])
            #expect(replayed.error == nil)
            #expect(replayed.leftOut == "FILE: read: left out, but may hold TCP: 1 of unknown link types")
        }
    }
#endif
