/// Splits a file of /proc/net that lists sockets into its lines, whatever pieces it is read in.
struct SocketTableReader {
    /// The content of a line.
    enum Item: Equatable {
        case socket(ListedSocket)
        /// The first line, which names the fields.
        case heading
        /// The line is not of the form that the kernel gives it.
        case malformed
    }

    private var line = InlineArray<96, UInt8>(repeating: 0)
    /// How many bytes of the line are kept; what is beyond does not matter.
    private var count = 0
    private var isBelowHeading = false

    /// Whether the bytes so far end with a line.
    var isAtLineStart: Bool { count == 0 }

    /// Adds a byte of the file. Returns the content of the line that it ends, if it does.
    mutating func add(_ byte: UInt8) -> Item? {
        if byte != UInt8(ascii: "\n") {
            if count < SocketTableLine.longest {
                line[count] = byte
                count += 1
            }
            return nil
        }
        defer {
            count = 0
            isBelowHeading = true
        }
        if !isBelowHeading { return .heading }
        guard let socket = SocketTableLine.socket(in: line.span.extracting(0..<count)) else { return .malformed }
        return .socket(socket)
    }
}
