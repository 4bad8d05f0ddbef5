import ScanCore

/// The kinds of traffic that cost the detector differently.
enum Traffic: CaseIterable {
    /// Acknowledgements on open connections from 200 sources: what a busy server gets.
    case established
    /// Connection attempts from random sources: a flood, each packet a new source.
    case randomSources
    /// Connection attempts from 65,536 sources in turn: about half are still known when they come again.
    case returningSources
    /// A flood from random sources that touch two ports each, one after the other: all get past the first touches.
    case twoPortSources
    /// A flood from sources that all fall into one line of the index, as if the key had leaked.
    case collidingSources
    /// One source that walks all 65,535 ports.
    case oneScanner

    var name: String {
        switch self {
        case .established: "established"
        case .randomSources: "random-sources"
        case .returningSources: "returning-sources"
        case .twoPortSources: "two-port-sources"
        case .collidingSources: "colliding-sources"
        case .oneScanner: "one-scanner"
        }
    }

    /// Whether each source comes once, so that others are to be made for each round.
    var isFlood: Bool {
        switch self {
        case .randomSources, .twoPortSources: true
        case .established, .returningSources, .collidingSources, .oneScanner: false
        }
    }

    /// How many packets follow one another from the same source of a flood.
    var portsPerSource: Int { self == .twoPortSources ? 2 : 1 }

    /// The detector's key, which the flood of sources that collide knows.
    static let key = HashKey([
        0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb, 0xd6e8_feb8_6659_fd93,
        0xa076_1d64_78bd_642f,
    ])

    /// 1,024 sources that fall into one line of the index, of which each is forgotten 16 later.
    static let colliding = {
        var sources: [UInt32] = []
        var next = UInt32(0x1400_0000)
        while sources.count < 1024 {
            if key.hash(Address(ipv4: next)) & UInt32(Parameters.Detector.firstTouchLines - 1) == 1 {
                sources.append(next)
            }
            next += 1
        }
        return sources
    }()

    /// The source, destination port and flags of a packet, by its place in the traffic.
    func packet(_ index: Int, random: UInt32) -> (source: UInt32, port: UInt16, flags: TCPFlags) {
        switch self {
        case .established: (0x0a4d_0100 + UInt32(index % 200), 443, index % 3 == 0 ? .ack.union(.psh) : .ack)
        case .randomSources, .returningSources: (random | 1, 80, .syn)
        case .twoPortSources: (random | 1, 80 + UInt16(index % 2), .syn)
        case .collidingSources: (Traffic.colliding[index % 1024], 80, .syn)
        case .oneScanner: (0x0a4d_0001, UInt16(index % 65535) + 1, .syn)
        }
    }
}
