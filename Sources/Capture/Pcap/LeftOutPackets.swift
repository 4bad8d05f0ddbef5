#if Pcap
    import ScanCore
    import System

    /// How many packets of a file were left out that may hold TCP, by the reason: nothing is left out in silence.
    struct LeftOutPackets: ~Copyable {
        /// Why a packet was left out.
        enum Reason: Int {
            /// Labels of MPLS stand before something else than an IP packet, which they don't name.
            case label
            /// A tag of Cisco TrustSec is of another form than the one that is known.
            case securityTag
            /// Something else stands before it that a packet can be behind.
            case encapsulation
            /// It is an IP packet that another one can be in.
            case tunnel
            /// Whoever captured it kept too little.
            case cut
            /// It is a fragment of a packet whose beginning is not in the file.
            case fragment
            /// Its link type is not known.
            case unknownLink
        }

        private var counts = InlineArray<7, UInt64>(repeating: 0)
        private var fragments = LoneFragments()

        /// Counts a packet.
        mutating func count(_ reason: Reason) { counts[reason.rawValue] += 1 }

        /// Counts a frame in which no IP packet was found, if it may hold one.
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

        /// Whether the LLC of an IEEE 802.3 frame, which was not read, says that IP follows (IEEE 802.2, RFC 1042): itself, or
        /// by SNAP of a bridge.
        private static func canLeadToIP(_ header: Span<UInt8>) -> Bool {
            do throws(PacketFault) {
                if try header.uint16(at: 0) == 0x0606 { return true }
                if try header.uint32(at: 0) != 0xaaaa_0300 { return false }
                return try header.uint16(at: 4) == 0x00f8
            } catch {
                return false
            }
        }

        /// Counts an IP packet that gave no probe, if it may hold one.
        ///
        /// - Parameters:
        ///   - path: over which link it came; labels of MPLS don't say that an IP packet follows.
        ///   - isCut: whether the file says that it was cut short. Not all do, and then the packet does.
        mutating func count(_ fault: PacketFault, in packet: Span<UInt8>, over path: LinkPath, isCut: Bool) {
            let isLonger = LeftOutPackets.isLonger(packet)
            if path.mark != 0 && !LeftOutPackets.isSound(packet, isLonger: isLonger && !isCut) { return count(.label) }
            if fault == .truncated && (isCut || isLonger) { return count(.cut) }
            if fault == .otherProtocol && isTunnel(packet) { count(.tunnel) }
        }

        /// Whether an IP packet says that it is longer than what is here.
        private static func isLonger(_ packet: Span<UInt8>) -> Bool {
            do throws(PacketFault) {
                return try IPHeader.statedEnd(of: packet) > packet.count
            } catch {
                return true
            }
        }

        /// Whether what begins like an IP packet is one.
        private static func isSound(_ packet: Span<UInt8>, isLonger: Bool) -> Bool {
            do throws(PacketFault) {
                return try IPVersion(of: packet) == .ipv4 ? isSoundIPv4Header(at: 0, in: packet) : !isLonger
            } catch {
                return true  // it ends too early to tell
            }
        }

        /// Takes note of an IP packet that was read: see ``LoneFragments``.
        mutating func record(
            _ packet: Span<UInt8>, over path: LinkPath, isGiven: Bool, _ fault: PacketFault?, at now: Timestamp
        ) {
            fragments.record(packet, over: path, isGiven: isGiven, fault, at: now)
        }

        /// The types of Ethernet, besides those that are looked behind, that IP packets can stand behind: TRILL, batman-adv,
        /// bridged Ethernet, compressed headers, PPP, MACsec, provider backbone bridges, FabricPath, VN-Tag, HSR, E-Tag, the
        /// network service header, two more types of VLAN tags, and the redundancy tag of 802.1CB.
        private static func canEncapsulate(_ etherType: UInt16) -> Bool {
            switch etherType {
            case 0x22f3, 0x4305, 0x6558, 0x876b, EtherType.ppp, 0x88e5, 0x88e7, 0x8903, 0x8926, 0x892f, 0x893f,
                0x894f, 0x9200, 0x9300, 0xf1c1:
                true
            default: false
            }
        }

        /// The counts in one line, as an error begins that is about a file: `nil` if there is none.
        func line(of name: CString) -> LogLine? {
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

        private func append(_ reason: Reason, _ text: String, to line: inout LogLine, after beginning: Int) {
            let count = reason == .fragment ? fragments.count : counts[reason.rawValue]
            if count == 0 { return }
            line.append(line.count == beginning ? " " : ", ")
            line.append(decimal: count)
            line.append(" ")
            line.append(text)
        }
    }
#endif
