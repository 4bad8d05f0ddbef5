import CLinux
import System

/// Which packets a capture delivers.
public struct CaptureOptions: Sendable {
    /// The interfaces packets are taken from.
    public var interfaces = InterfaceNames()

    /// Which way the packets go.
    public var direction = Direction.incoming

    /// Delivers, of the packets that leave, those that tell what became of what others tried: see ``OwnAnswer``. Goes
    /// with ``Direction/incoming``.
    public var ownAnswers = false

    /// Puts the interfaces into promiscuous mode, and delivers frames for other hosts too.
    public var promiscuous = false

    /// Which of the packets are of interest: the kernel may drop others, but does not drop all of them.
    public var interest = Interest.probes

    /// A filter in libpcap's language (pcap-filter(7)) that packets have to match; `nil`: none. For libpcap only.
    public var expression: CString?

    /// Leaves out frames with a VLAN tag, as a libpcap expression without `vlan` does: where the VLAN is an interface
    /// of the host, their packets arrive on that one as well.
    public var untaggedOnly = false

    /// For a file: matches ``expression``, which refers to headers before the packet, against the frames as they are.
    /// Otherwise it is matched against frames from which all headers between the link header and the packet are
    /// removed.
    public var expressionNamesLink = false

    /// The direction of packets. What the host sends to itself, over loopback, has both directions, and counts once.
    public enum Direction: Sendable {
        /// They come in.
        case incoming
        /// The host sends them: its own, and those that it forwards.
        case outgoing
        /// Either.
        case both
    }

    /// The purpose of a capture.
    public enum Interest: Sendable {
        /// To detect scans: all TCP segments but those with exactly ACK, or PSH and ACK.
        case probes
        /// To observe connection attempts: TCP segments with SYN and without ACK.
        case attempts
        /// Everything that ``expression`` matches.
        case everything
    }

    /// The default, for a host that monitors itself: incoming packets, on all interfaces.
    public init() {}
}

extension CaptureOptions {
    /// Whether the beginning of a TCP header suffices, if it includes the flags: it does for connection attempts.
    var takesCutHeaders: Bool { interest == .attempts }

    /// Whether the order of arrival matters across interfaces, too: for scans it does not.
    var keepsOrder: Bool { interest != .probes && interfaces.count > 1 }
}

/// The network interfaces to capture from, as an administrator names them.
public struct InterfaceNames: Sendable {
    /// The maximum number of names.
    public static let most = 16

    /// How many were named, `any` not counted.
    public private(set) var count = 0

    private var names = InlineArray<16, CString>(repeating: "any")
    private var hasAny = false

    /// Whether packets of all interfaces are wanted: `any` was named, or nothing.
    public var areAll: Bool { hasAny || count == 0 }

    /// No names: all interfaces.
    public init() {}

    /// Adds a name, or `any`, unless it was given before.
    ///
    /// - Throws: an error if there are too many, or if one would be ignored because `any` stands for all.
    public mutating func append(_ name: CString) throws(SystemError) {
        #if Ring || Pcap  // raw sockets take no names, which is refused elsewhere
            let isAny = name == "any"
            if isAny ? count > 0 : hasAny {
                throw SystemError("any", "open interface", because: "it stands for all; name no other with it")
            }
            if isAny {
                hasAny = true
                return
            }
            for index in 0..<count where names[index] == name { return }
            if count == InterfaceNames.most {
                throw SystemError(name, "open interface", because: "the most that can be named are ", 16)
            }
            names[count] = name
            count += 1
        #endif
    }

    /// One of the names; the index is 0 to ``count`` - 1.
    public subscript(index: Int) -> CString { names[index] }
}
