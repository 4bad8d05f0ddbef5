#if Pcap
    import Capture
    import ScanCore
    import System

    /// Writes lines about what is in a capture file, until its end or until somebody says to stop.
    ///
    /// - Returns: the exit status.
    func replayAttempts(in capture: inout PcapFile, _ place: AttemptWriterPlace) -> Int32 {
        // The writer is told by its address while the capture reads, which may have to be waited for. Nothing else looks at
        // it then: this is called by what `open` and `advance` call.
        unsafe capture.beforeReading(
            { context in
                guard let writer = unsafe context?.assumingMemoryBound(to: AttemptWriter.self) else { return false }
                return unsafe writer.pointee.waitForInput()
            }, context: place.address)
        place.writer.input = capture.descriptor
        do throws(SystemError) {
            try capture.open()
            while !place.writer.isOver, try capture.advance() { try capture.deliver(into: &place.writer) }
        } catch {
            // Of a file that we have stopped to read it is no wonder that it ends too early.
            if !place.writer.isOver { place.writer.fail(error) }
        }
        let status = place.writer.finish(at: place.writer.lastTime)
        if let line = capture.leftOutLine, !place.writer.isClosed { place.writer.voice.offer(line) }
        return status
    }
#endif
