#if Pcap
    import CLinux
    import ScanCore
    import System

    @testable import Capture

    /// What came out of a file, and the error at its end.
    struct Replayed {
        var arrivals: [Recorder.Arrival] = []
        var faults: [PacketFault] = []
        var lines: [String] = []
        var error: String?
        /// What is said of what was left out.
        var leftOut: String?

        var ports: [UInt16] { arrivals.map(\.segment.destinationPort) }
    }

    func replay(path: String, _ selection: CaptureOptions = CaptureOptions()) -> Replayed {
        var recorder = Recorder()
        var error: String?
        var leftOut: String?
        do throws(SystemError) {
            var replay = try PcapFile(constant(path), selection, key: .forTests)
            do throws(SystemError) {
                try replay.read(into: &recorder)
            } catch let thrown {
                error = thrown.line.text
            }
            leftOut = replay.leftOutLine?.text
        } catch let thrown {
            error = thrown.line.text
        }
        return Replayed(
            arrivals: recorder.arrivals, faults: recorder.faults, lines: recorder.lines, error: error, leftOut: leftOut)
    }

    /// Constant text must live as long as the process.
    func constant(_ text: String) -> CString { unsafe CString(unsafe: strdup(text)) }

    func replay(_ file: borrowing TestFile, _ selection: CaptureOptions = CaptureOptions()) -> Replayed {
        var replayed = replay(path: file.path, selection)
        for text in [\Replayed.error, \Replayed.leftOut] {
            if let line = replayed[keyPath: text], line.hasPrefix(file.path) {
                replayed[keyPath: text] = "FILE" + line.dropFirst(file.path.count)
            }
        }
        return replayed
    }

    func replay(_ bytes: [UInt8], _ selection: CaptureOptions = CaptureOptions()) throws -> Replayed {
        replay(try TestFile(bytes), selection)
    }

    /// What asks an expression about packets, or about frames as they are.
    func selecting(_ expression: String, namesLink: Bool = false) -> CaptureOptions {
        var selection = CaptureOptions()
        selection.expression = constant(expression)
        selection.expressionNamesLink = namesLink
        return selection
    }
#endif
