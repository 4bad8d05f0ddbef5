import HostRules
import ScanCore

/// The input is a query with its rule files: the matcher decides as the model does, in a number of steps that is linear
/// in what was read, and never by a rule that the check holds to be out of reach.
@c(LLVMFuzzerTestOneInput)
public func rulesQueryFuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let verdicts = unsafe RulesVerdicts(Array(UnsafeBufferPointer(start: data, count: count)))
    check(verdicts.found == verdicts.expected, "\(verdicts.found) where the model says \(verdicts.expected)")
    check(verdicts.fault == nil, verdicts.fault ?? "")
    return 0
}
