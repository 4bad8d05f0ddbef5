#if Pcap
    import Capture
    import ScanCore
    import System

    /// Writes lines about what is in a capture file, until its end or until somebody says to stop.
    ///
    /// - Returns: the exit status.
    func replayAttempts(in capture: inout PcapFile, _ place: AttemptWriterPlace) -> Int32 {
        do throws(SystemError) {
            while !place.writer.isOver, try readNext(of: &capture, place) {}
        } catch {
            place.writer.fail(error)
        }
        let status = place.writer.finish(at: place.writer.lastTime)
        if let line = capture.leftOutLine, !place.writer.isClosed { place.writer.voice.offer(line) }
        return status
    }

    private func readNext(of capture: inout PcapFile, _ place: AttemptWriterPlace) throws(SystemError) -> Bool {
        switch try capture.advance() {
        case .packet: try capture.deliver(into: &place.writer)
        case .mustWait: if place.writer.waitForInput(capture.descriptor) { capture.readMore() }
        case .end: return false
        }
        return true
    }
#endif
