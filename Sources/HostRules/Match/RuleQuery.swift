import ScanCore

/// A host as far as it is known.
public struct RuleHost: Sendable {
    /// What is known of its name.
    public enum Name: Sendable {
        /// It has none, or it was not looked up.
        case unknown
        /// Its name and its address contradict each other: PARANOID.
        case paranoid
        /// Its name, whose address was looked up and found to be this host's. `unknown` and `paranoid`, in whatever
        /// case, are words for the two cases above, as for libwrap.
        case known(FixedName)
        /// It has not been looked up: a rule that needs it is not decided, see ``RuleMatcher/Step/needsName(_:)``.
        case notLookedUp
    }

    /// Its address; an IPv4-mapped one is taken for the IPv4 address in it.
    public let address: Address?
    /// The address as it is printed, or `unknown`.
    public let addressText: FixedName
    /// Its name, or the word that stands for none: `unknown`, `paranoid`.
    public let nameText: FixedName
    /// Whether its name is known.
    let hasName: Bool
    /// Whether the name has not been looked up yet. A host without an address has none.
    let isNamePending: Bool

    /// A host of which some things are known.
    public init(address: Address? = nil, name: Name = .unknown) {
        let address = address?.unmapped
        self.address = address
        addressText = address.map { FixedName($0) } ?? FixedName("unknown")
        switch name {
        case .unknown, .notLookedUp: nameText = FixedName("unknown")
        case .paranoid: nameText = FixedName("paranoid")
        case .known(let name): nameText = name
        }
        if case .notLookedUp = name { isNamePending = address != nil } else { isNamePending = false }
        hasName = nameText.withBytes { !$0.equalsIgnoringCase("unknown") && !$0.equalsIgnoringCase("paranoid") }
    }
}

/// Who wants what: what a rule is matched against.
public struct RuleQuery: ~Copyable, Sendable {
    /// The name of the daemon's process.
    let daemon: FixedName
    /// The port that was connected to; `nil`: not known.
    let port: UInt16?
    /// The host that was connected to.
    let server: RuleHost
    /// The name of the user who connects, or the word for none.
    let user: FixedName
    /// The host that connects.
    let client: RuleHost

    /// A query.
    ///
    /// - Parameters:
    ///   - daemon: the name of the daemon's process.
    ///   - server: the address that was connected to, if it is known.
    ///   - port: the port that was connected to, if it is known.
    ///   - user: the name of the user who connects, `nil` if it is not known.
    ///   - client: the host that connects.
    public init(
        daemon: FixedName, server: RuleHost = RuleHost(), port: UInt16? = nil, user: FixedName? = nil, client: RuleHost
    ) {
        self.daemon = daemon
        self.port = port
        self.server = server
        self.user = user ?? FixedName("unknown")
        self.client = client
    }
}
