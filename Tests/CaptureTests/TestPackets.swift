@testable import Capture
import System

/// Numbers that look random and are the same in every run of a seed (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// Packets put together byte by byte.
enum TestPacket {
    static let syn: UInt8 = 0x02
    static let ack: UInt8 = 0x10
    static let pshAck: UInt8 = 0x18

    static func tcp(flags: UInt8, port: UInt8 = 22) -> [UInt8] {
        [0x9c, 0x40, 0, port] + [0, 0, 0, 1] + [0, 0, 0, 0] + [0x50, flags, 4, 0] + [0, 0, 0, 0]
    }

    static func ipv4(
        _ payload: [UInt8], options: Int = 0, fragment: UInt16 = 0, next: UInt8 = 6
    ) -> [UInt8] {
        var header = [UInt8](repeating: 1, count: 20 + options)
        header.replaceSubrange(
            0..<20,
            with: [0x40 | UInt8(header.count / 4), 0] + big(header.count + payload.count)
                + [0, 1] + big(Int(fragment)) + [64, next, 0, 0, 10, 77, 0, 1, 10, 77, 0, 2])
        return header + payload
    }

    static func ipv6(_ payload: [UInt8], next: UInt8 = 6) -> [UInt8] {
        let address: [UInt8] = [0xfd] + [UInt8](repeating: 0, count: 14)
        return [0x60, 0, 0, 0] + big(payload.count) + [next, 64] + address + [1] + address + [2] + payload
    }

    /// A fragment header of IPv6 and what follows it.
    static func fragment(_ payload: [UInt8], next: UInt8 = 6, field: Int) -> [UInt8] {
        [next, 0] + big(field) + [0, 0, 0, 7] + payload
    }

    /// Destination options, hop-by-hop options or a routing header, of units of 8 bytes, and what follows.
    static func options(_ payload: [UInt8], next: UInt8 = 6, units: UInt8 = 1) -> [UInt8] {
        [next, units - 1] + [UInt8](repeating: 0, count: Int(units) * 8 - 2) + payload
    }

    /// What is left of a VLAN tag behind the type that announces it, and what it tags.
    static func tag(_ payload: [UInt8], type: Int, tci: Int = 5) -> [UInt8] { big(tci) + big(type) + payload }

    /// Labels of MPLS and what stands behind them.
    static func labels(_ payload: [UInt8], count: Int = 1) -> [UInt8] {
        (1...count).flatMap { [0, UInt8($0), $0 == count ? 0x11 : 0x10, 64] } + payload
    }

    /// What is left of a tag of Cisco TrustSec behind the type that announces it, and what it tags.
    static func securityTag(_ payload: [UInt8], type: Int, units: UInt8 = 1, group: Int = 5) -> [UInt8] {
        let options = [UInt8](repeating: 0, count: Int(units) * 4 - 4) + [0, 1]
        return [1, units] + options + big(group) + big(type) + payload
    }

    /// PPPoE and what is in its session.
    static func session(_ payload: [UInt8], pppProtocol: Int = 0x21) -> [UInt8] {
        [0x11, 0, 0, 1] + big(payload.count + 2) + big(pppProtocol) + payload
    }

    static func big(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 0xff), UInt8(value & 0xff)] }
}
