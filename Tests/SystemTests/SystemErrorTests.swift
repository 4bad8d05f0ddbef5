import CLinux
import ScanCore
import Testing

@testable import System

struct SystemErrorTests {
    @Test func anErrorNamesObjectOperationAndReason() {
        let error = SystemError("/var/empty", "chroot", code: EPERM)
        #expect(error.line.text == "/var/empty: chroot: Operation not permitted")
    }

    @Test func anErrorWithoutANumberSaysWhyInWords() {
        let error = SystemError("/var/empty", "check", because: "not owned by root")
        #expect(error.line.text == "/var/empty: check: not owned by root")
        #expect(error.code == 0)
    }

    @Test func aReasonMayEndInANumber() {
        let error = SystemError("/run/scanlogd.pid", "lock", because: "already running as process ", 4711)
        #expect(error.line.text == "/run/scanlogd.pid: lock: already running as process 4711")
    }

    @Test func aFailedCallGivesTheSystemsReason() {
        #expect(throws: SystemError.self) { try check("descriptor", "close") { close(-1) } }
        do throws(SystemError) {
            _ = try check("descriptor", "close") { close(-1) }
        } catch {
            #expect(error.code == EBADF)
            #expect(error.line.text == "descriptor: close: Bad file descriptor")
        }
    }

    @Test func anInterruptedCallIsMadeAgain() throws {
        var calls = 0
        let result = try check("call", "make") {
            calls += 1
            if calls < 3 {
                unsafe __errno_location().pointee = EINTR
                return -1
            }
            return 7
        }
        #expect(result == 7)
        #expect(calls == 3)
    }
}

struct WrappingCountTests {
    @Test func countsAddUpAcrossTheKernelsWrap() {
        var count = WrappingCount()
        count.update(5)
        #expect(count.total == 5)
        count.update(.max)
        #expect(count.total == UInt64(UInt32.max))
        count.update(9)
        #expect(count.total == UInt64(UInt32.max) + 10)
        count.update(9)
        #expect(count.total == UInt64(UInt32.max) + 10)
    }
}
