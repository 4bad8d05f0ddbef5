#if Pcap
    import CLinux
    import CPcap
    import ScanCore
    import System

    /// The next packet of an interface. It stays where it is until the one behind it is looked for (pcap_next_ex(3)).
    @safe @usableFromInline struct PcapHead {
        /// When it came, in nanoseconds since 1970 UTC.
        let stamp: Int64
        private let data: UnsafePointer<UInt8>
        private let length: Int
        /// How many bytes it had in all.
        let wholeLength: Int

        init(_ header: pcap_pkthdr, _ data: UnsafePointer<UInt8>) {
            stamp = nanoseconds(seconds: Int64(header.ts.tv_sec), and: Int64(header.ts.tv_usec))  // as was asked for
            length = Int(header.caplen)
            wholeLength = Int(header.len)
            unsafe self.data = data
        }

        /// Lends its bytes.
        func withBytes(_ body: (Span<UInt8>) -> Void) {
            body(unsafe UnsafeBufferPointer(start: data, count: length).span)
        }
    }

    extension PcapInterface {
        /// Looks for the next packet, if the last one has been handed over and there was one when this was last done.
        mutating func fetchHead(_ library: PcapLibrary) throws(SystemError) {
            if head != nil || isIdle { return }
            isIdle = true
            var header: UnsafeMutablePointer<pcap_pkthdr>?
            var data: UnsafePointer<UInt8>?
            let result = unsafe library.functions.pointee.next_ex(handle, &header, &data)
            if result < 0 { throw unsafe library.error(name, "receive", of: handle) }
            if result > 0, let header = unsafe header?.pointee, let data = unsafe data {
                head = unsafe PcapHead(header, data)
                isIdle = false
            }
        }
    }

    extension PcapCapture {
        /// Hands over what waits on several interfaces in the order in which it came: of their next packets the oldest.
        ///
        /// Packets can be seen as soon as they have come (pcap_set_immediate_mode(3)). So what an interface that had none
        /// gives later came later than it was asked; it is asked anew before a packet that came after that goes first.
        ///
        /// - Parameter failure: what went wrong on one of them, to be thrown when the others have had their turn.
        mutating func receiveInOrder(
            into sink: inout some ProbeSink & ~Copyable, _ failure: inout SystemError?
        ) -> Reception {
            for index in 0..<count {
                do throws(SystemError) { try interfaces[index]?.acknowledgeDown() } catch { failure = error }
            }
            var askedAt = ask()
            var isFresh = false
            var taken = 0
            while taken < PcapCapture.mostBatches * PcapBatch.count {
                if sink.isFull { return .full }
                fetchHeads(&failure)
                guard let index = oldest(), let head = interfaces[index]?.head else {
                    return taken == 0 ? .nothing : .all
                }
                if head.stamp > askedAt && !isFresh {
                    askedAt = ask()
                    isFresh = true  // where the clock was set back, the packet can be of after that as well
                    continue
                }
                isFresh = false
                deliver(index, head, into: &sink)
                taken += 1
            }
            return .batch
        }

        /// Has every interface asked anew whether it has a packet, and returns the time of before that.
        private mutating func ask() -> Int64 {
            let now = realTime()
            time.beginBatch(now: .now(), realTime: now)
            for index in 0..<count { interfaces[index]?.isIdle = false }
            return now
        }

        private mutating func fetchHeads(_ failure: inout SystemError?) {
            for index in 0..<count {
                do throws(SystemError) { try interfaces[index]?.fetchHead(library) } catch { failure = error }
            }
        }

        /// The interface whose next packet is the oldest, `nil` if none has one.
        private mutating func oldest() -> Int? {
            var found: Int?
            var earliest = Int64.max
            for index in 0..<count {
                if let stamp = interfaces[index]?.head?.stamp, stamp <= earliest {
                    earliest = stamp
                    found = index
                }
            }
            return found
        }

        private mutating func deliver(_ index: Int, _ head: PcapHead, into sink: inout some ProbeSink & ~Copyable) {
            interfaces[index]?.head = nil
            guard let link = interfaces[index]?.link, interfaces[index]?.isThere == true else { return }
            let now = time.timestamp(of: max(0, min(head.stamp, 1 << 62)))
            head.withBytes { frame in
                packets.read(
                    frame, length: head.wholeLength, of: link, interface: number(of: index), at: now,
                    realTime: head.stamp, into: &sink)
            }
        }
    }
#endif
