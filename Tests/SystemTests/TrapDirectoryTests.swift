import CLinux
import ScanCore
import System
import Testing

/// What limits traps.
struct TrapDirectoryTests {
    /// Lends a new directory.
    private func withDirectory(_ body: (CString) throws -> Void) throws {
        var template = Array("/tmp/traps-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.map { unsafe mkdtemp($0) != nil } ?? false
        }
        try #require(made)
        let path = unsafe strdup(template)
        guard let path = unsafe path else { return }
        defer {
            for name in ["run.0", "run.1", "run.2", "run.3", "sources"] {
                unsafe unlink("\(String(cString: path))/\(name)")
            }
            unsafe rmdir(path)
            unsafe free(path)
        }
        try body(unsafe CString(unsafe: path))
    }

    private func source(_ number: UInt32) -> TrapSource { TrapSource(Address(ipv4: number)) }

    /// What becomes of a request, in a word; the descriptor of one that is admitted goes to `kept`.
    private func outcome(
        _ directory: borrowing TrapDirectory, _ source: TrapSource, kept: inout [Int32]
    ) throws -> String {
        switch try directory.admit(source) {
        case .admitted(let slot):
            kept.append(slot.release())
            return "admitted"
        case .tooMany: return "too many"
        case .tooSoon: return "too soon"
        case .tooManySources: return "too many sources"
        }
    }

    @Test func fourRunAndTheFifthDoesNot() throws {
        try withDirectory { path in
            let directory = try TrapDirectory(path)
            var kept: [Int32] = []
            for number: UInt32 in 1...4 {
                // Locks are those of open files: each process opens its own.
                #expect(try outcome(try TrapDirectory(path), source(number), kept: &kept) == "admitted")
            }
            #expect(try outcome(directory, source(5), kept: &kept) == "too many")
            #expect(try outcome(directory, source(1), kept: &kept) == "too soon")
            close(kept.removeFirst())
            #expect(try outcome(directory, source(5), kept: &kept) == "admitted")
            #expect(try outcome(directory, source(5), kept: &kept) == "too soon")
            for slot in kept { close(slot) }
        }
    }

    @Test func aNetworkOfIPv6IsOneSource() {
        let one = TrapSource(Address(ipv6High: 0x2001_0db8_0000_0001, low: 1))
        #expect(one == TrapSource(Address(ipv6High: 0x2001_0db8_0000_0001, low: .max)))
        #expect(one != TrapSource(Address(ipv6High: 0x2001_0db8_0000_0002, low: 1)))
        #expect(source(7) != TrapSource(Address(ipv6High: 7, low: 0)))
        #expect(source(7) != source(8))
    }
}
