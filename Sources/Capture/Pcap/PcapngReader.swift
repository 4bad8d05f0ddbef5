#if Pcap
    import CLinux
    import CPcap
    import ScanCore
    import System

    /// Parses the blocks of a pcapng file (draft-ietf-opsawg-pcapng), in both byte orders, of any number of sections.
    ///
    /// libpcap accepts only files whose interfaces all have the same link type and snapshot length; in merged files, or
    /// captures of several interfaces, they differ. All lengths come from the file, and are checked: against the
    /// enclosing block, against the room for it, and against the end of the file. Blocks of no use here are skipped.
    @safe @usableFromInline struct PcapngReader: ~Copyable {
        /// The maximum length of a packet, as in libpcap (MAXIMUM_SNAPLEN).
        static let longestPacket = 262_144
        /// The maximum number of interfaces in a section.
        static let mostInterfaces = 4096
        /// The bytes of each block beside its content: type and length, and the length again at its end.
        private static let frameLength = 12

        private let name: CString
        @usableFromInline let bytes: UnsafeMutableBufferPointer<UInt8>
        @usableFromInline let interfaces: UnsafeMutableBufferPointer<PcapngInterface>
        private var interfaceCount = 0
        private var isBigEndian = false
        /// The offset of the current block, its length, and how many bytes of its content remain to be read.
        private var start: Int64 = 0
        private var length: UInt32 = 0
        private var left = 0
        private var stage = Stage.block

        /// - Parameter name: the name of the file, for errors.
        init(_ name: CString) {
            self.name = name
            unsafe bytes = .allocate(capacity: PcapngReader.longestPacket)
            unsafe interfaces = .allocate(capacity: PcapngReader.mostInterfaces)
            unsafe bytes.initialize(repeating: 0)
            unsafe interfaces.initialize(repeating: PcapngInterface())
        }

        @inlinable  // Embedded Swift must see a deinit to call it from another module
        deinit {
            unsafe bytes.deallocate()
            unsafe interfaces.deallocate()
        }

        /// What to read next.
        private enum Stage {
            case block
            /// The options of an interface.
            case options(PcapngInterface)
            /// The rest of a block, and its packet, if it had one.
            case rest(FilePacket?)
        }

        /// Advances to the next packet; `nil` at the end of the file.
        ///
        /// It proceeds in steps, of which none needs more than a packet at a time, and each has no effect if it fails:
        /// one that fails because too little of the file has been read can be repeated.
        ///
        /// - Throws: the fault of a block, and the offset at which it begins.
        mutating func next(in stream: PcapStream) throws(SystemError) -> FilePacket? {
            while true {
                switch stage {
                case .block:
                    guard try enterBlock(of: stream) else { return nil }
                    stage = try readBeginning(of: stream)
                case .options(let interface): stage = try goThroughOptions(of: interface, stream)
                case .rest(let packet):
                    try leaveBlock(stream)
                    stage = .block
                    if let packet { return packet }
                }
                stream.endStep()
            }
        }

        /// Reads the fixed part of a block.
        private mutating func readBeginning(of stream: PcapStream) throws(SystemError) -> Stage {
            switch number(0, of: 4) {
            case BlockType.section: try readSection(stream)
            case BlockType.interface: return .options(try readInterface(stream))
            case BlockType.packet: return .rest(try readPacket(stream, isObsolete: false))
            case BlockType.obsoletePacket: return .rest(try readPacket(stream, isObsolete: true))
            case BlockType.simplePacket: return .rest(try readSimplePacket(stream))
            default: break
            }
            return .rest(nil)
        }

        private enum BlockType {
            static let section: UInt32 = 0x0a0d_0d0a
            static let interface: UInt32 = 1
            static let obsoletePacket: UInt32 = 2
            static let simplePacket: UInt32 = 3
            static let packet: UInt32 = 6
        }
    }

    // MARK: Blocks

    extension PcapngReader {
        /// Reads the beginning of a block into the buffer, type first. Returns whether there is one.
        private mutating func enterBlock(of stream: PcapStream) throws(SystemError) -> Bool {
            start = stream.position
            left = 8
            let count = unsafe stream.read(into: bytes, 8)
            if count == 0 && !stream.hasFailed { return false }
            if count < 8 { throw cutOff(stream) }
            var shortest: UInt32 = 12
            if number(0, of: 4) == BlockType.section {  // the same in both byte orders
                try readByteOrder(stream)
                shortest = 28
            }
            length = number(4, of: 4)
            if length < shortest || length % 4 != 0 { throw fault("a block has an impossible length") }
            left = Int(length) - PcapngReader.frameLength - (shortest == 28 ? 4 : 0)
            return true
        }

        /// Reads the byte-order magic behind a section's length.
        private mutating func readByteOrder(_ stream: PcapStream) throws(SystemError) {
            let rest = unsafe UnsafeMutableBufferPointer(rebasing: bytes[8..<12])
            if unsafe stream.read(into: rest, 4) < 4 { throw cutOff(stream) }
            isBigEndian = false
            if number(8, of: 4) == 0x1a2b_3c4d { return }
            isBigEndian = true
            if number(8, of: 4) != 0x1a2b_3c4d { throw fault("a section has no byte order") }
        }

        /// Skips the rest of a block, and compares the length at its end with that at its beginning.
        private mutating func leaveBlock(_ stream: PcapStream) throws(SystemError) {
            left -= stream.skip(left)
            stream.endStep()  // a block can be longer than the buffer of a step
            var end: UInt32 = 0
            let count = unsafe withUnsafeMutableBytes(of: &end) { place in
                unsafe stream.read(into: place.bindMemory(to: UInt8.self), 4)
            }
            if count < 4 { throw cutOff(stream) }
            let isSame = (isBigEndian ? UInt32(bigEndian: end) : UInt32(littleEndian: end)) == length
            if !isSame { throw fault("a block ends in another length than it begins with") }
        }

        /// Reads bytes of the content to the beginning of the buffer.
        private mutating func readContent(_ count: Int, of stream: PcapStream) throws(SystemError) {
            if count > left { throw fault("a block is shorter than what is in it") }
            if unsafe stream.read(into: bytes, count) < count { throw cutOff(stream) }
            left -= count
        }

        /// A number of at most four bytes, from the bytes read last.
        private func number(_ offset: Int, of count: Int) -> UInt32 {
            var value: UInt32 = 0
            for index in 0..<count {
                let place = offset + (isBigEndian ? index : count - 1 - index)
                value = value << 8 | UInt32(unsafe bytes[place])
            }
            return value
        }

        private func cutOff(_ stream: PcapStream) -> SystemError {
            if stream.hasFailed { return SystemError(name, place, code: clinux_errno()) }
            return fault("the file is cut off: it ends within a block")
        }

        private func fault(_ reason: CString, _ number: Int32? = nil) -> SystemError {
            SystemError(name, place, because: reason, number)
        }

        private var place: CString { unsafe CString(unsafe: cpcap_reading_at(start)) }
    }

    // MARK: Contents of blocks

    extension PcapngReader {
        /// Each section has its own interfaces.
        private mutating func readSection(_ stream: PcapStream) throws(SystemError) {
            try readContent(4, of: stream)
            let version = number(0, of: 2)
            if version != 1 { throw fault("a section is of a version that is not known: ", Int32(version)) }
            interfaceCount = 0
        }

        private mutating func readInterface(_ stream: PcapStream) throws(SystemError) -> PcapngInterface {
            if interfaceCount == PcapngReader.mostInterfaces {
                throw fault("too many interfaces: the most are ", Int32(PcapngReader.mostInterfaces))
            }
            try readContent(8, of: stream)
            var interface = PcapngInterface()
            interface.dataLinkType = Int32(number(0, of: 2))
            interface.snapshot = Int(number(4, of: 4))
            return interface
        }

        /// Reads the next option of an interface, or adds the interface if there is none.
        private mutating func goThroughOptions(
            of interface: PcapngInterface, _ stream: PcapStream
        ) throws(SystemError) -> Stage {
            var interface = interface
            let before = left
            do throws(SystemError) {
                if try readOption(of: &interface, stream) { return .options(interface) }
            } catch {
                left = before
                throw error
            }
            unsafe interfaces[interfaceCount] = interface
            interfaceCount += 1
            return .rest(nil)
        }

        /// Reads an option of an interface. Returns whether there was one.
        private mutating func readOption(
            of interface: inout PcapngInterface, _ stream: PcapStream
        ) throws(SystemError) -> Bool {
            if left < 4 { return false }
            try readContent(4, of: stream)
            let (code, count) = (number(0, of: 2), Int(number(2, of: 2)))
            if code == 0 { return false }
            if (count + 3) & ~3 > left { throw fault("an option is longer than its block") }
            try readOption(code, count, of: &interface, stream)
            return true
        }

        private mutating func readOption(
            _ code: UInt32, _ count: Int, of interface: inout PcapngInterface, _ stream: PcapStream
        ) throws(SystemError) {
            let padded = (count + 3) & ~3
            try readContent(padded, of: stream)
            switch code {
            case 9:  // if_tsresol
                let resolution = count == 1 ? UInt8(truncatingIfNeeded: number(0, of: 1)) : .max
                if interface.setResolution(resolution) { return }
                throw fault("an interface has an impossible resolution of time")
            case 14:  // if_tsoffset
                if count != 8 { throw fault("an interface has an impossible offset of time") }
                let (first, second) = (UInt64(number(0, of: 4)), UInt64(number(4, of: 4)))
                interface.offset = Int64(bitPattern: isBigEndian ? first << 32 | second : second << 32 | first)
            default: break
            }
        }

        private mutating func readPacket(
            _ stream: PcapStream, isObsolete: Bool
        ) throws(SystemError) -> FilePacket {
            try readContent(20, of: stream)
            let index = number(0, of: isObsolete ? 2 : 4)
            let units = UInt64(number(4, of: 4)) << 32 | UInt64(number(8, of: 4))
            let (captured, whole) = (number(12, of: 4), number(16, of: 4))
            let interface = try interface(index)
            if captured > UInt32(PcapngReader.longestPacket) { throw fault("a packet is longer than any can be") }
            return try packet(Int(captured), of: Int(whole), interface, at: interface.realTime(of: units), stream)
        }

        /// A packet without a timestamp, of the first interface.
        private mutating func readSimplePacket(_ stream: PcapStream) throws(SystemError) -> FilePacket {
            try readContent(4, of: stream)
            let whole = Int(number(0, of: 4))
            let interface = try interface(0)
            let most = min(interface.snapshot == 0 ? .max : interface.snapshot, PcapngReader.longestPacket)
            return try packet(min(whole, most), of: whole, interface, at: interface.realTime(of: 0), stream)
        }

        private func interface(_ index: UInt32) throws(SystemError) -> PcapngInterface {
            if index >= UInt32(interfaceCount) { throw fault("a packet is of an interface that there is not") }
            return unsafe interfaces[Int(index)]
        }

        private mutating func packet(
            _ captured: Int, of whole: Int, _ interface: PcapngInterface, at realTime: Int64, _ stream: PcapStream
        ) throws(SystemError) -> FilePacket {
            try readContent(captured, of: stream)
            let bytes = unsafe UnsafeBufferPointer(rebasing: bytes[..<captured])
            return unsafe FilePacket(
                bytes: bytes, wholeLength: whole, realTime: realTime, dataLinkType: interface.dataLinkType)
        }
    }

    /// The description of an interface in a pcapng file.
    @usableFromInline struct PcapngInterface {
        /// The number of its link type, a LINKTYPE_.
        var dataLinkType: Int32 = 0
        /// The maximum number of bytes captured of a packet, 0 for no limit.
        var snapshot = 0
        /// The offset of timestamps, in seconds.
        var offset: Int64 = 0
        /// The resolution of timestamps: this many decimal digits or, if binary, bits of a second.
        private var digits = 6
        private var isBinary = false

        init() {}

        /// Sets the resolution of if_tsresol. Returns whether it is valid.
        mutating func setResolution(_ resolution: UInt8) -> Bool {
            isBinary = resolution & 0x80 != 0
            digits = Int(resolution & 0x7f)
            return digits <= (isBinary ? 63 : 19)
        }

        /// A timestamp in nanoseconds since 1970, clamped to the range of the type.
        func realTime(of units: UInt64) -> Int64 {
            let (seconds, rest) = isBinary ? binary(units) : decimal(units)
            let (sum, overflow) = Int64(clamping: seconds).addingReportingOverflow(offset)
            return nanoseconds(seconds: overflow ? .max : sum, and: rest)
        }

        private func decimal(_ units: UInt64) -> (seconds: UInt64, nanoseconds: Int64) {
            let (seconds, rest) = units.quotientAndRemainder(dividingBy: power(digits))
            return (seconds, Int64(digits <= 9 ? rest * power(9 - digits) : rest / power(digits - 9)))
        }

        private func power(_ exponent: Int) -> UInt64 {
            var power: UInt64 = 1
            for _ in 0..<exponent { power *= 10 }
            return power
        }

        /// Beyond 34 bits, lower ones are less than a nanosecond, and would leave no room to multiply.
        private func binary(_ units: UInt64) -> (seconds: UInt64, nanoseconds: Int64) {
            let kept = min(digits, 34)
            let rest = (units & (1 << UInt64(digits) - 1)) >> UInt64(digits - kept)
            return (units >> UInt64(digits), Int64((rest * 1_000_000_000) >> UInt64(kept)))
        }
    }

    /// A packet of a capture file, valid until the next one is read.
    @safe @usableFromInline struct FilePacket {
        private let bytes: UnsafeBufferPointer<UInt8>
        /// Its original length, in bytes.
        let wholeLength: Int
        /// Its timestamp, in nanoseconds since 1970 UTC.
        let realTime: Int64
        /// The link type of its frame, as for ``LinkLayer/init(dataLinkType:)``.
        let dataLinkType: Int32

        /// - Parameter bytes: must stay valid until the next packet is read.
        init(bytes: UnsafeBufferPointer<UInt8>, wholeLength: Int, realTime: Int64, dataLinkType: Int32) {
            unsafe self.bytes = bytes
            self.wholeLength = wholeLength
            self.realTime = realTime
            self.dataLinkType = dataLinkType
        }

        /// How many bytes were captured.
        var count: Int { unsafe bytes.count }

        /// Whether the capture truncated it.
        var isCut: Bool { count < wholeLength }

        /// Passes its bytes to a function.
        func withBytes<Result, Failure>(_ body: (Span<UInt8>) throws(Failure) -> Result) throws(Failure) -> Result {
            try body(unsafe bytes.span)
        }
    }
#endif
