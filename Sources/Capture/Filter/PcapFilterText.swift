#if Pcap
    import System

    /// Filters in libpcap's language (pcap-filter(7)): what they leave out can't be part of a TCP scan.
    ///
    /// Left out are segments with exactly ACK or PSH and ACK that are no fragment, and all that is not TCP. What is behind
    /// tags and labels, or behind IPv6 extension headers, comes through: a filter does not see it. They are a hint only, like
    /// ``RawSocketFilter``; a first tag is no matter, since the kernel has taken it off.
    enum PcapFilterText {
        /// The filter for a link type, or `nil` for one whose frames all come through.
        static func text(dataLinkType: Int32) -> CString? {
            switch dataLinkType {
            case 1: ethernet
            case 113: cooked
            case 12, 101: raw
            default: nil
            }
        }

        private static var ethernet: CString {
            """
            (ip proto 6 and (ip[6:2] & 0x3fff != 0 or (tcp[13] != 0x10 and tcp[13] != 0x18))) or \
            (ip6 and (ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 44 or ip6[6] = 51 or ip6[6] = 60 or \
            (ip6[6] = 6 and ip6[53] != 0x10 and ip6[53] != 0x18))) or \
            ether[12:2] = 0x8100 or ether[12:2] = 0x88a8 or ether[12:2] = 0x9100 or ether[12:2] = 0x8864 or \
            ether[12:2] = 0x8847 or ether[12:2] = 0x8848 or ether[12:2] = 0x8909 or ether[12:2] < 0x600
            """
        }

        /// The protocol of Linux cooked frames stands at another place; its own numbers are those below 0x600. It may be
        /// the one behind VLAN tags that are still there: then no IP packet begins where one should, or one in whose third
        /// and fourth byte a type of Ethernet stands. libpcap runs the filter itself on the packets that come first.
        private static var cooked: CString {
            """
            (ip proto 6 and (ip[6:2] & 0x3fff != 0 or (tcp[13] != 0x10 and tcp[13] != 0x18))) or \
            (ip6 and (ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 44 or ip6[6] = 51 or ip6[6] = 60 or \
            (ip6[6] = 6 and ip6[53] != 0x10 and ip6[53] != 0x18))) or \
            link[14:2] = 0x8100 or link[14:2] = 0x88a8 or link[14:2] = 0x9100 or link[14:2] = 0x8864 or \
            link[14:2] = 0x8847 or link[14:2] = 0x8848 or link[14:2] = 0x8909 or link[14:2] < 0x600 or \
            (ip and (ip[0] & 0xf0 != 0x40 or ip[2:2] = 0x0800 or ip[2:2] = 0x8100 or ip[2:2] = 0x88a8)) or \
            (ip6 and (ip6[0] & 0xf0 != 0x60 or ip6[2:2] = 0x86dd or ip6[2:2] = 0x8100 or ip6[2:2] = 0x88a8))
            """
        }

        private static var raw: CString {
            """
            (ip proto 6 and (ip[6:2] & 0x3fff != 0 or (tcp[13] != 0x10 and tcp[13] != 0x18))) or \
            (ip6 and (ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 44 or ip6[6] = 51 or ip6[6] = 60 or \
            (ip6[6] = 6 and ip6[53] != 0x10 and ip6[53] != 0x18)))
            """
        }
    }
#endif
