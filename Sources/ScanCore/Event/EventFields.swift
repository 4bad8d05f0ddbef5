/// Takes the fields of an event one by one, in a form for machines. Names are ASCII letters, digits and underscores.
protocol EventFields {
    /// Adds a number.
    mutating func add(_ name: String, _ number: UInt64)
    /// Adds a time, in nanoseconds since 1970 UTC, as seconds.
    mutating func add(_ name: String, time nanoseconds: Int64)
    /// Adds what is true or false.
    mutating func add(_ name: String, _ isSo: Bool)
    /// Adds text of printable ASCII.
    mutating func add(_ name: String, _ text: LogLine)
    /// Adds the classic line, which may hold any bytes: always as the last field.
    mutating func add(message: LogLine)
    /// Adds a list; `element` appends the text of one of its elements.
    mutating func add(
        _ name: String, count: Int, areNumbers: Bool, _ element: (Int, inout LogLine) -> Void)
}

extension EventFields {
    mutating func add(_ name: String, _ text: String) { add(name, LogLine(text)) }

    mutating func add(_ name: String, _ address: Address, isPrefix: Bool = false) {
        var text = LogLine()
        text.append(address)
        if isPrefix { text.append("/64") }
        add(name, text)
    }

    mutating func add(_ name: String, _ number: UInt16) { add(name, UInt64(number)) }
    mutating func add(_ name: String, _ number: UInt32) { add(name, UInt64(number)) }
}

extension Event {
    /// The version of the fields: it changes when the meaning of one does, not when one is added.
    static var version: UInt64 { 1 }

    /// Writes all fields.
    ///
    /// - Parameters:
    ///   - fields: what takes them.
    ///   - line: the classic line of the event, which some events consist of.
    func write(into fields: inout some EventFields, line: LogLine) {
        fields.add("v", Event.version)
        fields.add("kind", content.kind)
        var run = LogLine()
        run.append(hexadecimal: UInt16(truncatingIfNeeded: stamp.run >> 16), width: 4)
        run.append(hexadecimal: UInt16(truncatingIfNeeded: stamp.run), width: 4)
        fields.add("run", run)
        fields.add("seq", stamp.sequence)
        fields.add("time", time: stamp.time)
        switch content {
        case .scan(let report): report.write(into: &fields)
        case .end(let end): end.write(into: &fields)
        case .summary(let summary): summary.write(into: &fields, line: line)
        case .status(let counts): counts.write(into: &fields)
        case .attempt(let attempt): attempt.write(into: &fields)
        case .touch(.source(let touch)): touch.write(into: &fields)
        case .touch(.rest(let count)): fields.add("unlisted", count)
        case .start, .stop, .fault: fields.add(message: line)
        }
    }
}

extension ScanReport {
    fileprivate func write(into fields: inout some EventFields) {
        fields.add("src", source, isPrefix: sourceIsPrefix)
        if kind.hasSegments && !changed.sourcePort { fields.add("sport", sourcePort) }
        fields.add("dst", destination)
        fields.add("dsts", changed.destination)
        if kind != .ping {
            fields.add("ports", count: ports.count, areNumbers: true) { $1.append(decimal: ports[$0]) }
            fields.add("nports", kind.isOfHosts ? 1 : portCount)
        }
        if kind.hasSegments {
            if flagsAreSeen { fields.add("flags", flagLetters) }
            if !changed.typeOfService { fields.add("tos", UInt16(typeOfService)) }
            if !changed.timeToLive { fields.add("ttl", UInt16(timeToLive)) }
        }
        fields.add("first", time: startTime)
        fields.add("last", time: endTime)
        if kind.isOfHosts { fields.add("hosts", hosts) }
    }

    /// Whether the flags of any packet were seen: those of a packet in fragments may not have been.
    private var flagsAreSeen: Bool { flagsEverSet != .none || flagsAlwaysSet != .all }

    private var flagLetters: LogLine {
        var letters = LogLine()
        letters.appendFlags(everSet: flagsEverSet, alwaysSet: flagsAlwaysSet)
        return letters
    }
}

extension ScanEnd {
    fileprivate func write(into fields: inout some EventFields) {
        fields.add("of", kind == .quick ? "scan" : kind.name)
        fields.add("src", source, isPrefix: sourceIsPrefix)
        fields.add("dst", destination)
        fields.add("dsts", hosts.number > 1 || hosts.isLeast)
        if kind != .ping { fields.add("nports", ports.number) }
        fields.add("first", time: startTime)
        fields.add("last", time: endTime)
        fields.add("packets", packets.number)
        fields.add("hosts", hosts.number)
        if ports.isLeast || hosts.isLeast || packets.isLeast { fields.add("least", true) }
        if isGoingOn { fields.add("ongoing", true) }
    }
}

extension SuppressionSummary {
    fileprivate func write(into fields: inout some EventFields, line: LogLine) {
        fields.add("of", subject == .portScans ? "scan" : "other")
        if isNotice { return fields.add(message: line) }
        if scans > 0 { fields.add("scans", scans) }
        fields.add("sources", count: sources.count, areNumbers: false) { $1.append(sources[$0]) }
        if unlisted > 0 { fields.add("unlisted", unlisted) }
    }
}

extension Touch {
    fileprivate func write(into fields: inout some EventFields) {
        fields.add("src", source)
        fields.add("dst", destination)
        fields.add("dsts", hasOtherDestinations)
        fields.add("ports", count: ports.count, areNumbers: true) { $1.append(decimal: ports[$0]) }
        fields.add("nports", UInt16(ports.count))
        fields.add("first", time: first)
        fields.add("last", time: last)
        fields.add("packets", packets)
        if hasOtherPorts { fields.add("least", true) }
    }
}

extension AttemptNames {
    fileprivate func write(into fields: inout some EventFields) {
        fields.add("src", attempt.source)
        if let source { fields.add("src_name", LogLine(source)) }
        fields.add("sport", attempt.sourcePort)
        fields.add("dst", attempt.destination)
        if let destination { fields.add("dst_name", LogLine(destination)) }
        fields.add("ports", count: 1, areNumbers: true) { $1.append(decimal: attempt.destinationPort) }
    }
}

extension LogLine {
    fileprivate init(_ name: HostName) {
        self.init()
        append(name)
    }
}
