#if Pcap
    import CLinux
    import CPcap
    import ScanCore
    import System

    /// The packets of a capture file, pcap or pcapng, with their timestamps as clock.
    ///
    /// Which host sent a packet can't be determined: those of the capturing host count as well. The file is parsed by
    /// libpcap, except for the blocks of pcapng: drop privileges between opening and ``read(into:)``.
    @safe public struct PcapFile: ~Copyable {
        @usableFromInline let library: PcapLibrary
        private let name: CString
        @usableFromInline let stream: PcapStream
        @usableFromInline var handle: OpaquePointer?
        private var pcapng: PcapngReader?
        private var packets: PcapFrameReader
        private var filter: FrameFilter?
        /// The descriptor to poll for more of the file.
        public let descriptor: Int32
        /// Whether the beginning of the file has been read.
        private var isOpen = false
        /// The command for an error about a compressed file, which reads the decompressed one from a pipe.
        private var command: CString = "scanlogd -r -"
        /// The last packet read, valid until the next is: see ``advance()``.
        private var packet: FilePacket?
        /// An unknown link type of a packet, if there was one; and whether there was a known one.
        private var unknownLink: Int32?
        private var knowsLink = false
        private var leftOut = LeftOutPackets()

        /// Loads libpcap and opens a file, without reading it, except for its link types if there is a filter
        /// expression.
        ///
        /// - Parameters:
        ///   - path: the file; `-` is standard input.
        ///   - selection: which packets are wanted; a file has no interfaces and no directions.
        ///   - key: secret random numbers.
        public init(
            _ path: CString, _ selection: CaptureOptions = CaptureOptions(), key: HashKey
        ) throws(SystemError) {
            let library = try PcapLibrary()
            let packets = try PcapFrameReader(selection, key: key)
            let isInput = path == "-"
            let name: CString = isInput ? "standard input" : path
            let number = try check(name, "open") {
                isInput ? dup(STDIN_FILENO) : unsafe clinux_open(path.pointer, O_RDONLY | O_CLOEXEC, 0)
            }
            let stream = try PcapStream(owning: number, name)
            let filter = FrameFilter(library, selection)
            do throws(SystemError) {
                try filter?.prepare(for: number)
            } catch {
                stream.close()
                throw error
            }
            self.init(library, name, stream, of: number, packets, filter)
            if selection.interest != .probes { command = "scanlogd connections --read -" }
        }

        init(
            _ library: PcapLibrary, _ name: CString, _ stream: PcapStream, of descriptor: Int32,
            _ packets: consuming PcapFrameReader, _ filter: consuming FrameFilter?
        ) {
            unsafe handle = nil
            pcapng = nil
            packet = nil
            self.library = library
            self.name = name
            self.stream = stream
            self.descriptor = descriptor
            self.packets = packets
            self.filter = filter
        }

        @inlinable  // Embedded Swift must see a deinit to call it from another module
        deinit {
            if let handle = unsafe handle {
                unsafe library.functions.pointee.close(handle)  // and the stream with it
            } else {
                stream.close()
            }
        }

        /// Reads the file to its end, once, and delivers its packets. Blocks while the file's writer is slow.
        ///
        /// - Throws: see ``advance()`` and ``deliver(into:)``. Packets before the error have been delivered.
        public mutating func read(into sink: inout some ProbeSink & ~Copyable) throws(SystemError) {
            while true {
                switch try advance() {
                case .packet: try deliver(into: &sink)
                case .mustWait: readMore()
                case .end: return
                }
            }
        }

        /// How far the file could be read.
        public enum Progress {
            /// To the next packet: see ``deliver(into:)``.
            case packet
            /// Not to the next packet, which has not been read completely: see ``readMore()``.
            case mustWait
            case end
        }

        /// Advances to the next packet in the bytes read so far, and never blocks.
        ///
        /// - Throws: at the beginning: that the file is compressed, libpcap's reason why it is not a capture, the name
        ///   of an unknown link type, or an error in the filter expression; later: the reason why the file can't be
        ///   read further, and the offset of the unreadable part; at the end: the name of an unknown link type, if
        ///   there were packets of no other.
        public mutating func advance() throws(SystemError) -> Progress {
            packet = nil
            do throws(SystemError) {
                if !isOpen { try open() }
                packet = unsafe try handle == nil ? pcapng?.next(in: stream) : nextOfLibrary()
                stream.endStep()
            } catch {
                if stream.undoStepIfStarved() { return .mustWait }
                throw error
            }
            if packet != nil { return .packet }
            if let unknownLink, !knowsLink { throw library.unknownLink(unknownLink, name) }
            return .end
        }

        /// Reads more of the file. Blocks until its writer has more, unless ``descriptor`` is readable.
        public func readMore() {
            stream.fill()
        }

        /// Reads the beginning of the file.
        private mutating func open() throws(SystemError) {
            switch FileFormat(of: stream) {
            case nil: throw fault(at: 0)  // not read yet: to be retried
            case .pcapng: pcapng = PcapngReader(name)
            case .compressed(let kind, let program):
                let reason = unsafe cpcap_decompressed_by(kind.pointer, program.pointer, command.pointer)
                throw SystemError(name, "read", because: unsafe CString(unsafe: reason))
            case .other:
                let opened = unsafe cpcap_open_stream(library.functions, stream.pointer)
                guard let opened = unsafe opened else { throw fault(at: 0) }
                unsafe handle = opened
                _ = try unsafe library.linkLayer(of: opened, name)
                switch filter {
                case .some(let filter): unsafe try filter.check(library.functions.pointee.datalink(opened))
                case .none: break
                }
            }
            isOpen = true
            stream.endStep()
        }

        private func nextOfLibrary() throws(SystemError) -> FilePacket? {
            guard let handle = unsafe handle else { return nil }
            let position = stream.position
            var header: UnsafeMutablePointer<pcap_pkthdr>?
            var data: UnsafePointer<UInt8>?
            switch unsafe library.functions.pointee.next_ex(handle, &header, &data) {
            case 1: break
            case PCAP_ERROR_BREAK: return nil  // the end of the file
            default:
                unsafe cpcap_set_reason(library.functions.pointee.geterr(handle))
                throw fault(at: position)
            }
            guard let header = unsafe header?.pointee else { return nil }
            var seconds = Int64(header.ts.tv_sec)
            if seconds < 0 { seconds += 1 << 32 }  // libpcap treats the 32 bits as signed, which would end in 2038
            return unsafe FilePacket(
                bytes: UnsafeBufferPointer(start: data, count: Int(header.caplen)), wholeLength: Int(header.len),
                realTime: nanoseconds(seconds: seconds, and: Int64(header.ts.tv_usec)),  // as requested
                dataLinkType: library.functions.pointee.datalink(handle))
        }

        /// Delivers the packet read by ``advance()``.
        ///
        /// - Throws: an error in the filter expression, if the packet is the first of its link type.
        public mutating func deliver(into sink: inout some ProbeSink & ~Copyable) throws(SystemError) {
            guard let packet else { return }
            guard let link = LinkLayer(dataLinkType: packet.dataLinkType) else {
                unknownLink = packet.dataLinkType
                return leftOut.count(.unknownLink)
            }
            knowsLink = true
            let place: Result<PacketPlace, PacketFault> = packet.withBytes { frame in
                do throws(PacketFault) {
                    return .success(try link.place(in: frame, length: packet.wholeLength))
                } catch {
                    return .failure(error)
                }
            }
            if try !isWanted(packet, link, place) { return }
            packet.withBytes { frame in
                switch place {
                case .success(let place):
                    read(frame.extracting(place.offset...), over: place.path, of: packet, into: &sink)
                case .failure(let fault):
                    sink.count(fault)
                    leftOut.count(fault, in: frame, link, isCut: packet.isCut)
                }
            }
        }

        private func isWanted(
            _ packet: FilePacket, _ link: LinkLayer, _ place: Result<PacketPlace, PacketFault>
        ) throws(SystemError) -> Bool {
            var found: PacketPlace?
            if case .success(let place) = place { found = place }
            switch filter {
            case .some(let filter): return try filter.matches(packet, link, found)
            case .none: return true
            }
        }

        private mutating func read(
            _ bytes: Span<UInt8>, over path: LinkPath, of packet: FilePacket,
            into sink: inout some ProbeSink & ~Copyable
        ) {
            let now = Timestamp(nanoseconds: packet.realTime)
            do throws(PacketFault) {
                let isGiven = try packets.read(bytes, over: path, at: now, realTime: packet.realTime, into: &sink)
                leftOut.record(bytes, over: path, isGiven: isGiven, nil, at: now)
            } catch {
                sink.count(error)
                leftOut.record(bytes, over: path, isGiven: false, error, at: now)
                leftOut.count(error, in: bytes, over: path, isCut: packet.isCut)
            }
        }

        /// A message on how many skipped packets may hold TCP, by reason; `nil` if there are none.
        public var leftOutLine: LogLine? {
            mutating get { leftOut.line(of: name) }
        }

        private func fault(at position: Int64) -> SystemError {
            SystemError(
                name, unsafe CString(unsafe: cpcap_reading_at(position)),
                because: unsafe CString(unsafe: cpcap_reason()))
        }
    }
#endif
