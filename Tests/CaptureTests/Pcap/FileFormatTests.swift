#if Pcap
    import ScanCore
    import Testing

    @testable import Capture

    /// What a file is that has to be read by another program first.
    struct FileFormatTests {
        @Test(
            arguments: [
                ("gzip", "zcat", [0x1f, 0x8b, 8, 0, 0, 0]), ("compress", "zcat", [0x1f, 0x9d, 0x90, 0, 0, 0]),
                ("zstd", "zstdcat", [0x28, 0xb5, 0x2f, 0xfd, 0, 0]),
                ("xz", "xzcat", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]),
                ("bzip2", "bzcat", [0x42, 0x5a, 0x68, 0x39, 0x31, 0x41]),
                ("lz4", "lz4cat", [4, 0x22, 0x4d, 0x18, 0x64, 0x40]),
                ("lz4", "lz4cat", [2, 0x21, 0x4c, 0x18, 0, 0]), ("lzip", "lzip -dc", [0x4c, 0x5a, 0x49, 0x50, 1, 0]),
                ("zip", "unzip -p", [0x50, 0x4b, 3, 4, 0, 0]),
            ] as [(String, String, [UInt8])])
        func aCompressedFileIsCalledThatAndHowToReadIt(kind: String, program: String, start: [UInt8]) throws {
            let bytes = start + [UInt8](repeating: 7, count: 100)
            let beginning = "FILE: read: compressed with \(kind); try '\(program) FILE | "
            #expect(try replay(bytes).error == beginning + "scanlogd -r -'")
            #expect(replay(try TestFile(pipeWith: bytes)).error == beginning + "scanlogd -r -'")
            var attempts = CaptureOptions()
            attempts.interest = .attempts
            #expect(try replay(bytes, attempts).error == beginning + "scanlogd connections --read -'")
        }
    }
#endif
