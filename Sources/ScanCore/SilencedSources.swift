/// The sources of scans that were not logged, and how many scans that were.
///
/// The first 64 sources are known by their addresses, each once. Of those after them only the scans are counted, so
/// that forged ones can't put out a name that is there.
///
/// All that reads the addresses is mutating, also where it changes nothing: else the compiler (Swift 6.3) copies them.
struct SilencedSources: Sendable {
    /// How many sources are known by their addresses.
    static var capacity: Int { 64 }

    private var sources = InlineArray<64, Address>(repeating: Address(ipv4: 0))
    private var count = 0
    private var scans: UInt64 = 0
    /// Of ``scans``, those of sources that there was no room for.
    private var scansOfOthers: UInt64 = 0

    /// How many sources stand in the lines so far.
    private var named = 0
    private(set) var areAllTold = false

    /// Takes note of a scan of a source.
    mutating func add(_ source: Address) {
        scans &+= 1
        if contains(source) { return }
        if count < Self.capacity {
            sources[count] = source
            count += 1
        } else {
            scansOfOthers &+= 1
        }
    }

    private mutating func contains(_ source: Address) -> Bool {
        let known = sources.span
        for index in 0..<count where known[index] == source { return true }
        return false
    }

    /// The next line of the summary: as many sources as it has room for, and in the last line how many are missing.
    ///
    ///     33 port scans from 31 sources not logged in 20 s: 10.77.2.41, 10.77.2.42,
    ///     also not logged: 10.77.2.43, 10.77.2.44 and 29 more
    ///
    /// - Parameters:
    ///   - duration: the time in which the scans came, in nanoseconds.
    ///   - isFirst: whether it begins the summary.
    ///   - isLast: whether no line may follow.
    mutating func nextLine(duration: Int64, isFirst: Bool, isLast: Bool) -> LogLine {
        var line = LogLine()
        if isFirst { appendHead(to: &line, duration) } else { line.append("also not logged:") }
        let head = line.count
        while named < count {
            let before = line.count
            line.append(before == head ? " " : ", ")
            line.append(sources[named])
            let after = line.count
            // Behind it must be room for a comma, or for what ends the last line.
            if isLast { appendTail(to: &line, after: named + 1) } else { line.append(",") }
            let fits = Self.fits(line)
            line.shorten(to: fits ? after : before)
            if !fits { break }
            named += 1
        }
        let end = line.count
        if named == count || isLast { appendTail(to: &line, after: named, alone: end == head) }
        areAllTold = isLast || named == count && Self.fits(line)
        if !areAllTold {
            line.shorten(to: end)
            if end > head { line.append(",") }
        }
        return line
    }

    private static func fits(_ line: LogLine) -> Bool {
        line.count <= Parameters.lineLength ?? LogLine.capacity - 1
    }

    private mutating func appendHead(to line: inout LogLine, _ duration: Int64) {
        line.append(decimal: scans)
        line.append(scans == 1 ? " port scan from " : " port scans from ")
        if scansOfOthers > 0 { line.append("more than ") }
        line.append(decimal: UInt64(count))
        line.append(count == 1 ? " source not logged in " : " sources not logged in ")
        line.append(decimal: UInt64((duration / 500_000_000 + 1) / 2))
        line.append(" s:")
    }

    /// Says how many are not named, when so many are.
    ///
    /// - Parameter alone: whether no name stands before it in the line.
    @inline(never)
    private mutating func appendTail(to line: inout LogLine, after named: Int, alone: Bool = false) {
        if named < count {
            line.append(alone ? " " : " and ")
            line.append(decimal: UInt64(count - named))
            line.append(" more")
        }
        if scansOfOthers > 0 {
            line.append(named < count ? ", and " : alone ? " " : " and ")
            line.append(decimal: scansOfOthers)
            line.append(scansOfOthers == 1 ? " scan of others" : " scans of others")
        }
    }
}
