// swift-tools-version: 6.2

import PackageDescription

// The shipped binary is built with the Embedded trait, which needs no Swift runtime; everything else without it.
let embedded: BuildSettingCondition = .when(traits: ["Embedded"])
let embeddedFlags = ["-enable-experimental-feature", "Embedded"]
// A section each, so that the linker leaves out every function that is not called.
let sections = ["-Xfrontend", "-function-sections"]

let common: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .strictMemorySafety(),
    // Not enableExperimentalFeature: SwiftPM 6.3 passes that one to the linker without looking at its condition.
    .unsafeFlags(embeddedFlags + sections, embedded),
]

// The compiler proves that nothing on the packets' path can touch the heap.
let noHeap: [SwiftSetting] = [.unsafeFlags(["-Xfrontend", "-no-allocations"], embedded)]

let strictC: [CSetting] = [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]

let package = Package(
    name: "scanlogd",
    products: [
        .library(name: "ScanCore", targets: ["ScanCore"]),
        .executable(name: "scanlogd", targets: ["scanlogd"]),
    ],
    traits: [
        .trait(name: "Embedded", description: "Embedded Swift: a binary that links the C library only")
    ],
    targets: [
        .target(name: "ScanCore", swiftSettings: common + noHeap),
        .target(name: "CLinux", cSettings: strictC),
        .target(name: "Capture", dependencies: ["ScanCore", "CLinux"], swiftSettings: common),
        .executableTarget(
            name: "scanlogd",
            dependencies: ["ScanCore", "Capture", "CLinux"],
            swiftSettings: common,
            linkerSettings: [.unsafeFlags(embeddedFlags + ["-Xlinker", "--gc-sections"], embedded)]),
        .executableTarget(
            name: "core-benchmark",
            dependencies: ["ScanCore", "CLinux"],
            path: "Tests/Benchmarks/Core",
            swiftSettings: common,
            linkerSettings: [.unsafeFlags(embeddedFlags, embedded)]),
        .testTarget(name: "CaptureTests", dependencies: ["Capture", "CLinux", "ScanCore"], swiftSettings: common),
        .testTarget(name: "ScanCoreTests", dependencies: ["ScanCore"], swiftSettings: common),
    ]
)
