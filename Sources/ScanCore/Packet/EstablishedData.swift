/// Data on an established connection, identified by its flags: exactly ACK, or exactly PSH and ACK.
///
/// Most of the packets that a host receives are such data, which is never part of a scan. So the kernel's filters drop
/// them, each in its own language, and the detector ignores those that still arrive, so that every backend sees the
/// same packets. All filters are generated from these constants.
package enum EstablishedData {
    /// The flags of an acknowledgement, with data or without.
    package static var acknowledged: TCPFlags { .ack }
    /// The flags of data to be delivered to the application at once.
    package static var pushed: TCPFlags { .ack.union(.psh) }

    /// Whether a packet with these flags is such data.
    @inline(__always)
    package static func has(_ flags: TCPFlags) -> Bool { flags == acknowledged || flags == pushed }
}
