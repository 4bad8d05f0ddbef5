#if Wrap
    import HostRules
    import ScanCore
    import System

    /// What becomes of a connection.
    enum WrapVerdict {
        case granted
        case refused
        /// A command has answered in place of the service: the exit status.
        case answered(Int32)
    }

    extension WrapSession {
        /// The most bytes of a rule file.
        private static var fileLimit: Int64 { 64 << 20 }

        /// What the access rules say, whose options are carried out.
        mutating func judge() -> WrapVerdict {
            judge(.allow, options.allow, or: "/etc/hosts.allow") ?? judge(.deny, options.deny, or: "/etc/hosts.deny")
                ?? .granted
        }

        /// What a file decides; `nil`: nothing. One that can't be read grants nobody anything.
        private mutating func judge(_ file: RuleFile, _ given: CString?, or standard: CString) -> WrapVerdict? {
            do throws(SystemError) {
                guard let text = try openRules(given, or: standard, limit: Self.fileLimit) else { return nil }
                log.beginFile()
                return text.withBytes { search($0, file, given ?? standard) }
            } catch {
                if file == .allow {
                    log.warn(error)
                    return nil
                }
                log.fail(error)
                return .refused
            }
        }

        /// Looks for the first rule that matches. If that depends on a name it is looked up, and the search begins again.
        private mutating func search(_ text: Span<UInt8>, _ file: RuleFile, _ path: CString) -> WrapVerdict? {
            var reportedLine = 0
            while true {
                var matcher = RuleMatcher(query(), in: file)
                var needed: RuleMatcher.NamedHost?
                steps: while let step = matcher.step(text, HostEnvironment()) {
                    switch step {
                    case .line(.missingColon): report(.missingColon, path, &matcher, &reportedLine)
                    case .line(.broken(let kind)): report(kind, path, &matcher, &reportedLine)
                    case .line, .otherDaemon, .otherClient: break
                    case .needsName(let host):
                        needed = host
                        break steps
                    case .decision(let decision): return carryOut(decision, path, &matcher)
                    }
                }
                guard let needed else { return nil }
                lookUp(needed)
            }
        }

        private mutating func report(
            _ kind: RuleProblem.Kind, _ path: CString, _ matcher: inout RuleMatcher, _ reportedLine: inout Int
        ) {
            let line = matcher.withRule { $0.line }
            if line <= reportedLine { return }
            reportedLine = line
            log.warn(path, line: line, kind)
        }

        /// Carries out what a rule says that matches.
        private mutating func carryOut(
            _ decision: Decision, _ path: CString, _ matcher: inout RuleMatcher
        ) -> WrapVerdict {
            switch decision.reason {
            case .brokenLine(let kind): log.fail(path, line: decision.line, LogLine(kind))
            case .tooManyPatternFiles: log.fail(path, line: decision.line, LogLine(.tooManyFiles))
            case .badOption(let kind):
                var text = LogLine()
                let word = matcher.badWord
                setSeverity(before: word, of: &matcher)
                if !word.isEmpty {
                    text.append("\"")
                    matcher.withRule { $0.withText { text.append(escaping: $0.extracting(word), limit: 128) } }
                    text.append("\": ")
                }
                text.append(LogLine(kind))
                log.fail(path, line: decision.line, text)
            case .noRule, .unreadable, .rule, .command:
                return carryOutOptions(of: &matcher, path, decision)
            }
            return .refused
        }

        /// Has a refusal logged as the options say that stand before what is wrong; no other of them is carried out.
        private mutating func setSeverity(before word: Range<Int>, of matcher: inout RuleMatcher) {
            matcher.withRule { rule in
                guard let range = rule.options else { return }
                rule.withText { text in
                    var options = RuleOptions(range)
                    while let option = options.next(of: text), option.value.upperBound < word.lowerBound {
                        if option.keyword != .severity { continue }
                        if case .level(let level, let facility) = Severity(text, option.value) {
                            log.setSeverity(level: level, facility: facility)
                        }
                    }
                }
            }
        }
    }
#endif
