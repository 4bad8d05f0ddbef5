/// The sources of suppressed scans that have not been named yet, and the number of those scans.
///
/// There is room for 128 sources, as many as `nmap -D` takes. If there are more, those with the most new ports since
/// the last summary are kept. Ties are broken by a keyed hash that is permuted anew for each summary, which an attacker
/// can't predict. So an attacker must send as many packets for each decoy as for the scan itself, and gains nothing by
/// their order. Sources that did not fit into a summary keep their place and their port count, so that they are named
/// in one of the next, and those that continue are named in turn.
///
/// The counts are exact because the detector keeps one with each source: the space-saving algorithm (Metwally, Agrawal,
/// El Abbadi 2005) has to estimate those of sources without a place. For these only the scans are counted.
///
/// Reading the places is mutating, even if it changes nothing: otherwise the compiler (Swift 6.3) copies them.
struct SuppressedSources: Sendable {
    /// The maximum number of sources stored.
    static var capacity: Int { 128 }

    private var places = InlineArray<128, SuppressedSource>(repeating: SuppressedSource())
    private var count = 0
    /// What the scans are called.
    let subject: ReportSubject

    init(of subject: ReportSubject = .portScans) { self.subject = subject }

    /// Scans since the last summary.
    private var scans: UInt64 = 0
    /// The number of the period since the last summary.
    private(set) var period: UInt8 = 0

    /// The number of sources named in the current summary so far.
    private var named = 0
    private(set) var isComplete = false

    /// Whether there is nothing to name.
    var isEmpty: Bool { count == 0 }

    /// Records a suppressed scan, or one more port of such a scan.
    mutating func add(_ finding: inout ScanFinding) {
        var suppression = finding.suppression
        let isFirst = finding.isNew || suppression.period != period  // of this scan, since the last summary
        if isFirst {
            scans &+= 1
            suppression.newPorts = 0
        }
        suppression.period = period
        suppression.newPorts = UInt16(clamping: UInt32(suppression.newPorts) + UInt32(finding.newPorts))
        finding.suppression = suppression
        if let index = index(of: finding.report.source) {
            places[index].ports = UInt32(clamping: UInt64(places[index].ports) + UInt64(finding.newPorts))
            if isFirst { places[index].scans += 1 }
            return
        }
        let new = SuppressedSource(
            address: finding.report.source, ports: UInt32(suppression.newPorts), lot: finding.lot, scans: 1)
        if count < Self.capacity {
            places[count] = new
            count += 1
        } else {
            let last = indexOfLast()
            if new.comesBefore(places[last], period: period) { places[last] = new }
        }
    }

    private mutating func index(of source: Address) -> Int? {
        let known = places.span
        for index in 0..<count where known[index].address == source { return index }
        return nil
    }

    private mutating func indexOfLast() -> Int {
        let known = places.span
        var last = 0
        for index in 1..<count where known[last].comesBefore(known[index], period: period) { last = index }
        return last
    }

    /// Sorts the sources by descending port count.
    private mutating func sort() {
        for sorted in 1..<max(count, 1) {  // by insertion: they are few, and seldom sorted
            let moving = places[sorted]
            var index = sorted
            while index > 0 && moving.comesBefore(places[index - 1], period: period) {
                places[index] = places[index - 1]
                index -= 1
            }
            places[index] = moving
        }
    }

    /// Begins the period after a summary: the sources that it named are removed, the others are kept for the next.
    mutating func beginPeriod() {
        for index in named..<count {
            places[index - named] = places[index]
            places[index - named].scans = 0
        }
        count -= named
        named = 0
        scans = 0
        isComplete = false
        period &+= 1  // no scan continues until it wraps around
    }

    /// The next line of the summary: as many sources as fit, and in the last line how many are missing.
    ///
    ///     33 port scans from 31 sources not logged in 20 s: 10.77.2.41, 10.77.2.42,
    ///     also not logged: 10.77.2.43, 10.77.2.44 and 29 more
    ///
    /// - Parameters:
    ///   - duration: the time span of the scans, in nanoseconds.
    ///   - isFirst: whether it begins the summary.
    ///   - isLast: whether no line may follow.
    mutating func nextLine(duration: Int64, isFirst: Bool, isLast: Bool) -> SuppressionLine {
        var line = LogLine()
        var summary = SuppressionSummary(of: subject)
        if isFirst {
            sort()
            appendHead(to: &line, duration)
            summary.scans = scans
        } else {
            line.append("also not logged:")
        }
        let others = scansOfOthers
        let head = line.count
        while named < count && !summary.sources.isFull {
            let before = line.count
            line.append(before == head ? " " : ", ")
            line.append(places[named].address)
            let after = line.count
            // There must be room after it for a comma, or for the end of the last line.
            if isLast { appendTail(to: &line, after: named + 1, others: others) } else { line.append(",") }
            let fits = Self.fits(line)
            line.shorten(to: fits ? after : before)
            if !fits { break }
            summary.sources.append(places[named].address)
            named += 1
        }
        let end = line.count
        if named == count || isLast { appendTail(to: &line, after: named, others: others, alone: end == head) }
        isComplete = isLast || named == count && Self.fits(line)
        if !isComplete {
            line.shorten(to: end)
            if end > head { line.append(",") }
        } else {
            summary.unlisted = UInt32(count - named)
        }
        return SuppressionLine(text: line, summary: summary)
    }

    private static func fits(_ line: LogLine) -> Bool {
        line.count <= min(Parameters.lineLength ?? .max, SuppressionLine.longest)
    }

    /// The number of scans since the last summary of sources that were not stored.
    private var scansOfOthers: UInt64 {
        mutating get {
            var ofKnown: UInt64 = 0
            for index in 0..<count { ofKnown += UInt64(places[index].scans) }
            return scans > ofKnown ? scans - ofKnown : 0
        }
    }

    private mutating func appendHead(to line: inout LogLine, _ duration: Int64) {
        var new = 0
        for index in 0..<count where places[index].scans > 0 { new += 1 }
        let waiting = count - new
        if scans == 0 {
            line.append(decimal: UInt64(waiting))
            line.append(waiting == 1 ? " source" : " sources")
            line.append(subject == .portScans ? " of port scans" : " of other scans")
            line.append(" not logged before:")
            return
        }
        line.append(decimal: scans)
        line.append(subject == .portScans ? " port scan" : " other scan")
        line.append(scans == 1 ? " from " : "s from ")
        if scansOfOthers > 0 { line.append("more than ") }
        line.append(decimal: UInt64(new))
        line.append(new == 1 ? " source not logged in " : " sources not logged in ")
        line.append(decimal: UInt64((duration / 500_000_000 + 1) / 2))
        line.append(" s")
        if waiting > 0 {
            line.append(", and ")
            line.append(decimal: UInt64(waiting))
            line.append(waiting == 1 ? " source before" : " sources before")
        }
        line.append(":")
    }

    /// Appends how many are not named, given the number that are.
    ///
    /// - Parameter alone: whether no name precedes it in the line.
    @inline(never)
    private mutating func appendTail(to line: inout LogLine, after named: Int, others: UInt64, alone: Bool = false) {
        if named < count {
            line.append(alone ? " " : " and ")
            line.append(decimal: UInt64(count - named))
            line.append(" more")
        }
        if others > 0 {
            line.append(named < count ? ", and " : alone ? " " : " and ")
            line.append(decimal: others)
            line.append(others == 1 ? " scan of others" : " scans of others")
        }
    }
}

/// A source to be named.
private struct SuppressedSource: Sendable {
    var address = Address(ipv4: 0)
    /// The number of new ports touched since it was stored.
    var ports: UInt32 = 0
    /// See ``ScanFinding/lot``.
    var lot: UInt32 = 0
    /// The number of scans since the last summary by this source.
    var scans: UInt32 = 0

    /// Whether it is named before another one.
    func comesBefore(_ other: borrowing SuppressedSource, period: UInt8) -> Bool {
        ports != other.ports ? ports > other.ports : drawn(period) < other.drawn(period)
    }

    /// The tie-breaker in a period: each bit of lot and period affects the upper bits. Among equals, the one stored
    /// first comes first.
    private func drawn(_ period: UInt8) -> UInt32 {
        // Wrapping is intended: a permutation of the lot for each period (Fibonacci hashing, Knuth 1973).
        let turned = lot &* (2 &* UInt32(period) &+ 1)
        return (turned ^ turned >> 15) &* 0x9e37_79b1
    }
}
