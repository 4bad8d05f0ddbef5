import CLinux

/// Closes what a careless parent left open, which would stay open for as long as we run.
///
/// - Parameter path: of a file to read: what it leads to stays open, for it may be a descriptor. A shell gives us a
///   pipe so: `<(zcat day.pcap.gz)`.
package func closeInheritedDescriptors(but path: CString?) {
    let first = STDERR_FILENO + 1
    var status = stat()
    guard let path, let kept = descriptor(at: path), kept >= first, unsafe fstat(kept, &status) == 0 else {
        return closefrom(first)
    }
    for number in first..<kept { close(number) }
    closefrom(kept + 1)
}

/// The descriptor that a path leads to by its number; `nil`: none that a shell would give.
private func descriptor(at path: CString) -> Int32? {
    guard let digits = unsafe rest(of: path, behind: "/dev/fd/") ?? rest(of: path, behind: "/proc/self/fd/") else {
        return nil
    }
    var next = unsafe digits
    var number: Int32 = 0
    while let digit = Int32(exactly: unsafe next.pointee), (48...57).contains(digit), number < 1_000_000 {
        number = number * 10 + digit - 48
        unsafe next += 1
    }
    return unsafe next.pointee == 0 ? number : nil
}

@unsafe private func rest(of path: CString, behind start: CString) -> UnsafePointer<CChar>? {
    let length = unsafe strlen(start.pointer)
    return unsafe strncmp(path.pointer, start.pointer, length) == 0 ? path.pointer + length : nil
}
