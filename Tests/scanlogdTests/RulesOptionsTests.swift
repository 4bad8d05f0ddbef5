#if Rules
    import CLinux
    import System
    import Testing

    @testable import scanlogd

    /// The command line of `scanlogd rules`, behind that word.
    struct RulesOptionsTests {
        /// Reads a command line, of which the first word is the command, and compares what comes of it.
        private func reads(_ line: String, _ isExpected: (RulesOptions) -> Bool) throws -> Bool {
            try outcome(of: line, isExpected) == 0
        }

        /// Whether a command line is refused.
        private func isRefused(_ line: String) throws -> Bool {
            try outcome(of: line) { _ in true } == 2
        }

        /// - Returns: 0 if it is as expected, 1 if not, 2 if it is refused.
        private func outcome(of line: String, _ isExpected: (RulesOptions) -> Bool) throws -> Int32 {
            let words = line.split(separator: " ").map(String.init)
            var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
            return try inChild {
                close(2)  // what getopt_long(3) says is not for who runs the tests
                let options = unsafe arguments.withUnsafeMutableBufferPointer { buffer in
                    unsafe buffer.baseAddress.flatMap {
                        unsafe RulesOptions(Int32(words.count), $0, isMatch: words[0] == "match")
                    }
                }
                guard let options else { return 2 }
                return isExpected(options) ? 0 : 1
            }
        }

        @Test func withoutOptionsNothingIsGiven() throws {
            #expect(
                try reads("check") {
                    $0.allow == nil && $0.deny == nil && $0.exempt == nil && $0.name == nil && $0.port == nil
                        && !$0.isVerbose && !$0.reportsImplicitAllow && !$0.wantsHelp && $0.operandCount == 0
                })
        }

        @Test func lettersMayBeWrittenTogether() throws {
            #expect(try reads("check -av") { $0.isVerbose && $0.reportsImplicitAllow })
            #expect(try reads("match -vh") { $0.isVerbose && $0.wantsHelp })
        }

        @Test(arguments: ["check --allow a --deny b", "check --allow=a --deny=b", "check --den b --all a"])
        func filesAreNamed(line: String) throws {
            #expect(try reads(line) { $0.allow.map { $0 == "a" } == true && $0.deny.map { $0 == "b" } == true })
        }

        @Test func operandsMayStandBeforeOptions() throws {
            #expect(
                try reads("match sshd --name x 10.1.1.1 --port 22") {
                    $0.operandCount == 2 && $0.operands[0].map { $0 == "sshd" } == true
                        && $0.operands[1].map { $0 == "10.1.1.1" } == true && $0.name.map { $0 == "x" } == true
                        && $0.port.map { $0 == "22" } == true
                })
        }

        @Test func allOperandsAreCountedAndTwoAreKept() throws {
            #expect(try reads("match a b c d") { $0.operandCount == 4 && $0.operands[1].map { $0 == "b" } == true })
        }

        @Test func twoHyphensEndTheOptions() throws {
            #expect(
                try reads("match -- -v --name") {
                    !$0.isVerbose && $0.operandCount == 2 && $0.operands[0].map { $0 == "-v" } == true
                })
        }

        @Test(arguments: [
            "check -v -v", "check -v --verbose", "check --allow a --allow=b", "match --name x --name x", "check -aa",
        ])
        func whatIsGivenTwiceIsRefused(line: String) throws {
            #expect(try isRefused(line))
        }

        @Test(arguments: [
            "check --name x", "check --port 1", "match -a", "check -x", "check --frob", "check --allow", "match --port",
            "check --verbose=1",
        ])
        func whatTheCommandDoesNotKnowIsRefused(line: String) throws {
            #expect(try isRefused(line))
        }
    }
#endif
