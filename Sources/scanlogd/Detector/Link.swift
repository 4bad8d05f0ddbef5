import Capture
import CLinux

/// What a process holds to speak with the other.
struct LinkEnd: ~Copyable {
    /// The lines, which only go from the sensor to the writer.
    let lines: RecordChannel
    /// Words between the two, which never have to wait behind lines.
    let words: RecordChannel
}

/// Everything between the sensor and the writer; each keeps its end and closes the other's.
struct Link: ~Copyable {
    private let sensorEnd: LinkEnd
    private let writerEnd: LinkEnd

    /// The lines that surely fit into the pipe while nobody reads it.
    private static let lines: Int32 = 256

    /// Makes both channels.
    init() throws(SystemError) {
        let pipe = unsafe try makePair("link", "make pipe") { unsafe pipe2($0, O_NONBLOCK | O_CLOEXEC) }
        let reading = RecordChannel(owning: pipe[0], peer: "sensor")
        let writing = RecordChannel(owning: pipe[1], peer: "writer")
        let sockets = try makeSockets("link")
        let sensors = RecordChannel(owning: sockets[0], peer: "writer")
        let writers = RecordChannel(owning: sockets[1], peer: "sensor")
        // Twice that: when all but one of the records in a page have been read, the page is still taken.
        _ = try check("link", "set pipe size") {
            clinux_set_pipe_size(writing.number, 2 * Link.lines * Int32(Record.size))
        }
        sensorEnd = LinkEnd(lines: writing, words: sensors)
        writerEnd = LinkEnd(lines: reading, words: writers)
    }

    /// The sensor's end, for its process.
    consuming func takeSensorEnd() -> LinkEnd { sensorEnd }

    /// The writer's end, for its process.
    consuming func takeWriterEnd() -> LinkEnd { writerEnd }
}

/// Makes two connected sockets that keep messages apart and never block.
@inline(__always)  // a call of it, and of what it throws, takes more room than it does
func makeSockets(_ object: ConstantText) throws(SystemError) -> InlineArray<2, Int32> {
    let type = Int32(SOCK_SEQPACKET.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    return unsafe try makePair(object, "make sockets") { unsafe socketpair(AF_UNIX, type, 0, $0) }
}

/// Calls what fills an array with two descriptors.
func makePair(
    _ object: ConstantText, _ operation: ConstantText, _ make: (UnsafeMutablePointer<Int32>) -> Int32
) throws(SystemError) -> InlineArray<2, Int32> {
    var ends: InlineArray<2, Int32> = [-1, -1]
    var span = ends.mutableSpan
    _ = try check(object, operation) {
        unsafe span.withUnsafeMutableBufferPointer { buffer in
            guard let first = buffer.baseAddress else { return -1 }
            return unsafe make(first)
        }
    }
    return ends
}
