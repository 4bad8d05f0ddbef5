import CLinux
import ScanCore
import Testing

/// Runs a function in a process of its own, for what belongs to a process: limits, standard output, getopt(3)'s place.
///
/// - Returns: what the function returned, -1 if a signal ended the process.
func inChild(_ body: () -> Int32) throws -> Int32 {
    let child = fork()
    if child == 0 { _exit(body()) }
    try #require(child > 0)
    var status: Int32 = 0
    try #require(unsafe waitpid(child, &status, 0) == child)
    return clinux_ending_signal(status) == 0 ? clinux_exit_status(status) : -1
}

extension LogLine {
    /// The line as a string.
    var text: String { String(decoding: (0..<count).map { bytes[$0] }, as: UTF8.self) }
}

/// Tests that read options, one after the other: getopt_long(3) keeps its place in memory of the process.
@Suite(.serialized) enum OptionTests {}

/// Lends arguments as a program is given them, which stay where they are.
func withArguments<Result>(
    _ words: [String],
    _ body: (Int32, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) throws -> Result
) rethrows -> Result {
    let arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: words.count + 1)
    for (index, word) in words.enumerated() { unsafe (arguments + index).initialize(to: strdup(word)) }
    unsafe (arguments + words.count).initialize(to: nil)
    return try unsafe body(Int32(words.count), arguments)
}
