import Testing

@testable import ScanCore

struct ParametersTests {
    @Test func theValuesAreSound() {
        #expect(Parameters.problem == nil)
    }

    @Test func theValuesAreTheReferences() {
        #expect(Parameters.privilegedPortEnd == 1024)
        #expect(Parameters.privilegedPortWeight == 3)
        #expect(Parameters.otherPortWeight == 1)
        #expect(Parameters.weightThreshold == 21)
        #expect(Parameters.longestGap == 3_000_000_000)
        #expect(Parameters.lineLength == 120)
        #expect(Parameters.reportBurst == 5)
        #expect(Parameters.reportQuiet == 20_000_000_000)
        #expect(Parameters.collisionCap == 8)
        #expect(Parameters.syslogIdent.description == "scanlogd")
        #expect(Parameters.syslogFacility == 3)
        #expect(Parameters.reportLevel == 1)
    }

    @Test func theListHoldsEveryPortBelowTheThreshold() {
        let most = (Int(Parameters.weightThreshold) - 1) / Int(Parameters.otherPortWeight)
        #expect(most <= PortList.capacity)
    }

    @Test func aFullListTakesNoMore() {
        var list = PortList()
        for port in UInt16(0)..<30 { list.append(port) }
        #expect(list.count == PortList.capacity)
        #expect((0..<list.count).map { list[$0] } == [UInt16](0..<20))
        #expect(list.contains(0) && list.contains(19) && !list.contains(20))
    }

    @Test func anEmptyListContainsNothing() {
        // Its unused places hold 0, which is a port like any other.
        #expect(!PortList().contains(0))
    }
}
