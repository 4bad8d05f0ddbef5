/// Whatever an event is about, its text is one object of JSON in valid UTF-8, with the fields that each event has.
func checkEvent(_ content: EventContent, line: LogLine) {
    var stamps = EventStamps(run: 0x0bad_cafe)
    let event = Event(stamps.next(at: 1_795_252_971_123_456_789), content)
    let text = EventText(event, line: line)
    let bytes = (0..<text.count).map { text.bytes[$0] }
    check(text.count < EventText.capacity, "an event of \(text.count) bytes")
    guard let string = String(validating: bytes, as: UTF8.self) else { return check(false, "\(bytes) is no UTF-8") }
    let head = #"{"v":1,"kind":"\#(content.kind)","run":"0badcafe","seq":1,"time":1795252971.123456,"#
    check(string.hasPrefix(head), string)
    var reader = JSONReader(bytes)
    check(reader.takeValue() && reader.isAtEnd, "no JSON: \(string)")
    let journal = JournalText(event, line: line, level: 1, ident: LogLine("scanlogd"))
    check(journal.count < JournalText.capacity, "a datagram of \(journal.count) bytes")
}

/// A slow and strict reader of JSON (RFC 8259), without blanks, that shares no code with what writes it.
private struct JSONReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }

    private mutating func take(_ character: Character) -> Bool {
        if rest.first != character.asciiValue { return false }
        rest.removeFirst()
        return true
    }

    private mutating func take(word: String) -> Bool {
        if !rest.starts(with: word.utf8) { return false }
        rest.removeFirst(word.utf8.count)
        return true
    }

    mutating func takeValue() -> Bool {
        switch rest.first {
        case UInt8(ascii: "{"): takeObject()
        case UInt8(ascii: "["): takeList()
        case UInt8(ascii: "\""): takeString() != nil
        case UInt8(ascii: "t"): take(word: "true")
        case UInt8(ascii: "f"): take(word: "false")
        default: takeNumber()
        }
    }

    private mutating func takeObject() -> Bool {
        var names: Set<[UInt8]> = []
        if !take("{") { return false }
        repeat {
            guard let name = takeString(), names.insert(name).inserted, take(":"), takeValue() else { return false }
        } while take(",")
        return take("}")
    }

    private mutating func takeList() -> Bool {
        if !take("[") { return false }
        if take("]") { return true }
        repeat {
            if !takeValue() { return false }
        } while take(",")
        return take("]")
    }

    private mutating func takeString() -> [UInt8]? {
        if !take("\"") { return nil }
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return bytes
            case 0..<0x20: return nil
            case UInt8(ascii: "\\"):
                if take("\"") || take("\\") { continue }
                if !take("u") || rest.count < 4 { return nil }
                if !rest.prefix(4).allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) { return nil }
                rest.removeFirst(4)
            default: bytes.append(byte)
            }
        }
        return nil
    }

    private mutating func takeNumber() -> Bool {
        _ = take("-")
        let whole = takeDigits()
        if whole.isEmpty || whole.count > 1 && whole.first == UInt8(ascii: "0") { return false }
        return !take(".") || !takeDigits().isEmpty
    }

    private mutating func takeDigits() -> ArraySlice<UInt8> {
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        rest.removeFirst(digits.count)
        return digits
    }
}
