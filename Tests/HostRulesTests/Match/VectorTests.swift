import HostRules
import Testing

/// What libwrap 7.6.q does with a file, a daemon and a client, case by case.
struct VectorTests {
    /// Where this port differs on purpose, and what it says there.
    static let differences: [String: Outcome] = [
        // A last line without newline counts: it is neither ignored nor the end of all service.
        "HA172": Outcome("granted", "allow:1"),
        "HA173": Outcome("granted", "none"),
        "HA174": Outcome("granted", "none"),
        "HA176": Outcome("denied", "deny:1"),
        // A length that is none is not 0.
        "HA070": Outcome("denied", "deny:1"),
        "HA071": Outcome("denied", "deny:1"),
        // What stands behind a length is not left out.
        "HA039": Outcome("denied", "deny:1"),
        // A byte order mark is no part of the first word.
        "HA232": Outcome("granted", "allow:1"),
        "HA233": Outcome("denied", "deny:1"),
        // Comments in pattern files are comments.
        "HA162": Outcome("granted", "none"),
        // The verdict is the same; the line that is too long is named.
        "HA182": Outcome("denied", "deny:1"),
    ]

    @Test(arguments: Vector.all)
    func theVerdictIsThatOfLibwrapOrADocumentedDifference(_ vector: Vector) {
        let decision = decide(
            allow: vector.allow, deny: vector.deny, daemon: vector.daemon, client: vector.client, name: vector.name,
            system: TestSystem(files: vector.files))
        let expected = Self.differences[vector.id] ?? Outcome(vector.verdict, vector.rule)
        #expect(Outcome(decision) == expected)
    }

    @Test func allVectorsAreRead() {
        #expect(Vector.all.count == 167)
        #expect(Set(Vector.all.map(\.id)).isSuperset(of: Self.differences.keys))
    }

    /// Of all words in them, those that a host can't be; what is wrong in another way has its own problem.
    @Test func noWordThatMatchesIsToldToMatchNothing() {
        var told: [String] = []
        for vector in Vector.all {
            for (file, name) in [(vector.allow, "allow"), (vector.deny, "deny")] {
                var log = ProblemLog()
                var check = RuleLinter(name == "allow" ? .allow : .deny)
                let bytes = file ?? []
                while check.next(of: bytes.span, TestSystem(files: vector.files), &log) != nil {}
                if log.kinds.contains(where: { $0 == .noHost || $0 == .zeroLength }) { told.append(vector.id) }
            }
        }
        #expect(told == [])
    }

    @Test(arguments: [
        ("ALL: ALL \\\n", "none", "deny:1"), ("ALL: ALL\\\n\\\n", "none", "deny:1"), ("ALL: ALL\\", "none", "deny:1"),
        ("x: y\nALL: 10. \\\n 11. \\\n", "none", "deny:2"), ("# x\\\n", "none", "deny:1"),
        ("x: y\n\\\n", "none", "none"), ("ALL: ALL\n\\\n", "allow:1", "deny:1"),
    ])
    func aLineThatHasNoNextOneToJoinIsNotUsed(_ file: String, _ allow: String, _ deny: String) {
        let first = decide(allow: Array(file.utf8), deny: nil, client: "10.1.1.1")
        #expect(Outcome(first) == Outcome("granted", allow))
        let second = decide(allow: nil, deny: Array(file.utf8), client: "10.1.1.1")
        #expect(Outcome(second) == Outcome(deny == "none" ? "granted" : "denied", deny))
    }

    /// libwrap has these match nothing: scanlogd-rules(5), COMPATIBILITY.
    @Test(arguments: ["sshd**: ALL", "sshd***: ALL", "ALL: 10.1.1.1**", "ALL: 10.1.1.***"])
    func starsAtTheEndStandForNothingToo(_ rule: String) {
        let decision = decide(allow: nil, deny: Array("\(rule)\n".utf8), client: "10.1.1.1", system: TestSystem())
        #expect(Outcome(decision) == Outcome("denied", "deny:1"))
    }
}
