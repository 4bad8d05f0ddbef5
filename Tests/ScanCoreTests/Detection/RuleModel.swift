import ScanCore

/// The rule, a second time: without a table, with all that was seen kept, and the line worked out from that.
struct RuleModel {
    /// An address as a key.
    private struct Source: Hashable {
        let high: UInt64
        let low: UInt64
        let isIPv4: Bool

        init(_ address: Address) {
            high = address.high
            low = address.low
            isIPv4 = address.isIPv4
        }
    }

    private struct History {
        /// What made the source known and what touched new ports until it was reported.
        var segments: [Probe]
        /// The flags of those, and of repeated ports.
        var flags: [UInt8]
        var ports: [UInt16]
        var lastNew: Int64
        let start: Int64
        var reported = false
    }

    private var known: [Source: History] = [:]

    /// How many entries were made.
    private(set) var made = 0

    /// Whether a source in memory, be it outdated, has touched one port only.
    var knowsAFirstTouch: Bool { known.values.contains { $0.segments.count == 1 } }

    /// How many sources are in memory, the outdated ones too.
    var held: Int { known.count }

    /// Takes a segment into account; the line, if it makes a scan.
    mutating func observe(_ segment: Probe, at time: Int64, realTime: Int64) -> String? {
        let flags = segment.flags?.rawValue ?? 0
        if segment.source.high == 0 && segment.source.low == 0 { return nil }
        if flags == 0b0001_0000 || flags == 0b0001_1000 { return nil }
        let source = Source(segment.source)
        let isAck = flags & 0b0001_0000 != 0
        let isReset = flags & 0b0000_0100 != 0
        let port = segment.destinationPort

        guard let history = known[source], (0...3_000_000_000).contains(time - history.lastNew) else {
            known[source] = nil
            if !isAck {
                made += 1
                known[source] = History(
                    segments: [segment], flags: [flags], ports: [port], lastNew: time, start: realTime)
            }
            return nil
        }
        if history.ports.contains(port) {
            known[source]?.flags.append(flags)
            return nil
        }
        if isAck || isReset { return nil }
        known[source]?.lastNew = time
        if history.reported { return nil }
        known[source]?.segments.append(segment)
        known[source]?.flags.append(flags)
        let weight = (history.ports + [port]).reduce(0) { $0 + ($1 < 1024 ? 3 : 1) }
        if weight < 21 {
            known[source]?.ports.append(port)
            return nil
        }
        known[source]?.reported = true
        return known[source].map(line)
    }

    private func line(_ history: History) -> String {
        let first = history.segments[0]
        let all = history.segments
        var head = text(first.source)
        if all.allSatisfy({ $0.sourcePort == first.sourcePort }) {
            head = (first.source.isIPv4 ? head : "[\(head)]") + ":\(first.sourcePort)"
        }
        head += " to " + text(first.destination)
        if !all.allSatisfy({ $0.destination == first.destination }) { head += " and others," }
        head += " ports "

        var tail = "..., " + letters(history.flags)
        if all.allSatisfy({ $0.typeOfService == first.typeOfService }) {
            let digits = String(first.typeOfService, radix: 16)
            tail += ", TOS " + (digits.count == 1 ? "0" : "") + digits
        }
        if all.allSatisfy({ $0.timeToLive == first.timeToLive }) { tail += ", TTL \(first.timeToLive)" }
        let start = history.start / 1_000_000_000
        let parts = [start / 3600 % 24, start / 60 % 60, start % 60]
        tail += " @" + parts.map { ($0 < 10 ? "0" : "") + String($0) }.joined(separator: ":")

        let addresses = text(first.source).utf8.count + text(first.destination).utf8.count
        let spare = first.source.isIPv4 ? 0 : addresses - 2 * 15
        for kept in stride(from: history.ports.count, to: 1, by: -1) {
            let line = head + history.ports.prefix(kept).map { "\($0), " }.joined() + tail
            if line.utf8.count - spare <= 120 { return line }
        }
        return head + "\(history.ports[0]), " + tail
    }

    private func letters(_ flags: [UInt8]) -> String {
        var letters = ""
        for (index, letter) in "fsrpauxy".enumerated() {
            let set = flags.filter { $0 >> UInt8(index) & 1 == 1 }.count
            letters += set == 0 ? String(letter) : set == flags.count ? letter.uppercased() : "?"
        }
        return letters
    }

    private func text(_ address: Address) -> String {
        if address.isIPv4 { return ReferenceText.ipv4(UInt32(address.low)) }
        let bytes = address.high.octets + address.low.octets
        return ReferenceText.ipv6((0..<8).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) })
    }
}
