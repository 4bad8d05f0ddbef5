import ScanCore
import System
import Testing

@testable import Capture

/// Where the IP packet begins in frames of each kind.
struct LinkLayerTests {
    /// Literal link headers, each with all that stands before an IP packet.
    static let headers: [(Int32, String)] = [
        (0, "02000000"), (0, "00000002"), (0, "0a000000"), (0, "0000000a"), (0, "18000000"), (0, "00000018"),
        (0, "1c000000"), (0, "0000001c"), (0, "1e000000"), (0, "0000001e"),
        (108, "00000002"), (108, "0000000a"), (108, "00000018"), (108, "0000001c"), (108, "0000001e"),
        (1, "0200 5e10 0001 0200 5e10 0002 0800"),
        (1, "0200 5e10 0001 0200 5e10 0002 86dd"),
        (1, "0200 5e10 0001 0200 5e10 0002 8100 0064 0800"),
        (1, "0200 5e10 0001 0200 5e10 0002 88a8 0064 8100 0065 86dd"),
        (1, "0200 5e10 0001 0200 5e10 0002 9100 ffff 9100 0000 88a8 0064 8100 0065 8100 0001 0800"),
        (1, "0200 5e10 0001 0200 5e10 0002 8864 1100 0001 002a 0021"),
        (1, "0200 5e10 0001 0200 5e10 0002 8864 1100 0001 002a 0057"),
        (1, "0200 5e10 0001 0200 5e10 0002 8864 1100 0001 002a 21"),
        (1, "0200 5e10 0001 0200 5e10 0002 8864 1100 0001 002a 57"),
        (1, "0200 5e10 0001 0200 5e10 0002 8100 0007 8864 1100 0001 002a 0021"),
        (1, "0200 5e10 0001 0200 5e10 0002 8909 0101 0001 0005 0800"),
        (1, "0200 5e10 0001 0200 5e10 0002 8909 0102 0000 0000 0001 0005 86dd"),
        (1, "0200 5e10 0001 0200 5e10 0002 8100 0007 8909 0101 0001 0005 0800"),
        (1, "0200 5e10 0001 0200 5e10 0002 8909 0101 0001 0005 8100 0007 86dd"),
        (1, "0200 5e10 0001 0200 5e10 0002 0036 aaaa 0300 0000 0800"),
        (1, "0200 5e10 0001 0200 5e10 0002 8100 0064 05dc aaaa 0300 0000 86dd"),
        (113, "0000 0001 0006 0200 5e10 0001 0000 0800"), (113, "0004 0001 0006 0200 5e10 0001 0000 86dd"),
        (113, "0000 0001 0006 0200 5e10 0001 0000 8100 0064 0800"),
        (113, "0000 0001 0006 0200 5e10 0001 0000 8864 1100 0001 002a 0021"),
        (113, "0000 0001 0006 0200 5e10 0001 0000 0004 aaaa 0300 0000 0800"),
        // Linux gave up counting tags: the first ones here libpcap has put back, and what follows is left over.
        (113, "0000 0001 0006 0200 5e10 0001 0000 8100 4000 0000 4000 8100 0000 88a8 0000 0800"),
        (113, "0004 0001 0006 0200 5e10 0001 0000 0000 4000 8100 0000 86dd"),
        (276, "0000 0000 0000 0002 0001 0006 0200 5e10 0001 0000 4000 8100 0000 0800"),
        (276, "0800 0000 0000 0002 0001 0006 0200 5e10 0001 0000"),
        (276, "86dd 0000 0000 0002 0001 0406 0200 5e10 0001 0000"),
        (276, "88a8 0000 0000 0002 0001 0406 0200 5e10 0001 0000 0064 8100 0065 86dd"),
        (276, "8864 0000 0000 0002 0001 0406 0200 5e10 0001 0000 1100 0001 002a 57"),
        (9, "0021"), (9, "0057"), (9, "21"), (9, "57"), (9, "ff03 0021"), (9, "ff03 21"), (50, "ff03 0057"),
        (50, "ff03 57"), (50, "0021"), (51, "1100 0001 002a 0021"), (51, "1100 0001 002a 57"),
        (12, ""), (14, ""), (101, ""), (228, ""), (229, ""),
    ]

    /// The first tag that a frame says nothing of decides: what follows it is what it says, and where types lead to something
    /// else than the packet, none of them was a tag's.
    @Test(arguments: [
        ("0064 8100 0065 86dd", true),  // two tags
        ("0064 8100 6000 86dd", true),  // the second begins like IPv6, with length 0
        ("0064 8100 6065 8100 0000 86dd", true),
        ("0064 8100 0065 0800", false),  // to another packet
        ("0064 8100 0065 1234", false),
    ])
    func tagsLeadToThePacketOrAreNone(text: String, areTags: Bool) throws {
        let layer = try #require(LinkLayer(dataLinkType: 276))
        let header = bytes("86dd 0000 0000 0002 0001 0006 0200 5e10 0001 0000")
        let frame = header + bytes(text) + [UInt8](repeating: 0, count: 60)
        #expect(offset(layer, frame) == .success(header.count + (areTags ? bytes(text).count : 0)))
    }

    /// Of a frame that was cut short, too, a flow label is none of the tags that it reads like.
    @Test(
        arguments: [
            (113, "0000 0001 0006 0200 5e10 0001 0000 86dd"),
            (276, "86dd 0000 0000 0002 0001 0006 0200 5e10 0001 0000"),
        ], ["86dd", "8100", "9100"])
    func aFlowLabelIsNoTag(link: (type: Int32, header: String), label: String) throws {
        let layer = try #require(LinkLayer(dataLinkType: link.type))
        let header = bytes(link.header)
        let frame = header + bytes("6001 " + label + " 0028 06 40") + [UInt8](repeating: 1, count: 72)
        for count in [header.count + 44, header.count + 60, frame.count] {
            let kept = Array(frame.prefix(count))
            #expect(try layer.place(in: kept.span, length: frame.count).offset == header.count)
        }
    }

    /// Which way frames went, and over what, where they tell it.
    @Test(arguments: [
        (113, "0000 0001 0006 0200 5e10 0001 0000 0800", false, false),
        (113, "0003 0001 0006 0200 5e10 0001 0000 0800", false, false),
        (113, "0004 0001 0006 0200 5e10 0001 0000 86dd", true, true),
        (113, "0000 0304 0006 0000 0000 0000 0000 0800", false, true),
        (113, "0104 0001 0006 0200 5e10 0001 0000 0800", false, false),
        (276, "0800 0000 0000 0002 0001 0006 0200 5e10 0001 0000", false, false),
        (276, "86dd 0000 0000 0002 0001 0406 0200 5e10 0001 0000", true, true),
        (276, "0800 0000 0000 0001 0304 0006 0000 0000 0000 0000", false, true),
        (1, "0200 5e10 0001 0200 5e10 0002 0800", false, true), (12, "", false, true),
    ])
    func aFrameIsSentByTheHostIfItSaysSoOrMayBe(type: Int32, text: String, isOutgoing: Bool, isSent: Bool) throws {
        let link = try #require(LinkLayer(dataLinkType: type))
        let frame = bytes(text)
        #expect(try link.place(in: frame.span).path.isOutgoing == isOutgoing)
        #expect(try link.isSent(frame.span) == isSent)
        if !link.knowsDirection { return }
        for length in 0..<(type == 113 ? 4 : 11) {
            let cut = Array(frame.prefix(length))
            #expect(throws: PacketFault.truncated) { try link.isSent(cut.span) }
        }
    }

    @Test(arguments: headers)
    func thePacketBeginsAfterTheLinkHeader(type: Int32, text: String) throws {
        let link = try #require(LinkLayer(dataLinkType: type))
        let header = bytes(text)
        // What follows is never looked at: not even whether it is there.
        for rest in [[], [0x45], [UInt8](repeating: 0xff, count: 100), [UInt8](repeating: 0, count: 40)] {
            #expect(offset(link, header + rest) == .success(header.count))
        }
        for length in 0..<header.count {
            #expect(offset(link, [UInt8](header.prefix(length))) == .failure(.truncated))
        }
    }

    @Test(
        arguments: [
            (1, "0200 5e10 0001 0200 5e10 0002 0806"), (1, "0200 5e10 0001 0200 5e10 0002 8863 1109 0000 0004 0021"),
            (1, "0200 5e10 0001 0200 5e10 0002 0600"), (1, "0200 5e10 0001 0200 5e10 0002 05ff 0606 0345 0000 0000"),
            (1, "0200 5e10 0001 0200 5e10 0002 0026 4242 0300 0000 0000"),
            (1, "0200 5e10 0001 0200 5e10 0002 0036 aaaa 0300 000c 0800"),
            (1, "0200 5e10 0001 0200 5e10 0002 8100 0064 88cc"),
            (1, "0200 5e10 0001 0200 5e10 0002 8864 2100 0001 0000 0021"),
            (1, "0200 5e10 0001 0200 5e10 0002 8864 11a7 0001 0000 0021"),
            (1, "0200 5e10 0001 0200 5e10 0002 8864 1100 0001 0000 c021"),
            (1, "0200 5e10 0001 0200 5e10 0002 8909 0201 0001 0005 0800"),
            (1, "0200 5e10 0001 0200 5e10 0002 8909 0100 0800"),
            (1, "0200 5e10 0001 0200 5e10 0002 8909 0101 0001 0005 0806"),
            (1, "0200 5e10 0001 0200 5e10 0002 8847 0001 0140 0000 0000"),
            (0, "03000000"), (0, "00020000"), (0, "02000002"), (108, "02000000"), (108, "0000001f"),
            (113, "0000 0001 0006 0200 5e10 0001 0000 0806"),
            (276, "0806 0000 0000 0002 0001 0006 0200 5e10 0001 0000"),
            (9, "c021"), (9, "ff03 c021"), (9, "ff03 8021"), (9, "23"), (50, "0f00 0800"), (51, "1109 0000 0000 0021"),
            (51, "1100 0001 002a ff03 0021"),
        ] as [(Int32, String)])
    func whatHoldsNoIPPacketIsNotTCP(type: Int32, text: String) throws {
        let link = try #require(LinkLayer(dataLinkType: type))
        #expect(offset(link, bytes(text) + [UInt8](repeating: 0x45, count: 60)) == .failure(.otherProtocol))
    }

    @Test func otherLinkTypesAreNotKnown() {
        let known: Set<Int32> = [0, 1, 9, 12, 14, 50, 51, 101, 108, 113, 228, 229, 276]
        for type in Int32(-5)...400 { #expect((LinkLayer(dataLinkType: type) != nil) == known.contains(type)) }
        for type in [Int32.min, .max] { #expect(LinkLayer(dataLinkType: type) == nil) }
    }

    /// They don't say what follows: the packet's first half byte does.
    @Test(
        arguments: [
            (1, "0200 5e10 0001 0200 5e10 0002 8847 0001 0140"), (1, "0200 5e10 0001 0200 5e10 0002 8848 0001 0140"),
            (1, "0200 5e10 0001 0200 5e10 0002 8847 0001 0040 0002 0e40 0000 0340"),
            (1, "0200 5e10 0001 0200 5e10 0002 8100 0007 8847 0001 0140"),
            (1, "0200 5e10 0001 0200 5e10 0002 8909 0101 0001 0005 8847 0001 0140"),
            (113, "0000 0001 0006 0200 5e10 0001 0000 8847 0001 0140"),
            (276, "8847 0000 0000 0002 0001 0006 0200 5e10 0001 0000 0001 0140"),
            (9, "0281 0001 0140"), (9, "ff03 0283 0001 0040 0002 0140"), (51, "1100 0001 002a 0281 0001 0140"),
        ] as [(Int32, String)])
    func thePacketBeginsAfterTheLastLabel(type: Int32, text: String) throws {
        let link = try #require(LinkLayer(dataLinkType: type))
        let header = bytes(text)
        for first in UInt8.min...UInt8.max {
            let isPacket = first >> 4 == 4 || first >> 4 == 6
            #expect(offset(link, header + [first]) == (isPacket ? .success(header.count) : .failure(.otherProtocol)))
        }
        for length in 0...header.count {
            #expect(offset(link, [UInt8](header.prefix(length))) == .failure(.truncated))
        }
    }

    /// Fragments behind other labels, or of another group, must not get into a packet.
    @Test func labelsAndGroupsBelongToThePath() throws {
        let link = try #require(LinkLayer(dataLinkType: 1))
        let front = "0200 5e10 0001 0200 5e10 0002 "
        let marks = try [
            "0800", "8847 0001 0140", "8847 0001 1140", "8847 0001 0040 0001 1140", "8909 0101 0001 0005 0800",
        ].map { try link.place(in: (bytes(front + $0) + [0x45]).span).path.mark }
        #expect(marks[0] == 0)
        #expect(Set(marks).count == marks.count)
    }

    @Test func tagsMayFillTheFrame() throws {
        let link = try #require(LinkLayer(dataLinkType: 1))
        let tags = [[UInt8]](repeating: [0x81, 0x00, 0, 1], count: 10_000).flatMap { $0 }
        let addresses = [UInt8](repeating: 2, count: 12)
        #expect(offset(link, addresses + tags) == .failure(.truncated))
        #expect(offset(link, addresses + tags + [0x08, 0x00]) == .success(12 + tags.count + 2))
    }

    @Test func payloadsOfCookedSocketsAreReadByTheirEtherType() {
        #expect(offset(etherType: 0x0800, "") == .success(0))
        #expect(offset(etherType: 0x86dd, "6000") == .success(0))
        #expect(offset(etherType: 0x8100, "0064 0800 45") == .success(4))
        #expect(offset(etherType: 0x88a8, "0064 8100 0065 86dd 60") == .success(8))
        #expect(offset(etherType: 0x8864, "1100 0001 002a 0021 45") == .success(8))
        #expect(offset(etherType: 0x0004, "aaaa 0300 0000 0800") == .success(8))
        #expect(offset(etherType: 0x8100, "0064 08") == .failure(.truncated))
        #expect(offset(etherType: 0x0806, "0001 0800 0604") == .failure(.otherProtocol))
    }

    @Test(arguments: headers)
    func damagedFramesNeverTrap(type: Int32, text: String) throws {
        let link = try #require(LinkLayer(dataLinkType: type))
        let frame = bytes(text) + [0x45, 0, 0, 40]
        for index in frame.indices {
            for value in (0..<8).map({ frame[index] ^ 1 << $0 }) + [0, 0xff] {
                var damaged = frame
                damaged[index] = value
                for length in index..<frame.count {
                    if case .success(let offset) = offset(link, [UInt8](damaged[...length])) {
                        #expect((0...length + 1).contains(offset))
                    }
                }
            }
        }
    }

    private func offset(_ link: LinkLayer, _ frame: [UInt8]) -> Result<Int, PacketFault> {
        do throws(PacketFault) {
            return .success(try link.place(in: frame.span).offset)
        } catch {
            return .failure(error)
        }
    }

    private func offset(etherType: UInt16, _ text: String) -> Result<Int, PacketFault> {
        let payload = bytes(text)
        do throws(PacketFault) {
            return .success(try PacketPlace(etherType: etherType, in: payload.span).offset)
        } catch {
            return .failure(error)
        }
    }
}

/// The bytes of hexadecimal digits; blanks are left out.
private func bytes(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}
