#if Pcap
    import ScanCore

    /// A filter in libpcap's language (pcap-filter(7)) that drops packets that can't be part of a TCP scan.
    ///
    /// Dropped are TCP segments with the flags of ``EstablishedData`` that are not fragments, and everything that is
    /// not TCP, but for ``OtherPackets``. Packets behind tags, labels or IPv6 extension headers pass: the filter does
    /// not look behind these. It is only a hint, like ``RawSocketFilter``; a first tag does not matter, since the kernel
    /// has removed it.
    struct PcapFilterText: ~Copyable {
        /// Enough for 64 ports of each protocol, and 16 addresses.
        private var bytes = InlineArray<20_480, CChar>(repeating: 0)
        private var count = 0

        /// The filter for a link type, or `nil` for one whose frames all pass.
        ///
        /// - Parameter ownAnswers: has what leaves pass, too, if it is an ``OwnAnswer``. Then a filter is for a live
        ///   capture only.
        init?(dataLinkType: Int32, others: OtherPackets = OtherPackets(), ownAnswers: Bool = false) {
            if ownAnswers {
                append("(outbound and (")
                appendOwnAnswers()
                append(")) or (inbound and (")
            }
            switch dataLinkType {
            case 1: appendEthernet(others)
            case 113: appendCooked(others)
            case 12, 101: appendTCP(others)
            default: return nil
            }
            if ownAnswers { append("))") }
        }

        /// Whether there is a filter for a link type.
        static func isKnown(_ dataLinkType: Int32) -> Bool {
            switch dataLinkType {
            case 1, 113, 12, 101: true
            default: false
            }
        }

        /// Passes the text as a C string, which ends in a zero byte.
        mutating func withPointer<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
            var text = bytes.mutableSpan
            return unsafe text.withUnsafeMutableBufferPointer { text in
                guard let start = text.baseAddress else { preconditionFailure() }
                return unsafe body(start)
            }
        }

        private mutating func appendEthernet(_ others: OtherPackets) {
            appendTCP(others)
            appendTypes(at: "ether[12:2]")
        }

        /// The protocol field of Linux cooked frames is at another offset; values below 0x600 are Linux's own. The
        /// field may hold the protocol behind VLAN tags that are still in place: then no IP packet begins at the
        /// expected offset, or one whose third and fourth byte are an EtherType. libpcap itself runs the filter on the
        /// first packets.
        private mutating func appendCooked(_ others: OtherPackets) {
            appendTCP(others)
            appendTypes(at: "link[14:2]")
            append(" or (ip and (ip[0] & 0xf0 != 0x40")
            appendTags(before: EtherType.ipv4, at: "ip[2:2]")
            append(")) or (ip6 and (ip6[0] & 0xf0 != 0x60")
            appendTags(before: EtherType.ipv6, at: "ip6[2:2]")
            append("))")
        }

        /// TCP directly behind the IP header, except for established data; fragments; packets with extension headers.
        private mutating func appendTCP(_ others: OtherPackets) {
            appendSegments(others)
            appendOthers(others, .ipv4)
            appendOthers(others, .ipv6)
        }

        private mutating func appendSegments(_ others: OtherPackets) {
            append("(ip proto ")
            append(hexadecimal: UInt16(IPProtocol.tcp))
            append(" and (ip[6:2] & 0x3fff != 0 or (")
            appendNotEstablished(at: "tcp[13]")
            appendAcknowledgements(others, .ipv4)
            append("))) or (ip6 and (")
            appendNext(IPProtocol.hopByHop)
            appendNext(IPProtocol.routing)
            appendNext(IPProtocol.fragment)
            appendNext(IPProtocol.authentication)
            appendNext(IPProtocol.destinationOptions)
            append("(ip6[6] = ")
            append(hexadecimal: UInt16(IPProtocol.tcp))
            append(" and ")
            append("(")
            appendNotEstablished(at: "ip6[53]")  // tcp[13], which libpcap does not read behind IPv6
            appendAcknowledgements(others, .ipv6)
            append("))))")
        }

        /// What ``OwnAnswer`` says.
        private mutating func appendOwnAnswers() {
            append("(ip and ip[6:2] & 0x3fff = 0 and (")
            appendAnswer(.ipv4, flags: "tcp[13]")
            append(" or (ip[9] = 1 and icmp[0] = 3 and (icmp[1] = 0xff")
            let codes = OwnAnswer.codes
            for index in codes.indices { appendType(UInt16(codes[index]), at: "icmp[1]") }
            append(")))) or (ip6 and (")
            appendAnswer(.ipv6, flags: "ip6[53]")
            append(" or (ip6[6] = 0x3a and (ip6[40:2] = 0xffff")
            let codesIPv6 = OwnAnswer.codesIPv6
            for index in codesIPv6.indices { appendType(codesIPv6[index], at: "ip6[40:2]") }
            append("))))")
        }

        private mutating func appendAnswer(_ version: Version, flags: String) {
            append("(")
            append(version.next)
            append(" = ")
            append(hexadecimal: UInt16(IPProtocol.tcp))
            append(" and (")
            append(flags)
            append(" & 4 != 0 or ")
            append(flags)
            append(" & 0x12 = 0x12))")
        }

        private mutating func appendNotEstablished(at flags: String) {
            append(flags)
            append(" != ")
            append(hexadecimal: UInt16(EstablishedData.acknowledged.rawValue))
            append(" and ")
            append(flags)
            append(" != ")
            append(hexadecimal: UInt16(EstablishedData.pushed.rawValue))
        }

        private mutating func appendNext(_ header: UInt8) {
            append("ip6[6] = ")
            append(hexadecimal: UInt16(header))
            append(" or ")
        }

        /// EtherTypes that IP packets may be behind, and those that are lengths.
        private mutating func appendTypes(at place: String) {
            appendType(EtherType.customerTag, at: place)
            appendType(EtherType.providerTag, at: place)
            appendType(EtherType.oldProviderTag, at: place)
            appendType(EtherType.pppoeSession, at: place)
            appendType(EtherType.labels, at: place)
            appendType(EtherType.multicastLabels, at: place)
            appendType(EtherType.securityTag, at: place)
            append(" or ")
            append(place)
            append(" < ")
            append(hexadecimal: EtherType.least)
        }

        /// The second half of a VLAN tag that the kernel left in place.
        private mutating func appendTags(before last: UInt16, at place: String) {
            appendType(last, at: place)
            appendType(EtherType.customerTag, at: place)
            appendType(EtherType.providerTag, at: place)
        }

        private mutating func appendType(_ type: UInt16, at place: String) {
            append(" or ")
            append(place)
            append(" = ")
            append(hexadecimal: type)
        }

        mutating func append(_ text: String) {
            let utf8 = text.utf8Span.span
            for index in utf8.indices { append(byte: utf8[index]) }
        }

        mutating func append(hexadecimal number: UInt16) {
            append("0x")
            appendDigits(of: number)
        }

        mutating func append(hexadecimal number: UInt32) {
            append("0x")
            appendDigits(of: UInt16(number >> 16))
            appendDigits(of: UInt16(number & 0xffff))
        }

        private mutating func appendDigits(of number: UInt16) {
            for shift in stride(from: UInt16(12), through: 0, by: -4) {
                let digit = UInt8(number >> shift & 15)
                append(byte: digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
            }
        }

        private mutating func append(byte: UInt8) {
            precondition(count < bytes.count - 1)  // all texts are constants, and tested
            bytes[count] = CChar(bitPattern: byte)
            count += 1
        }
    }
#endif
