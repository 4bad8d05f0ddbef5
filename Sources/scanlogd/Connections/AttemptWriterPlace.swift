#if Pcap
    import System

    /// Where the writer is as long as the process lives: in memory of its own, for it is large to be moved about.
    ///
    /// Safe: it is made once, nobody ever frees it, and nobody but the command that it was made by, which does one thing at
    /// a time, uses it.
    @safe struct AttemptWriterPlace {
        private let pointer: UnsafeMutablePointer<AttemptWriter>

        init(_ writer: consuming AttemptWriter) {
            unsafe pointer = .allocate(capacity: 1)
            unsafe pointer.initialize(to: writer)
        }

        var writer: AttemptWriter {
            _read { yield unsafe pointer.pointee }
            nonmutating _modify { yield unsafe &pointer.pointee }
        }
    }
#endif
