/// What a packet shows about one source and one of the things it tried to reach: a port of a host, one of its
/// protocols, or the host itself. A pair is such a host and port.
public struct PairEvent: Sendable {
    var target: PairClass
    var outcome: Outcome
    /// Who tried. It can be forged.
    var source: Address
    /// The host that was tried.
    var destination: Address
    /// The port, the number of the protocol, or 0 for a host.
    var port: UInt16

    /// Of the packets that tried, where they are the ones seen.
    var sourcePort: UInt16 = 0
    var flagsEverSet = TCPFlags.none
    var flagsAlwaysSet = TCPFlags.all
    var typeOfService: UInt8 = 0
    var timeToLive: UInt8 = 0

    /// What became of it.
    enum Outcome: Sendable {
        /// It was tried; nothing is known of an answer.
        case tried
        /// It was refused, as the answer shows.
        case refused
        /// It accepted, as the answer shows.
        case accepted
    }

    /// A segment that tries a port.
    init(of probe: Probe) {
        target = .tcp
        outcome = .tried
        source = probe.source
        destination = probe.destination
        port = probe.destinationPort
        sourcePort = probe.sourcePort
        flagsEverSet = probe.flagsEverSet
        flagsAlwaysSet = probe.flagsAlwaysSet
        typeOfService = probe.typeOfService
        timeToLive = probe.timeToLive
    }

    /// Something tried, or an answer to it.
    init(_ target: PairClass, _ outcome: Outcome, by source: Address, at destination: Address, port: UInt16) {
        self.target = target
        self.outcome = outcome
        self.source = source
        self.destination = destination
        self.port = port
    }
}

/// What kind of thing a pair is.
enum PairClass: UInt8, Sendable {
    /// A TCP port, tried by a segment that opens a connection, or that is none of a connection (FIN, NULL, Xmas).
    case tcp = 0
    /// A TCP port, tried by an acknowledgement.
    case ack
    /// A UDP port.
    case udp
    /// A protocol of IP.
    case protocols
    /// An SCTP port.
    case sctp
    /// A host, by an echo request.
    case echo
    /// A TCP port again, but of many hosts: pairs of one port.
    case sweep
}
