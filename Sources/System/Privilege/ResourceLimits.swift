import CLinux

/// The resources that can be limited (setrlimit(2)).
package enum Resource {
    /// The address space, in bytes.
    case addressSpace
    /// The size of a core dump, in bytes.
    case coreSize
    /// The highest descriptor number plus one.
    case descriptors
    /// The size of a file, in bytes; pipes are not affected.
    case fileSize
    /// The number of processes of its user: with 0 it can't fork.
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

/// Limits this process permanently, unless a lower limit is set already.
package func limit(_ resource: Resource, to value: UInt64) throws(SystemError) {
    _ = try check("limits", "set") { clinux_limit(resource.number, value) }
}

/// The maximum number of descriptors that a confined process polls at a time.
private var mostPolled: Int32 { 5 }

/// Limits how many more descriptors can be opened: a new one takes the lowest free number, and the limit leaves no
/// other free numbers below it.
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
