import Capture
import System

/// One process's ends of the link to the other.
struct SensorLinkEnd: ~Copyable {
    /// A pipe for messages to log, from the sensor to the logger only.
    let data: MessageChannel
    /// A socket pair for control messages in both directions, which never queue behind data.
    let control: MessageChannel
}

/// The link between the sensor and the logger; each keeps its end and closes the other's.
struct SensorLink: ~Copyable {
    private let sensorEnd: SensorLinkEnd
    private let loggerEnd: SensorLinkEnd

    /// How many messages are certain to fit into the pipe while nothing reads it.
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
