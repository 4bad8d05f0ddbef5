#if Pcap
    import CLinux
    import CPcap
    import ScanCore
    import System

    /// The next packet of an interface. Its memory is valid until the following one is fetched (pcap_next_ex(3)).
    @safe @usableFromInline struct PcapHead {
        /// Its time of arrival, in nanoseconds since 1970 UTC.
        let stamp: Int64
        private let data: UnsafePointer<UInt8>
        private let length: Int
        /// Its original length, in bytes.
        let wholeLength: Int

        init(_ header: pcap_pkthdr, _ data: UnsafePointer<UInt8>) {
            stamp = nanoseconds(seconds: Int64(header.ts.tv_sec), and: Int64(header.ts.tv_usec))  // as requested
            length = Int(header.caplen)
            wholeLength = Int(header.len)
            unsafe self.data = data
        }

        /// Passes its bytes to a function.
        func withBytes(_ body: (Span<UInt8>) -> Void) {
            body(unsafe UnsafeBufferPointer(start: data, count: length).span)
        }
    }

    extension PcapInterface {
        /// Fetches the next packet, if the last one has been delivered, and the last fetch did not find the queue
        /// empty.
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
        /// Delivers waiting packets of several interfaces in order of arrival: always the oldest of their next packets.
        ///
        /// Packets are visible as soon as they arrive (pcap_set_immediate_mode(3)). So a later packet of an interface
        /// that had none arrived after that interface was polled; it is polled again before a packet that arrived after
        /// that is delivered.
        ///
        /// - Parameter failure: an error of one of them, to be thrown after the others have been handled.
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
                    isFresh = true  // after the clock was set back, the packet can be later than that as well
                    continue
                }
                isFresh = false
                deliver(index, head, into: &sink)
                taken += 1
            }
            return .batch
        }

        /// Makes every interface be polled again, and returns the time before that.
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

        /// The interface with the oldest next packet, `nil` if none has one.
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
