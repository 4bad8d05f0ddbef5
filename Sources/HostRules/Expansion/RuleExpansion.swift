import ScanCore

/// What the letters behind `%` stand for in the value of an option, and in banners: facts about a connection.
public struct ExpansionValues: Sendable {
    private let daemon: FixedName
    private let user: FixedName
    private let client: RuleHost
    private let server: RuleHost
    private let clientPort: UInt16
    private let serverPort: UInt16
    private let process: UInt32

    /// The values for a connection.
    ///
    /// - Parameters:
    ///   - daemon: the name of the daemon's process.
    ///   - client: the host that connects.
    ///   - clientPort: its port, 0 if it is not known.
    ///   - server: the address that was connected to.
    ///   - serverPort: its port, 0 if it is not known.
    ///   - process: the id of the process that serves the connection.
    public init(
        daemon: FixedName, client: RuleHost, clientPort: UInt16, server: RuleHost, serverPort: UInt16, process: UInt32
    ) {
        self.daemon = daemon
        user = FixedName("unknown")
        self.client = client
        self.clientPort = clientPort
        self.server = server
        self.serverPort = serverPort
        self.process = process
    }

    /// What becomes of a letter.
    fileprivate enum Letter {
        case host(FixedName)
        case percent
        case number(UInt)
        case daemonAtServer
        case unknown
    }

    fileprivate func meaning(of letter: UInt8) -> Letter {
        switch letter {
        case UInt8(ascii: "a"): .host(client.addressText)
        case UInt8(ascii: "A"): .host(server.addressText)
        case UInt8(ascii: "c"), UInt8(ascii: "h"): .host(client.nameOrAddress)
        case UInt8(ascii: "H"): .host(server.nameOrAddress)
        case UInt8(ascii: "n"): .host(client.nameText)
        case UInt8(ascii: "N"): .host(server.nameText)
        case UInt8(ascii: "d"): .host(daemon)
        case UInt8(ascii: "u"): .host(user)
        case UInt8(ascii: "p"): .number(UInt(process))
        case UInt8(ascii: "r"): .number(UInt(clientPort))
        case UInt8(ascii: "R"): .number(UInt(serverPort))
        case UInt8(ascii: "s"): .daemonAtServer
        case UInt8(ascii: "%"): .percent
        default: .unknown
        }
    }

    /// Expands text into a sink, byte by byte.
    ///
    /// Of what a letter stands for, each byte but letters, digits and `@%-_=+:,./` becomes `_`, and so does a hyphen that
    /// comes first: a name can't be an option, nor anything that a shell takes for more than text. A letter that stands
    /// for nothing is left out, with its `%`. A `%` that is the last byte stays.
    ///
    /// - Parameters:
    ///   - text: any bytes.
    ///   - unescapesColons: whether `\:` stands for a colon, as in the value of an option.
    ///   - sink: takes a byte.
    /// - Returns: whether every letter stands for something.
    @discardableResult
    public func expand(
        _ text: Span<UInt8>, unescapesColons: Bool = false, _ sink: (UInt8) -> Void
    ) -> Bool {
        var isKnown = true
        var index = 0
        while index < text.count {
            let byte = text[index]
            let next = index + 1 < text.count ? text[index + 1] : nil
            if byte == UInt8(ascii: "%"), let letter = next {
                isKnown = expand(letter, sink) && isKnown
                index += 2
            } else if unescapesColons && byte == UInt8(ascii: "\\") && next == UInt8(ascii: ":") {
                sink(UInt8(ascii: ":"))
                index += 2
            } else {
                sink(byte)
                index += 1
            }
        }
        return isKnown
    }

    private func expand(_ letter: UInt8, _ sink: (UInt8) -> Void) -> Bool {
        switch meaning(of: letter) {
        case .unknown: return false
        case .percent: sink(UInt8(ascii: "%"))
        case .number(let number):
            var digits = LogLine()
            digits.append(decimal: number)
            Self.clean(digits.bytes.span.extracting(0..<digits.count), sink)
        case .host(let name): name.withBytes { Self.clean($0, sink) }
        case .daemonAtServer:
            daemon.withBytes { Self.clean($0, sink) }
            if server.address == nil && !server.hasName { break }
            sink(UInt8(ascii: "@"))
            server.nameOrAddress.withBytes { Self.clean($0, isFirst: false, sink) }
        }
        return true
    }

    private static func clean(_ value: Span<UInt8>, isFirst: Bool = true, _ sink: (UInt8) -> Void) {
        for index in value.indices { sink(value[index].cleaned(isFirst: isFirst && index == 0)) }
    }
}

extension UInt8 {
    /// A byte of a name as a shell can be given it.
    ///
    /// - Parameter isFirst: whether it is the first.
    public func cleaned(isFirst: Bool) -> UInt8 {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "@"), UInt8(ascii: "%"), UInt8(ascii: "_"),
            UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: ":"), UInt8(ascii: ","), UInt8(ascii: "."),
            UInt8(ascii: "/"):
            self
        case UInt8(ascii: "-") where !isFirst: self
        default: UInt8(ascii: "_")
        }
    }
}

extension RuleHost {
    /// What is printed of a host: its name if it is known, else its address, or `unknown`.
    public var nameOrAddress: FixedName { hasName ? nameText : addressText }
}

extension Span<UInt8> {
    /// Whether the expansion of this text needs a name: `%n` or `%N`.
    ///
    /// - Parameter letter: which of the two.
    public func expandsName(_ letter: Unicode.Scalar) -> Bool {
        var index = 0
        while index + 1 < count {
            if self[index] == UInt8(ascii: "%") {
                if self[index + 1] == UInt8(truncatingIfNeeded: letter.value) { return true }
                index += 1
            }
            index += 1
        }
        return false
    }
}
