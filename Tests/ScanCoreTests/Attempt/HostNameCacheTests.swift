import Testing

@testable import ScanCore

/// The cache of names, in which under this key the low bits of a host's number are its set.
struct HostNameCacheTests {
    @Test func anEmptyCacheKnowsNothing() {
        let cache = Cache<4, 4>()
        for host in UInt32(0)..<20 { #expect(cache.find(host, at: 0) == nil) }
        #expect(cache.find(Address(ipv6High: 0, low: 0), at: 0) == nil)
        #expect(cache.fault == nil && cache.underWay == 0)
    }

    @Test func aLookupIsPendingUntilItIsAnswered() {
        let cache = Cache<4, 4>()
        #expect(cache.begin(1, at: 0))
        #expect(cache.find(1, at: .milliseconds(1999)) == .pending)
        cache.store("one.example", of: 1, at: .milliseconds(1999))
        #expect(cache.find(1, at: .seconds(2)) == .name(name("one.example")))
        #expect(cache.underWay == 0)
    }

    @Test func aLookupThatIsUnderWayDoesNotBeginAgain() {
        let cache = Cache<4, 4>()
        #expect(cache.begin(1, at: 0))
        #expect(!cache.begin(1, at: 1))
        #expect(cache.underWay == 1)
    }

    @Test func aLookupWithoutAnswerIsNoNameAfterTwoSeconds() {
        let cache = Cache<4, 4>()
        #expect(cache.begin(1, at: 7))
        #expect(cache.find(1, at: .seconds(2) + 6) == .pending)
        #expect(cache.find(1, at: .seconds(2) + 7) == .noName)
        #expect(cache.underWay == 0)
        // It is that for a minute from then on.
        #expect(cache.find(1, at: .seconds(62) + 6) == .noName)
        #expect(cache.find(1, at: .seconds(62) + 7) == nil)
    }

    @Test func aLookupMayTakeAsLongAsIsSaid() {
        let cache = Cache<4, 4>(patience: .seconds(10))
        #expect(cache.begin(1, at: 7))
        #expect(cache.find(1, at: .seconds(10) + 6) == .pending && cache.underWay == 1)
        #expect(cache.find(1, at: .seconds(10) + 7) == .noName && cache.underWay == 0)
        #expect(cache.find(1, at: .seconds(70) + 6) == .noName)
        #expect(cache.find(1, at: .seconds(70) + 7) == nil)
    }

    @Test func aNameLastsForFiveMinutes() {
        let cache = Cache<4, 4>()
        #expect(cache.begin(1, at: 0))
        cache.store("one", of: 1, at: 5)
        #expect(cache.find(1, at: .seconds(300) + 4) == .name(name("one")))
        #expect(cache.find(1, at: .seconds(300) + 5) == nil)
    }

    @Test func theAbsenceOfANameLastsForAMinute() {
        let cache = Cache<4, 4>()
        #expect(cache.begin(1, at: 0))
        cache.store(nil, of: 1, at: 5)
        #expect(cache.find(1, at: .seconds(60) + 4) == .noName)
        #expect(cache.find(1, at: .seconds(60) + 5) == nil)
        #expect(cache.begin(1, at: .seconds(60) + 5))
        #expect(cache.fault == nil)
    }

    @Test func aLateAnswerStillCounts() {
        let cache = Cache<4, 4>()
        #expect(cache.begin(1, at: 0))
        #expect(cache.find(1, at: .seconds(3)) == .noName)
        cache.store("late", of: 1, at: .seconds(4))
        #expect(cache.find(1, at: .seconds(4)) == .name(name("late")))
        #expect(cache.underWay == 0 && cache.fault == nil)
    }

    @Test func whatWasNotAskedForIsNotTaken() {
        let cache = Cache<4, 4>()
        cache.store("other", of: 1, at: 0)
        #expect(cache.find(1, at: 0) == nil)
        #expect(cache.begin(2, at: 0))
        cache.store("two", of: 2, at: 0)
        cache.store("other", of: 2, at: 1)
        cache.store(nil, of: 2, at: 1)
        #expect(cache.find(2, at: 1) == .name(name("two")))
    }

    @Test func aLookupThatCouldNotBeMadeIsForgotten() {
        let cache = Cache<4, 4>()
        #expect(cache.begin(1, at: 0) && cache.begin(2, at: 0))
        cache.cancel(1)
        #expect(cache.find(1, at: 0) == nil && cache.find(2, at: 0) == .pending)
        #expect(cache.underWay == 1 && cache.fault == nil)
        cache.store("two", of: 2, at: 0)
        cache.cancel(2)
        #expect(cache.find(2, at: 0) == .name(name("two")))
    }

    @Test func noMoreThanTheMostAreUnderWay() {
        let cache = Cache<4, 5>()
        for host in UInt32(1)...5 { #expect(cache.begin(host, at: 0)) }
        #expect(!cache.begin(6, at: .seconds(1)))
        #expect(cache.find(6, at: .seconds(1)) == nil)  // nothing is remembered of it
        cache.store(nil, of: 3, at: .seconds(1))
        #expect(cache.begin(6, at: .seconds(1)) && !cache.begin(7, at: .seconds(1)))
    }

    @Test func lookupsThatTakeTooLongMakeRoomThoughNobodyAsksForThem() {
        let cache = Cache<4, 3>()
        for host in UInt32(1)...3 { #expect(cache.begin(host, at: .milliseconds(Int64(host)))) }
        #expect(!cache.begin(4, at: .milliseconds(2_000)))
        // It is looked for them every tenth of a second.
        #expect(!cache.begin(4, at: .milliseconds(2_100) - 1))
        #expect(cache.begin(4, at: .milliseconds(2_100)))
        #expect(cache.underWay == 1 && cache.fault == nil)
        #expect(cache.find(1, at: .milliseconds(2_100)) == .noName)
    }

    @Test func theMostIsReachedAt256InTheCacheOfTheCommand() {
        let cache = Cache<512, 256>()
        for host in UInt32(0)..<256 { #expect(cache.begin(host, at: 0)) }
        #expect(!cache.begin(256, at: 0))
        #expect(cache.fault == nil)
        for host in UInt32(0)..<256 { cache.store("h", of: 255 - host, at: 1) }
        #expect(cache.underWay == 0 && cache.fault == nil)
    }

    @Test func theNinthOfASetTakesThePlaceOfTheOldest() {
        let cache = Cache<1, 16>()
        for host in UInt32(1)...8 {
            #expect(cache.begin(host, at: Int64(host)))
            cache.store(host % 2 == 0 ? "even" : nil, of: host, at: Int64(host))
        }
        #expect(cache.begin(9, at: 9))
        #expect((UInt32(1)...9).filter { cache.find($0, at: 9) != nil } == [2, 3, 4, 5, 6, 7, 8, 9])
        #expect(cache.begin(10, at: 10))
        #expect((UInt32(1)...10).filter { cache.find($0, at: 10) != nil } == [3, 4, 5, 6, 7, 8, 9, 10])
        #expect(cache.fault == nil)
    }

    @Test func whatIsOutdatedMakesRoomBeforeWhatIsOlder() {
        let cache = Cache<1, 16>()
        for host in UInt32(1)...8 { #expect(cache.begin(host, at: 0)) }
        for host in UInt32(1)...8 { cache.store(host == 8 ? nil : "name", of: host, at: Int64(host)) }
        #expect(cache.begin(9, at: .seconds(100)))
        #expect((UInt32(1)...9).filter { cache.find($0, at: .seconds(100)) != nil } == [1, 2, 3, 4, 5, 6, 7, 9])
    }

    @Test func aLookupUnderWayNeverMakesRoom() {
        let cache = Cache<1, 16>()
        for host in UInt32(1)...8 { #expect(cache.begin(host, at: 0)) }
        #expect(!cache.begin(9, at: 1))
        cache.store(nil, of: 5, at: 1)
        #expect(cache.begin(9, at: 1))
        #expect(cache.find(5, at: 1) == nil && cache.find(1, at: 1) == .pending)
        #expect(cache.fault == nil)
    }

    @Test func addressesOfBothFamiliesAreToldApart() {
        let cache = Cache<1, 16>()
        let (four, six) = (Address(ipv4: 0x0a00_0001), Address(ipv6High: 0, low: 0x0a00_0001))
        #expect(cache.begin(four, at: 0))
        #expect(cache.find(six, at: 0) == nil)
        #expect(cache.begin(six, at: 0))
        cache.store("six", of: six, at: 0)
        #expect(cache.find(four, at: 0) == .pending && cache.find(six, at: 0) == .name(name("six")))
    }

    @Test func anEntryIsNoLargerThanNeeded() {
        #expect(MemoryLayout<HostNameCache<512, 256>>.size < 700_000)
    }
}

/// The cache against a model that forgets nothing.
struct HostNameCacheModelTests {
    private enum Known: Equatable {
        case pending(Int64)
        case absent(Int64)
        case named(Int64, HostName)
    }

    private func answer(_ known: Known?, at now: Int64) -> HostNameAnswer? {
        switch known {
        case nil: nil
        case .pending: .pending
        case .absent(let since): now - since < .seconds(60) ? .noName : nil
        case .named(let since, let name): now - since < .seconds(300) ? .name(name) : nil
        }
    }

    /// With no more addresses than a set has places nothing is lost, so every answer is known.
    @Test(arguments: 0..<20)
    func eightAddressesAreNeverLost(sequence: Int) {
        var random = SplitMix(seed: Seed.value &+ 7000 &+ UInt64(sequence))
        let cache = Cache<1, 5>()
        var model: [UInt32: Known] = [:]
        var now: Int64 = .seconds(1000)
        for step in 0..<2_000 {
            now += [1, .milliseconds(300), .seconds(1), .seconds(30)].randomElement(using: &random) ?? 1
            for (host, known) in model {
                guard case .pending(let since) = known, now - since >= .seconds(2) else { continue }
                #expect(cache.find(host, at: now) == .noName)
                model[host] = .absent(now)
            }
            let host = UInt32.random(in: 1...8, using: &random)
            let found = cache.find(host, at: now)
            #expect(
                found == answer(model[host], at: now), "SCANLOGD_TEST_SEED=\(Seed.value), \(sequence), step \(step)")
            let underWay = model.values.count { if case .pending = $0 { true } else { false } }
            switch Int.random(in: 0..<4, using: &random) {
            case 0...1 where found == nil:
                let begins = cache.begin(host, at: now)
                #expect(begins == (underWay < 5))
                if begins { model[host] = .pending(now) }
            case 2:
                let text = Bool.random(using: &random) ? "h\(step)" : nil
                cache.store(text, of: host, at: now)
                switch model[host] {
                case nil, .named: break
                case .absent(let since) where now - since >= .seconds(60): break
                default: model[host] = text.map { .named(now, name($0)) } ?? .absent(now)
                }
            case 3 where found == .pending:
                cache.cancel(host)
                model[host] = nil
            default: break
            }
            let fault = cache.fault
            #expect(fault == nil, "SCANLOGD_TEST_SEED=\(Seed.value), \(sequence), step \(step)")
        }
    }

    @Test(arguments: 0..<10)
    func underAFloodTheCacheStaysWhole(sequence: Int) {
        var random = SplitMix(seed: Seed.value &+ 8000 &+ UInt64(sequence))
        var words = InlineArray<5, UInt64>(repeating: 0)
        for index in words.indices { words[index] = random.next() }
        let cache = Cache<16, 32>(key: HashKey(words))
        var now: Int64 = 0
        var begun: [UInt32] = []
        for step in 0..<20_000 {
            now += .milliseconds(1)
            let host = UInt32.random(in: 0..<5_000, using: &random)
            if cache.find(host, at: now) == nil, cache.begin(host, at: now) { begun.append(host) }
            if step % 3 == 0, let answered = begun.randomElement(using: &random) {
                cache.store("h\(answered)", of: answered, at: now)
                // Nobody is ever given another's name.
                if case .name(let found)? = cache.find(answered, at: now) { #expect(found == name("h\(answered)")) }
            }
            if begun.count > 64 { begun.removeFirst(32) }
            #expect(cache.underWay <= 32)
            if step % 500 == 0 {
                let fault = cache.fault
                #expect(fault == nil, "SCANLOGD_TEST_SEED=\(Seed.value), \(sequence), step \(step)")
            }
        }
    }
}

private func name(_ text: String) -> HostName {
    guard let name = hostName(Array(text.utf8)) else { preconditionFailure("no name: \(text)") }
    return name
}

/// A cache in memory that is zero, as the command has it.
@safe private final class Cache<let setCount: Int, let mostUnderWay: Int> {
    private let cache: UnsafeMutablePointer<HostNameCache<setCount, mostUnderWay>>

    init(key: HashKey = .ofChosenHashes, patience: Int64 = HostNameAnswer.patience) {
        unsafe cache = zeroMemory(for: HostNameCache<setCount, mostUnderWay>.self)
        unsafe cache.pointee.start(key: key, patience: patience)
    }

    deinit {
        unsafe cache.deinitialize(count: 1)
        unsafe cache.deallocate()
    }

    var underWay: Int { unsafe cache.pointee.underWay }
    var fault: String? { unsafe cache.pointee.fault }

    func find(_ address: Address, at time: Int64) -> HostNameAnswer? {
        unsafe cache.pointee.find(address, at: Timestamp(nanoseconds: time))
    }

    func begin(_ address: Address, at time: Int64) -> Bool {
        unsafe cache.pointee.begin(address, at: Timestamp(nanoseconds: time))
    }

    func store(_ text: String?, of address: Address, at time: Int64) {
        unsafe cache.pointee.store(text.map { name($0) }, of: address, at: Timestamp(nanoseconds: time))
    }

    func cancel(_ address: Address) { unsafe cache.pointee.cancel(address) }

    func find(_ host: UInt32, at time: Int64) -> HostNameAnswer? { find(Address(hash: host), at: time) }
    func begin(_ host: UInt32, at time: Int64) -> Bool { begin(Address(hash: host), at: time) }
    func cancel(_ host: UInt32) { cancel(Address(hash: host)) }
    func store(_ text: String?, of host: UInt32, at time: Int64) { store(text, of: Address(hash: host), at: time) }
}
