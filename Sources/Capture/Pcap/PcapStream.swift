#if Pcap
    import CLinux
    import CPcap
    import System

    /// A C stream, for libpcap or for ``PcapngReader`` to read. Not closed by itself: who reads it may own it.
    @safe @usableFromInline struct PcapStream {
        let pointer: UnsafeMutableRawPointer

        /// A stream of a descriptor, which it owns.
        init(owning descriptor: Int32, _ name: CString) throws(SystemError) {
            guard let pointer = unsafe cpcap_stream(descriptor) else {
                let error = SystemError(name, "open")
                CLinux.close(descriptor)
                throw error
            }
            unsafe self.pointer = pointer
        }

        /// How many bytes have been read, or -1.
        var position: Int64 { unsafe cpcap_stream_position(pointer) }

        /// Reads bytes, as many as are asked for if there are so many; the place must have room for them.
        func read(into place: UnsafeMutableBufferPointer<UInt8>, _ count: Int) -> Int {
            precondition(count <= place.count)
            return unsafe cpcap_stream_read(pointer, place.baseAddress, count)
        }

        /// Passes over bytes: whether there are so many.
        func skip(_ count: Int) -> Bool { unsafe cpcap_stream_skip(pointer, count) }

        /// Whether what was read last is short because reading failed, for which errno has the reason.
        var hasFailed: Bool { unsafe cpcap_stream_failed(pointer) }

        @usableFromInline
        func close() { unsafe cpcap_stream_close(pointer) }
    }
#endif
