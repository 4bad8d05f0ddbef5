import Capture
import System

/// What a process holds to speak with the other.
struct SensorLinkEnd: ~Copyable {
    /// The lines, which only go from the sensor to the writer.
    let lines: MessageChannel
    /// Words between the two, which never have to wait behind lines.
    let words: MessageChannel
}

/// Everything between the sensor and the writer; each keeps its end and closes the other's.
struct Link: ~Copyable {
    private let sensorEnd: SensorLinkEnd
    private let writerEnd: SensorLinkEnd

    /// The lines that surely fit into the pipe while nobody reads it.
    private static let lines: Int32 = 256

    /// Makes both channels.
    init() throws(SystemError) {
        let pipe = try makePipe("link")
        let reading = MessageChannel(owning: pipe[0], peer: "sensor")
        let writing = MessageChannel(owning: pipe[1], peer: "writer")
        let sockets = try makeSockets("link")
        let sensors = MessageChannel(owning: sockets[0], peer: "writer")
        let writers = MessageChannel(owning: sockets[1], peer: "sensor")
        // Twice that: when all but one of the records in a page have been read, the page is still taken.
        try writing.setPipeSize(2 * Link.lines * Int32(Message.size))
        sensorEnd = SensorLinkEnd(lines: writing, words: sensors)
        writerEnd = SensorLinkEnd(lines: reading, words: writers)
    }

    /// The sensor's end, for its process.
    consuming func takeSensorEnd() -> SensorLinkEnd { sensorEnd }

    /// The writer's end, for its process.
    consuming func takeWriterEnd() -> SensorLinkEnd { writerEnd }
}
