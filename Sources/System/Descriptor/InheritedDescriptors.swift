import CLinux

/// Closes descriptors leaked by the parent, which would otherwise stay open for the lifetime of the process.
///
/// - Parameter path: the path of a file to read: if it names a descriptor, that stays open. A shell passes pipes this
///   way: `<(zcat day.pcap.gz)`.
package func closeInheritedDescriptors(but path: CString?) {
    let first = STDERR_FILENO + 1
    var status = stat()
    guard let path, let kept = descriptor(at: path), kept >= first, unsafe fstat(kept, &status) == 0 else {
        return closefrom(first)
    }
    for number in first..<kept { close(number) }
    closefrom(kept + 1)
}

/// The descriptor number that a path names; `nil` if it is not in a form that a shell uses.
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
