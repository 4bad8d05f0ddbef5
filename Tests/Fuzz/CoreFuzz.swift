/// The targets that are compiled with all of ScanCore, in one program: the name by which it is started selects one.
@c(LLVMFuzzerTestOneInput)
public func coreFuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    switch selected {
    case .segment: unsafe segmentFuzz(data, count)
    case .detector: unsafe detectorFuzz(data, count)
    case .kind: unsafe kindFuzz(data, count)
    case .fragment: unsafe fragmentFuzz(data, count)
    case .report: unsafe reportFuzz(data, count)
    }
}

private enum CoreTarget: String {
    case segment = "SegmentFuzz"
    case detector = "DetectorFuzz"
    case kind = "KindFuzz"
    case fragment = "FragmentFuzz"
    case report = "ReportFuzz"
}

private let selected: CoreTarget = {
    let name = CommandLine.arguments[0].split(separator: "/").last.map(String.init) ?? ""
    guard let target = CoreTarget(rawValue: name) else { fatalError("\(name): not the name of a target") }
    return target
}()
