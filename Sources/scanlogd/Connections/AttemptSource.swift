#if Connections
    import Capture
    import ScanCore
    import System

    /// The source of packets of `scanlogd connections`.
    enum AttemptSource: ~Copyable {
        case file(PcapFile)
        #if Ring
            case ring(PacketSocketCapture)
        #endif
        case pcap(PcapCapture)

        /// Opens the source that the options ask for: a file, or the network, with libpcap if there is an expression.
        static func open(_ options: ConnectionsOptions, key: HashKey) throws(SystemError) -> AttemptSource {
            if let path = options.captureFile { return .file(try PcapFile(path, options.selection, key: key)) }
            #if Ring
                if options.selection.expression == nil {
                    return .ring(try PacketSocketCapture(options.selection, key: key))
                }
            #endif
            return .pcap(try PcapCapture(options.selection, key: key))
        }

        /// The capture file's descriptor; -1 where packets come from a network.
        var fileDescriptor: Int32 {
            switch self {
            case .file(let file): file.descriptor
            default: -1
            }
        }

        /// Makes the reporter of packets dropped by the kernel, a minute after a packet has come; `nil` where they come
        /// from a file.
        func makeDropReporter() -> DropReporter? {
            switch self {
            case .file: nil
            #if Ring
                case .ring(let capture): Self.reporter(capture.makeDropCounter())
            #endif
            case .pcap(let capture): Self.reporter(capture.makeDropCounter())
            }
        }

        private static func reporter(_ counter: consuming DropCounter) -> DropReporter {
            DropReporter(counter, prefix: "connections: ", delay: DropReporter.interval)
        }
    }
#endif
