import Capture
import ScanCore
import System
import Testing

@testable import scanlogd

/// The message of the error that something ends in.
private func message(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch {
        return (error as? SystemError)?.line.text
    }
}

extension OptionTests {
    /// What the detector's command line asks for.
    struct DetectorOptions {
        private func options(_ words: String...) throws -> Options? {
            try unsafe withArguments(["scanlogd"] + words) { try unsafe Options($0, $1) }
        }

        private func error(_ words: [String]) -> String? {
            message { _ = try unsafe withArguments(["scanlogd"] + words) { try unsafe Options($0, $1) } }
        }

        @Test func withoutAnyItIsAStartInTheBackground() throws {
            let options = try #require(try options())
            #expect(options.action == .detect)
            #expect(options.backend == nil && !options.foreground)
            #expect(options.pidFile == CString(Parameters.pidFile))
        }

        @Test func inTheForegroundThereIsAPidFileOnlyIfItIsNamed() throws {
            #expect(try options("-d")?.pidFile == nil)
            #expect(try options("-d", "-P", "/x")?.pidFile == "/x")
        }

        @Test func whoAsksForHelpGetsNothingElse() throws {
            #expect(try options("-h", "--self-test")?.action == .help)
        }

        @Test func everyBackendHasAName() throws {
            let all = Backend.all
            for index in all.indices where all[index].isBuiltIn {
                let name = unsafe String(cString: all[index].name.pointer)
                #expect(try options("--backend", name)?.backend == all[index])
            }
            #expect(error(["--backend", "x"]) == "x: backend: there is none of this name: ring, raw, pcap, nids")
        }

        @Test(arguments: [
            (["-b", "-d"], "--background: option: does not go with --foreground"),
            (["-r", "f", "-P", "p"], "--pidfile: option: reading a capture file is no daemon"),
            (
                ["--backend", "raw", "-i", "lo"],
                "--interface: option: raw sockets take what comes in for this host, no choice"
            ),
            (["-d", "--foreground"], "--foreground: option: given twice"),
            (["x"], "x: argument: none is expected"),
        ])
        func whatWouldBeIgnoredIsRefused(words: [String], message: String) {
            #expect(error(words) == message)
        }
    }

    /// Which role the first argument asks for.
    struct Roles {
        private func role(_ words: String...) -> Role {
            unsafe withArguments(["scanlogd"] + words) { unsafe Role($0, $1) }
        }

        @Test func theFirstArgumentIsTheRole() {
            #expect(role() == .detector)
            #expect(role("-d") == .detector)
            #expect(role("-d", "rules") == .detector)
            #expect(role("connectionsx") == .detector)
            #expect(role("connections", "-h") == (Role.connections.isBuiltIn ? .connections : .detector))
            #expect(role("rules") == (Role.rules.isBuiltIn ? .rules : .detector))
        }

        @Test func eachRoleIsListedOnce() {
            let all = Role.all
            for index in all.indices { #expect(all[index] == .detector || role(name(of: all[index])) == all[index]) }
        }

        private func name(of role: Role) -> String {
            role.name.map { unsafe String(cString: $0.pointer) } ?? ""
        }
    }
}

#if Connections
    extension OptionTests {
        /// What the command line of `scanlogd connections` asks for.
        struct OfConnections {
            private func options(_ words: String...) throws -> ConnectionsOptions? {
                try unsafe withArguments(["connections"] + words) { try unsafe ConnectionsOptions($0, $1) }
            }

            private func error(_ words: [String]) -> String? {
                message {
                    _ = try unsafe withArguments(["connections"] + words) { try unsafe ConnectionsOptions($0, $1) }
                }
            }

            @Test func onlyPacketsOfANetworkAreLimitedUnasked() throws {
                #expect(try options()?.limit == Parameters.attemptLines)
                #expect(try options("--read", "f")?.limit == nil)
                #expect(try options("--read", "f", "--limit", "5")?.limit == 5)
                #expect(try options("--limit", "off")?.limit == nil)
            }

            @Test func theLastOfTwoContradictionsHolds() throws {
                #expect(try options("-r", "-n")?.names == false)
                #expect(try options("-n", "-r")?.names == true)
            }

            @Test func onlyInterfacesThatAreNamedArePromiscuous() throws {
                #expect(try options()?.selection.promiscuous == false)
                #expect(try options("-i", "lo")?.selection.promiscuous == true)
                #expect(try options("-i", "lo", "-p")?.selection.promiscuous == false)
            }

            @Test(arguments: [
                (["-b"], "-b: option: in the background lines need a file: -o"),
                (["--read", "f", "-p"], "-p: option: a capture file is read as it is, in the foreground"),
                (["-c", "0"], "0: --count: not a number of this kind"),
                (["--date", "x"], "x: date: must be iso or epoch"),
                (["-f", "tcp", "-F", "udp"], "udp: filter: there is one already: only one of -f and -F is taken"),
            ])
            func whatMakesNoSenseIsRefused(words: [String], message: String) {
                #expect(error(words) == message)
            }
        }
    }
#endif

#if Rules
    extension OptionTests {
        /// What the command lines of `scanlogd rules` ask for.
        struct OfRules {
            private func options(isMatch: Bool, _ words: String...) -> RulesOptions? {
                unsafe withArguments(["check"] + words) { unsafe RulesOptions($0, $1, isMatch: isMatch) }
            }

            @Test func eachCommandHasItsOwnOptions() {
                #expect(options(isMatch: false, "-a")?.reportsImplicitAllow == true)
                #expect(options(isMatch: true, "-a") == nil)
                #expect(options(isMatch: true, "--port", "22", "sshd", "10.0.0.1")?.port == "22")
                #expect(options(isMatch: false, "--port", "22") == nil)
            }

            @Test func operandsAreCountedThoughTwoAreKept() {
                let options = options(isMatch: true, "a", "-v", "b", "c")
                #expect(options?.operandCount == 3)
                #expect(options?.operands[0] == "a" && options?.operands[1] == "b")
                #expect(options?.isVerbose == true)
            }
        }
    }
#endif
