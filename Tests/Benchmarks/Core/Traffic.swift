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

    /// Whether each source comes once.
    var isFlood: Bool {
        switch self {
        case .randomSources, .twoPortSources, .collidingSources: true
        case .established, .returningSources, .oneScanner: false
        }
    }

    /// How many packets follow one another from the same source of a flood.
    var portsPerSource: Int { self == .twoPortSources ? 2 : 1 }

    /// The detector's key. The one for collisions makes the low bits of an IPv4 address its hash.
    var key: InlineArray<5, UInt64> {
        if self == .collidingSources { return [0, 0, 0, 0, 1 << 32] }
        return [
            0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb, 0xd6e8_feb8_6659_fd93,
            0xa076_1d64_78bd_642f,
        ]
    }

    /// The source, destination port and flags of a packet, by its place in the traffic.
    func packet(_ index: Int, random: UInt32) -> (source: UInt32, port: UInt16, flags: TCPFlags) {
        switch self {
        case .established: (0x0a4d_0100 + UInt32(index % 200), 443, index % 3 == 0 ? .ack.union(.psh) : .ack)
        case .randomSources, .returningSources: (random | 1, 80, .syn)
        case .twoPortSources: (random | 1, 80 + UInt16(index % 2), .syn)
        case .collidingSources: (random & ~0xffff | 1, 80, .syn)
        case .oneScanner: (0x0a4d_0001, UInt16(index % 65535) + 1, .syn)
        }
    }
}
