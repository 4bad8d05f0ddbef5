import ScanCore
import System

/// The ports that the kernel gives to sockets that ask for none: those of clients (ip(7), ip_local_port_range).
public struct EphemeralPorts: Equatable, Sendable {
    /// The lowest of them, in host byte order.
    public let lowest: UInt16

    /// What the kernel takes if it is not configured.
    static var standard: EphemeralPorts { EphemeralPorts(lowest: 32_768) }

    init(lowest: UInt16) {
        self.lowest = lowest
    }

    /// Reads the range of this network namespace, which takes the file system; the kernel's default where it can't be
    /// read.
    public static func configured() -> EphemeralPorts {
        do throws(SystemError) {
            let file = try FileContents("/proc/sys/net/ipv4/ip_local_port_range", limit: 64)
            return file.withBytes { EphemeralPorts($0) } ?? standard
        } catch {
            return standard
        }
    }

    /// Parses the contents of the file: both ends of the range in decimal, with white space between them.
    ///
    /// - Returns: `nil` if it does not begin with a port from 1 and white space.
    init?(_ text: Span<UInt8>) {
        var (value, index) = (0, 0)
        while index < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[index]) {
            value = value * 10 + Int(text[index] - UInt8(ascii: "0"))
            index += 1
            if value > UInt16.max { return nil }
        }
        if index == text.count || value == 0 { return nil }
        if text[index] != UInt8(ascii: "\t") && text[index] != UInt8(ascii: " ") { return nil }
        lowest = UInt16(value)
    }
}
