import Foundation
import Testing

/// The example of README is the file beside this one, which compiles and runs.
struct ReadmeTests {
    @Test func theExampleStandsInReadme() throws {
        let here = URL(filePath: #filePath).deletingLastPathComponent()
        let example = try String(contentsOf: here.appending(path: "ReadmeExample.swift"), encoding: .utf8)
        let readme = try String(contentsOf: here.appending(path: "../../README.md"), encoding: .utf8)
        #expect(readme.contains("```swift\n" + example + "```"))
    }

    @Test func theExampleReportsAScan() {
        let packets = (1...7).map { IPv4Packet(payload: TCPHeader(destinationPort: $0, flags: .syn).bytes).bytes }
        var watcher = ScanWatcher()
        var lines: [String] = []
        for packet in packets {
            if let line = watcher.take(packet.span, at: 0, realTime: 0) { lines.append(line) }
        }
        #expect(lines.count == 1)
        #expect(lines.first?.hasSuffix("ports 1, 2, 3, 4, 5, 6, ..., fSrpauxy, TOS b8, TTL 57 @12:34:56") == true)
    }
}
