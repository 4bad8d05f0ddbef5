/// Data on an open connection, as its flags show it: exactly ACK, or exactly PSH and ACK.
///
/// Most of what a host receives is that, and never part of a scan. So the kernel's filters drop it, each in its own
/// language, and what still comes through is ignored, so that every backend sees the same. All of them are made from this.
package enum EstablishedData {
    /// The flags of an acknowledgement, with data or without.
    package static var acknowledged: TCPFlags { .ack }
    /// The flags of data that the receiver is to be given at once.
    package static var pushed: TCPFlags { .ack.union(.psh) }

    /// Whether a packet with some flags is that.
    @inline(__always)
    package static func has(_ flags: TCPFlags) -> Bool { flags == acknowledged || flags == pushed }
}
