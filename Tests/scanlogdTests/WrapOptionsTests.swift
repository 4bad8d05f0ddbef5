#if Wrap
    import CLinux
    import System
    import Testing

    @testable import scanlogd

    extension OptionTests {
        /// The command line of `scanlogd wrap`, behind that word.
        struct WrapOptionsTests {
            /// - Returns: 0 if it is as expected, 1 if not, 2 if it is refused.
            private func outcome(of words: [String], _ isExpected: (WrapOptions) -> Bool) throws -> Int32 {
                try inChild {
                    unsafe withArguments(["wrap"] + words) { count, arguments in
                        do throws(SystemError) {
                            return isExpected(try unsafe WrapOptions(count, arguments)) ? 0 : 1
                        } catch {
                            return 2
                        }
                    }
                }
            }

            @Test func aProgramNamesTheService() throws {
                #expect(
                    try outcome(of: ["/usr/sbin/in.ftpd", "-l", "--names"]) {
                        $0.service == "in.ftpd" && $0.program == "/usr/sbin/in.ftpd" && !$0.wantsName
                            && !$0.isParanoid && $0.traps == nil && $0.refuseDelay == 0 && $0.allow == nil
                            && $0.deny == nil
                    } == 0)
            }

            @Test func allOptionsAreRead() throws {
                let words = [
                    "--allow", "a", "--deny=d", "--names", "--traps", "t", "--service", "s", "--refuse-delay", "3600",
                    "--", "-p",
                ]
                #expect(
                    try outcome(of: words) {
                        $0.allow == "a" && $0.deny == "d" && $0.wantsName && !$0.isParanoid && $0.traps == "t"
                            && $0.service == "s" && $0.refuseDelay == 3600 && $0.program == "-p"
                    } == 0)
            }

            @Test func paranoidNeedsTheName() throws {
                #expect(try outcome(of: ["--paranoid", "x"]) { $0.wantsName && $0.isParanoid } == 0)
            }

            @Test(arguments: [
                [], ["--names"], ["-x", "p"], ["--names", "--names", "p"], ["--traps"],
                ["--refuse-delay", "3601", "p"],
                ["--refuse-delay", "", "p"], ["--refuse-delay", "1x", "p"], ["--refuse-delay", "4294967296", "p"],
                ["--service", "", "p"], ["--service", "a b", "p"], ["/bin/"], ["--", ""],
            ])
            func whatIsWrongIsRefused(words: [String]) throws {
                #expect(try outcome(of: words) { _ in true } == 2)
            }

            @Test func tcpdHasNoOptions() throws {
                let status = try inChild {
                    unsafe withArguments(["/usr/sbin/in.ftpd", "--names"]) { _, arguments in
                        do throws(SystemError) {
                            let options = try unsafe WrapOptions(tcpd: arguments)
                            return options.service == "in.ftpd" && !options.wantsName ? 0 : 1
                        } catch {
                            return 2
                        }
                    }
                }
                #expect(status == 0)
            }
        }
    }
#endif
