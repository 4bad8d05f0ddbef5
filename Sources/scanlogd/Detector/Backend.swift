import Capture
import CSeccomp
import ScanCore
import System

/// A capture backend, by the name that `--backend` takes.
///
/// Backends are listed here, and nowhere else: name, purpose, how to open it, and the system calls it needs.
enum Backend {
    /// A packet socket with a ring in memory.
    case ring
    /// Raw sockets.
    case raw
    /// libpcap.
    case pcap
    /// libpcap and libnids.
    case nids

    /// The backend of a name.
    ///
    /// - Throws: an error if there is no such backend, or not in this binary.
    init(named name: CString) throws(SystemError) {
        let all = Backend.all
        for index in all.indices where all[index].name == name {
            self = all[index]
            if !isBuiltIn { throw isAbsent }
            return
        }
        throw SystemError(name, "backend", because: "there is none of this name: ring, raw, pcap, nids")
    }

    /// All backends, in the order of `--help` and `--version`.
    static var all: InlineArray<4, Backend> { [.ring, .raw, .pcap, .nids] }

    /// The error for a backend that this binary does not have.
    var isAbsent: SystemError { SystemError(name, "backend", because: "not built in, see --version") }

    /// The name.
    var name: CString {
        switch self {
        case .ring: "ring"
        case .raw: "raw"
        case .pcap: "pcap"
        case .nids: "nids"
        }
    }

    /// Its line of `--help`.
    var usage: String {
        switch self {
        case .ring: "                          ring  packet socket: sees what a firewall drops later\n"
        case .raw: "                          raw   raw sockets: what gets through the firewall\n"
        case .pcap: "                          pcap  libpcap\n"
        case .nids: "                          nids  libpcap, and libnids for fragments\n"
        }
    }

    /// Whether `--help` lists it. The smallest build does not mention libraries.
    var isInUsage: Bool {
        switch self {
        case .ring, .raw: true
        case .pcap, .nids: Backend.pcap.isBuiltIn
        }
    }

    /// Whether this binary includes it.
    var isBuiltIn: Bool {
        switch self {
        case .ring:
            #if Ring
                return true
            #else
                return false
            #endif
        case .raw: return true
        case .pcap:
            #if Pcap
                return true
            #else
                return false
            #endif
        case .nids:
            #if Nids
                return true
            #else
                return false
            #endif
        }
    }

    /// Restricts this process to the system calls that a sensor needs; any other kills it.
    func filterSystemCalls() -> Int32 {
        switch self {
        #if Ring
            case .ring: return cseccomp_confine_ring()
        #endif
        #if Pcap
            case .pcap, .nids: return cseccomp_confine_pcap()
        #endif
        default: return cseccomp_confine_raw()
        }
    }

    /// The kinds of scans that it sees the packets of.
    var kinds: ScanKinds {
        var kinds = ScanKinds.all
        switch self {
        case .ring, .pcap, .nids: break
        case .raw:
            kinds = .none
            kinds.insert(.quick)
            kinds.insert(.slow)
            kinds.insert(.spread)
            kinds.insert(.sweep)
        }
        return kinds
    }

    /// The backend that is tried first when none is named.
    static var first: Backend { Backend.ring.isBuiltIn ? .ring : .raw }

    /// Whether it supports selection of packets: raw sockets receive packets that come in for the host, and no others.
    var takesSelection: Bool { self != .raw }
}

/// An open backend.
enum BackendCapture: ~Copyable {
    case raw(RawSocketCapture)
    #if Ring
        case ring(PacketSocketCapture)
    #endif
    #if Pcap
        case pcap(PcapCapture)
    #endif
    #if Nids
        case nids(NidsCapture)
    #endif
}

extension Backend {
    /// Opens it, as root.
    ///
    /// - Parameters:
    ///   - selection: which packets are wanted, if that is supported: see ``takesSelection``.
    ///   - key: secret random numbers.
    func open(_ selection: CaptureOptions, key: HashKey) throws(SystemError) -> BackendCapture {
        switch self {
        case .raw:
            return .raw(
                try RawSocketCapture(receiveBuffer: Parameters.receiveBuffer, gatherTime: Parameters.gatherTime))
        #if Ring
            case .ring: return .ring(try PacketSocketCapture(selection, key: key))
        #endif
        #if Pcap
            case .pcap: return .pcap(try PcapCapture(selection, key: key))
        #endif
        #if Nids
            case .nids: return .nids(try NidsCapture(selection, key: key))
        #endif
        #if !(Ring && Pcap && Nids)
            default: throw isAbsent
        #endif
        }
    }
}
