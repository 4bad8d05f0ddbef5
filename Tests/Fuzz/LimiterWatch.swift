/// A limiter, and what it let through so far.
struct LimiterWatch {
    private var limiter = ReportLimiter()

    /// When the lines of the burst that goes on came out: each within the quiet time after the one before.
    private var burst: [Int64] = []

    /// Asks the limiter, and checks its answer against the lines before.
    mutating func admit(at now: Int64) {
        if let last = burst.last, !Self.isSoon(now, after: last) { burst = [] }
        let verdict = limiter.admit(at: Timestamp(nanoseconds: now))
        switch burst.count {
        case 0..<Int(Parameters.reportBurst): check(verdict == .log, "\(verdict) after \(burst.count) lines")
        case Int(Parameters.reportBurst): check(verdict == .notice, "\(verdict) instead of the notice")
        default: check(verdict == .suppress, "\(verdict) after the notice")
        }
        if verdict != .suppress { burst.append(now) }
    }

    private static func isSoon(_ now: Int64, after last: Int64) -> Bool {
        let (distance, overflow) = now.subtractingReportingOverflow(last)
        return !overflow && (0...Parameters.reportQuiet).contains(distance)
    }
}
