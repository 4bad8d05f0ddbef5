#if Pcap
    import CLinux
    import CPcap
    import System

    /// The bytes of a file as they arrive, for libpcap or ``PcapngReader`` to parse in steps that never block: a step
    /// that runs out of bytes is undone, and repeated when there are more. Not closed automatically: its reader may own
    /// it.
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

        /// Reads from the descriptor, and blocks until there is something to read.
        func fill() { unsafe cpcap_stream_fill(pointer) }

        /// Ends a step: the bytes it has consumed are discarded.
        func endStep() { unsafe cpcap_stream_keep(pointer) }

        /// Undoes a step that ran out of bytes, where more may arrive. Returns whether that is the case.
        func undoStepIfStarved() -> Bool {
            if unsafe !cpcap_stream_is_starved(pointer) { return false }
            unsafe cpcap_stream_rewind(pointer)
            return true
        }

        /// Undoes a step that only peeked.
        func undoStep() { unsafe cpcap_stream_rewind(pointer) }

        /// How many bytes have been consumed.
        var position: Int64 { unsafe cpcap_stream_position(pointer) }

        /// Reads up to `count` bytes, for which there must be room. Returns their number.
        func read(into place: UnsafeMutableBufferPointer<UInt8>, _ count: Int) -> Int {
            precondition(count <= place.count)
            return unsafe cpcap_stream_read(pointer, place.baseAddress, count)
        }

        /// Skips up to `count` bytes of those read from the descriptor. Returns their number.
        func skip(_ count: Int) -> Int { unsafe cpcap_stream_skip(pointer, count) }

        /// Whether the step ran out of bytes, and more may arrive.
        var isStarved: Bool { unsafe cpcap_stream_is_starved(pointer) }

        /// Whether the last read was short though the file has not ended: errno has the reason.
        var hasFailed: Bool { unsafe cpcap_stream_failed(pointer) }

        @usableFromInline
        func close() { unsafe cpcap_stream_close(pointer) }
    }
#endif
