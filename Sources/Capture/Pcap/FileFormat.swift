#if Pcap
    import ScanCore
    import System

    /// The format of a file, by its first bytes.
    enum FileFormat {
        case pcapng
        /// A capture file that must be decompressed by another program first.
        case compressed(kind: CString, program: CString)
        /// A format that libpcap may support.
        case other

        /// Determines the format from the beginning of a stream, and consumes nothing; `nil` if too few bytes have been
        /// read yet.
        init?(of stream: PcapStream) {
            let first = stream.peek()
            if stream.isStarved { return nil }
            stream.undoStep()
            let byte = { (index: Int) -> UInt64 in first >> UInt64(56 - 8 * index) & 0xff }
            switch first >> 32 {
            case 0x0a0d_0d0a: self = .pcapng
            case 0x28b5_2ffd: self = .compressed(kind: "zstd", program: "zstdcat")
            case 0xfd37_7a58 where byte(4) == 0x5a: self = .compressed(kind: "xz", program: "xzcat")
            case 0x0422_4d18, 0x0221_4c18: self = .compressed(kind: "lz4", program: "lz4cat")
            case 0x4c5a_4950: self = .compressed(kind: "lzip", program: "lzip -dc")
            case 0x504b_0304: self = .compressed(kind: "zip", program: "unzip -p")
            case 0x425a_6831...0x425a_6839: self = .compressed(kind: "bzip2", program: "bzcat")  // BZh1 to BZh9
            default:
                switch first >> 48 {
                case 0x1f8b: self = .compressed(kind: "gzip", program: "zcat")
                case 0x1f9d: self = .compressed(kind: "compress", program: "zcat")
                default: self = .other
                }
            }
        }
    }

    extension PcapStream {
        /// The first eight bytes, the first one highest; 0 in place of missing ones.
        fileprivate func peek() -> UInt64 {
            var bytes = InlineArray<8, UInt8>(repeating: 0)
            var span = bytes.mutableSpan
            unsafe span.withUnsafeMutableBufferPointer { buffer in
                _ = unsafe read(into: buffer, buffer.count)
            }
            var value: UInt64 = 0
            for index in bytes.indices { value = value << 8 | UInt64(bytes[index]) }
            return value
        }
    }
#endif
