import ScanCore

/// The kinds of traffic that cost the detector differently.
enum Traffic: CaseIterable {
    /// Acknowledgements on open connections from 200 sources: what a busy server gets.
    case established
    /// Acknowledgements to a port at which nothing listens, from random sources: a flood that may be an ACK scan.
    case closedPort
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
        case .closedPort: "closed-port"
        case .randomSources: "random-sources"
        case .returningSources: "returning-sources"
        case .twoPortSources: "two-port-sources"
        case .collidingSources: "colliding-sources"
        case .oneScanner: "one-scanner"
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
}

/// The packets of a kind of traffic: the same ones every time.
struct TrafficPlan: PacketPlan {
    let traffic: Traffic
    private var random = UInt32(2_463_534_242)

    init(_ traffic: Traffic) {
        self.traffic = traffic
    }

    var isIPv6: Bool { false }

    var isFlood: Bool {
        switch traffic {
        case .randomSources, .twoPortSources: true
        case .established, .closedPort, .returningSources, .collidingSources, .oneScanner: false
        }
    }

    mutating func packet(_ index: Int) -> PacketFields {
        if index % traffic.portsPerSource == 0 {
            random ^= random << 13  // xorshift (Marsaglia 2003)
            random ^= random >> 17
            random ^= random << 5
        }
        let data = index % 3 == 0 ? TCPFlags.ack.union(.psh) : .ack
        return switch traffic {
        case .established: PacketFields(source: 0x0a4d_0100 + UInt32(index % 200), port: 443, flags: data)
        case .closedPort: PacketFields(source: random | 1, port: 80, flags: .ack)
        case .randomSources, .returningSources: PacketFields(source: random | 1, port: 80, flags: .syn)
        case .twoPortSources: PacketFields(source: random | 1, port: 80 + UInt16(index % 2), flags: .syn)
        case .collidingSources: PacketFields(source: Traffic.colliding[index % 1024], port: 80, flags: .syn)
        case .oneScanner: PacketFields(source: 0x0a4d_0001, port: UInt16(index % 65535) + 1, flags: .syn)
        }
    }
}
