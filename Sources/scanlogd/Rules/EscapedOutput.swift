#if Rules
    import Capture
    import HostRules
    import ScanCore
    import System

    /// Buffered standard output of the commands. Bytes that come from a file are escaped, so that a terminal takes them
    /// for nothing but text.
    struct EscapedOutput {
        private var buffer = LogLine()
        private var failure: SystemError?

        mutating func add(_ line: LogLine) {
            if buffer.count + line.count > LogLine.capacity { flush() }
            buffer.append(line)
        }

        mutating func add(_ text: String) {
            add(LogLine(text))
        }

        mutating func add(_ number: Int) {
            var line = LogLine()
            line.append(decimal: UInt(number))
            add(line)
        }

        /// Adds bytes that come from a file or the command line.
        mutating func add(quoting bytes: Span<UInt8>) {
            for index in bytes.indices {
                if buffer.count > LogLine.capacity - 4 { flush() }
                buffer.append(escaping: bytes[index] == 9 ? 32 : bytes[index])
            }
        }

        /// Adds the text of a rule, without the blanks around it.
        mutating func add(_ rule: inout Rule) {
            rule.withText { text in
                var start = 0
                var end = text.count
                while start < end && (text[start] == 32 || text[start] == 9) { start += 1 }
                while end > start && (text[end - 1] == 32 || text[end - 1] == 9 || text[end - 1] == 13) { end -= 1 }
                add(quoting: text.extracting(start..<end))
            }
        }

        /// Adds `path:line: `.
        mutating func add(place path: CString, _ line: Int) {
            path.withBytes { add(quoting: $0) }
            add(":")
            add(line)
            add(": ")
        }

        private mutating func flush() {
            do throws(SystemError) {
                if failure == nil { try print(buffer) }
            } catch {
                failure = error
            }
            buffer = LogLine()
        }

        /// Writes the rest of the buffer.
        ///
        /// - Throws: the first error of writing.
        mutating func finish() throws(SystemError) {
            flush()
            if let failure { throw failure }
        }
    }
#endif
