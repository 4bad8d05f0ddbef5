import CLinux
import ScanCore
import System

/// The input is what the helper for names writes: what is read of it is compared with a slow reader that shares no code
/// with it. The helper reads what the network sends, so it may be anybody's.
@c(LLVMFuzzerTestOneInput)
public func resolverMessageFuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    checkMessage(bytes)
    checkMessage(Array((bytes + [UInt8](repeating: 0, count: SlowAnswer.size)).prefix(SlowAnswer.size)))
    return 0
}

/// A pair of sockets as the command and its helper have it, made once.
private let wire: (Int32, Int32) = {
    do throws(SystemError) {
        let ends = try makeSockets("wire")
        return (ends[0], ends[1])
    } catch {
        fatalError("no pair of sockets")
    }
}()

private func checkMessage(_ bytes: [UInt8]) {
    if bytes.isEmpty { return }  // is the end
    check(unsafe sendMessage(bytes.span.bytes, to: wire.0), "the message was not sent")
    var message = ResolverMessage.none
    let received = message.receive(from: wire.1)
    // What is longer than a message is cut to one by the kernel.
    guard bytes.count >= SlowAnswer.size else {
        check(received == .end, "\(bytes.count) bytes are a message")
        return
    }
    check(received == .message, "a message is \(received)")
    let expected = SlowAnswer(bytes)
    check(SlowAnswer(message) == expected, "\(SlowAnswer(message)) where the slow reader says \(expected)")
    for moment in [expected.due, expected.due &- 1, 0, .max, .min] {
        let isOver = message.isOver(at: Timestamp(nanoseconds: moment))
        check(isOver == (moment >= expected.due), "over is \(isOver) at \(moment) of \(expected.due)")
    }
    checkSentOn(message, Array(bytes.prefix(SlowAnswer.size)))
    checkAnswer(message, expected)
}

/// It goes on byte for byte: each process hands to the next what the one before it said.
private func checkSentOn(_ message: ResolverMessage, _ bytes: [UInt8]) {
    check(message.send(to: wire.0), "the message was not sent on")
    var buffer = [UInt8](repeating: 0xa5, count: SlowAnswer.size + 1)
    let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(wire.1, $0.baseAddress, $0.count) }
    check(count == SlowAnswer.size && Array(buffer.dropLast()) == bytes, "\(count) bytes that are not those received")
}

/// The helper may answer only what it was asked: a question that takes over another answer keeps its own address.
private func checkAnswer(_ message: ResolverMessage, _ expected: SlowAnswer) {
    let address = Address(ipv6High: 0x2001_0db8_0000_0000, low: 7)
    var question = ResolverMessage(address, due: Timestamp(nanoseconds: 99))
    question.answer(as: message)
    let answered = SlowAnswer(question)
    check(question.address == address && !question.isOver(at: Timestamp(nanoseconds: 98)), "the question has changed")
    check(answered.name == expected.name, "another name than that of the answer")

    guard let name = message.name else { return }
    var own = ResolverMessage(address, due: Timestamp(nanoseconds: 99))
    check(own.name == nil, "a question has a name")
    own.answer(name)
    check(own.name == name, "a name is another as an answer")
}

/// What a message says, read from its bytes by their places.
private struct SlowAnswer: Equatable {
    /// Three numbers of 8 bytes, family, length, 128 bytes of a name, a flag.
    static let size = 155

    var address: Address
    var due: Int64 = 0
    var name: [UInt8]?
    var isUnanswered: Bool

    init(_ bytes: [UInt8]) {
        let high = SlowAnswer.number(bytes[0..<8])
        let low = SlowAnswer.number(bytes[8..<16])
        let isIPv4 = bytes[24] == 4
        address = isIPv4 ? Address(ipv4: UInt32(low % (1 << 32))) : Address(ipv6High: high, low: low)
        due = Int64(bitPattern: SlowAnswer.number(bytes[16..<24]))
        name = SlowAnswer.name(Array(bytes[26..<154].prefix(Int(bytes[25]))))
        isUnanswered = bytes[154] != 0
    }

    init(_ message: ResolverMessage) {
        address = message.address
        name = message.name.map { name in (0..<name.count).map { name[$0] } }
        isUnanswered = message.isUnanswered
    }

    /// But for the time that it is due, which a message does not give away.
    static func == (one: SlowAnswer, other: SlowAnswer) -> Bool {
        one.address == other.address && one.name == other.name && one.isUnanswered == other.isUnanswered
    }

    /// In the order of the machines this runs on.
    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 * 256 + UInt64($1) }
    }

    /// The bytes, if they may stand for an address in a line: none that a reader splits a line at, and nothing that a
    /// program takes for an address.
    private static func name(_ bytes: [UInt8]) -> [UInt8]? {
        let text = String(decoding: bytes, as: UTF8.self)
        let allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"
        guard let first = text.first, first != "-", first != ".", text.allSatisfy(allowed.contains) else { return nil }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false).map { $0.lowercased() }
        // A dot at the end belongs to the label before it.
        let isRooted = labels.count > 1 && labels.last == ""
        let last = isRooted ? labels[labels.count - 2] : labels[labels.count - 1]
        return isNumber(last) ? nil : bytes
    }

    private static func isNumber(_ label: String) -> Bool {
        if label.hasPrefix("0x") { return label.dropFirst(2).allSatisfy { "0123456789abcdef".contains($0) } }
        return label.allSatisfy { "0123456789".contains($0) }
    }
}
