#if Pcap
    import CLinux
    import CPcap
    import System

    /// The bytes of a file as they come, for libpcap or for ``PcapngReader`` to read in steps that never wait: one that finds
    /// too few is undone, and done again when there are more. Not closed by itself: who reads it may own it.
    @safe @usableFromInline struct PcapStream {
        let pointer: OpaquePointer

        /// A stream of a descriptor, which it owns.
        init(owning descriptor: Int32, _ name: CString) throws(SystemError) {
            guard let pointer = unsafe cpcap_stream(descriptor) else {
                let error = SystemError(name, "open")
                CLinux.close(descriptor)
                throw error
            }
            unsafe self.pointer = pointer
        }

        /// Reads what the descriptor has, and waits until it has anything.
        func fill() { unsafe cpcap_stream_fill(pointer) }

        /// Ends a step: what it has taken is not kept.
        func endStep() { unsafe cpcap_stream_keep(pointer) }

        /// Undoes a step that has found too few bytes, where more may come: whether that is so.
        func undoStepIfStarved() -> Bool {
            if unsafe !cpcap_stream_is_starved(pointer) { return false }
            unsafe cpcap_stream_rewind(pointer)
            return true
        }

        /// Undoes a step that only looked.
        func undoStep() { unsafe cpcap_stream_rewind(pointer) }

        /// How many bytes have been taken.
        var position: Int64 { unsafe cpcap_stream_position(pointer) }

        /// Takes bytes, as many as are asked for if there are so many; the place must have room for them.
        func read(into place: UnsafeMutableBufferPointer<UInt8>, _ count: Int) -> Int {
            precondition(count <= place.count)
            return unsafe cpcap_stream_read(pointer, place.baseAddress, count)
        }

        /// Passes over bytes, as many as are asked for if so many are here: their number.
        func skip(_ count: Int) -> Int { unsafe cpcap_stream_skip(pointer, count) }

        /// Whether the step has found too few bytes, and more may come.
        var isStarved: Bool { unsafe cpcap_stream_is_starved(pointer) }

        /// Whether what was taken last is short though the file has not ended: errno has the reason.
        var hasFailed: Bool { unsafe cpcap_stream_failed(pointer) }

        @usableFromInline
        func close() { unsafe cpcap_stream_close(pointer) }
    }
#endif
