import System
import Testing

/// The options of an IPv4 header, which any host can fill with any bytes.
struct InternetOptionsTests {
    @Test(
        arguments: [
            ([], .none), ([0], .none), ([0, 131, 7, 4], .none), ([1, 1, 0], .others), ([7, 7, 4, 0, 0, 0, 0], .others),
            ([131, 7, 4, 1, 2, 3, 4], .sourceRoute), ([137, 7, 4, 1, 2, 3, 4], .sourceRoute), ([131], .sourceRoute),
            ([1, 137, 3], .sourceRoute), ([7, 3, 4, 131, 3], .sourceRoute), ([7, 0, 131], .others),
            ([7, 1, 131], .others),
            ([7], .others), ([7, 255, 131], .others), ([148, 4, 0, 0, 131, 3, 4], .sourceRoute),
        ] as [([UInt8], InternetOptions)])
    func aSourceRouteIsFoundBehindAnything(bytes: [UInt8], expected: InternetOptions) {
        #expect(InternetOptions(bytes.span) == expected)
    }

    @Test func noBytesAreTooMany() {
        for byte in UInt8.min...UInt8.max {
            _ = InternetOptions([UInt8](repeating: byte, count: 40).span)
        }
    }
}

/// The names that a resolver may return.
struct ResolvedNameTests {
    private func isHostName(_ text: String) -> Bool { ResolvedName(text.utf8Span.span).isHostName }

    @Test(arguments: [
        "a", "www.example.com", "x-1_y.example", "10.example.com", "1.2.3.4.in-addr.arpa",
        String(repeating: "x", count: 255),
    ])
    func namesOfHostsAre(text: String) {
        #expect(isHostName(text))
    }

    @Test(arguments: [
        "", "-rf", ".com", "192.0.2.7", "7", "0x7f.1", "a b", "a;b", "$(x)", "a\n", "::1", "a/b", "é", "a.7", "a%b",
    ])
    func whatCanBeMoreThanAName(text: String) {
        #expect(!isHostName(text))
    }

    @Test func whatIsTooLongIsCut() {
        #expect(ResolvedName(String(repeating: "x", count: 1000).utf8Span.span).count == 255)
    }
}
