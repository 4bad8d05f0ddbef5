#if Pcap
    import CLinux
    import CPcap
    import ScanCore
    import System

    /// Packets from libpcap (pcap(3)).
    ///
    /// It also sees packets that netfilter drops later. An interface that goes away is captured from again when it, or
    /// another of its name and kind, appears: libpcap's socket is bound to it anew, which takes no privilege.
    public struct PcapCapture: ~Copyable, PacketSource {
        /// The maximum number of batches taken from an interface at a time, so that signals are not delayed.
        static let mostBatches = 64

        /// How long messages about interfaces may wait while packets keep arriving, in nanoseconds.
        private static let longestInterfaceWait: Int64 = 100_000_000

        @usableFromInline let library: PcapLibrary
        @usableFromInline var interfaces: InlineArray<16, PcapInterface?>
        /// The number of interfaces.
        let count: Int
        private let keepsOrder: Bool
        private let readable: ReadableSet
        private var watch: InterfaceMonitor
        private var notices = InterfaceChangeLine()
        private var interfacesRead = Timestamp.now()
        private var batch: PcapBatch
        /// The interface that the batch is from.
        private var batchInterface = 0
        var time: ClockMapping
        var packets: PcapFrameReader

        /// The kernel lets packets accumulate by itself, for ``Parameters/pcapTimeout``.
        public var gatherTime: Int32 { 0 }

        /// Readable when packets wait, or an interface has changed.
        public var descriptor: Int32 { readable.descriptor.number }

        /// Loads libpcap and starts to capture.
        ///
        /// - Parameters:
        ///   - selection: which packets are wanted; an interface can be promiscuous only if it is named.
        ///   - key: secret random numbers.
        /// - Throws: the operation that failed, with libpcap's reason; most often CAP_NET_RAW is missing.
        public init(_ selection: CaptureOptions, key: HashKey) throws(SystemError) {
            try self.init(selection, try PcapFrameReader(selection, key: key))
        }

        init(_ selection: CaptureOptions, _ packets: consuming PcapFrameReader) throws(SystemError) {
            let library = try PcapLibrary()
            let readable = try ReadableSet()
            var watch = try InterfaceMonitor.begin(selection.interfaces)
            try readable.add(watch.socket)
            self.interfaces = try PcapCapture.open(selection, &watch.table, library, watchedBy: readable)
            count = selection.interfaces.areAll ? 1 : selection.interfaces.count
            keepsOrder = selection.keepsOrder
            self.library = library
            self.readable = readable
            self.watch = watch
            self.packets = packets
            // A block is handed over when its timer expires for the second time; and the timer may be late.
            let wait = 2 * Int64(Parameters.pcapTimeout) + 20
            time = ClockMapping(now: .now(), realTime: realTime(), slack: wait * 1_000_000)
            batch = PcapBatch(snapshot: Parameters.pcapSnapshot)
        }

        private static func open(
            _ selection: CaptureOptions, _ table: inout InterfaceTable, _ library: PcapLibrary,
            watchedBy readable: borrowing ReadableSet
        ) throws(SystemError) -> InlineArray<16, PcapInterface?> {
            var interfaces = InlineArray<16, PcapInterface?>(repeating: nil)
            let areAll = selection.interfaces.areAll
            do throws(SystemError) {
                for index in 0..<(areAll ? 1 : selection.interfaces.count) {
                    let interface =
                        areAll
                        ? try PcapInterface.openAll(selection, library)
                        : try PcapInterface.open(
                            selection.interfaces[index], table.name(at: index), table.index(at: index) ?? 0, selection,
                            library)
                    interfaces[index] = interface
                    try readable.add(interface.descriptor, name: interface.name)
                }
            } catch {
                close(interfaces, library)
                throw error
            }
            return interfaces
        }

        @usableFromInline
        static func close(_ interfaces: InlineArray<16, PcapInterface?>, _ library: PcapLibrary) {
            for index in interfaces.indices {
                if let interface = interfaces[index] { unsafe library.functions.pointee.close(interface.handle) }
            }
        }

        @inlinable  // Embedded Swift must see a deinit to call it from another module
        deinit {
            PcapCapture.close(interfaces, library)
        }

        /// Delivers waiting packets of all interfaces, and reports changes of interfaces.
        public mutating func receive(into sink: inout some ProbeSink & ~Copyable) throws(SystemError) -> Reception {
            var failure: SystemError?
            let reception = keepsOrder ? receiveInOrder(into: &sink, &failure) : receiveInTurn(into: &sink, &failure)
            if reception == .all { time.endBatch() }
            let now = Timestamp.now()
            if reception == .nothing || !now.isWithin(PcapCapture.longestInterfaceWait, after: interfacesRead) {
                interfacesRead = now
                try followInterfaces(into: &sink, at: now)
            }
            if let failure { throw failure }
            return reception
        }

        /// Delivers waiting packets of one interface after the other.
        ///
        /// - Parameter failure: an error of one of them, to be thrown after the others have been handled.
        private mutating func receiveInTurn(
            into sink: inout some ProbeSink & ~Copyable, _ failure: inout SystemError?
        ) -> Reception {
            var reception = batch.hasNext ? Reception.all : .nothing
            deliver(into: &sink)
            for index in interfaces.indices {
                if batch.hasNext { return .full }
                do throws(SystemError) {
                    let one = try receive(from: index, into: &sink)
                    if one == .batch || reception == .nothing { reception = one }
                } catch {
                    failure = error
                }
            }
            return batch.hasNext ? .full : reception
        }

        private mutating func receive(
            from index: Int, into sink: inout some ProbeSink & ~Copyable
        ) throws(SystemError) -> Reception {
            if interfaces[index] == nil { return .nothing }
            try interfaces[index]?.acknowledgeDown()
            var reception = Reception.nothing
            for _ in 0..<PcapCapture.mostBatches {
                let failure = fillBatch(from: index)
                deliver(into: &sink)  // also packets received before a failure
                if let failure { throw failure }
                if batch.count > 0 { reception = .all }
                if batch.hasNext || batch.count < PcapBatch.count { return reception }
            }
            return .batch
        }

        private mutating func fillBatch(from index: Int) -> SystemError? {
            batchInterface = index
            do throws(SystemError) {
                try interfaces[index]?.receive(into: &batch, library)
                return nil
            } catch {
                return error
            }
        }

        /// Delivers the packets of the batch, until the sink is full.
        private mutating func deliver(into sink: inout some ProbeSink & ~Copyable) {
            if !batch.hasNext { return }
            guard let link = interfaces[batchInterface]?.link, interfaces[batchInterface]?.isThere == true else {
                batch.next = batch.count
                return
            }
            time.beginBatch(now: .now(), realTime: realTime())
            let interface = number(of: batchInterface)
            while batch.hasNext && !sink.isFull {
                let stamp = batch.stamp(batch.next)
                let now = time.timestamp(of: max(0, min(stamp, 1 << 62)))
                let length = batch.wholeLength(batch.next)
                batch.withPacket(batch.next) { frame in
                    packets.read(
                        frame, length: length, of: link, interface: interface, at: now, realTime: stamp, into: &sink)
                }
                batch.next += 1
            }
        }

        /// A number for the interface that frames arrive on: an arbitrary one of its own, or 0 where frames may include
        /// it.
        func number(of index: Int) -> Int32 { interfaces[index]?.isAny == true ? 0 : Int32(index + 1) }

        /// Logs changes of interfaces, and captures from new ones. Errors are logged as well: an interface may
        /// disappear before this is done.
        private mutating func followInterfaces(
            into sink: inout some ProbeSink & ~Copyable, at now: Timestamp
        ) throws(SystemError) {
            try watch.update()
            while let difference = watch.table.nextChange() {
                if let line = notices.line(difference, at: now) { sink.log(notice: line) }
                if watch.table.followsAll { continue }
                do throws(SystemError) {
                    let position = difference.position
                    if difference.change == .gone { interfaces[position]?.isThere = false }
                    if difference.change == .new {
                        try interfaces[position]?.capture(from: difference.index, difference.name)
                    }
                } catch {
                    if error.code != ENODEV { sink.log(notice: error.line) }
                }
            }
        }

        /// Sets the filters anew, so that other packets pass too.
        public mutating func admit(_ others: OtherPackets) throws(SystemError) {
            for index in interfaces.indices { try interfaces[index]?.admit(others, library) }
        }

        /// The counters of fragments.
        public var fragments: FragmentCounters { packets.fragments }

        /// Counts the packets that did not fit into libpcap's buffer. Does not use pcap_stats(3), which also opens a
        /// file: the filter of system calls would kill the process.
        public func makeDropCounter() -> DropCounter {
            var drops = DropCounter()
            for index in interfaces.indices {
                if let interface = interfaces[index] { drops.add(packetSocket: interface.descriptor, interface.name) }
            }
            return drops
        }
    }

    extension ReadableSet {
        /// Makes the set readable when a descriptor is.
        func add(_ number: Int32, name: CString) throws(SystemError) {
            var event = unsafe epoll_event()
            unsafe event.events = EPOLLIN.rawValue
            _ = try check(name, "watch") { unsafe epoll_ctl(descriptor.number, EPOLL_CTL_ADD, number, &event) }
        }
    }
#endif
