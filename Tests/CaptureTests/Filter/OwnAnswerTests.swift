import CLinux
import Testing

@testable import Capture
@testable import ScanCore

private typealias P = TestPacket

/// A packet that the host sends, and whether it is an answer: known from how it was made.
private struct SentPacket {
    var isIPv6: Bool
    var bytes: [UInt8]
    var isAnswer: Bool
}

private func sentPacket(_ numbers: inout SeededNumbers) -> SentPacket {
    func draw<Value>(_ values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &numbers)] }
    let isIPv6 = Bool.random(using: &numbers)
    let isFragment = !isIPv6 && Int.random(in: 0..<6, using: &numbers) == 0
    let next = draw([6, 6, 6, 1, 58, 17, UInt8.random(in: 0...255, using: &numbers)])
    let flags = draw([0x02, 0x10, 0x12, 0x04, 0x14, 0x52, 0x18, 0x11, UInt8.random(in: 0...255, using: &numbers)])
    let type = draw([0, 3, 8, 1, 4, 128, 129, UInt8.random(in: 0...255, using: &numbers)])
    let code = UInt8.random(in: 0...15, using: &numbers)
    let message = [type, code, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0x45, count: 40)
    let payload = next == 6 ? P.tcp(flags: flags) : message
    let isAnswer =
        switch next {
        case 6: flags & 4 != 0 || flags & 0x12 == 0x12
        case 1: !isIPv6 && type == 3 && [2, 3, 9, 10, 13].contains(code)
        case 58: isIPv6 && (type == 1 && (code == 4 || code == 1) || type == 4 && code == 1)
        default: false
        }
    let bytes =
        isIPv6
        ? P.ipv6(payload, next: next)
        : P.ipv4(
            payload, options: draw([0, 0, 4, 40]), fragment: isFragment ? draw([0x2000, 7]) : draw([0, 0x4000]),
            next: next)
    return SentPacket(isIPv6: isIPv6, bytes: bytes, isAnswer: isAnswer && !isFragment)
}

struct OwnAnswerTests {
    @Test(arguments: [UInt64(1), .random(in: 0 ... .max)])
    func ofWhatLeavesOnlyAnswersAreKept(seed: UInt64) throws {
        var numbers = SeededNumbers(seed: seed)
        var interfaces = InterfaceIndexes()
        for index in Int32(1)...3 { interfaces.append(index) }
        var others = OtherPackets()
        (others.echoes, others.errors, others.protocols, others.associations) = (true, true, true, true)
        let filters = [InterfaceIndexes?.none, interfaces].map {
            RingFilter(interfaces: $0, direction: .incoming, promiscuous: false, others: others, ownAnswers: true)
                .program
        }
        let without = RingFilter(interfaces: nil, direction: .incoming, promiscuous: false, others: others).program
        var answers = 0
        for number in 0..<6000 {
            let packet = sentPacket(&numbers)
            #expect(OwnAnswer.isOne(packet.bytes.span) == packet.isAnswer, "seed \(seed): \(packet)")
            var machine = FilterMachine(etherType: packet.isIPv6 ? 0x86dd : 0x0800, kind: UInt8(PACKET_OUTGOING))
            machine.interface = Int32(number % 4)
            for (filter, hasNames) in zip(filters, [false, true]) {
                let verdict = try #require(machine.verdict(of: filter, on: packet.bytes))
                let isKept = packet.isAnswer && (!hasNames || machine.interface > 0)
                try #require((verdict > 0) == isKept, "seed \(seed): \(packet)")
                if isKept { #expect(verdict >= min(packet.bytes.count, 128)) }
            }
            if packet.isAnswer { answers += 1 }
            // What arrives is not judged otherwise than without.
            machine.kind = UInt8(PACKET_HOST)
            #expect(
                machine.verdict(of: filters[0], on: packet.bytes) == machine.verdict(of: without, on: packet.bytes))
        }
        #expect(answers > 500)
    }

    @Test func aPacketThatIsCutIsNone() {
        let reset = P.ipv4(P.tcp(flags: 4))
        for length in 0..<reset.count {
            let isOne = OwnAnswer.isOne([UInt8](reset.prefix(length)).span)
            #expect(isOne == (length >= 34))
        }
    }

    #if Pcap
        @Test(arguments: [UInt64(1), .random(in: 0 ... .max)])
        func libpcapsFilterKeepsTheSame(seed: UInt64) throws {
            let program = try pcapProgram(dataLinkType: 1, ownAnswers: true)
            var numbers = SeededNumbers(seed: seed)
            for _ in 0..<3000 {
                let packet = sentPacket(&numbers)
                let etherType: UInt16 = packet.isIPv6 ? 0x86dd : 0x0800
                let frame = [UInt8](repeating: 2, count: 12) + P.big(Int(etherType)) + packet.bytes
                let machine = FilterMachine(etherType: etherType, kind: UInt8(PACKET_OUTGOING))
                let verdict = try #require(machine.verdict(of: program, on: frame))
                try #require((verdict > 0) == packet.isAnswer, "seed \(seed): \(packet)")
            }
        }
    #endif
}
