import Testing
@testable import ScanCore
@Test func parametersAreSound() { #expect(Parameters.problem == nil) }
