/// The work budget for following fragmented header chains, so that an attacker can't keep a sensor busy with them.
///
/// Fragments can be crafted so that each leads from 64 places to 64 others, which takes a hundred times as long as a
/// packet should. So the steps of all packets are counted together: a step is a record that is examined, or a header
/// that is passed. ``most`` steps are allowed in a burst, and they recover over time at a rate of some percent of a
/// processor. Each packet has ``least`` steps regardless of others, enough for one of a few fragments whose key is not
/// shared.
///
/// An all-zero value is the initial state, in which no step was taken.
struct ChainWork {
    /// The maximum number of steps in a burst.
    static var most: Int { 1 << 20 }
    /// The time to recover one step, in nanoseconds.
    static var recovery: Int64 { 250 }
    /// The minimum number of steps for each packet.
    static var least: Int { 256 }
    /// The cost of a search for a place, in steps.
    static var search: Int { 16 }

    private var taken = 0
    private var latest = Timestamp(nanoseconds: 0)
    /// The number of steps left for this packet.
    private var left = 0

    /// Begins a packet.
    mutating func begin(at now: Timestamp) {
        let (elapsed, overflow) = now.nanoseconds.subtractingReportingOverflow(latest.nanoseconds)
        if !overflow && elapsed > 0 { taken -= min(taken, Int(elapsed / Self.recovery)) }
        latest = now
        left = max(Self.most - taken, Self.least)
    }

    /// Subtracts steps from the budget.
    mutating func charge(_ steps: Int) {
        left -= steps
        taken = min(taken + steps, Self.most)
    }

    /// Whether the budget of this packet is used up.
    var isOver: Bool { left <= 0 }
}
