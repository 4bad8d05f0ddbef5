#if Pcap
    import Capture
    import ScanCore
    import System

    /// What `scanlogd connections` does all its life where packets come from a network: waits for them, and for signals.
    struct AttemptLoop {
        private let place: AttemptWriterPlace

        /// Packets can't be received: a fault that stays must not make us spin.
        private var isFailing = false
        /// More packets may wait than were received.
        private var isBehind = false
        /// When to say again that receiving still fails.
        private var failureReminderDue: Timestamp?

        /// How long a receive that failed is left alone, in nanoseconds.
        private static var failurePause: Int64 { 1_000_000_000 }
        /// How often it is said that receiving fails and fails, in nanoseconds.
        private static var failureReminder: Int64 { 3_600_000_000_000 }

        init(_ place: AttemptWriterPlace) {
            self.place = place
        }

        /// Runs until somebody says to stop, nobody reads the lines any more, or there are enough.
        ///
        /// The work is done by what is no generic function: there is one of this for each kind of capture.
        ///
        /// - Returns: the exit status.
        mutating func run(_ capture: inout some PacketSource & ~Copyable) -> Int32 {
            while wait(for: capture.descriptor) {
                do throws(SystemError) {
                    let reception = try capture.receive(into: &place.writer)
                    isBehind = reception == .batch || reception == .full
                    noteReceived(reception != .nothing)
                } catch {
                    noteFailure(error)
                }
            }
            receiveRest(from: &capture)
            return place.writer.finish(at: .now())
        }

        /// Takes the packets that came before somebody said to stop.
        private mutating func receiveRest(from capture: inout some PacketSource & ~Copyable) {
            do throws(SystemError) {
                while !isFailing && place.writer.waitForRest(of: capture.descriptor) {
                    _ = try capture.receive(into: &place.writer)
                }
            } catch {
                noteFailure(error)
            }
        }

        /// Waits until packets can be received, and does meanwhile what there is to do.
        ///
        /// - Returns: whether packets are still wanted.
        @inline(never)
        private mutating func wait(for packets: Int32) -> Bool {
            repeat {
                keepAppointments()
                if place.writer.mustStop || place.writer.isOver { return false }
                // While lines wait for their reader, packets wait in the kernel, which counts those it has no room for.
                let canReceive = !isFailing && place.writer.output.isEmpty
                let pause = isFailing ? Timestamp.fromNow(Self.failurePause) : nil
                let retry = isBehind && canReceive ? Timestamp.now() : pause
                let due = Timestamp.earlier(.earlier(place.writer.noteDue, place.writer.drops?.due), retry)
                place.writer.wait(for: canReceive ? packets : -1, until: due)
                if place.writer.mustStop || place.writer.isOver { return false }
            } while !place.writer.flush()
            return true
        }

        private mutating func keepAppointments() {
            place.writer.writeNamed()
            place.writer.flush()
            place.writer.tellSuppressed(at: .now())
            place.writer.tellDropped()
        }

        @inline(never)
        private mutating func noteReceived(_ anything: Bool) {
            if anything { place.writer.drops?.expect() }
            if !isFailing { return }
            isFailing = false
            place.writer.voice.note(LogLine("connections: packets are received again"), level: SyslogLevel.notice)
        }

        @inline(never)
        private mutating func noteFailure(_ error: SystemError) {
            let isNews = !isFailing
            isFailing = true
            if let due = failureReminderDue, !isNews, Timestamp.now() < due { return }
            failureReminderDue = .fromNow(Self.failureReminder)
            place.writer.voice.note(error.line, level: SyslogLevel.warning)
        }
    }
#endif
