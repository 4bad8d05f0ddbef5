#if Wrap
    import HostRules
    import ScanCore
    import System

    extension WrapSession {
        /// Carries out the options of a rule that matches, in their order, and returns its verdict. One that fails denies.
        mutating func carryOutOptions(
            of matcher: inout RuleMatcher, _ path: CString, _ decision: Decision
        ) -> WrapVerdict {
            let place = RuleLocation(path: path, line: decision.line)
            var trap = Trap(place)
            return matcher.withRule { rule in
                guard let range = rule.options else { return decision.verdict == .granted ? .granted : .refused }
                return rule.withText { text in
                    trap.open(options, text, range)
                    var list = RuleOptions(range)
                    while let option = list.next(of: text) {
                        do throws(SystemError) {
                            if let verdict = try carryOut(option, text, &trap) { return verdict }
                        } catch {
                            log.fail(place.path, line: place.line, error.line)
                            return .refused
                        }
                    }
                    return decision.verdict == .granted ? .granted : .refused
                }
            }
        }

        /// Carries out an option, and returns the verdict if it ends the rule.
        private mutating func carryOut(
            _ option: RuleOption, _ text: Span<UInt8>, _ trap: inout Trap
        ) throws(SystemError) -> WrapVerdict? {
            let value = text.extracting(option.value)
            switch option.keyword {
            case .allow: return .granted
            case .deny: return .refused
            case .severity:
                if case .level(let level, let facility) = Severity(text, option.value) {
                    log.setSeverity(level: level, facility: facility)
                }
            case .umask: ProgramExecution.setUmask(UInt32(clamping: option.number(in: text) ?? 0o077))
            case .nice: try ProgramExecution.addNice(option.number(in: text) ?? 10)
            case .linger: if connection.isStream { try connection.linger(seconds: option.number(in: text) ?? 0) }
            case .keepalive: if connection.isStream { try connection.keepAlive() }
            case .user: try becomeUser(value)
            case .group: try withText(value) { (name) throws(SystemError) in try becomeGroup(named: name) }
            case .setenv: try setVariable(value)
            case .banners: sendBanner(value)
            case .spawn: try spawn(value, &trap)
            case .twist: return try twist(value, &trap)
            case .aclexec: throw SystemError("aclexec", "option", because: "scanlogd wrap does not run it")
            case .rfc931, .none: break  // no user is asked for; RuleMatcher knows no option without a keyword
            }
            return nil
        }

        private func becomeUser(_ value: Span<UInt8>) throws(SystemError) {
            var dot = 0
            while dot < value.count && value[dot] != UInt8(ascii: ".") { dot += 1 }
            if dot == value.count {
                return try withText(value) { (name) throws(SystemError) in
                    try System.becomeUser(named: name, groupNamed: nil)
                }
            }
            let group = value.extracting((dot + 1)...)
            try withText(value.extracting(0..<dot)) { (name) throws(SystemError) in
                try withText(group) { (group) throws(SystemError) in
                    try System.becomeUser(named: name, groupNamed: group)
                }
            }
        }

        /// The name and the value of a variable, between which white space stands.
        private mutating func setVariable(_ text: Span<UInt8>) throws(SystemError) {
            var end = 0
            while end < text.count && text[end] != 32 && (text[end] < 9 || text[end] > 13) { end += 1 }
            var start = end
            while start < text.count && (text[start] == 32 || text[start] >= 9 && text[start] <= 13) { start += 1 }
            let value = try expanded(text.extracting(start...), "setenv")
            try withText(text.extracting(0..<end)) { (name) throws(SystemError) in
                let error: SystemError? = value.withCString { value in
                    do throws(SystemError) {
                        try ProgramExecution.setVariable(name, value)
                        return nil
                    } catch {
                        return error
                    }
                }
                if let error { throw error }
            }
        }

        /// Expands what stands for facts about the connection. Names that it needs are looked up.
        mutating func expanded(_ text: Span<UInt8>, _ option: CString) throws(SystemError) -> CText {
            lookUpNames(for: text)
            var result = CText()
            if !expansionValues.expand(text, unescapesColons: true, { result.append(byte: $0) }) {
                var line = LogLine("warning: ")
                line.append(option)
                line.append(": ")
                line.append(LogLine(.unknownExpansion))
                log.write(line, level: SyslogLevel.error)
            }
            if result.isBroken { throw SystemError(option, "expand", because: "too long") }
            return result
        }

        mutating func lookUpNames(for text: Span<UInt8>) {
            if text.expandsName("n") { lookUp(.client) }
            if text.expandsName("N") { lookUp(.server) }
        }

        var expansionValues: ExpansionValues {
            ExpansionValues(
                daemon: daemon, client: client, clientPort: clientEnd?.port ?? 0, server: server,
                serverPort: serverEnd?.port ?? 0, process: UInt32(clamping: CurrentProcess.number))
        }

        /// Lends a part of a rule as text of C.
        private func withText(
            _ value: Span<UInt8>, _ body: (CString) throws(SystemError) -> Void
        ) throws(SystemError) {
            var text = CText()
            text.append(value)
            let error: SystemError? = text.withCString { text in
                do throws(SystemError) {
                    try body(text)
                    return nil
                } catch {
                    return error
                }
            }
            if let error { throw error }
        }
    }

    /// Where a rule stands.
    struct RuleLocation {
        let path: CString
        let line: Int
    }
#endif
