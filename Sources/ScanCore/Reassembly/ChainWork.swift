/// What following the fragments of divided chains may cost, so that nobody can keep a sensor busy with it.
///
/// Fragments can be made so that each leads from 64 places into 64 others, which takes a hundred times as long as a
/// packet should. So the steps of all packets are counted together: a step is a record that is looked at, or a header
/// that is gone past. There are ``most`` at once, and after that as many as time gives back: some percent of a processor. A
/// packet has ``least`` steps whatever others took, enough for one of a few fragments that has its name for itself.
///
/// All bytes zero is the state in which none was taken.
struct ChainWork {
    /// How many steps may be taken at once.
    static var most: Int { 1 << 20 }
    /// After how many nanoseconds one of them may be taken again.
    static var recovery: Int64 { 250 }
    /// How many steps each packet may take in any case.
    static var least: Int { 256 }
    /// As how many steps it counts to look for what is known of a place.
    static var search: Int { 16 }

    private var taken = 0
    private var latest = Timestamp(nanoseconds: 0)
    /// How many may be taken for this packet.
    private var left = 0

    /// Begins a packet.
    mutating func begin(at now: Timestamp) {
        let (elapsed, overflow) = now.nanoseconds.subtractingReportingOverflow(latest.nanoseconds)
        if !overflow && elapsed > 0 { taken -= min(taken, Int(elapsed / Self.recovery)) }
        latest = now
        left = max(Self.most - taken, Self.least)
    }

    /// Takes steps.
    mutating func charge(_ steps: Int) {
        left -= steps
        taken = min(taken + steps, Self.most)
    }

    /// Whether no more may be taken for this packet.
    var isOver: Bool { left <= 0 }
}
