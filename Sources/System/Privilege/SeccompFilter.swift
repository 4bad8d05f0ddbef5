import CSeccomp

/// Whether this build and this kernel support the system-call filter, which kills a process that makes an unexpected
/// call.
package var systemCallsAreFiltered: Bool { cseccomp_is_available() }

package func install(_ filter: () -> Int32) throws(SystemError) {
    if !systemCallsAreFiltered { return }  // it is logged elsewhere
    _ = try check("system-call filter", "install") { filter() }
}
