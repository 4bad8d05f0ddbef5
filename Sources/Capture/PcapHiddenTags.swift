#if Pcap
    import ScanCore

    extension LinkLayer {
        /// Where in a frame its IP packet begins, in bytes, also past VLAN tags that the frame says nothing of.
        ///
        /// Linux takes the first tag off a frame. Since 6.11 it gives cooked frames the protocol of what is behind all
        /// others, and leaves those where they are (net/packet/af_packet.c, vlan_get_protocol_dgram). A tag that can be
        /// the beginning of an IP packet (priority 3, or 2 with a number from 1,280 on) is taken for one.
        ///
        /// - Throws: see ``packetOffset(in:)``.
        func packetOffset(pastHiddenTagsIn frame: Span<UInt8>) throws(PacketFault) -> Int {
            var offset = try packetOffset(in: frame)
            if !isLinuxCooked { return offset }
            while true {  // every step goes on in the frame, which ends
                let start = try frame.uint8(at: offset)
                if start >> 4 == 6 || (start >> 4 == 4 && start & 15 >= 5) { return offset }
                switch try frame.uint16(at: offset + 2) {
                case 0x0800, 0x86dd, 0x8100, 0x88a8, 0x9100: offset += 4
                default: return offset
                }
            }
        }

        private var isLinuxCooked: Bool {
            self == LinkLayer(dataLinkType: 113) || self == LinkLayer(dataLinkType: 276)
        }
    }
#endif
