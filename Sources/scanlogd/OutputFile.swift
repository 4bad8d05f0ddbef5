#if Pcap
    import Capture
    import CLinux

    /// A file that lines are appended to.
    enum OutputFile {
        /// Opens a file, or makes it with mode 0640.
        ///
        /// - Throws: why it can't be; also that it is a symbolic link, which in a directory that others write to would be
        ///   a trap for root, or no regular file.
        static func open(_ path: ConstantText) throws(SystemError) -> Descriptor {
            _ = umask(0o027)
            // The filter of system calls knows these flags: see Tests/SystemCalls.
            let flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
            let file = Descriptor(owning: try check(path, "open") { unsafe clinux_open(path.pointer, flags, 0o640) })
            if try !fileStatus(of: file.number, path).isRegularFile {
                throw SystemError(path, "open", because: "not a regular file")
            }
            return file
        }
    }
#endif
