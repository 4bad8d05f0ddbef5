import ScanCore

extension RuleQuery {
    /// Whether the daemons of a rule are those of the query.
    func matchesDaemons<System: RuleEnvironment & ~Copyable>(
        _ text: Span<UInt8>, _ words: Range<Int>, _ system: borrowing System, _ work: inout MatchBudget
    ) -> Bool {
        matchesList(text, words, &work) { word, work in matches(daemonWord: word, system, &work) }
    }

    /// Whether the clients of a rule are those of the query.
    func matchesClients<System: RuleEnvironment & ~Copyable>(
        _ text: Span<UInt8>, _ words: Range<Int>, _ system: borrowing System, _ work: inout MatchBudget
    ) -> Bool {
        matchesList(text, words, &work) { word, work in matches(clientWord: word, system, &work) }
    }

    /// Whether a list matches, of whose words a test says which do.
    private func matchesList(
        _ text: Span<UInt8>, _ range: Range<Int>, _ work: inout MatchBudget,
        _ test: (Span<UInt8>, inout MatchBudget) -> Bool
    ) -> Bool {
        var list = ExceptList()
        var words = ListTokenizer(range)
        while let range = words.next(of: text) {
            let word = text.extracting(range)
            work.steps += 1 + word.count
            if work.needsName { break }
            if word.isExcept {
                if !list.endPart() { break }
            } else if !list.hasMatch {
                list.hasMatch = test(word, &work)
            }
        }
        return list.isMatched && !work.needsName
    }

    private func matches<System: RuleEnvironment & ~Copyable>(
        daemonWord word: Span<UInt8>, _ system: borrowing System, _ work: inout MatchBudget
    ) -> Bool {
        let at = word.atSign
        let name = word.extracting(0..<(at ?? word.count))
        let isDaemon: Bool
        if let number = name.decimal(limit: 65536), number < 65536 {
            isDaemon = port.map { Int($0) == number } ?? false
        } else {
            isDaemon = daemon.withBytes { name.describes($0, &work) }
        }
        guard isDaemon, let at else { return isDaemon }
        return matches(word.extracting((at + 1)...), server, system, &work)
    }

    private func matches<System: RuleEnvironment & ~Copyable>(
        clientWord word: Span<UInt8>, _ system: borrowing System, _ work: inout MatchBudget
    ) -> Bool {
        guard let at = word.atSign else { return matches(word, client, system, &work) }
        let name = word.extracting(0..<at)
        return matches(word.extracting((at + 1)...), client, system, &work)
            && user.withBytes { name.describes($0, &work) }
    }

    /// Whether a host is what a word says.
    private func matches<System: RuleEnvironment & ~Copyable>(
        _ word: Span<UInt8>, _ host: RuleHost, _ system: borrowing System, _ work: inout MatchBudget
    ) -> Bool {
        work.steps += 1 + word.count
        switch HostPattern(word) {
        case .all: return true
        case .known:
            if host.isNamePending { work.needsName = true }
            return host.address != nil && host.hasName
        case .local:
            if host.isNamePending { work.needsName = true }
            return host.hasName && host.nameText.withBytes { !$0.contains(UInt8(ascii: ".")) }
        case .netgroup: return false
        case .never:
            if host.isNamePending && word.isBracketed { work.needsName = true }
            return false
        case .file: return matchesFile(word, host, system, &work)
        case .net(let net, let mask): return host.address?.isIn(net, mask: mask) ?? false
        case .prefix(let address, let length):
            if host.address?.isIn(address, length: length) ?? false { return true }
            if host.isNamePending && word.isBracketed { work.needsName = true }
            return false
        case .text:
            if host.addressText.withBytes({ word.describes($0, &work) }) { return true }
            if word.isNumeric { return false }
            if host.isNamePending { work.needsName = true }
            return host.nameText.withBytes { word.describes($0, &work) }
        }
    }

    /// Whether a host is in a file of patterns. One that can't be read holds none.
    private func matchesFile<System: RuleEnvironment & ~Copyable>(
        _ path: Span<UInt8>, _ host: RuleHost, _ system: borrowing System, _ work: inout MatchBudget
    ) -> Bool {
        guard case .open = work.files.open(path) else {
            work.hasTooManyFiles = true
            return false
        }
        var isMatched = false
        _ = system.withPatterns(in: path) { text in
            var words = PatternTokenizer(text)
            while !isMatched, !work.hasTooManyFiles, !work.needsName, let range = words.next(of: text) {
                isMatched = matches(text.extracting(range), host, system, &work)
            }
        }
        work.files.close()
        return isMatched
    }
}
