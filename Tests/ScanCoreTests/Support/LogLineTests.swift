import Testing

@testable import ScanCore

/// A line put together piece by piece.
struct LogLineTests {
    private func text(_ build: (inout LogLine) -> Void) -> String {
        var line = LogLine()
        build(&line)
        return line.text
    }

    @Test func aNewLineIsEmpty() {
        #expect(LogLine().text.isEmpty)
        #expect(LogLine.capacity == 512)
    }

    @Test func textIsAppendedByteForByte() {
        #expect(text { $0.append("scan") } == "scan")
        #expect(text { $0.append("") }.isEmpty)
        #expect(text { line in for word in ["a", "é", "€", "b"] { line.append(word) } } == "aé€b")
        #expect(text { $0.append(byte: UInt8(ascii: "!")) } == "!")
    }

    @Test(arguments: [
        0, 1, 9, 10, 11, 99, 100, 255, 65_535, 4_294_967_295, 9_999_999_999, 10_000_000_000, UInt64.max - 1,
        UInt64.max,
    ])
    func decimalNumbersAreWrittenWithoutPadding(value: UInt64) {
        #expect(text { $0.append(decimal: value) } == String(value))
    }

    @Test func everyWidthOfIntegerIsTaken() {
        #expect(text { $0.append(decimal: UInt8.max) } == "255")
        #expect(text { $0.append(decimal: UInt16.max) } == "65535")
        #expect(text { $0.append(decimal: UInt32.max) } == "4294967295")
        #expect(text { $0.append(decimal: UInt.max) } == "18446744073709551615")
    }

    @Test(arguments: 1...20)
    func decimalNumbersArePaddedToTheWidth(width: Int) {
        let zeros = String(repeating: "0", count: width - 1)
        #expect(text { $0.append(decimal: UInt8(0), width: width) } == zeros + "0")
        #expect(text { $0.append(decimal: UInt8(7), width: width) } == zeros + "7")
        #expect(text { $0.append(decimal: UInt64.max, width: width) } == "18446744073709551615")
        let expected = width <= 3 ? "123" : zeros.dropLast(2) + "123"
        #expect(text { $0.append(decimal: UInt8(123), width: width) } == expected)
    }

    @Test(arguments: [
        (UInt16(0), 1, "0"), (0, 2, "00"), (0, 4, "0000"), (9, 1, "9"), (10, 1, "a"), (15, 2, "0f"),
        (16, 1, "10"),
        (0xff, 1, "ff"), (0x100, 1, "100"), (0x100, 2, "100"), (0xfff, 4, "0fff"), (0x1000, 1, "1000"),
        (0x1000, 4, "1000"), (0xffff, 1, "ffff"), (0xabcd, 3, "abcd"), (0xff, 3, "0ff"),
    ])
    func hexadecimalNumbersArePaddedToTheWidth(value: UInt16, width: Int, expected: String) {
        #expect(text { $0.append(hexadecimal: value, width: width) } == expected)
    }

    @Test func everyHexadecimalNumberIsTheLibrarys() {
        for value in UInt16.min...UInt16.max where value % 7 == 0 {
            #expect(text { $0.append(hexadecimal: value) } == String(value, radix: 16))
        }
    }

    @Test(arguments: 510...514)
    func whatDoesNotFitIsLeftOut(length: Int) {
        let long = String(repeating: "x", count: length)
        let kept = min(length, 512)
        #expect(text { $0.append(long) } == String(long.prefix(kept)))
        let digits = text { line in
            line.append(long)
            line.append(decimal: UInt16(12_345))
        }
        #expect(digits == String((long.prefix(kept) + "12345").prefix(512)))
    }

    @Test func aFullLineTakesNothingAndLosesNothing() {
        var line = LogLine()
        for index in 0..<600 { line.append(byte: UInt8(ascii: "a") + UInt8(index % 26)) }
        let before = line.text
        line.append("more")
        line.append(decimal: UInt64.max)
        line.append(hexadecimal: 0xffff)
        line.append(address("fd77::1"))
        #expect(line.text == before)
        #expect(line.count == 512)
    }

    @Test(arguments: [(-1, ""), (0, ""), (1, "s"), (3, "sca"), (4, "scan"), (5, "scan"), (600, "scan")])
    func aLineIsShortenedAndNeverLengthened(count: Int, expected: String) {
        let shortened = text { line in
            line.append("scan")
            line.shorten(to: count)
        }
        #expect(shortened == expected)
    }

    @Test func aShortenedLineIsWrittenOn() {
        let line = text { line in
            line.append("scanner")
            line.shorten(to: 4)
            line.append("!")
        }
        #expect(line == "scan!")
    }
}
