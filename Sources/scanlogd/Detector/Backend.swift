import Capture
import CSeccomp
import ScanCore
import System

/// A way to get packets, by the name that `--backend` takes.
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
    /// - Throws: that there is none, or none in this binary.
    init(named name: CString) throws(SystemError) {
        if name == "ring" {
            self = .ring
        } else if name == "raw" {
            self = .raw
        } else if name == "pcap" {
            self = .pcap
        } else if name == "nids" {
            self = .nids
        } else {
            throw SystemError(name, "backend", because: "there is none of this name: ring, raw, pcap, nids")
        }
        if !isBuiltIn { throw isAbsent }
    }

    /// The error of one that this binary does not have.
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

    /// Whether this binary has it.
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

    /// Leaves this process the system calls that a sensor needs, and kills it at any other.
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

    /// The one that is tried first when none is named.
    static var first: Backend { Backend.ring.isBuiltIn ? .ring : .raw }

    /// Whether it can be told which packets to take: raw sockets get what comes in for the host, and nothing else.
    var takesSelection: Bool { self != .raw }
}
