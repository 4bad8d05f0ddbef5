import CLinux
import System

/// Which packets a capture is to hand over.
public struct CaptureOptions: Sendable {
    /// The interfaces packets are taken from.
    public var interfaces = InterfaceNames()

    /// Which way the packets go.
    public var direction = Direction.incoming

    /// Lets the interfaces take frames for other hosts, and hands those over too.
    public var promiscuous = false

    /// Which of the packets are of use: the kernel may leave out the others, which it does not always do.
    public var interest = Interest.probes

    /// A filter in libpcap's language (pcap-filter(7)) that packets have to match; `nil`: none. For libpcap only.
    public var expression: CString?

    /// Leaves out frames with a VLAN tag, as an expression of libpcap's that does not speak of VLANs does: where the
    /// VLAN is an interface of the host, their packets come from that one as well.
    public var untaggedOnly = false

    /// Of a file: asks ``expression``, which speaks of what stands before packets, about frames as they are. Else it is asked
    /// about them as if nothing stood between the link header and the packet.
    public var expressionNamesLink = false

    /// Which way packets go. What the host sends to itself, over loopback, goes either way, and counts once.
    public enum Direction: Sendable {
        /// They come in.
        case incoming
        /// The host sends them: its own, and those that it passes on.
        case outgoing
        /// Either.
        case both
    }

    /// What packets are wanted for.
    public enum Interest: Sendable {
        /// To see scans: all TCP segments but those with exactly ACK, or PSH and ACK.
        case probes
        /// To see connections being attempted: TCP segments with SYN and without ACK.
        case attempts
        /// Whatever ``expression`` matches.
        case everything
    }

    /// What a host wants to know that watches itself: what comes in for it, on all interfaces.
    public init() {}
}

extension CaptureOptions {
    /// Whether the beginning of a TCP header is enough, if it holds the flags: to see who attempts to connect it is.
    var takesCutHeaders: Bool { interest == .attempts }

    /// Whether the order in which packets came matters between interfaces, too: for scans it doesn't.
    var keepsOrder: Bool { interest != .probes && interfaces.count > 1 }
}

/// The network interfaces that packets are wanted from, as an administrator names them.
public struct InterfaceNames: Sendable {
    /// The most interfaces that can be named.
    public static let most = 16

    /// How many were named, `any` not counted.
    public private(set) var count = 0

    private var names = InlineArray<16, CString>(repeating: "any")
    private var hasAny = false

    /// Whether packets are wanted from every interface: `any` was named, or nothing.
    public var areAll: Bool { hasAny || count == 0 }

    /// No names: all interfaces.
    public init() {}

    /// Adds a name, or `any`, unless it was given before.
    ///
    /// - Throws: that there are too many, or that one would be ignored, since `any` stands for all.
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
