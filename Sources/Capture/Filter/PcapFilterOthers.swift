#if Pcap
    import ScanCore

    /// The part of the filter that keeps ``OtherPackets``. IPv6 packets with extension headers pass anyway.
    extension PcapFilterText {
        /// A version of IP, with the places of fields in libpcap's language, which does not read what is behind the
        /// header of IPv6.
        enum Version {
            case ipv4, ipv6

            var next: String { self == .ipv4 ? "ip[9]" : "ip6[6]" }
            var isOther: String {
                self == .ipv4 ? " or (ip and ip[6:2] & 0x1fff = 0 and (" : " or (ip6 and ("
            }
            var ofTCP: String { self == .ipv4 ? "tcp[2:2]" : "ip6[42:2]" }
            var ofUDP: String { self == .ipv4 ? "udp[2:2]" : "ip6[42:2]" }
            var fromUDP: String { self == .ipv4 ? "udp[0:2]" : "ip6[40:2]" }
            var chunk: String { self == .ipv4 ? "sctp[12]" : "ip6[52]" }
            var icmpType: String { self == .ipv4 ? "icmp[0]" : "ip6[40]" }
        }

        /// Appends, behind a test for segments that are not established data, those that acknowledge to closed ports.
        mutating func appendAcknowledgements(_ others: OtherPackets, _ version: Version) {
            if !others.acknowledgements || !others.tcp.isComplete { return }
            append(" or (")
            appendClosed(others.tcp, below: others.firstClientPort, at: version.ofTCP)
            append(" and ")
            appendOwn(others.addresses, version)
            append(")")
        }

        /// Appends the packets that are not TCP.
        mutating func appendOthers(_ others: OtherPackets, _ version: Version) {
            var isEmpty = true
            if others.datagrams && others.udp.isComplete {
                appendKind(version, IPProtocol.udp, &isEmpty)
                appendClosed(others.udp, below: others.firstClientPort, at: version.ofUDP)
                append(" and (")
                append(version.fromUDP)
                append(" >= 1024 or ")
                append(version.ofUDP)
                append(" < 1024) and ")
                appendOwn(others.addresses, version)
                append(")")
            }
            if others.associations {
                appendKind(version, IPProtocol.sctp, &isEmpty)
                appendEither(version.chunk, "1", "10")
                append(")")
            }
            let number = version == .ipv4 ? IPProtocol.icmp : IPProtocol.icmpv6
            let (request, reply, error, other) =
                version == .ipv4 ? ("8", "0", "3", "3") : ("128", "129", "1", "4")
            if others.echoes {
                appendKind(version, number, &isEmpty)
                appendEither(version.icmpType, request, reply)
                append(")")
            }
            if others.errors && others.addresses.isComplete {
                appendKind(version, number, &isEmpty)
                appendEither(version.icmpType, error, other)
                append(" and not ")
                appendOwn(others.addresses, version)
                append(")")
            }
            if others.protocols {
                append(isEmpty ? version.isOther : " or ")
                isEmpty = false
                append("not (")
                var isFirst = true
                for number in UInt8.min...UInt8.max where IPProtocol.isCommon(number) {
                    if !isFirst { append(" or ") }
                    isFirst = false
                    append(version.next)
                    append(" = ")
                    append(hexadecimal: UInt16(number))
                }
                append(")")
            }
            if !isEmpty { append("))") }
        }

        /// Begins with the packets of a protocol.
        private mutating func appendKind(_ version: Version, _ number: UInt8, _ isEmpty: inout Bool) {
            append(isEmpty ? version.isOther : " or ")
            isEmpty = false
            append("(")
            append(version.next)
            append(" = ")
            append(hexadecimal: UInt16(number))
            append(" and ")
        }

        /// A field that is one of two numbers.
        private mutating func appendEither(_ place: String, _ one: String, _ other: String) {
            append("(")
            append(place)
            append(" = ")
            append(one)
            append(" or ")
            append(place)
            append(" = ")
            append(other)
            append(")")
        }

        private mutating func appendClosed(_ ports: FilterPorts, below end: UInt16, at place: String) {
            append(place)
            append(" < ")
            append(hexadecimal: end)
            for index in 0..<ports.count {
                append(" and ")
                append(place)
                append(" != ")
                append(hexadecimal: ports[index])
            }
        }

        /// The packets to one of some addresses; if these are too many, all.
        private mutating func appendOwn(_ addresses: FilterAddresses, _ version: Version) {
            append("(0 = ")
            append(addresses.isComplete ? "1" : "0")
            for index in 0..<addresses.count where addresses[index].isIPv4 == (version == .ipv4) {
                let address = addresses[index]
                if version == .ipv4 {
                    append(" or ip[16:4] = ")
                    append(hexadecimal: UInt32(truncatingIfNeeded: address.low))
                    continue
                }
                append(" or (ip6[24:4] = ")
                append(hexadecimal: UInt32(truncatingIfNeeded: address.high >> 32))
                append(" and ip6[28:4] = ")
                append(hexadecimal: UInt32(truncatingIfNeeded: address.high))
                append(" and ip6[32:4] = ")
                append(hexadecimal: UInt32(truncatingIfNeeded: address.low >> 32))
                append(" and ip6[36:4] = ")
                append(hexadecimal: UInt32(truncatingIfNeeded: address.low))
                append(")")
            }
            append(")")
        }
    }
#endif
