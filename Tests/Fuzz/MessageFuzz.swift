import ScanCore
import System

/// The input is what one process of the daemon writes to another: what is received is compared with a slow reader that
/// shares no code with it, and goes back as it is.
@c(LLVMFuzzerTestOneInput)
public func messageFuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    checkMessage(bytes)
    checkMessage(bytes + [UInt8](repeating: 0, count: max(0, Message.size - count)))
    checkText(bytes)
    return 0
}

/// A socket that keeps messages apart, whose other end the input is written to.
private struct Wire: ~Copyable {
    let other: Descriptor
    let channel: MessageChannel

    init() {
        do throws(SystemError) {
            let ends = try makeSockets("wire")
            other = Descriptor(owning: ends[0])
            channel = MessageChannel(owning: ends[1], peer: "peer")
        } catch {
            fatalError("no pair of sockets")
        }
    }

    func write(_ bytes: [UInt8]) {
        check(unsafe sendMessage(bytes.span.bytes, to: other.number), "the message was not written")
    }
}

/// What comes out of a channel, with and without an open file.
private func checkMessage(_ bytes: [UInt8]) {
    if bytes.isEmpty { return }  // is the end
    let wire = Wire()
    // What is longer than a message is cut to one by the kernel.
    let expected = SlowMessage(Array(bytes.prefix(512)))

    wire.write(bytes)
    var received = Message(.stop)
    do throws(SystemError) {
        let outcome = try wire.channel.receive(&received)
        check(outcome == .message, "\(outcome) of a message")
        let found = SlowMessage(received)
        check(found == expected, "\(found) where the slow reader says \(String(describing: expected))")
        checkRoundTrip(received)
    } catch {
        check(expected == nil, "what the slow reader takes for \(String(describing: expected)) is refused")
        check(received.kind == .stop, "what is no message took the place of one")
    }
    check((try? wire.channel.receive(&received)) == .nothing, "a message is read twice")

    wire.write(bytes)
    switch wire.channel.receiveDescriptor() {
    case .message(let message): check(SlowMessage(message) == expected, "another message where a file may come with it")
    case .end: check(expected == nil, "a message is taken for the end")
    case .nothing: check(false, "nothing came")
    case .descriptor: check(false, "a file came that nobody sent")
    }
}

/// What was received has bytes that are received as the same: nothing is made up on the way.
private func checkRoundTrip(_ message: Message) {
    let bytes = message.bytes
    let again = Message(bytes)
    check(again.map { SlowMessage($0) } == SlowMessage(message), "a message is another when it is sent on")
    check(again.map { same($0.bytes, bytes) } == true, "the bytes of a message are others when it is sent on")
}

private func same(_ one: InlineArray<512, UInt8>, _ other: InlineArray<512, UInt8>) -> Bool {
    one.indices.allSatisfy { one[$0] == other[$0] }
}

/// A line of any bytes arrives, but for those that do not print or find no room.
private func checkText(_ bytes: [UInt8]) {
    guard bytes.count >= 6 else { return }
    let number = bytes[1..<5].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    var line = LogLine()
    for byte in bytes.dropFirst(5) { line.append(byte: byte) }
    let sent = Message(.line, level: Int32(bytes[0] & 7), number: number, text: line)
    let expected = SlowMessage(
        kind: 1, level: bytes[0] & 7, number: number, text: bytes.dropFirst(5).prefix(504).map(SlowMessage.printable))
    check(Message(sent.bytes).map { SlowMessage($0) } == expected, "a line is not what was sent")
}

/// The fields of a message, taken off its front one by one.
private struct SlowMessage: Equatable {
    var kind: UInt8
    var level: UInt8
    var number: UInt32
    var text: [UInt8]
    /// The bytes of a report, an end, a summary or counters: ReportFuzz says which are.
    var value: [UInt8] = []

    /// What some bytes say; `nil` if they are no message.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == 512, (1...12).contains(bytes[0]), bytes[1] < 8 else { return nil }
        let length = 256 * Int(bytes[3]) + Int(bytes[2])
        guard 8 + length <= 512 else { return nil }
        kind = bytes[0]
        level = bytes[1]
        number = bytes[4..<8].reversed().reduce(0) { $0 * 256 + UInt32($1) }
        let content = Array(bytes[8..<8 + length])
        let value = bytes[0] == 9 ? Array(content.prefix(208)) : [8, 10, 11, 12].contains(bytes[0]) ? content : []
        self.value = value
        text = content.dropFirst(value.count).map(SlowMessage.printable)
        if bytes[0] == 8 && (try? ScanReport(encoded: value.span)) == nil { return nil }
        if bytes[0] == 9 && (try? SuppressionSummary(encoded: value.span)) == nil { return nil }
        if bytes[0] == 10 && (try? ScanEnd(encoded: value.span)) == nil { return nil }
        if bytes[0] == 11 && (try? StatusCounts(encoded: value.span)) == nil { return nil }
        if bytes[0] == 12 && (try? TouchMessage(encoded: value.span)) == nil { return nil }
    }

    init(_ message: Message) {
        kind = message.kind.rawValue
        level = UInt8(message.level)
        number = message.number
        let line = message.text
        text = (0..<line.count).map { line.bytes[$0] }
        switch message.content {
        case .scan(let report): value = report.encoded.indices.map { report.encoded[$0] }
        case .end(let end): value = end.encoded.indices.map { end.encoded[$0] }
        case .summary(let summary): value = summary.encoded.indices.map { summary.encoded[$0] }
        case .status(let status): value = status.encoded.indices.map { status.encoded[$0] }
        case .touch(let touch): value = touch.encoded.indices.map { touch.encoded[$0] }
        case .attempt, .start, .stop, .fault: value = []
        }
    }

    init(kind: UInt8, level: UInt8, number: UInt32, text: [UInt8]) {
        self.kind = kind
        self.level = level
        self.number = number
        self.text = text
    }

    static func printable(_ byte: UInt8) -> UInt8 { (32...126).contains(byte) ? byte : 63 }
}
