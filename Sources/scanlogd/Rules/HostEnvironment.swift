#if Rules
    import Capture
    import HostRules
    import System

    /// The host's files, users and groups that rules refer to.
    struct HostEnvironment: RuleEnvironment {
        /// The maximum size of a file of patterns, in bytes: a larger one counts as unreadable.
        var patternFileLimit = Int64.max

        func withPatterns(in path: Span<UInt8>, _ body: (Span<UInt8>) -> Void) -> Bool {
            let limit = patternFileLimit
            return Self.withText(path) { path in
                do throws(SystemError) {
                    try FileContents(path, isRegular: true, limit: limit).withBytes(body)
                    return true
                } catch {
                    return false  // the reason does not matter: it matches nothing
                }
            }
        }

        func hasUser(_ name: Span<UInt8>) -> Bool {
            Self.withText(name) { userExists($0) }
        }

        func hasGroup(_ name: Span<UInt8>) -> Bool {
            Self.withText(name) { groupExists($0) }
        }

        func hasDirectory(_ path: Span<UInt8>) -> Bool {
            Self.withText(path) { directoryExists($0) }
        }

        /// Passes bytes as a zero-terminated string, valid while the function runs. Returns `false` if they can't be a
        /// path or name: too long, or with a zero byte.
        private static func withText(_ bytes: Span<UInt8>, _ body: (CString) -> Bool) -> Bool {
            var text = InlineArray<4096, CChar>(repeating: 0)
            if bytes.count >= text.count { return false }
            for index in bytes.indices {
                if bytes[index] == 0 { return false }
                text[index] = CChar(bitPattern: bytes[index])
            }
            return unsafe text.span.withUnsafeBufferPointer { buffer in
                guard let start = buffer.baseAddress else { return false }
                return body(unsafe CString(unsafe: start))
            }
        }
    }
#endif
