import CLinux

/// What a process can be kept from using (setrlimit(2)).
package enum Resource {
    /// Bytes of its memory.
    case addressSpace
    /// Bytes of a file that its memory is written out to.
    case coreSize
    /// The number above the highest that a descriptor may have.
    case descriptors
    /// Bytes that a file may grow to; a pipe is none.
    case fileSize
    /// Processes of its user, so that it can't fork when it is 0.
    case processes

    fileprivate var number: Int32 {
        switch self {
        case .addressSpace: Int32(RLIMIT_AS.rawValue)
        case .coreSize: Int32(RLIMIT_CORE.rawValue)
        case .descriptors: Int32(RLIMIT_NOFILE.rawValue)
        case .fileSize: Int32(RLIMIT_FSIZE.rawValue)
        case .processes: Int32(__RLIMIT_NPROC.rawValue)
        }
    }
}

/// Limits this process, for good, unless it is limited more.
package func limit(_ resource: Resource, to value: UInt64) throws(SystemError) {
    _ = try check("limits", "set") { clinux_limit(resource.number, value) }
}

/// The most descriptors that a confined process waits for at a time.
private var mostPolled: Int32 { 5 }

/// Lets only so many descriptors be opened beside those that are open: what opens one takes the lowest free number, and
/// the limit leaves no more free numbers below it.
package func limitDescriptors(more count: Int) throws(SystemError) {
    var placeholders: InlineArray<2, Int32> = [-1, -1]
    for index in 0..<count { placeholders[index] = try check("descriptors", "duplicate") { dup(STDIN_FILENO) } }
    while true {
        let lowestFree = try check("descriptors", "duplicate") { dup(STDIN_FILENO) }
        if lowestFree < mostPolled { continue }  // poll(2) takes no more entries than descriptors may be open
        close(lowestFree)
        for index in 0..<count { close(placeholders[index]) }
        return try limit(.descriptors, to: UInt64(lowestFree))
    }
}
