import CLinux
import ScanCore
import Testing

@testable import System

struct LogQueueTests {
    private func fill(_ queue: inout LogQueue, _ lines: Range<Int>) {
        for number in lines { queue.append(LogLine("line").followed(by: number), level: LOG_ALERT, losses: 0) }
    }

    private func drain(_ queue: inout LogQueue) -> [String] {
        var lines: [String] = []
        while queue.count > 0 {
            lines.append(queue.head.line.text)
            queue.removeHead()
        }
        return lines
    }

    @Test func linesComeOutInTheOrderTheyWentIn() {
        var queue = LogQueue(run: 0xfeed)
        for round in 0..<5 {
            fill(&queue, round * 100..<round * 100 + 100)
            #expect(drain(&queue) == (round * 100..<round * 100 + 100).map { "line \($0)" })
        }
        #expect(queue.lost == 0)
    }

    @Test func whatThereIsNoRoomForIsCountedAndToldAtTheEnd() {
        var queue = LogQueue(run: 0xfeed)
        fill(&queue, 0..<LogQueue.capacity + 7)
        #expect(queue.count == LogQueue.capacity)
        #expect(queue.lost == 7)
        let lines = drain(&queue)
        #expect(lines.dropLast() == (0..<LogQueue.capacity).map { "line \($0)" }[...])
        #expect(lines.last == "log lines lost: 7: the system log took none for too long")
    }

    @Test func aLostLineThatTellsOfLostOnesPassesTheirNumberOn() {
        var queue = LogQueue(run: 0xfeed)
        fill(&queue, 0..<LogQueue.capacity)
        queue.append(.lost(40), level: LOG_WARNING, losses: 40)
        fill(&queue, 0..<2)
        #expect(drain(&queue).last == "log lines lost: 42: the system log took none for too long")
        #expect(queue.lost == 2)  // the 40 were counted by whoever lost them
    }

    @Test func eventsAreNumberedAndLossesLeaveGaps() {
        var queue = LogQueue(run: 0xfeed)
        fill(&queue, 0..<LogQueue.capacity + 7)
        queue.append(.lost(3), level: LOG_WARNING, losses: 3)
        var numbers: [UInt64] = []
        while queue.count > 0 {
            #expect(queue.head.event.stamp.run == 0xfeed)
            numbers.append(queue.head.event.stamp.sequence)
            queue.removeHead()
        }
        let capacity = UInt64(LogQueue.capacity)
        #expect(numbers == Array(1...capacity) + [capacity + 7 + 3 + 1 + 1])
    }

    @Test func eventsWithoutLinesLeaveRoomForLines() {
        var queue = LogQueue(run: 0)
        let half = LogQueue.capacity / 2
        for _ in 0..<half + 9 {
            queue.append(LogLine(), .touch(.rest(1)), level: LOG_INFO, losses: 0, atMost: half)
        }
        fill(&queue, 0..<half)
        #expect(queue.count == LogQueue.capacity && queue.lost == 9)
        #expect(drain(&queue).last == "log lines lost: 9: the system log took none for too long")
    }

    @Test func linesThatAreOnlyGoodToKnowAreOfNoConsequence() {
        var queue = LogQueue(run: 0xfeed)
        queue.append(LogLine("a"), level: LOG_INFO, losses: 0)
        queue.append(LogLine("b"), level: LOG_NOTICE, losses: 0)
        queue.append(LogLine("c"), level: LOG_DEBUG, losses: 0)
        #expect(queue.countOfConsequence == 1)
    }
}

extension LogLine {
    fileprivate func followed(by number: Int) -> LogLine {
        var line = self
        line.append(" ")
        line.append(decimal: UInt32(number))
        return line
    }
}
