#if Pcap
    import CLinux
    import CPcap
    import ScanCore

    /// The packets of a capture file, pcap or pcapng, with their own times as clock.
    ///
    /// Whose packets they are can't be told: those that the capturing host sent count as well. What a file holds is read
    /// by libpcap: give up privileges between opening and ``read(into:)``.
    @safe public struct PcapReplay: ~Copyable {
        @usableFromInline let library: PcapLibrary
        private let name: ConstantText
        @usableFromInline let stream: PcapStream
        @usableFromInline var handle: OpaquePointer?
        private var packets: PcapPackets
        /// What can be polled to wait for more of the file.
        public let descriptor: Int32
        private let expression: ConstantText?
        @usableFromInline var link: LinkLayer?
        /// The packet that was read last, valid until the next is: see ``advance()``.
        private var header: UnsafeMutablePointer<pcap_pkthdr>?
        private var data: UnsafePointer<UInt8>?

        /// Loads libpcap and opens a file, without reading it, but for its link type if there is a filter expression.
        ///
        /// - Parameters:
        ///   - path: the file; `-` is standard input.
        ///   - selection: which packets are wanted; a file has no interfaces and no directions.
        ///   - key: secret random numbers.
        public init(
            _ path: ConstantText, _ selection: CaptureSelection = CaptureSelection(), key: HashKey
        ) throws(SystemError) {
            let library = try PcapLibrary()
            let packets = try PcapPackets(selection, key: key)
            let isInput = path == "-"
            let name: ConstantText = isInput ? "standard input" : path
            let number = try check(name, "open") {
                isInput ? dup(STDIN_FILENO) : unsafe clinux_open(path.pointer, O_RDONLY | O_CLOEXEC, 0)
            }
            let stream = try PcapStream(owning: number, name)
            do throws(SystemError) {
                if let expression = selection.expression { try library.prepareFilter(expression, for: number) }
            } catch {
                stream.close()
                throw error
            }
            self.init(library, name, stream, of: number, packets, matching: selection.expression)
        }

        init(
            _ library: PcapLibrary, _ name: ConstantText, _ stream: PcapStream, of descriptor: Int32,
            _ packets: consuming PcapPackets, matching expression: ConstantText? = nil
        ) {
            unsafe handle = nil
            unsafe header = nil
            unsafe data = nil
            self.library = library
            self.name = name
            self.stream = stream
            self.descriptor = descriptor
            self.expression = expression
            self.packets = packets
        }

        @inlinable  // Embedded Swift must see a deinit to call it from another module
        deinit {
            if let handle = unsafe handle {
                unsafe library.functions.pointee.close(handle)  // and the stream with it
            } else {
                stream.close()
            }
        }

        /// Calls a function before each time that the file is read from, which may have to be waited for.
        ///
        /// - Parameter function: is given the context; says whether to read, or else the file ends here.
        public func beforeReading(
            _ function: @convention(c) (UnsafeMutableRawPointer?) -> Bool, context: UnsafeMutableRawPointer
        ) {
            unsafe cpcap_before_reading(function, context)
        }

        /// Reads the file to its end, once, and hands over its packets.
        ///
        /// - Throws: see ``open()`` and ``advance()``. What comes before has been handed over.
        public mutating func read(into sink: inout some SegmentSink & ~Copyable) throws(SystemError) {
            if unsafe handle != nil { return }
            try open()
            while try advance() { deliver(into: &sink) }
        }

        /// Reads the beginning of the file. Once, before all else.
        ///
        /// - Throws: libpcap's reason why it is no capture, the name of a link type that is not known, or what is wrong with
        ///   the filter expression.
        public mutating func open() throws(SystemError) {
            guard let opened = unsafe cpcap_open_stream(library.functions, stream.pointer) else { throw fault(at: 0) }
            unsafe handle = opened
            link = try unsafe library.linkLayer(of: opened, name)
            if let expression { try unsafe library.filterFile(expression, of: opened) }
        }

        /// Goes on to the next packet: whether there was one.
        ///
        /// - Throws: libpcap's reason why the file can't be read on, and at which byte what it can't read begins.
        public mutating func advance() throws(SystemError) -> Bool {
            guard let handle = unsafe handle else { return false }
            let position = stream.position
            switch unsafe library.functions.pointee.next_ex(handle, &header, &data) {
            case 1: return true
            case PCAP_ERROR_BREAK: return false  // the end of the file
            default:
                unsafe cpcap_set_reason(library.functions.pointee.geterr(handle))
                throw fault(at: position)
            }
        }

        /// Hands over that packet.
        public mutating func deliver(into sink: inout some SegmentSink & ~Copyable) {
            guard let header = unsafe header?.pointee, let data = unsafe data, let link else { return }
            let frame = unsafe UnsafeBufferPointer(start: data, count: Int(header.caplen)).span
            var seconds = Int64(header.ts.tv_sec)
            if seconds < 0 && hasUnsignedSeconds { seconds += 1 << 32 }
            let stamp = nanoseconds(seconds: seconds, and: Int64(header.ts.tv_usec))  // as was asked for
            packets.read(frame, of: link, at: Timestamp(nanoseconds: stamp), realTime: stamp, into: &sink)
        }

        /// Whether what libpcap takes for a time before 1970 is one after 2038: of a pcap file it takes the 32 bits of the
        /// seconds for signed. Those of pcapng, whose version is 1, have 64 bits, and an offset that can be negative.
        private var hasUnsignedSeconds: Bool {
            guard let handle = unsafe handle else { return false }
            return unsafe library.functions.pointee.major_version(handle) != 1
        }

        private func fault(at position: Int64) -> SystemError {
            if position < 0 { return PcapLibrary.error(name, "read") }
            return SystemError(
                name, unsafe ConstantText(unsafe: cpcap_reading_at(position)),
                because: unsafe ConstantText(unsafe: cpcap_reason()))
        }
    }

    /// A C stream, for libpcap to read. Not closed by itself: who reads it may own it.
    @safe @usableFromInline struct PcapStream {
        let pointer: UnsafeMutableRawPointer

        /// A stream of a descriptor, which it owns.
        init(owning descriptor: Int32, _ name: ConstantText) throws(SystemError) {
            guard let pointer = unsafe cpcap_stream(descriptor) else {
                let error = SystemError(name, "open")
                CLinux.close(descriptor)
                throw error
            }
            unsafe self.pointer = pointer
        }

        /// How many bytes have been read, or -1.
        var position: Int64 { unsafe cpcap_stream_position(pointer) }

        @usableFromInline
        func close() { unsafe cpcap_stream_close(pointer) }
    }
#endif
