import Capture
import ScanCore
import System

/// Tries the steps of a start, irreversible ones in a child process each, prints a table of the results, and returns
/// whether everything that a start needs works.
///
/// Nothing is captured, logged or left behind, and a running daemon is not disturbed.
func selfTest(_ options: Options) throws(SystemError) -> Bool {
    var test = SelfTest(options)
    try test.report("root", isRoot)
    var account: Account?
    try test.report("user scanlogd", failure { () throws(SystemError) in account = try findAccount() })
    try test.report("directory /var/empty", failure { () throws(SystemError) in _ = try openChrootDirectory() })
    test.setBasics(account)
    try test.attempt(.chroot)
    try test.attempt(.boundingSet)
    try test.attempt(.group)
    try test.attempt(.user)
    try test.checkCaptures()
    if let path = options.pidFile {
        try test.report(
            "pid file", failure { () throws(SystemError) in try PidFile.tryPlace(path) },
            remedy: "name another with -P, or let root write there")
    }
    try test.report("log socket /dev/log", failure { () throws(SystemError) in _ = try LogSocket.identity() })
    #if Rules
        if let path = options.exemptFile { try test.checkExemptSources(path) }
    #endif
    try test.report("system-call filter", isNeeded: false, isFiltered)
    try test.report(
        "Landlock", isNeeded: false,
        failure { () throws(SystemError) in _ = try landlockVersion() })
    try test.attempt(.sensor)
    try test.attempt(.logger)
    return test.isPassed
}

private func findAccount() throws(SystemError) -> Account { try Account(named: CString(Parameters.user)) }

/// The error of an operation; `nil` if it succeeds.
private func failure(_ body: () throws(SystemError) -> Void) -> LogLine? {
    do throws(SystemError) {
        try body()
        return nil
    } catch {
        return error.line
    }
}

private var isRoot: LogLine? {
    CurrentProcess.isRoot ? nil : SystemError("user", "check", because: "not root").line
}

private var isFiltered: LogLine? {
    systemCallsAreFiltered ? nil : SystemError("system-call filter", "look", because: "not on this machine").line
}

/// The results so far.
private struct SelfTest {
    let options: Options
    private(set) var isPassed = true
    /// The user that a start changes to; `nil`: the steps that need one can't work.
    private var account: Account?
    /// The backend that a start would use.
    private var backend: Backend

    init(_ options: Options) {
        self.options = options
        backend = options.backend ?? .first
    }

    // MARK: Steps

    /// Records the account, if all prerequisites of the other steps are met.
    mutating func setBasics(_ account: Account?) {
        if isPassed { self.account = account }
    }

    /// Tries a step in a child process.
    mutating func attempt(_ trial: Trial) throws(SystemError) {
        if let account { return try report(trial.name, try trial.failure(as: account, backend)) }
        var row = LogLine("untried ")
        row.append(trial.name)
        row.append("\n")
        try print(row)
    }

    // MARK: Backends

    mutating func checkCaptures() throws(SystemError) {
        let key = try HashKey.random()
        let all = Backend.all
        var failures = InlineArray<4, LogLine?>(repeating: nil)
        var (firstWorks, rawWorks) = (false, false)
        for index in all.indices where all[index].isBuiltIn {
            let found = failure { () throws(SystemError) in _ = try all[index].open(options.selection, key: key) }
            if all[index] == .first { firstWorks = found == nil }
            if all[index] == .raw { rawWorks = found == nil }
            failures[index] = found
        }
        // As a start without such options does.
        let isFree = options.backend == nil && options.selectingOption == nil
        if isFree && !firstWorks && rawWorks { backend = .raw }
        for index in all.indices where all[index].isBuiltIn { try report(all[index], failures[index]) }
    }

    private mutating func report(_ backend: Backend, _ failure: LogLine?) throws(SystemError) {
        try report(backend.name, isNeeded: backend == self.backend, failure, remedy: "give it CAP_NET_RAW")
    }

    #if Rules
        mutating func checkExemptSources(_ path: CString) throws(SystemError) {
            let failure = failure { () throws(SystemError) in
                switch try ExemptSources(path) {
                case .some: return
                case .none: throw SystemError(path, "read rules", because: "one can't be used, as said above")
                }
            }
            try report("exempt sources", failure, remedy: "scanlogd rules check --exempt, with this file")
        }
    #endif

    // MARK: The table

    /// Prints a row of the table.
    ///
    /// - Parameters:
    ///   - isNeeded: whether a start depends on it.
    ///   - failure: the error, if there is one.
    ///   - remedy: the remedy if no specific one is known.
    mutating func report(
        _ name: CString, isNeeded: Bool = true, _ failure: LogLine?,
        remedy: CString = "see scanlogd(8), DIAGNOSTICS"
    ) throws(SystemError) {
        if isNeeded && failure != nil { isPassed = false }
        var row = LogLine()
        row.append(failure == nil ? "ok      " : isNeeded ? "failed  " : "absent  ")
        row.append(name)
        row.append("\n")
        try print(row)
        guard let failure else { return }
        var reason = LogLine("            ")
        reason.append(failure)
        reason.append("\n            remedy: ")
        reason.append(Remedy.advice(for: failure, or: remedy))
        reason.append("\n")
        try print(reason)
    }
}
