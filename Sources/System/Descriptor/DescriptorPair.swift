import CLinux

/// Makes two connected sockets that keep messages apart and never block.
@inline(__always)  // a call of it, and of what it throws, takes more room than it does
package func makeSockets(_ object: CString) throws(SystemError) -> InlineArray<2, Int32> {
    let type = Int32(SOCK_SEQPACKET.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    return unsafe try makePair(object, "make sockets") { unsafe socketpair(AF_UNIX, type, 0, $0) }
}

/// Makes a pipe that never blocks: its end to read from, and that to write to.
package func makePipe(_ object: CString) throws(SystemError) -> InlineArray<2, Int32> {
    unsafe try makePair(object, "make pipe") { unsafe pipe2($0, O_NONBLOCK | O_CLOEXEC) }
}

/// Calls what fills an array with two descriptors.
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
