// swift-tools-version: 6.2

import PackageDescription

// The shipped binary is built with the Embedded trait, which needs no Swift runtime; everything else without it.
let embedded: BuildSettingCondition = .when(traits: ["Embedded"])
let embeddedFlags = ["-enable-experimental-feature", "Embedded"]
// lld comes with Swift, and makes a smaller program than gold, which is the default; -O2 lets it share ends of strings.
let embeddedLink =
    embeddedFlags + ["-use-ld=lld", "-Xlinker", "--gc-sections", "-Xlinker", "--icf=all", "-Xlinker", "-O2"]
// A section each, so that the linker leaves out every function that is not called; and no hash of each source file in
// the program, which the compiler would put there for itself.
let sections = ["-Xfrontend", "-function-sections", "-Xfrontend", "-disable-incremental-llvm-codegen"]

let common: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .strictMemorySafety(),
    // Not enableExperimentalFeature: SwiftPM 6.3 passes that one to the linker without looking at its condition.
    .unsafeFlags(embeddedFlags + sections, embedded),
]

// Small rather than fast: for what is not on the packets' path, and runs once, or seldom.
let small: [SwiftSetting] = [.unsafeFlags(["-Osize"], embedded)]

// The compiler proves that nothing on the packets' path can touch the heap.
let noHeap: [SwiftSetting] = [.unsafeFlags(["-Xfrontend", "-no-allocations"], embedded)]

// Unit tests ask much of the libraries, and of the models that judge these; and in debug builds a read of a table may
// copy all of it.
let optimized: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

let testHooks: [SwiftSetting] = [.define("TEST_HOOKS", .when(traits: ["TestHooks"]))]

let strictC: [CSetting] = [
    .unsafeFlags(["-Wall", "-Wextra", "-Werror", "-fno-asynchronous-unwind-tables", "-ffunction-sections", "-Os"])
]

let package = Package(
    name: "scanlogd",
    products: [
        .library(name: "ScanCore", targets: ["ScanCore"]),
        .library(name: "HostRules", targets: ["HostRules"]),
        .executable(name: "scanlogd", targets: ["scanlogd"]),
    ],
    traits: [
        .trait(name: "Embedded", description: "Embedded Swift: a binary that links the C library only"),
        .trait(name: "Ring", description: "Packets from a ring in memory, before a firewall drops them"),
        .trait(name: "Pcap", description: "Packets from libpcap, and replay; only its headers are needed to build"),
        .trait(name: "Nids", description: "Fragments joined by libnids; needs its headers", enabledTraits: ["Pcap"]),
        .trait(
            name: "Connections", description: "The role that logs attempts to connect: scanlogd connections",
            enabledTraits: ["Pcap"]),
        .trait(name: "Rules", description: "The hosts_access language: scanlogd rules, and exempt sources"),
        .trait(
            name: "Wrap", description: "The role that a super-server starts for a connection, as tcpd: scanlogd wrap",
            enabledTraits: ["Rules"]),
        .trait(name: "TestHooks", description: "For tests only: SIGUSR2 makes a process do what its sandbox forbids"),
        .default(enabledTraits: ["Ring", "Pcap", "Nids", "Connections", "Rules", "Wrap"]),
    ],
    targets: [
        .target(name: "ScanCore", swiftSettings: common + noHeap + optimized),
        .target(name: "HostRules", dependencies: ["ScanCore"], swiftSettings: common + noHeap + small + optimized),
        .target(name: "CLinux", cSettings: strictC),
        .target(name: "CPcap", cSettings: strictC),
        .target(name: "CNids", cSettings: strictC),
        .target(
            name: "CSeccomp",
            exclude: ["policy"],  // what makes programs.h: make system-calls
            cSettings: strictC + [.unsafeFlags(["-ffunction-sections", "-fdata-sections"])]),
        .target(
            name: "System", dependencies: ["ScanCore", "CLinux", "CSeccomp"],
            swiftSettings: common + small + testHooks + optimized),
        .target(
            name: "Capture",
            dependencies: [
                "ScanCore", "System", "CLinux",
                .target(name: "CPcap", condition: .when(traits: ["Pcap"])),
                .target(name: "CNids", condition: .when(traits: ["Nids"])),
            ],
            swiftSettings: common + optimized),
        .executableTarget(
            name: "scanlogd",
            dependencies: [
                "ScanCore", "System", "Capture", "CLinux", "CSeccomp",
                .target(name: "HostRules", condition: .when(traits: ["Rules"])),
            ],
            swiftSettings: common + testHooks,
            linkerSettings: [.unsafeFlags(embeddedLink, embedded)]),
        .executableTarget(
            name: "core-benchmark",
            dependencies: ["ScanCore", "CLinux"],
            path: "Tests/Benchmarks/Core",
            swiftSettings: common,
            linkerSettings: [.unsafeFlags(embeddedFlags, embedded)]),
        .testTarget(
            name: "CaptureTests",
            dependencies: [
                "Capture", "CLinux", "ScanCore", "System",
                .target(name: "CPcap", condition: .when(traits: ["Pcap"])),
            ],
            swiftSettings: common),
        .testTarget(name: "SystemTests", dependencies: ["System", "CLinux", "ScanCore"], swiftSettings: common),
        .testTarget(
            name: "scanlogdTests",
            dependencies: [
                "scanlogd", "System", "CLinux", "ScanCore",
                .target(name: "HostRules", condition: .when(traits: ["Rules"])),
            ],
            swiftSettings: common),
        .testTarget(
            name: "HostRulesTests", dependencies: ["HostRules", "ScanCore"], swiftSettings: common + optimized),
        .testTarget(name: "ScanCoreTests", dependencies: ["ScanCore"], swiftSettings: common + optimized),
    ]
)
