@testable import ScanCore

/// What becomes of the fragments of one packet, kept without bound or bits.
struct FragmentModel {
    private let isIPv4: Bool
    private let headerEnd: Int
    private let segment: Probe
    private var known: Set<Int> = []

    /// A packet whose TCP header ends at an offset in the part that is divided.
    init(isIPv4: Bool, headerEnd: Int, segment: Probe) {
        self.isIPv4 = isIPv4
        self.headerEnd = headerEnd
        self.segment = segment
    }

    /// What is to be said of the fragment with some bytes.
    mutating func take(_ range: Range<Int>) -> Reading {
        if range.lowerBound == 0 && range.upperBound >= headerEnd { return .segment(segment) }  // no need to keep it
        if range.lowerBound >= (isIPv4 ? 20 : 64) { return .fault(.fragment) }
        let new = Set(range.clamped(to: 0..<64)).subtracting(known)
        if new.isEmpty { return .kept }
        let overlaps = new.count < range.clamped(to: 0..<64).count
        known.formUnion(new)
        let isWhole = known.isSuperset(of: 0..<headerEnd)
        if isWhole || overlaps { known = [] }
        return isWhole ? .segment(segment) : .kept
    }
}
