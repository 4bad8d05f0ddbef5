#if Pcap
    import CPcap
    import ScanCore
    import System

    /// A libpcap expression (pcap-filter(7)) that is matched against the frames of a file.
    ///
    /// libpcap finds an address or a port only if the packet directly follows the link header, unless the expression
    /// says otherwise. That is useless for a capture of a trunk, where a port should match behind tags as well. So the
    /// expression is matched against each frame without the headers in between. An expression that refers to them is
    /// matched against the frame as it is.
    @safe @usableFromInline struct FrameFilter: ~Copyable {
        /// More than any link header has.
        private static let longestHeader = 64

        private let library: PcapLibrary
        private let expression: CString
        private let namesLink: Bool
        @usableFromInline let bytes: UnsafeMutableBufferPointer<UInt8>

        /// The filter of a selection; `nil` if it has none.
        init?(_ library: PcapLibrary, _ selection: CaptureOptions) {
            guard let expression = selection.expression else { return nil }
            self.library = library
            self.expression = expression
            namesLink = selection.expressionNamesLink
            unsafe bytes = .allocate(capacity: FrameFilter.longestHeader + PcapngReader.longestPacket)
            unsafe bytes.initialize(repeating: 0)
        }

        @inlinable  // Embedded Swift must see a deinit to call it from another module
        deinit {
            unsafe bytes.deallocate()
        }

        /// Compiles the filter for the link types that the file may have, while names can be looked up. Of the file,
        /// only the fields that should hold its link types are read.
        func prepare(for file: Int32) throws(SystemError) {
            if unsafe cpcap_prepare_filter(library.functions, expression.pointer, namesLink, file) < 0 {
                throw PcapLibrary.error(expression, "compile filter")
            }
        }

        /// Makes sure that the filter is compiled for a link type. Returns whether frames must be converted to Ethernet
        /// for it.
        @discardableResult
        func check(_ dataLinkType: Int32) throws(SystemError) -> Bool {
            let result = unsafe cpcap_check_filter(library.functions, expression.pointer, namesLink, dataLinkType)
            if result < 0 { throw PcapLibrary.error(expression, "compile filter") }
            return result > 0
        }

        /// Whether a frame matches.
        ///
        /// - Parameters:
        ///   - packet: the frame.
        ///   - place: the position of its IP packet; `nil` if it has none.
        func matches(
            _ packet: FilePacket, _ link: LinkLayer, _ place: PacketPlace?
        ) throws(SystemError) -> Bool {
            let takesEthernet = try check(packet.dataLinkType)
            return packet.withBytes { frame in
                if takesEthernet, let (header, end) = link.ethernetHeader(of: frame) {
                    return matches(header, frame, from: end, packet)
                }
                if !namesLink, let place, let header = link.plainHeader(of: frame, before: place.offset) {
                    return matches(header, frame, from: place.offset, packet)
                }
                return unsafe frame.withUnsafeBufferPointer { frame in
                    unsafe matches(frame, of: packet.wholeLength, packet.dataLinkType)
                }
            }
        }

        /// Whether a frame matches with another header in place of everything before an offset.
        private func matches(
            _ header: LinkHeader, _ frame: Span<UInt8>, from start: Int, _ packet: FilePacket
        ) -> Bool {
            for index in 0..<header.count { unsafe bytes[index] = header[index] }
            let count = header.count + frame.count - start
            for index in start..<frame.count { unsafe bytes[header.count + index - start] = frame[index] }
            let whole = max(packet.wholeLength + header.count - start, count)
            let changed = unsafe UnsafeBufferPointer(rebasing: bytes[..<count])
            return unsafe matches(changed, of: whole, packet.dataLinkType)
        }

        private func matches(
            _ frame: UnsafeBufferPointer<UInt8>, of whole: Int, _ dataLinkType: Int32
        ) -> Bool {
            unsafe cpcap_matches(library.functions, dataLinkType, frame.baseAddress, frame.count, whole)
        }
    }

    /// The bytes of a link header.
    struct LinkHeader {
        private(set) var count = 0
        private var bytes = InlineArray<20, UInt8>(repeating: 0)  // cooked frames have the longest

        subscript(index: Int) -> UInt8 { bytes[index] }

        mutating func append(_ octets: Span<UInt8>, _ range: Range<Int>) {
            for index in range { append(octets[index]) }
        }

        mutating func append(_ octet: UInt8) {
            bytes[count] = octet
            count += 1
        }

        mutating func append(_ number: UInt16) {
            append(UInt8(number >> 8))
            append(UInt8(number & 0xff))
        }
    }

    extension LinkLayer {
        /// The header of a frame whose IP packet directly follows it; `nil` if the frame has that already.
        ///
        /// - Parameters:
        ///   - frame: a frame.
        ///   - offset: the offset of its packet.
        fileprivate func plainHeader(of frame: Span<UInt8>, before offset: Int) -> LinkHeader? {
            let isIPv6 = offset < frame.count && frame[offset] >> 4 == 6
            let etherType: UInt16 = isIPv6 ? EtherType.ipv6 : EtherType.ipv4
            let family: UInt8 = isIPv6 ? 10 : 2
            var plain = LinkHeader()
            switch header {
            case .none: return nil
            case .ethernet:
                plain.append(frame, 0..<12)
                plain.append(etherType)
            case .linuxCooked:
                plain.append(frame, 0..<14)
                plain.append(etherType)
            case .linuxCooked2:
                plain.append(etherType)
                plain.append(frame, 2..<20)
            case .hostFamily:  // in this host's byte order, whatever that of the capturing host was
                let isLittle = UInt16(1).littleEndian == 1
                plain.append(isLittle ? UInt16(family) << 8 : 0)
                plain.append(isLittle ? 0 : UInt16(family))
            case .networkFamily:
                plain.append(0 as UInt16)
                plain.append(UInt16(family))
            case .ppp:
                plain.append(0xff03 as UInt16)
                plain.append(isIPv6 ? PPPProtocol.ipv6 : PPPProtocol.ipv4)
            case .pppOverEthernet:
                plain.append(frame, 0..<6)
                plain.append(isIPv6 ? PPPProtocol.ipv6 : PPPProtocol.ipv4)
            }
            return isBegin(plain, of: frame, offset) ? nil : plain
        }

        private func isBegin(_ header: LinkHeader, of frame: Span<UInt8>, _ offset: Int) -> Bool {
            if header.count != offset { return false }
            for index in 0..<offset where header[index] != frame[index] { return false }
            return true
        }

        /// The Ethernet header for a cooked frame, and the end of its own header; `nil` for other links, and if the
        /// header is truncated.
        fileprivate func ethernetHeader(of frame: Span<UInt8>) -> (LinkHeader, Int)? {
            let address: Int
            let type: Int
            let end: Int
            switch header {
            case .linuxCooked: (address, type, end) = (6, 14, 16)
            case .linuxCooked2: (address, type, end) = (12, 0, 20)
            default: return nil
            }
            if frame.count < end { return nil }
            var ethernet = LinkHeader()
            for _ in 0..<6 { ethernet.append(0 as UInt8) }  // the destination is not in the frame
            ethernet.append(frame, address..<address + 6)
            ethernet.append(frame, type..<type + 2)
            return (ethernet, end)
        }
    }
#endif
