import CLinux

/// Drops root privileges permanently: the process then runs as one user with one group, without capabilities, and can't
/// regain any.
///
/// The order matters: each step needs privileges that a later one drops.
package func dropPrivileges(to account: Account) throws(SystemError) {
    try emptyBoundingSet()
    // Groups before the user: afterwards groups can't be changed.
    try becomeGroup(of: account)
    try becomeUser(of: account)
    // The change of user cleared all but the inheritable set, which root's parent may have filled.
    _ = try check("privileges", "drop capabilities") { clinux_drop_capabilities() }
    try forbidNewPrivileges()
    try verifyPrivilegesAreGone(account)
}

/// Prevents programs started later from gaining capabilities. Needs CAP_SETPCAP.
///
/// - Parameter name: the owner of the privileges in error messages, here and below.
package func emptyBoundingSet(_ name: CString = "privileges") throws(SystemError) {
    _ = try check(name, "empty bounding set") { clinux_empty_bounding_set() }
}

/// Prevents programs started later from gaining more privileges than this process (no_new_privs).
package func forbidNewPrivileges(_ name: CString = "privileges") throws(SystemError) {
    _ = try check(name, "set no_new_privs") { clinux_set_no_new_privileges() }
}

/// Drops all capabilities but the one to open files regardless of their modes, if it is present.
package func keepFileAccess(_ name: CString) throws(SystemError) {
    _ = try check(name, "drop capabilities") { clinux_keep_file_access() }
}

/// Makes the kernel kill this process when its parent ends, until it changes its user.
package func endWithParent(_ name: CString) throws(SystemError) {
    _ = try check(name, "end with parent") { clinux_die_with_parent() }
}

/// Needs CAP_SETGID.
package func becomeGroup(of account: Account) throws(SystemError) {
    try leaveOtherGroups(than: account)
    try setGroup(of: account)
}

/// Needs CAP_SETGID.
package func leaveOtherGroups(than account: Account) throws(SystemError) {
    _ = try check("privileges", "set supplementary groups") {
        var group = account.group
        return unsafe setgroups(1, &group)
    }
}

/// Needs CAP_SETGID.
package func setGroup(of account: Account) throws(SystemError) {
    _ = try check("privileges", "set group") { setresgid(account.group, account.group, account.group) }
}

/// Needs CAP_SETUID.
package func becomeUser(of account: Account) throws(SystemError) {
    _ = try check("privileges", "set user") { setresuid(account.user, account.user, account.user) }
}

/// Checks the credentials that the kernel reports, and that root can't be regained, rather than trusting the calls
/// above.
private func verifyPrivilegesAreGone(_ account: Account) throws(SystemError) {
    if !account.isGroupForGood || !account.isUserForGood || !clinux_has_no_capabilities()
        || !clinux_has_no_bounding_set()
    {
        throw privilegesAreLeft
    }
}

package var privilegesAreLeft: SystemError { SystemError("privileges", "drop", because: "some are left") }

extension Account {
    /// Whether the process runs as this user, and can't become root.
    package var isUserForGood: Bool {
        if setuid(0) == 0 || seteuid(0) == 0 { return false }
        var (real, effective, saved) = (uid_t(0), uid_t(0), uid_t(0))
        return unsafe getresuid(&real, &effective, &saved) == 0 && real == user && effective == user && saved == user
    }

    /// Whether the process has this group, and can't get root's.
    fileprivate var isGroupForGood: Bool {
        if setgid(0) == 0 || setegid(0) == 0 { return false }
        var (real, effective, saved) = (gid_t(0), gid_t(0), gid_t(0))
        return unsafe getresgid(&real, &effective, &saved) == 0
            && real == group && effective == group && saved == group
    }
}

/// Forbids tracing and core dumps, and forking.
package func forbidTracing() throws(SystemError) {
    try forbidDumps()
    try limit(.processes, to: 0)
}

/// Forbids tracing and core dumps.
package func forbidDumps() throws(SystemError) {
    _ = try check("privileges", "forbid dumps") { clinux_set_undumpable() }
    try limit(.coreSize, to: 0)
}
