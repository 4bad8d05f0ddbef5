import CSeccomp

/// Whether this build and this kernel can end a process that makes a system call it never makes.
package var systemCallsAreFiltered: Bool { cseccomp_is_available() }

package func install(_ filter: () -> Int32) throws(SystemError) {
    if !systemCallsAreFiltered { return }  // the log says so
    _ = try check("system-call filter", "install") { filter() }
}
