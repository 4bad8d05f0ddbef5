#if Pcap
    import ScanCore
    import System

    /// Counts packets of a file that were skipped and may hold TCP, by reason: none is skipped silently.
    struct LeftOutPackets: ~Copyable {
        /// Why a packet was skipped.
        enum Reason: Int {
            /// MPLS labels, which don't include the type of what follows, are followed by something that is not an IP
            /// packet.
            case label
            /// A tag of Cisco TrustSec has an unsupported format.
            case securityTag
            /// Another header precedes it, which an IP packet can be behind.
            case encapsulation
            /// It is an IP packet that can encapsulate another one.
            case tunnel
            /// The capture truncated it.
            case cut
            /// It is a fragment of a packet whose first fragment is not in the file.
            case fragment
            /// Its link type is unknown.
            case unknownLink
        }

        private var counts = InlineArray<7, UInt64>(repeating: 0)
        private var fragments = LoneFragments()

        /// Counts a packet.
        mutating func count(_ reason: Reason) { counts[reason.rawValue] += 1 }

        /// Counts a frame without a recognized IP packet, if it may hold one.
        mutating func count(_ fault: PacketFault, in frame: Span<UInt8>, _ link: LinkLayer, isCut: Bool) {
            if fault == .truncated && isCut { return count(.cut) }
            if fault != .otherProtocol { return }
            let obstacle = link.obstacle(in: frame)
            switch obstacle.etherType {
            case EtherType.labels, EtherType.multicastLabels: count(.label)
            case EtherType.securityTag: count(.securityTag)
            case 1..<EtherType.least:
                if LeftOutPackets.canLeadToIP(frame.extracting(obstacle.offset...)) { count(.encapsulation) }
            case let type where LeftOutPackets.canEncapsulate(type): count(.encapsulation)
            default: break
            }
        }

        /// Whether the LLC header of an IEEE 802.3 frame, which was not parsed, shows that IP follows (IEEE 802.2, RFC
        /// 1042): directly, or by the SNAP of a bridge.
        private static func canLeadToIP(_ header: Span<UInt8>) -> Bool {
            do throws(PacketFault) {
                if try header.uint16(at: 0) == 0x0606 { return true }
                if try header.uint32(at: 0) != 0xaaaa_0300 { return false }
                return try header.uint16(at: 4) == 0x00f8
            } catch {
                return false
            }
        }

        /// Counts an IP packet without a probe, if it may hold one.
        ///
        /// - Parameters:
        ///   - path: the link it came over; labels of MPLS don't include the type of what follows.
        ///   - isCut: whether the file marks it as truncated. Not all files do; then the packet's length shows it.
        mutating func count(_ fault: PacketFault, in packet: Span<UInt8>, over path: LinkPath, isCut: Bool) {
            let isLonger = LeftOutPackets.isLonger(packet)
            if path.mark != 0 && !LeftOutPackets.isSound(packet, isLonger: isLonger && !isCut) { return count(.label) }
            if fault == .truncated && (isCut || isLonger) { return count(.cut) }
            if fault == .otherProtocol && isTunnel(packet) { count(.tunnel) }
        }

        /// Whether the length field of an IP packet exceeds the captured bytes.
        private static func isLonger(_ packet: Span<UInt8>) -> Bool {
            do throws(PacketFault) {
                return try IPHeader.statedEnd(of: packet) > packet.count
            } catch {
                return true
            }
        }

        /// Whether bytes that begin like an IP packet are one.
        private static func isSound(_ packet: Span<UInt8>, isLonger: Bool) -> Bool {
            do throws(PacketFault) {
                return try IPVersion(of: packet) == .ipv4 ? isSoundIPv4Header(at: 0, in: packet) : !isLonger
            } catch {
                return true  // truncated before the relevant fields
            }
        }

        /// Records an IP packet that was parsed: see ``LoneFragments``.
        mutating func record(
            _ packet: Span<UInt8>, over path: LinkPath, isGiven: Bool, _ fault: PacketFault?, at now: Timestamp
        ) {
            fragments.record(packet, over: path, isGiven: isGiven, fault, at: now)
        }

        /// Other EtherTypes that IP packets can be behind and that are not parsed: TRILL, batman-adv, bridged Ethernet,
        /// compressed headers, PPP, MACsec, provider backbone bridges, FabricPath, VN-Tag, HSR, E-Tag, the network
        /// service header, two more types of VLAN tags, and the redundancy tag of 802.1CB.
        private static func canEncapsulate(_ etherType: UInt16) -> Bool {
            switch etherType {
            case 0x22f3, 0x4305, 0x6558, 0x876b, EtherType.ppp, 0x88e5, 0x88e7, 0x8903, 0x8926, 0x892f, 0x893f,
                0x894f, 0x9200, 0x9300, 0xf1c1:
                true
            default: false
            }
        }

        /// The counts in one line, in the form of an error about a file; `nil` if all are zero.
        mutating func line(of name: CString) -> LogLine? {
            var line = LogLine()
            line.append(name)
            line.shorten(to: 256)
            line.append(": read: left out, but may hold TCP:")
            let beginning = line.count
            append(.label, "behind MPLS labels without IP", to: &line, after: beginning)
            append(.securityTag, "behind unknown TrustSec tags", to: &line, after: beginning)
            append(.encapsulation, "in other encapsulations", to: &line, after: beginning)
            append(.tunnel, "in tunnels", to: &line, after: beginning)
            append(.cut, "cut short", to: &line, after: beginning)
            append(.fragment, "fragments without a beginning", to: &line, after: beginning)
            append(.unknownLink, "of unknown link types", to: &line, after: beginning)
            return line.count == beginning ? nil : line
        }

        private mutating func append(_ reason: Reason, _ text: String, to line: inout LogLine, after beginning: Int) {
            let count = reason == .fragment ? fragments.count : counts[reason.rawValue]
            if count == 0 { return }
            line.append(line.count == beginning ? " " : ", ")
            line.append(decimal: count)
            line.append(" ")
            line.append(text)
        }
    }
#endif
