import Capture
import ScanCore
import System

/// The kinds of scans that a start is to detect.
struct WantedKinds {
    /// The kinds, of which the host may lack the evidence for some.
    var kinds = ScanKinds.all
    /// Whether they were named one by one.
    var areNamed = false
    /// What the quick rule counts, if the host has the evidence.
    var quickRule = QuickRule.touches
    /// Whether frames for other hosts arrive as well.
    var isPromiscuous = false
    /// Whether the ends of scans are reported, too.
    var reportsEnds = false
    /// Whether it is logged what sources touch in each minute.
    var logsTouches = false
    /// Whether the host's own answers are seen.
    var seesAnswers = false

    /// With more own addresses than this, a sweep shows.
    private static var fewAddresses: Int { 16 }

    /// The kinds to detect.
    ///
    /// - Parameters:
    ///   - backend: the backend in use.
    ///   - host: what is known of the host.
    func kinds(by backend: Backend, at host: borrowing OwnHost) -> ScanKinds {
        var kinds = kinds.intersection(backend.kinds)
        if !host.knowsPorts && !seesAnswers {
            kinds.remove(.slow)
            kinds.remove(.spread)
            kinds.remove(.udp)
            kinds.remove(.ack)
        }
        let hasFewAddresses = host.addresses.count <= WantedKinds.fewAddresses
        if !areNamed && !isPromiscuous && hasFewAddresses {
            kinds.remove(.sweep)
            kinds.remove(.ping)
        }
        return kinds
    }
}

/// What is known of the host that is monitored, and what follows from it.
struct MonitoredHost: ~Copyable {
    /// Keeps what is known up to date; `nil` if that is not needed, or can't be known.
    let monitor: HostMonitor?
    /// The kinds of scans to detect.
    let settings: KindSettings
    /// The packets that have to pass for these.
    let packets: OtherPackets
    /// What is not detected, and why.
    let warning: LogLine?

    /// Reads what the host says of itself. Needs privileges.
    ///
    /// - Parameters:
    ///   - host: what will be known.
    ///   - key: the detector's.
    init(_ wanted: WantedKinds, by backend: Backend, of host: inout OwnHost, key: HashKey) {
        if !wanted.kinds.intersection(backend.kinds).hasOthers && wanted.quickRule == .touches {
            self.init(nil, KindSettings(wanted.kinds), OtherPackets(), nil)
            return
        }
        do throws(SystemError) {
            let monitor = try HostMonitor(&host, key: key)
            let settings = MonitoredHost.settings(wanted, by: backend, at: host, monitor.clientPorts.lowest)
            var packets = OtherPackets(for: settings.kinds)
            _ = packets.update(&host, firstClientPort: settings.firstClientPort)
            let warning = MonitoredHost.warning(packets, monitor, seesAnswers: wanted.seesAnswers)
            self.init(monitor, settings, packets, warning)
        } catch {
            host = OwnHost()
            let settings = MonitoredHost.settings(wanted, by: backend, at: host, Parameters.firstClientPort)
            var warning = error.line
            if wanted.seesAnswers {
                warning.append("; only the answers to scans tell what they find")
                self.init(nil, settings, OtherPackets(for: settings.kinds), warning)
                return
            }
            warning.append("; slow, spread, udp and ack scans are not detected")
            if wanted.quickRule == .answers { warning.append(", and --rule touches is in force") }
            self.init(nil, settings, OtherPackets(for: settings.kinds), warning)
        }
    }

    private init(
        _ monitor: consuming HostMonitor?, _ settings: KindSettings, _ packets: OtherPackets, _ warning: LogLine?
    ) {
        self.monitor = monitor
        self.settings = settings
        self.packets = packets
        self.warning = warning
    }

    private static func settings(
        _ wanted: WantedKinds, by backend: Backend, at host: borrowing OwnHost, _ firstClientPort: UInt16
    ) -> KindSettings {
        let quickRule = host.knowsPorts || wanted.seesAnswers ? wanted.quickRule : .touches
        var settings = KindSettings(wanted.kinds(by: backend, at: host), quickRule: quickRule)
        settings.firstClientPort = firstClientPort
        _ = settings.local.append(Address(ipv4: 127 << 24), prefixLength: 8)
        return settings
    }

    /// What the host has too many of.
    private static func warning(
        _ packets: OtherPackets, _ monitor: borrowing HostMonitor, seesAnswers: Bool
    ) -> LogLine? {
        if monitor.omittedAddresses > 0 {
            return LogLine("more than 256 addresses: scans of the others may look like those of other hosts")
        }
        if seesAnswers { return nil }  // the refusals of these ports show what the filter does not let pass
        if packets.datagrams && packets.hasTooManyDatagramPorts {
            return LogLine("more than 64 UDP ports are open: udp scans are not detected")
        }
        if packets.acknowledgements && packets.hasTooManyListeningPorts {
            return LogLine("more than 64 TCP ports are open: ack scans are not detected")
        }
        return nil
    }
}

extension OtherPackets {
    /// Those that some kinds need.
    init(for kinds: ScanKinds) {
        self.init()
        echoes = kinds.contains(.ping)
        errors = kinds.contains(.udp) || kinds.contains(.protocols)
        protocols = kinds.contains(.protocols)
        associations = kinds.contains(.sctp)
        datagrams = kinds.contains(.udp)
        acknowledgements = kinds.contains(.ack)
    }
}
