import Testing

@testable import ScanCore

/// What stays in the candidates' table when there are more than it has room for.
struct CandidateTableTests {
    /// Of each set, a model knows the candidates that are in time: nothing but an outdated one, or the one with the
    /// fewest pairs and of these the one that tried no new one for longest, may go.
    @Test(arguments: 0..<20)
    func theOneWithTheFewestPairsGoes(sequence: UInt64) {
        var random = SplitMix(seed: Seed.value &+ sequence)
        let store = Store(seed: random.next())
        for step in 0..<20_000 {
            let fault = store.step(isChecked: step % 1000 == 999)
            if let fault {
                Issue.record("SCANLOGD_TEST_SEED=\(Seed.value), sequence \(sequence), step \(step): \(fault)")
                return
            }
        }
        #expect(store.evicted > 1000)
        #expect(store.outlived > 100, "some are outdated")
    }

    /// Of more sources than there is room for, those with more pairs than the others stay, as DETECTION.md says.
    @Test func aFloodOfSourcesWithTwoPairsPutsOutNoneWithMore() {
        let watch = FullWatch()
        watch.detect(KindSettings(.all))
        let scanners = (UInt32(1)...200).map { Address(ipv4: 0x0a4e_0000 + $0) }
        var time = 10_000 * Int64.seconds(1)
        var found: [Address] = []
        func scan(_ ports: ClosedRange<UInt16>) {
            for port in ports {
                for scanner in scanners {
                    let report = watch.observe(segment(to: port, from: scanner), at: time)
                    if let report, report.kind == .slow { found.append(report.source) }
                }
                time += .seconds(4)
            }
        }
        scan(1...5)
        let flood: UInt32 = 20_000
        for number in 0..<flood {
            for port in UInt16(80)...81 {
                let forged = segment(to: port, from: Address(ipv4: 0xc000_0000 + number))
                let report = watch.observe(forged, at: time)
                #expect(report == nil)
            }
            time += .milliseconds(5)
        }
        #expect(watch.fault == nil)
        // Each became a candidate once, and is one or was put out; there are hardly any free places left.
        #expect(watch.candidatesHeld + Int(watch.candidatesEvicted) == scanners.count + Int(flood))
        #expect(watch.candidatesHeld > 4000)
        scan(6...7)
        #expect(found.count == scanners.count && scanners.allSatisfy { found.contains($0) })
        #expect(watch.fault == nil)
    }
}

/// A table of the daemon's size, and who must be in it.
private final class Store {
    private var table = CandidateTable<512>()
    private var random: SplitMix
    private let key: HashKey
    private var now: UInt32
    /// The candidates of each set: by address and class, how many pairs they have and when they tried the last.
    private var model = [[Name: (pairs: Int, last: UInt32)]](repeating: [:], count: 512)
    private(set) var evicted: UInt64 = 0
    /// How many were outdated when they were asked for.
    private(set) var outlived = 0

    private struct Name: Hashable {
        var number: UInt32
        var target: UInt8
    }

    init(seed: UInt64) {
        random = SplitMix(seed: seed)
        key = HashKey([random.next(), random.next(), random.next(), random.next(), random.next()])
        now = UInt32.random(in: 0...UInt32.max, using: &random)
    }

    /// Has one source, mostly one of a few, try one more pair; returns what is wrong with the table then.
    func step(isChecked: Bool) -> String? {
        now &+= UInt32.random(in: 0...200, using: &random)
        let classes: [PairClass] = [.tcp, .tcp, .tcp, .udp, .ack, .sctp]
        let target = classes.randomElement(using: &random) ?? .tcp
        let isOften = Int.random(in: 0..<4, using: &random) == 0
        let number = UInt32.random(in: 0..<(isOften ? 500 : 40_000), using: &random)
        let event = PairEvent(
            target, .refused, by: Address(ipv4: 0xc000_0000 + number), at: Address(ipv4: 0x0a00_0001),
            port: UInt16.random(in: 1...60, using: &random))
        let hash = target == .tcp ? key.hash(event.source) : key.hash(event.source, salt: UInt32(target.rawValue))
        if let fault = add(event, Name(number: number, target: target.rawValue), hash) { return fault }
        return isChecked ? table.fault(key: key) : nil
    }

    private func isOutdated(_ last: UInt32, _ target: UInt8) -> Bool {
        now &- last > (target == PairClass.ack.rawValue ? 600_000 : 1_800_000)
    }

    private func add(_ event: PairEvent, _ name: Name, _ hash: UInt32) -> String? {
        let set = Int(hash) & 511
        let known = model[set][name].flatMap { isOutdated($0.last, name.target) ? nil : $0 }
        var place = table.find(event, hash: hash, at: now)
        if (place == nil) != (known == nil) { return "\(name) is known: \(place != nil), \(known != nil)" }
        if known == nil {
            if model[set].removeValue(forKey: name) != nil { outlived += 1 }
            place = table.insert(event, begun: now, hash: hash, at: now)
            if let fault = makeRoom(in: set) { return fault }
            model[set][name] = (0, now)
            if table.evicted != evicted { return "\(table.evicted) were put out, and not \(evicted)" }
        }
        guard let place else { return "a candidate has no place" }
        if place.set != set { return "a candidate is in another set" }
        let pair = Pair(destination: 1, port: event.port, state: .refused, at: now)
        let time = now
        let (isNew, pairs, last) = table.withEntry(place) {
            ($0.add(pair, of: event, at: time), Int($0.pairCount), $0.lastPair)
        }
        let expected = model[set][name] ?? (0, now)
        if pairs != min(expected.pairs + (isNew ? 1 : 0), 32) { return "\(pairs) pairs after \(expected.pairs)" }
        model[set][name] = (pairs, last)
        return nil
    }

    /// Finds out who is gone from a set that something was inserted into, and whether that had to be.
    private func makeRoom(in set: Int) -> String? {
        let inTime = model[set].filter { !isOutdated($0.value.last, $0.key.target) }
        outlived += model[set].count - inTime.count
        model[set] = inTime
        let gone = inTime.filter { !isHeld($0.key) }
        if inTime.count < 8 { return gone.isEmpty ? nil : "\(gone) went from a set that was not full" }
        guard let victim = gone.first, gone.count == 1 else { return "\(gone.count) went from a full set" }
        evicted += 1
        model[set][victim.key] = nil
        let (fewest, time) = (victim.value.pairs, victim.value.last)
        let isRight = inTime.values.allSatisfy {
            fewest < $0.pairs || fewest == $0.pairs && now &- time >= now &- $0.last
        }
        return isRight ? nil : "\(victim) went, of \(inTime)"
    }

    private func isHeld(_ name: Name) -> Bool {
        guard let target = PairClass(rawValue: name.target) else { return false }
        let source = Address(ipv4: 0xc000_0000 + name.number)
        let hash = target == .tcp ? key.hash(source) : key.hash(source, salt: UInt32(name.target))
        return table.find(PairEvent(target, .tried, by: source, at: source, port: 0), hash: hash, at: now) != nil
    }
}
