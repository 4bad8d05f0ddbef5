/// Ends the run as a finding, with what was expected; `@autoclosure` keeps the text off the hot path.
func check(_ holds: Bool, _ expectation: @autoclosure () -> String) {
    if !holds { fatalError(expectation()) }
}
