import Testing

@testable import ScanCore

struct ClientPortsTests {
    private let peer = address("10.77.0.2")

    /// Clients that share one set of places.
    private func neighbours(_ count: Int) -> [Address] {
        var found: [Address] = []
        var shared: Int?
        for number in UInt32(1)..<1000 where found.count < count {
            let client = Address(ipv4: 0x0a4d_0000 + number)
            var table = ClientPorts<1>()
            table.insert(client, port: 40_000, peer: peer, .forTests)
            let set = (0..<32).first { table.sets[0][$0] != 0 }
            shared = shared ?? set
            if set == shared { found.append(client) }
        }
        return found
    }

    private func known(_ clients: [Address], in table: inout ClientPorts<1>) -> [Int] {
        clients.indices.filter { table.contains(clients[$0], port: 40_000, peer: peer, .forTests) }
    }

    @Test func theOldestOfFiveIsForgotten() {
        let clients = neighbours(5)
        var table = ClientPorts<1>()
        for client in clients { table.insert(client, port: 40_000, peer: peer, .forTests) }
        #expect(known(clients, in: &table) == [1, 2, 3, 4])
        table.insert(clients[1], port: 40_000, peer: peer, .forTests)  // the youngest now
        table.insert(clients[0], port: 40_000, peer: peer, .forTests)
        #expect(known(clients, in: &table) == [0, 1, 3, 4])
    }

    @Test(arguments: 0..<4)
    func noneIsForgottenWhereAPlaceIsFree(removed: Int) {
        let clients = neighbours(5)
        var table = ClientPorts<1>()
        for client in clients.prefix(4) { table.insert(client, port: 40_000, peer: peer, .forTests) }
        table.remove(clients[removed], port: 40_000, peer: peer, .forTests)
        table.insert(clients[4], port: 40_000, peer: peer, .forTests)
        #expect(known(clients, in: &table) == (0..<5).filter { $0 != removed })
    }
}
