import CLinux

/// Creates two connected non-blocking sockets that preserve message boundaries.
@inline(__always)  // a call to it, with its error handling, takes more code than its body
package func makeSockets(_ object: CString) throws(SystemError) -> InlineArray<2, Int32> {
    let type = Int32(SOCK_SEQPACKET.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    return unsafe try makePair(object, "make sockets") { unsafe socketpair(AF_UNIX, type, 0, $0) }
}

/// Creates a non-blocking pipe: the read end, then the write end.
package func makePipe(_ object: CString) throws(SystemError) -> InlineArray<2, Int32> {
    unsafe try makePair(object, "make pipe") { unsafe pipe2($0, O_NONBLOCK | O_CLOEXEC) }
}

/// Calls a function that fills an array with two descriptors.
package func makePair(
    _ object: CString, _ operation: CString, _ make: (UnsafeMutablePointer<Int32>) -> Int32
) throws(SystemError) -> InlineArray<2, Int32> {
    var ends: InlineArray<2, Int32> = [-1, -1]
    var span = ends.mutableSpan
    _ = try check(object, operation) {
        unsafe span.withUnsafeMutableBufferPointer { buffer in
            guard let first = buffer.baseAddress else { return -1 }
            return unsafe make(first)
        }
    }
    return ends
}
