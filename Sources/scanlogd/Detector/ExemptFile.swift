#if Rules
    import Capture
    import System

    /// How files of exempt sources are read: by the daemon at its start, and by the commands that check and match
    /// rules.
    enum ExemptFile {
        /// The most bytes of a file, and of each file of patterns.
        private static var limit: Int64 { 1 << 20 }

        /// Reads a file, which must be a regular one: the start must not block on the writer of a pipe.
        static func read(_ path: CString) throws(SystemError) -> FileContents {
            try FileContents(path, isRegular: true, limit: limit)
        }

        /// The host environment, with the limit on files of patterns.
        static var system: HostEnvironment { HostEnvironment(patternFileLimit: limit) }
    }
#endif
