#if Wrap
    import HostRules
    import ScanCore
    import System

    extension WrapSession {
        /// The most bytes of a banner, before its expansion.
        private static var bannerLimit: Int64 { 65536 }
        /// How long the client may take to receive it, in nanoseconds.
        private static var bannerPatience: Int64 { 5_000_000_000 }

        /// Sends the file of the service's name in a directory, if there is one, with ends of lines as terminals have
        /// them.
        mutating func sendBanner(_ directory: Span<UInt8>) {
            if !connection.isStream { return }
            var path = CText()
            path.append(directory)
            path.append("/")
            path.append(options.service)
            let isSent = path.withCString { path in
                do throws(SystemError) {
                    try FileContents(path, isRegular: true, limit: Self.bannerLimit).withBytes { send($0) }
                    return true
                } catch {
                    // Only some services have a banner.
                    if error.code != Errno.noSuchFileOrDirectory { log.warn(error) }
                    return false
                }
            }
            hasSentBanner = hasSentBanner || isSent
        }

        private mutating func send(_ text: Span<UInt8>) {
            lookUpNames(for: text)
            let due = Timestamp.fromNow(Self.bannerPatience)
            let connection = connection
            var buffer = LogLine()
            expansionValues.expand(text) { byte in
                if byte == 10 { buffer.append(byte: 13) }
                buffer.append(byte: byte)
                if buffer.count < LogLine.capacity - 1 { return }
                connection.send(buffer.bytes.span.extracting(0..<buffer.count), until: due)
                buffer = LogLine()
            }
            connection.send(buffer.bytes.span.extracting(0..<buffer.count), until: due)
        }
    }
#endif
