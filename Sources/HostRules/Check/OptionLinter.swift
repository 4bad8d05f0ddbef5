/// What is wrong with an option, and the word that is.
struct OptionFault {
    let kind: RuleProblem.Kind
    let word: Range<Int>
}

extension RuleOption {
    /// What makes libwrap deny when a rule with this option matches, if anything does.
    func fault<System: RuleEnvironment & ~Copyable>(in text: Span<UInt8>, _ system: borrowing System) -> OptionFault? {
        if name.isEmpty { return OptionFault(kind: .missingOption, word: name) }
        guard let keyword else {
            // As rules had them before they had options.
            let first = text[name.lowerBound]
            let isCommand = first == UInt8(ascii: "(") || first == UInt8(ascii: "/")
            return OptionFault(kind: isCommand ? .bareCommand : .unknownOption, word: name)
        }
        if value.isEmpty && keyword.needsValue { return OptionFault(kind: .missingValue, word: name) }
        if !value.isEmpty && !keyword.takesValue { return OptionFault(kind: .unexpectedValue, word: name) }
        if keyword.mustBeLast && !isLast { return OptionFault(kind: .optionNotLast, word: name) }
        if value.isEmpty { return nil }
        switch keyword {
        case .severity:
            if case .unknown(let word) = Severity(text, value) { return OptionFault(kind: .badSeverity, word: word) }
        case .user: return userFault(in: text, system)
        case .group:
            if !system.hasGroup(text.extracting(value)) { return OptionFault(kind: .unknownGroup, word: value) }
        case .linger, .nice, .rfc931, .umask:
            if !isGoodNumber(text.extracting(value), for: keyword) {
                return OptionFault(kind: .badNumber, word: value)
            }
        default: break
        }
        return nil
    }

    /// Of `user` or `user.group`.
    private func userFault<System: RuleEnvironment & ~Copyable>(
        in text: Span<UInt8>, _ system: borrowing System
    ) -> OptionFault? {
        let whole = text.extracting(value)
        let dot = whole.firstIndex(of: UInt8(ascii: "."))
        if let dot, !system.hasGroup(whole.extracting((dot + 1)...)) {
            return OptionFault(kind: .unknownGroup, word: value.lowerBound + dot + 1..<value.upperBound)
        }
        let end = dot ?? whole.count
        if system.hasUser(whole.extracting(0..<end)) { return nil }
        return OptionFault(kind: .unknownUser, word: value.lowerBound..<value.lowerBound + end)
    }

    private func isGoodNumber(_ digits: Span<UInt8>, for keyword: Keyword) -> Bool {
        let hasSign = digits[0] == UInt8(ascii: "-") || digits[0] == UInt8(ascii: "+")
        let isNegative = digits[0] == UInt8(ascii: "-")
        let digits = digits.extracting((hasSign ? 1 : 0)...)
        let largest = Int(Int32.max)
        guard let number = digits.decimal(limit: largest + 1), number <= largest else { return false }
        switch keyword {
        case .linger: return !isNegative || number == 0
        case .rfc931: return !isNegative && number > 0
        case .umask: return (!isNegative || number == 0) && digits.isOctalMode
        default: return true
        }
    }
}

extension Span<UInt8> {
    /// Whether octal digits say no more than 0777.
    fileprivate var isOctalMode: Bool {
        var value = 0
        for index in indices {
            if self[index] > UInt8(ascii: "7") { return false }
            value = value * 8 + Int(self[index] - UInt8(ascii: "0"))
            if value > 0o777 { return false }
        }
        return true
    }
}

/// What the options of a rule that matches come to.
struct OptionOutcome {
    /// What makes it deny, whatever else it says.
    private(set) var fault: OptionFault?
    /// `allow` or `deny`, in place of what the file does.
    private(set) var verdict: Decision.Verdict?
    /// Whether the command of `aclexec` has the say.
    private(set) var isCommand = false
    /// The level of `severity`, 0 to 7.
    private(set) var level: UInt8?

    init<System: RuleEnvironment & ~Copyable>(_ text: Span<UInt8>, _ range: Range<Int>?, _ system: borrowing System) {
        guard let range else { return }
        var options = RuleOptions(range)
        while let option = options.next(of: text) {
            if let fault = option.fault(in: text, system) {
                self.fault = fault
                return
            }
            // What follows a command that fails is done all the same: these have the last word.
            if option.keyword?.mustBeLast ?? false { isCommand = false }
            switch option.keyword {
            case .allow: verdict = .granted
            case .deny: verdict = .denied
            case .twist: verdict = .delegated
            case .aclexec:
                verdict = .delegated
                isCommand = true
            case .severity:
                if case .level(let level, _) = Severity(text, option.value) { self.level = level }
            default: break
            }
        }
    }
}
