import Capture
import System

/// What one process holds of the link to the other.
struct SensorLinkEnd: ~Copyable {
    /// A pipe for what is to be logged, from the sensor to the logger only.
    let data: MessageChannel
    /// A pair of sockets for control messages both ways, which never wait behind data.
    let control: MessageChannel
}

/// Everything between the sensor and the logger; each keeps its end and closes the other's.
struct SensorLink: ~Copyable {
    private let sensorEnd: SensorLinkEnd
    private let loggerEnd: SensorLinkEnd

    /// The lines that surely fit into the pipe while nobody reads it.
    private static let lines: Int32 = 256

    /// Makes both channels.
    init() throws(SystemError) {
        let pipe = try makePipe("link")
        let reading = MessageChannel(owning: pipe[0], peer: "sensor")
        let writing = MessageChannel(owning: pipe[1], peer: "logger")
        let sockets = try makeSockets("link")
        let sensors = MessageChannel(owning: sockets[0], peer: "logger")
        let loggers = MessageChannel(owning: sockets[1], peer: "sensor")
        // Twice that: when all but one of the messages in a page have been read, the page is still taken.
        try writing.setPipeSize(2 * SensorLink.lines * Int32(Message.size))
        sensorEnd = SensorLinkEnd(data: writing, control: sensors)
        loggerEnd = SensorLinkEnd(data: reading, control: loggers)
    }

    /// The sensor's end, for its process.
    consuming func takeSensorEnd() -> SensorLinkEnd { sensorEnd }

    /// The logger's end, for its process.
    consuming func takeLoggerEnd() -> SensorLinkEnd { loggerEnd }
}
