import CLinux
import ScanCore
import Testing

@testable import System

struct FileWritingTests {
    @Test func bytesAreTakenBackOffTheEndAndWritingGoesOnThere() throws {
        let file = try temporaryFile()
        try write("whole\nhal", to: file)
        #expect(FileWriting.takeBack(3, of: file.number))
        try write("next\n", to: file)
        #expect(contents(of: file) == Array("whole\nnext\n".utf8))
    }

    @Test func nothingIsTakenBackOfAPipe() throws {
        let ends = try makePipe("test")
        let (reading, writing) = (ends[0], ends[1])
        defer {
            close(reading)
            close(writing)
        }
        #expect(!FileWriting.takeBack(3, of: writing))
    }

    @Test func aPipeHasRoomUntilItIsFullAndNoneWhenNobodyReads() throws {
        let ends = try makePipe("test")
        let writing = Descriptor(owning: ends[1])
        do {
            let reading = Descriptor(owning: ends[0])
            #expect(FileWriting.room(in: writing.number) == .some)
            let page = [UInt8](repeating: 0, count: 4096)
            while unsafe CLinux.write(writing.number, page, page.count) > 0 {}
            #expect(FileWriting.room(in: writing.number) == .none)
            #expect(reading.number >= 0)
        }
        #expect(FileWriting.room(in: writing.number) == .closed)
    }

    @Test func filesAreComparedByWhatTheyAreNotByTheirNumbers() throws {
        let (one, other) = (try temporaryFile().release(), try temporaryFile().release())
        let copy = dup(one)
        defer { for number in [one, other, copy] { close(number) } }
        #expect(FileWriting.isSameFile(one, copy))
        #expect(!FileWriting.isSameFile(one, other))
        #expect(!FileWriting.isSameFile(one, -1))
    }
}

struct FileContentsTests {
    @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 200_000]) func aFileIsReadToItsEnd(size: Int) throws {
        let file = try temporaryFile()
        try write(String(repeating: "x", count: size), to: file)
        let read = try FileContents(path(of: file)).withBytes { bytes in bytes.count }
        #expect(read == size)
    }

    @Test func aFileAboveTheLimitIsRefused() throws {
        let file = try temporaryFile()
        try write("12345", to: file)
        #expect(try FileContents(path(of: file), limit: 5).withBytes { bytes in bytes.count } == 5)
        #expect(throws: SystemError.self) { _ = try FileContents(path(of: file), limit: 4).withBytes { _ in 0 } }
    }

    @Test(arguments: ["/dev/zero", "/", "/dev/null"]) func whatIsNoRegularFileIsRefused(path: String) {
        let path = unsafe CString(unsafe: strdup(path))
        do throws(SystemError) {
            _ = try FileContents(path, isRegular: true).withBytes { _ in 0 }
            Issue.record("it was read")
        } catch {
            #expect(error.line.text.hasSuffix(": read: not a regular file"))
        }
    }
}

struct PidFileTests {
    /// A directory that goes with the test.
    private struct Folder: ~Copyable {
        let path: String

        init() throws {
            var template = Array("/tmp/system-test-XXXXXX".utf8CString)
            try #require(unsafe mkdtemp(&template) != nil)
            path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }

        deinit {
            for name in ["pid", "pid.new"] { unsafe unlink("\(path)/\(name)") }
            unsafe rmdir(path)
        }

        var file: CString { unsafe CString(unsafe: strdup("\(path)/pid")) }
    }

    private func text(_ path: CString) -> String? {
        do throws(SystemError) {
            return try FileContents(path).withBytes { bytes in
                String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
            }
        } catch {
            return nil
        }
    }

    @Test func aSecondDaemonIsRefusedByNumberUntilTheFirstIsGone() throws {
        let folder = try Folder()
        do {
            let first = try PidFile(folder.file)
            try first.write(4711)
            #expect(text(folder.file) == "4711\n")
            do throws(SystemError) {
                _ = try PidFile(folder.file)
                Issue.record("two have the lock")
            } catch {
                #expect(error.line.text == "\(folder.path)/pid: lock: already running as process 4711")
            }
            try first.empty()
        }
        #expect(text(folder.file) == "")
        _ = try PidFile(folder.file)
    }

    @Test func nobodyElseCanOpenIt() throws {
        let folder = try Folder()
        _ = try PidFile(folder.file)
        var status = stat()
        #expect(unsafe stat(folder.file.pointer, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
    }

    @Test func aSymbolicLinkIsNotFollowed() throws {
        let folder = try Folder()
        #expect(unsafe symlink("/etc/hostname", folder.file.pointer) == 0)
        #expect(throws: SystemError.self) { _ = try PidFile(folder.file) }
    }

    @Test func aFileThatOthersCouldOpenIsReplaced() throws {
        let folder = try Folder()
        let old = unsafe clinux_open(folder.file.pointer, O_RDWR | O_CREAT, 0o644)
        defer { close(old) }
        let file = try PidFile(folder.file)
        #expect(!FileWriting.isSameFile(old, file.number))
    }
}

struct ZeroedArrayTests {
    @Test func elementsAreZeroAndKeepWhatIsWritten() throws {
        let array = try ZeroedArray<UInt32>(10_000, "test")
        #expect(array.count == 10_000)
        #expect((0..<array.count).allSatisfy { array[$0] == 0 })
        for index in 0..<array.count { array[index] = UInt32(index) }
        #expect((0..<array.count).allSatisfy { array[$0] == UInt32($0) })
    }

    @Test func whatTheMachineDoesNotHaveIsAnError() {
        #expect(throws: SystemError.self) { _ = try ZeroedArray<UInt64>(1 << 59, "test").count }
    }
}

struct ProcessTests {
    @Test func aChildsEndIsKnownByItsStatus() throws {
        guard let child = try ChildProcess.fork("child") else { _exit(3) }
        let end = try child.waitForEnd()
        #expect(!end.isClean && !end.isSudden)
        #expect(end.failureStatus == 3)
        #expect(end.line.text == "child: ended with status 3")
    }

    @Test func aChildsEndIsKnownByItsSignal() throws {
        guard let child = try ChildProcess.fork("child") else {
            while true { pause() }
        }
        #expect(child.endIfOver() == nil)
        child.kill()
        let end = try child.waitForEnd()
        #expect(end.isSudden)
        #expect(end.startLine.text == "child: start: killed by signal 9 (Killed)")
    }

    @Test func aPollSetSaysWhichDescriptorIsReady() throws {
        let ends = try makePipe("test")
        let reading = Descriptor(owning: ends[0])
        var waiting = PollSet<2>()
        do {
            let writing = Descriptor(owning: ends[1])
            waiting.watch(0, reading.number)
            waiting.watch(1, writing.number, for: PollEvents.writable)
            try waiting.wait(timeout: 0)
            #expect(!waiting.happened(0) && waiting.happened(1))
            try write("x", to: writing)
            try waiting.wait(timeout: 0)
            #expect(waiting.happened(0) && !waiting.isBroken(0))
        }
        waiting.watch(1, -1)
        try waiting.wait(timeout: 0)
        #expect(waiting.isBroken(0) && !waiting.happened(1))
    }
}
