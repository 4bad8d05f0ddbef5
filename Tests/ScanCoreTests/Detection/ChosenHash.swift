@testable import ScanCore

extension HashKey {
    /// A key under which the sum of an address is its low half: see ``Address/init(hash:)``.
    static var ofChosenHashes: HashKey { HashKey([0, 0, 0, 1 << 32, 1]) }
}

extension Address {
    /// The address that has a hash under ``HashKey/ofChosenHashes``, so that tests can choose who shares a bucket.
    init(hash: UInt32) {
        // What HashKey does to the sum, backwards: with the inverses of its two factors modulo 2^64. Its shifts undo
        // themselves.
        var sum = (UInt64(hash) << 32) &* 0x9cb4_b2f8_1293_37db
        sum = (sum ^ sum >> 33) &* 0x4f74_430c_22a5_4005
        self.init(ipv6High: 0, low: sum ^ sum >> 33)
    }
}
