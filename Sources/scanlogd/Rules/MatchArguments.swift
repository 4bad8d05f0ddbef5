#if Rules
    import Capture
    import HostRules
    import ScanCore
    import System

    /// The operands and options of `scanlogd rules match`: the access to check.
    struct MatchArguments {
        /// The daemon's operand, with the server if there is one.
        let daemonOperand: CString
        let clientOperand: CString
        /// The client's address, as given; `nil`: unknown.
        private let clientAddress: Address?

        private let daemon: FixedName
        private let server: RuleHost
        private let port: UInt16?
        private let user: FixedName?
        private let client: RuleHost
        private let clientName: FixedName

        /// Parses the two operands; `nil` if they are invalid, with the reason printed.
        init?(_ options: RulesOptions) {
            guard let daemonText = options.operands[0], let clientText = options.operands[1] else { return nil }
            daemonOperand = daemonText
            clientOperand = clientText
            guard let (daemon, server) = Self.daemon(daemonText) else {
                _ = refuse(daemonText, "no daemon, or no server: names have 1 to 255 bytes")
                return nil
            }
            guard let (user, address) = Self.client(clientText) else {
                _ = refuse(
                    clientText, "not an address: no name is looked up, so say the address, and the name with --name")
                return nil
            }
            let nameText = options.name ?? "unknown"
            guard let name = nameText.withBytes({ FixedName($0) }) else {
                _ = refuse(nameText, "a name has 1 to 255 bytes")
                return nil
            }
            let port = options.port.map { Self.port($0) }
            if let port, port == nil, let text = options.port {
                _ = refuse(text, "not a port: 0 to 65535")
                return nil
            }
            self.daemon = daemon
            self.server = server
            self.port = port ?? nil
            self.user = user
            clientAddress = address
            clientName = name
            client = RuleHost(address: address, name: .known(name))
        }

        private static func daemon(_ text: CString) -> (FixedName, RuleHost)? {
            text.withBytes { text in
                guard let at = text.at else { return FixedName(text).map { ($0, RuleHost()) } }
                let host = text.extracting((at + 1)...)
                guard let daemon = FixedName(text.extracting(0..<at)) else { return nil }
                if let address = host.address { return (daemon, RuleHost(address: address)) }
                return FixedName(host).map { (daemon, RuleHost(name: .known($0))) }
            }
        }

        /// The user, if given, and the address, if known.
        private static func client(_ text: CString) -> (FixedName?, Address?)? {
            text.withBytes { text in
                let at = text.at
                let user = at.map { FixedName(text.extracting(0..<$0)) }
                if let user, user == nil { return nil }
                let host = text.extracting((at.map { $0 + 1 } ?? 0)...)
                if host.equalsIgnoringCase("unknown") { return (user ?? nil, nil) }
                return host.address.map { (user ?? nil, $0) }
            }
        }

        private static func port(_ text: CString) -> UInt16? {
            text.withBytes { digits in
                var value = 0
                if digits.isEmpty { return nil }
                for index in digits.indices {
                    let digit = Int(digits[index]) - 48
                    if digit < 0 || digit > 9 || value > 65535 { return nil }
                    value = value * 10 + digit
                }
                return UInt16(exactly: value)
            }
        }

        /// The query for the rules.
        func query() -> RuleQuery {
            RuleQuery(daemon: daemon, server: server, port: port, user: user, client: client)
        }

        /// The source address of packets of the client; `nil` if it is unknown, or a user is given, whom packets do not
        /// have.
        var source: Address? { user == nil ? clientAddress : nil }

        /// Prints what the rules were compared with.
        func print(to output: inout EscapedOutput) {
            output.add("compared with: daemon ")
            daemonOperand.withBytes { output.add(quoting: $0) }
            if let port {
                output.add(", port ")
                output.add(Int(port))
            }
            output.add(", client ")
            output.add(address: client.address)
            output.add(", name ")
            clientName.withBytes { output.add(quoting: $0) }
            output.add(", user ")
            if let user { user.withBytes { output.add(quoting: $0) } } else { output.add("unknown") }
            output.add("\n")
        }

        /// The same for rules of exempt sources.
        func printSource(to output: inout EscapedOutput) {
            output.add("compared with: daemon scanlogd, client ")
            output.add(address: clientAddress)
            output.add("\n")
        }
    }

    extension EscapedOutput {
        /// Adds an address, or `unknown`.
        fileprivate mutating func add(address: Address?) {
            guard let address else { return add("unknown") }
            var line = LogLine()
            line.append(address)
            add(line)
        }
    }

    extension Span<UInt8> {
        /// The index of the first `@` that is not at the start.
        fileprivate var at: Int? {
            var index = 1
            while index < count {
                if self[index] == UInt8(ascii: "@") { return index }
                index += 1
            }
            return nil
        }

        /// The address that the bytes represent, with or without brackets.
        fileprivate var address: Address? {
            let isBracketed = count > 2 && self[0] == UInt8(ascii: "[") && self[count - 1] == UInt8(ascii: "]")
            return Address(isBracketed ? extracting(1..<count - 1) : self)
        }
    }
#endif
