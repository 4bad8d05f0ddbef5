import Testing

@testable import ScanCore

/// The queue of attempts that wait for names.
struct AttemptQueueTests {
    private func attempt(_ number: Int) -> Attempt {
        Attempt(
            source: Address(ipv4: UInt32(number)), destination: Address(ipv6High: 0xfd77, low: UInt64(number)),
            sourcePort: UInt16(truncatingIfNeeded: number), destinationPort: UInt16(truncatingIfNeeded: number * 7),
            realTime: Int64(number) * 1_000_003)
    }

    @Test func anEmptyQueueHasNoHead() {
        let queue = Queue()
        #expect(queue.count == 0 && !queue.isFull && queue.head == nil && queue.headDeadline == nil)
    }

    @Test func theHeadMayWaitForTwoSeconds() {
        let queue = Queue()
        queue.append(attempt(1), at: .milliseconds(500))
        queue.append(attempt(2), at: .milliseconds(900))
        #expect(queue.headDeadline == Timestamp(nanoseconds: .milliseconds(2500)))
        queue.removeHead()
        #expect(queue.headDeadline == Timestamp(nanoseconds: .milliseconds(2900)))
    }

    @Test func itIsFullAt4096AndNotBefore() {
        let queue = Queue()
        for number in 0..<4_096 {
            #expect(!queue.isFull && queue.count == number)
            queue.append(attempt(number), at: Int64(number))
        }
        #expect(queue.isFull && queue.count == 4_096)
        for number in 0..<4_096 {
            #expect(queue.head == attempt(number))
            queue.removeHead()
            #expect(!queue.isFull)
        }
        #expect(queue.head == nil)
    }

    @Test func attemptsComeOutInTheOrderTheyCameHoweverOftenItGoesRound() {
        var random = SplitMix(seed: Seed.value ^ 56)
        let queue = Queue()
        var (added, removed) = (0, 0)
        while added < 30_000 {
            for _ in 0..<Int.random(in: 0...3_000, using: &random) where !queue.isFull {
                queue.append(attempt(added), at: Int64(added))
                added += 1
            }
            for _ in 0..<Int.random(in: 0...3_000, using: &random) where queue.count > 0 {
                let isRight = queue.head == attempt(removed)
                let isInTime = queue.headDeadline == Timestamp(nanoseconds: Int64(removed) + .seconds(2))
                #expect(isRight && isInTime, "SCANLOGD_TEST_SEED=\(Seed.value), attempt \(removed)")
                queue.removeHead()
                removed += 1
            }
            #expect(queue.count == added - removed)
        }
    }
}

/// A queue in memory that is zero, as the command has it.
@safe private final class Queue {
    private let queue: UnsafeMutablePointer<AttemptQueue>

    init() {
        unsafe queue = zeroMemory(for: AttemptQueue.self)
    }

    deinit {
        unsafe queue.deinitialize(count: 1)
        unsafe queue.deallocate()
    }

    var count: Int { unsafe queue.pointee.count }
    var isFull: Bool { unsafe queue.pointee.isFull }
    var head: Attempt? { unsafe queue.pointee.head }
    var headDeadline: Timestamp? { unsafe queue.pointee.headDeadline }

    func append(_ attempt: Attempt, at time: Int64) {
        unsafe queue.pointee.append(attempt, at: Timestamp(nanoseconds: time))
    }

    func removeHead() { unsafe queue.pointee.removeHead() }
}

/// Memory for a value that is all zero.
@unsafe func zeroMemory<Value: ~Copyable>(for type: Value.Type) -> UnsafeMutablePointer<Value> {
    let memory = UnsafeMutableRawPointer.allocate(
        byteCount: MemoryLayout<Value>.size, alignment: MemoryLayout<Value>.alignment)
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<Value>.size)
    return unsafe memory.bindMemory(to: Value.self, capacity: 1)
}
