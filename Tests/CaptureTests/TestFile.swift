import CLinux
import System
import Testing

@testable import Capture

/// A file without a name, or a pipe, that holds some bytes. Not Foundation's: its C headers contradict CLinux.
struct TestFile: ~Copyable {
    private let descriptor: Descriptor

    /// A path that leads to it as long as this value lives.
    var path: String { "/proc/self/fd/\(descriptor.number)" }

    init(_ bytes: [UInt8]) throws {
        var template = Array("/tmp/capture-test-XXXXXX".utf8CString)
        let file = Descriptor(owning: unsafe mkstemp(&template))
        try #require(file.number >= 0)
        unsafe unlink(template)
        try #require(unsafe write(file.number, bytes, bytes.count) == bytes.count)
        descriptor = file
    }

    /// - Parameter bytes: no more than a pipe holds.
    init(pipeWith bytes: [UInt8]) throws {
        var ends: [Int32] = [-1, -1]
        let made = unsafe pipe(&ends)
        try #require(made == 0)
        let input = Descriptor(owning: ends[0])
        let output = Descriptor(owning: ends[1])
        try #require(unsafe write(output.number, bytes, bytes.count) == bytes.count)
        descriptor = input
    }

    /// The bytes of a file of the tests.
    static func contents(_ name: String) throws -> String {
        let folder = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let file = Descriptor(owning: unsafe clinux_open("/\(folder)/Fixtures/\(name)", O_RDONLY, 0))
        try #require(file.number >= 0)
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe read(file.number, &buffer, buffer.count)
            if count <= 0 { return String(decoding: text, as: UTF8.self) }
            text += buffer.prefix(count)
        }
    }
}
