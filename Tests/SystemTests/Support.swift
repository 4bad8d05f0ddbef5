import CLinux
import ScanCore
import System
import Testing

extension LogLine {
    var text: String { String(decoding: (0..<count).map { bytes[$0] }, as: UTF8.self) }
}

/// A file without a name, opened to be read and written.
func temporaryFile() throws -> Descriptor {
    var template = Array("/tmp/system-test-XXXXXX".utf8CString)
    let file = Descriptor(owning: unsafe mkstemp(&template))
    try #require(file.number >= 0)
    unsafe unlink(template)
    return file
}

/// A path that leads to an open file; the text is kept for as long as the process lives, as CString asks for it.
func path(of descriptor: borrowing Descriptor) -> CString {
    unsafe CString(unsafe: strdup("/proc/self/fd/\(descriptor.number)"))
}

/// All bytes of a file, from its beginning.
func contents(of descriptor: borrowing Descriptor) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 100_000)
    let count = unsafe pread(descriptor.number, &buffer, buffer.count, 0)
    return Array(buffer.prefix(max(count, 0)))
}

func write(_ text: String, to descriptor: borrowing Descriptor) throws {
    let bytes = Array(text.utf8)
    try #require(unsafe CLinux.write(descriptor.number, bytes, bytes.count) == bytes.count)
}
