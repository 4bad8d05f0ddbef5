import Testing

@testable import ScanCore

/// What may stand in a line as a name.
struct HostNameTests {
    @Test(arguments: [
        "a", "host", "mail.example.net", "_dmarc.example.net", "a-b.c-d", "xn--bcher-kva.example", "UPPER.Example",
        "7up.example", "3com", "0x.example", "host.", "10.0.0.1.example", "1e5g", "0xcafeg", "fff", "x0",
    ])
    func aNameIsPrintedAsItIs(text: String) throws {
        let name = try #require(hostName(Array(text.utf8)))
        var line = LogLine("|")
        line.append(name)
        #expect(line.text == "|" + text)
    }

    @Test func everyByteButThoseAllowedIsRefusedAtEachPlace() {
        let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_".utf8)
        #expect(allowed.count == 65)
        for place in 0..<5 {
            for byte in UInt8.min...UInt8.max {
                var bytes = Array("hostx".utf8)
                bytes[place] = byte
                let isFit = allowed.contains(byte) && (place > 0 || !"-.".utf8.contains(byte))
                #expect((hostName(bytes) != nil) == isFit, "byte \(byte) at \(place)")
            }
        }
    }

    @Test(arguments: [1, 2, 127, 128])
    func aNameOfAllowedLengthIsKeptWhole(length: Int) throws {
        let bytes = (0..<length).map { UInt8(ascii: "a") + UInt8($0 % 26) }
        let name = try #require(hostName(bytes))
        #expect((0..<name.count).map { name[$0] } == bytes)
    }

    @Test(arguments: [0, 129, 230, 255, 256, 384, 1000])
    func aNameOfAnotherLengthIsNone(length: Int) {
        #expect(hostName([UInt8](repeating: UInt8(ascii: "a"), count: length)) == nil)
    }

    @Test(arguments: [
        "1", "0", "192.0.2.1", "192.0.2.1.", "host.1", "3232235777", "0x7f000001", "0X7F000001", "10.0x1", "1.0xfF.",
        "a.0x", "0x", "017700000001", "example.007", "a..", ".", "..", "-", "-host", ".host", "|", "a|b", "a b",
        "\u{1b}[2J",
        "a\n", "a\0", "münchen.example",
    ])
    func whatCouldBeReadAsSomethingElseIsNone(text: String) {
        #expect(hostName(Array(text.utf8)) == nil)
    }

    @Test func namesAreEqualWhenAllBytesAre() {
        let names = ["host", "Host", "hos", "hostx", "iost"].map { hostName(Array($0.utf8)) }
        for one in names.indices {
            for other in names.indices { #expect((names[one] == names[other]) == (one == other)) }
        }
    }

    @Test func theNameOfNobodyIsAllZero() {
        var name = HostName()
        let bytesThatAreNot = unsafe withUnsafeBytes(of: &name) { unsafe $0.count { $0 != 0 } }
        #expect(bytesThatAreNot == 0 && name.count == 0)
        #expect(MemoryLayout<HostName>.size == 129)
    }
}

/// The name that bytes make, if they make one.
func hostName(_ bytes: [UInt8]) -> HostName? { HostName(bytes.span) }
