import Foundation
import Testing

@testable import ScanCore

/// Captures of real scans and of harmless traffic, against the lines that the reference gives.
struct CaptureTests {
    @Test(arguments: Captures.inScope)
    func aCaptureGivesTheLinesOfTheReference(name: String) throws {
        #expect(try Captures.replay(name).lines == Captures.expected(name))
    }

    @Test func aScanOverIPv6GivesOneLine() throws {
        // The reference knows no IPv6. Two addresses of 7 bytes count as 15 each, so the line is kept to 104 bytes.
        let line = "[fd77::1]:55334 to fd77::2 ports 554, 113, 8080, 135, 23, 25, ..., "
        #expect(try Captures.replay("nmap_6_sS").lines == [line + "fSrpauxy, TOS 00, TTL 255 @09:17:05"])
        #expect(try Captures.expected("nmap_6_sS") == [])
    }

    @Test(arguments: Captures.fragmented)
    func fragmentsNeverGiveWrongFlags(name: String) throws {
        let replay = try Captures.replay(name)
        // The scanner sent SYNs, and its kernel RSTs; the scanned host answered.
        let sent: [TCPFlags] = [.syn, .rst]
        let answered: [TCPFlags] = [.ack.union(.rst), .ack.union(.syn)]
        for segment in replay.segments {
            let expected = segment.source == address("10.77.0.1") ? sent : answered
            if let flags = segment.flags { #expect(expected.contains(flags)) }
        }
        #expect(!replay.segments.isEmpty)
    }

    @Test func fragmentsThatCompleteNothingAreNotCounted() throws {
        // Every probe is so many fragments, of which the first has the ports and the last makes its TCP header whole. The
        // answers are not split.
        for (name, pieces) in [("nmap_f_sS", 3), ("nmap_f_sS_padded", 3), ("nmap_ff_sS", 2)] {
            let replay = try Captures.replay(name)
            let probes = replay.segments.filter { $0.source == address("10.77.0.1") && $0.flags == .syn }
            #expect(probes.count == 100)
            #expect(replay.counters.malformed == 0)
            #expect(replay.segments.filter { $0.flags == nil }.count == (pieces == 3 ? probes.count : 0))
            #expect(replay.kept == (pieces == 3 ? probes.count : 0) + (pieces == 2 ? probes.count : 0))
        }
    }

    @Test func everyCaptureIsReadOrLeftOutForAReason() throws {
        let files = try Captures.files(ending: ".pcap")
        let known = Captures.inScope + ["nmap_6_sS"] + Captures.leftOut.keys
        #expect(files == Set(known))
        #expect(known.count == files.count)
        #expect(try Captures.files(ending: ".expected").subtracting(files).isEmpty)
    }

    @Test(arguments: [true, false], [true, false])
    func aCaptureIsReadInEveryFormOfTheFile(bigEndian: Bool, nanoseconds: Bool) throws {
        let file = try Captures.file("rescan_same_source")
        func word(_ value: UInt32) -> [UInt8] { bigEndian ? value.octets : value.octets.reversed() }
        func half(_ value: UInt16) -> [UInt8] { bigEndian ? value.octets : value.octets.reversed() }
        var bytes = word(nanoseconds ? 0xa1b2_3c4d : 0xa1b2_c3d4) + half(2) + half(4)
        bytes += word(0) + word(0) + word(128) + word(1)
        for packet in file.packets {
            let fraction = packet.time % 1_000_000_000 / (nanoseconds ? 1 : 1000)
            let length = word(UInt32(packet.frame.count))
            bytes += word(UInt32(packet.time / 1_000_000_000)) + word(UInt32(fraction)) + length + length
            bytes += packet.frame
        }
        let again = try PacketFile(bytes)
        #expect(again.packets == file.packets)
        #expect(again.linkType == file.linkType)
        #expect(throws: PacketFile.Fault.cutOff) { try PacketFile([UInt8](bytes.dropLast())) }
    }
}

/// The captures, and what to make of them.
enum Captures {
    /// What came out of a capture.
    struct Replay {
        var lines: [String] = []
        var segments: [Probe] = []
        /// Packets that gave neither a segment nor a fault.
        var kept = 0
        var counters = DetectorCounters()
    }

    /// Captures that give exactly the lines of the reference.
    static let inScope = [
        "benign_ftp_pasv_15", "benign_http_loop", "hping3_flags_mix", "hping3_ttl_tos_change", "link_nano",
        "link_null", "link_raw", "mix_10hosts", "nmap_20high", "nmap_21high", "nmap_6ports", "nmap_7ports",
        "nmap_T1", "nmap_decoy9", "nmap_delay2900", "nmap_delay3100", "nmap_ipopt", "nmap_sF", "nmap_sM",
        "nmap_sN", "nmap_f_sS", "nmap_f_sS_padded", "nmap_ff_sS",
        "nmap_sS", "nmap_sT", "nmap_sU", "nmap_sX", "nmap_sweep22", "rescan_same_source", "scan_then_log_gap",
    ]

    /// Captures of probes in fragments that don't hold a TCP header.
    static let fragmented = ["nmap_f_sS", "nmap_f_sS_padded", "nmap_ff_sS"]

    /// Captures that are not replayed here, and why.
    static let leftOut = [
        "link_sll": "Linux cooked capture: PacketFile does not take its header off",
        "link_sll2": "Linux cooked capture, version 2: PacketFile does not take its header off",
        "link_vlan100": "VLAN tags: PacketFile does not take them off",
        "clog_sample": "single packets of each kind for another reader: no scan, and no expected file",
    ]

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/captures")

    /// The names of the files of a kind, less its ending.
    static func files(ending: String) throws -> Set<String> {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        return Set(names.filter { $0.hasSuffix(ending) }.map { String($0.dropLast(ending.count)) })
    }

    static func file(_ name: String) throws -> PacketFile {
        try PacketFile([UInt8](Data(contentsOf: folder.appending(path: name + ".pcap"))))
    }

    /// The lines of the reference.
    static func expected(_ name: String) throws -> [String] {
        let text = String(
            decoding: try Data(contentsOf: folder.appending(path: name + ".expected")), as: UTF8.self)
        return text.split(separator: "\n").map { String($0) }
    }

    /// Feeds a whole capture to a detector, with the packets' time as clock and UTC as local time.
    static func replay(_ name: String) throws -> Replay {
        let file = try file(name)
        var detector = SmallDetector(key: HashKey.forTests)
        let reader = ReaderWatch()
        var limiter = ReportLimiter()
        var replay = Replay()
        for packet in file.packets {
            guard let ipPacket = file.ipPacket(in: packet.frame) else { continue }
            let now = Timestamp(nanoseconds: packet.time)
            do throws(PacketFault) {
                let segments = try reader.segments(of: ipPacket, at: packet.time)
                if segments.isEmpty { replay.kept += 1 }
                replay.segments += segments
                for segment in segments {
                    let realTime = packet.time
                    guard var finding = detector.find(segment, at: now, realTime: realTime) else { continue }
                    let report = finding.report
                    switch limiter.admit(&finding, at: now) {
                    case .log: replay.lines.append(LogLine(report, time: TimeOfDay(utc: report.startTime)).text)
                    case .notice: replay.lines.append(ReportLimiter.notice)
                    case .suppress: break
                    }
                    detector.remember(finding)
                }
            } catch {
                detector.count(error)
            }
        }
        replay.counters = detector.counters
        return replay
    }
}
