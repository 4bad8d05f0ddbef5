import ScanCore

/// Random packets of few sources to few ports, at times that jump both ways.
struct Traffic {
    /// A port that no packet is sent to.
    static let unusedPort: UInt16 = 7

    struct Packet {
        var segment: Probe
        var time: Int64
        var realTime: Int64
    }

    private var random: SplitMix
    private let sources: [Address]
    private let ports: [UInt16]
    private let oddFields: Int
    private let oddFlags: Int
    private let oddTimes: Int
    private var time: Int64 = .seconds(1000)
    private var realTime: Int64 = .seconds(1_795_252_625)

    init(seed: UInt64, sources count: Int? = nil) {
        var random = SplitMix(seed: seed)
        let count = count ?? Int.random(in: 1...10, using: &random)
        sources = (0..<count).map { Traffic.source($0, using: &random) }
        ports = (0..<Int.random(in: 8...40, using: &random)).map { _ in
            Bool.random(using: &random)
                ? [0, 1, 80, 443, 1022, 1023].randomElement(using: &random) ?? 0
                : UInt16.random(in: 1000...2000, using: &random) * UInt16.random(in: 1...32, using: &random)
        }
        // In hundreds: how many packets are out of the ordinary.
        oddFields = [0, 2, 30].randomElement(using: &random) ?? 0
        oddFlags = [0, 5, 50].randomElement(using: &random) ?? 0
        oddTimes = [0, 3, 20].randomElement(using: &random) ?? 0
        self.random = random
    }

    /// A source: most differ, some only by their family.
    private static func source(_ index: Int, using random: inout SplitMix) -> Address {
        let low = UInt64(0x0a4d_0000 + index)
        switch Int.random(in: 0..<12, using: &random) {
        case 0: return Address(ipv4: 0)
        case 1: return Address(ipv6High: 0, low: 0)
        case 2: return Address(ipv6High: 0, low: 0xffff_0000_0000 | low)
        case 3: return Address(ipv6High: 0, low: low)
        case 4...7: return Address(ipv6High: 0xfd77_0000_0000_0000, low: low)
        default: return Address(ipv4: UInt32(low))
        }
    }

    /// A key for a table.
    mutating func key() -> HashKey {
        var words = InlineArray<5, UInt64>(repeating: 0)
        for index in words.indices { words[index] = random.next() }
        return HashKey(words)
    }

    mutating func next() -> Packet {
        step()
        var segment = segment(to: pick(ports), flags(), from: pick(sources), timeToLive: 57)
        if !segment.source.isIPv4 { segment.destination = address("fd77::2") }
        if odd(oddFields) { segment.destination = odd(50) ? address("10.77.0.3") : address("fd77::3:2") }
        if odd(oddFields) { segment.sourcePort = UInt16.random(in: 40_000...40_002, using: &random) }
        if odd(oddFields) { segment.typeOfService = UInt8.random(in: 0...255, using: &random) }
        if odd(oddFields) { segment.timeToLive = UInt8.random(in: 0...255, using: &random) }
        return Packet(segment: segment, time: time, realTime: realTime)
    }

    private mutating func step() {
        let usual: Int64 = [0, 1, .milliseconds(1), .milliseconds(90)].randomElement(using: &random) ?? 0
        let unusual: [Int64] = [
            .seconds(3), .seconds(3) + 1, .seconds(3) - 1, .seconds(20), -1, .milliseconds(-500),
            .seconds(-60),
        ]
        time += odd(oddTimes) ? unusual.randomElement(using: &random) ?? 0 : usual
        realTime += Int64.random(in: 0...(.seconds(2)), using: &random)
    }

    private mutating func flags() -> TCPFlags {
        if !odd(oddFlags) { return .syn }
        if odd(50) { return TCPFlags(rawValue: UInt8.random(in: 0...255, using: &random)) }
        return pick([.rst, .ack, .ack.union(.psh), .ack.union(.rst), .ack.union(.fin), .none, .fin])
    }

    private mutating func odd(_ hundredths: Int) -> Bool {
        Int.random(in: 0..<100, using: &random) < hundredths
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &random)]
    }
}
