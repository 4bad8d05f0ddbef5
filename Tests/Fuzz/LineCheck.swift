#if canImport(ScanCore)
    import ScanCore
#endif

/// The line about an attempt has five fields, and nothing in it that could be taken for more.
func checkLine(_ attempt: Attempt) {
    var date = LogLine()
    date.append(epoch: attempt.realTime)
    let line = LogLine(attempt, date: date)
    let text = (0..<line.count).map { line.bytes[$0] }
    let fields = text.split(separator: UInt8(ascii: "|"), omittingEmptySubsequences: false)
    check(fields.count == 5, "\(fields.count) fields")
    check(fields.allSatisfy { !$0.isEmpty }, "an empty field")
    check(text.count < 120, "a line of \(text.count) bytes")
    let digits = Set("0123456789".utf8)
    let allowed = [digits.union("-.".utf8), digits.union("abcdef:.".utf8), digits]
    for (field, kind) in zip(fields, [0, 1, 2, 1, 2]) {
        check(Set(field).isSubset(of: allowed[kind]), String(decoding: text, as: UTF8.self))
    }
    check(fields[2].elementsEqual(String(attempt.sourcePort).utf8), "the source port is another")
    check(fields[4].elementsEqual(String(attempt.destinationPort).utf8), "the destination port is another")
}
