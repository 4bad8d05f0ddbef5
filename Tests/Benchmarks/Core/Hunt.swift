import ScanCore

/// Traffic by a few numbers, which a ``Hunt`` can vary.
struct Recipe: PacketPlan {
    /// How many sources take turns.
    var sources: Int
    /// How many packets each sends in a row.
    var burst = 1
    /// How many ports are tried, one after the other, from the first one on.
    var ports: Int
    var firstPort = 80
    /// How many hosts are tried, one after the other.
    var neighbours = 1
    /// Which flags are sent in turn: places in ``flagChoices``.
    var flags = 0
    var otherFlags = 0
    var isIPv6 = false

    var isFlood: Bool { false }

    /// The flags to choose from.
    private static func flagChoice(_ place: Int) -> TCPFlags {
        switch place {
        case 0: .syn
        case 1: .none
        case 2: .ack
        case 3: .rst
        case 4: .syn.union(.ack)
        case 5: .rst.union(.ack)
        case 6: .fin.union(.ack)
        default: .fin
        }
    }

    mutating func packet(_ index: Int) -> PacketFields {
        // Turns of sources do not begin at the same packet of each round of the ports.
        let turn = index / burst
        let source = UInt32(truncatingIfNeeded: turn % sources) &* 2_654_435_761 | 1
        return PacketFields(
            source: source, port: UInt16(truncatingIfNeeded: firstPort + (index + turn / sources) % ports),
            flags: Recipe.flagChoice(index % 2 == 0 ? flags : otherFlags),
            neighbour: UInt8(truncatingIfNeeded: (index + turn / sources) % neighbours))
    }

    var description: String {
        "\(sources) sources by \(burst), \(ports) ports from \(firstPort), \(neighbours) hosts, "
            + "flags \(Recipe.flagChoice(flags).rawValue) and \(Recipe.flagChoice(otherFlags).rawValue)"
            + (isIPv6 ? ", IPv6" : "")
    }
}

/// Looks for the traffic of which a packet costs most: at random first, then by changes of the best one.
struct Hunt {
    private var random: UInt64 = 14

    private static let trials = 60
    private static let failures = 80

    mutating func run() -> Recipe {
        var best = next()
        var most = 0.0
        for _ in 0..<Hunt.trials {
            let recipe = next()
            let cost = cost(recipe)
            if cost > most { (best, most) = (recipe, cost) }
        }
        var failed = 0
        while failed < Hunt.failures {
            let recipe = changed(best)
            let cost = cost(recipe)
            // By more than the clock's noise, and again.
            if cost > most * 1.03 && self.cost(recipe) > most * 1.03 {
                (best, most) = (recipe, cost)
                failed = 0
            } else {
                failed += 1
            }
        }
        return best
    }

    private func cost(_ recipe: Recipe) -> Double {
        var packets = Packets(recipe)
        return measure(&packets, rounds: 3, seconds: 0.01).least
    }

    private mutating func next() -> Recipe {
        Recipe(
            sources: powerOfTwo(16), burst: powerOfTwo(5), ports: powerOfTwo(12), firstPort: port(),
            neighbours: powerOfTwo(8), flags: number(below: 8), otherFlags: number(below: 8),
            isIPv6: number(below: 2) == 0)
    }

    /// A recipe with another value for one of its numbers.
    private mutating func changed(_ recipe: Recipe) -> Recipe {
        var recipe = recipe
        switch number(below: 8) {
        case 0: recipe.sources = powerOfTwo(16)
        case 1: recipe.burst = powerOfTwo(5)
        case 2: recipe.ports = powerOfTwo(12)
        case 3: recipe.firstPort = port()
        case 4: recipe.neighbours = powerOfTwo(8)
        case 5: recipe.flags = number(below: 8)
        case 6: recipe.otherFlags = number(below: 8)
        default: recipe.isIPv6.toggle()
        }
        return recipe
    }

    private mutating func port() -> Int { [1, 80, 443, 10_000, 40_000][number(below: 5)] }

    private mutating func powerOfTwo(_ most: Int) -> Int { 1 << number(below: most + 1) }

    private mutating func number(below count: Int) -> Int {
        // xorshift (Marsaglia 2003)
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        return Int(random % UInt64(count))
    }
}
