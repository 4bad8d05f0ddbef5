#if Pcap
    /// The bytes of capture files (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng).
    struct CaptureText {
        var bigEndian = false

        func half(_ value: UInt16) -> [UInt8] { ordered([UInt8(value >> 8), UInt8(value & 0xff)]) }

        func word(_ value: UInt32) -> [UInt8] {
            ordered([UInt8(value >> 24), UInt8(value >> 16 & 0xff), UInt8(value >> 8 & 0xff), UInt8(value & 0xff)])
        }

        private func ordered(_ octets: [UInt8]) -> [UInt8] { bigEndian ? octets : octets.reversed() }

        // MARK: pcap

        func header(linkType: UInt32, nanoseconds: Bool = false) -> [UInt8] {
            let magic: UInt32 = nanoseconds ? 0xa1b2_3c4d : 0xa1b2_c3d4
            return word(magic) + half(2) + half(4) + word(0) + word(0) + word(65_535) + word(linkType)
        }

        func record(_ frame: [UInt8], seconds: UInt32, fraction: UInt32 = 0) -> [UInt8] {
            word(seconds) + word(fraction) + word(UInt32(frame.count)) + word(UInt32(frame.count)) + frame
        }

        // MARK: pcapng

        func block(_ type: UInt32, _ body: [UInt8]) -> [UInt8] {
            let padded = body + [UInt8](repeating: 0, count: (4 - body.count % 4) % 4)
            let length = word(UInt32(padded.count + 12))
            return word(type) + length + padded + length
        }

        func sectionHeader() -> [UInt8] {
            block(0x0a0d_0d0a, word(0x1a2b_3c4d) + half(1) + half(0) + word(.max) + word(.max))
        }

        /// - Parameters:
        ///   - digits: the digits of a second that times have, or `nil` for none said, which means 6.
        ///   - offset: the seconds to add to times, or `nil` for none said, which means 0.
        ///   - snapshot: how many bytes of a packet are kept.
        func interface(
            linkType: UInt16, digits: UInt8? = nil, offset: Int64? = nil, snapshot: UInt32 = 65_535
        ) -> [UInt8] {
            var options: [UInt8] = []
            if let digits { options += half(9) + half(1) + [digits, 0, 0, 0] }
            if let offset {
                let halves = [UInt32(truncatingIfNeeded: offset >> 32), UInt32(truncatingIfNeeded: offset)].map(word)
                options += half(14) + half(8) + (bigEndian ? halves[0] + halves[1] : halves[1] + halves[0])
            }
            if !options.isEmpty { options += half(0) + half(0) }
            return block(1, half(linkType) + half(0) + word(snapshot) + options)
        }

        func packet(_ frame: [UInt8], time: UInt64, interface: UInt32 = 0) -> [UInt8] {
            let length = word(UInt32(frame.count))
            let times = word(UInt32(time >> 32)) + word(UInt32(truncatingIfNeeded: time))
            return block(6, word(interface) + times + length + length + frame)
        }
    }

    /// Ethernet, IPv4 and TCP.
    func synFrame(to port: UInt8, etherType: [UInt8] = [8, 0]) -> [UInt8] {
        let ethernet = [UInt8](repeating: 2, count: 12) + etherType
        let ipv4: [UInt8] = [0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
        let tcp: [UInt8] = [0x9c, 0x40, 0, port, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 4, 0, 0, 0, 0, 0]
        return ethernet + ipv4 + tcp
    }
#endif
