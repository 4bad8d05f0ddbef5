import Capture
import CLinux

/// Gives up root for good: after it the process is one user with one group, without any capability, and can't get
/// anything back.
///
/// The order matters, each step needing the privileges that a later one gives up.
func dropPrivileges(to account: Account) throws(SystemError) {
    try emptyBoundingSet()
    // Groups before the user: after it we can't change groups.
    try becomeGroup(of: account)
    try becomeUser(of: account)
    // The change of user emptied all but the inheritable set, which root's parent may have filled.
    _ = try check("privileges", "drop capabilities") { clinux_drop_capabilities() }
    _ = try check("privileges", "set no_new_privs") { clinux_set_no_new_privileges() }
    try verifyPrivilegesAreGone(account)
}

/// Sees to it that no program started later can get a capability. Needs CAP_SETPCAP.
func emptyBoundingSet() throws(SystemError) {
    _ = try check("privileges", "empty bounding set") { clinux_empty_bounding_set() }
}

/// Needs CAP_SETGID.
func becomeGroup(of account: Account) throws(SystemError) {
    _ = try check("privileges", "set supplementary groups") {
        var group = account.group
        return unsafe setgroups(1, &group)
    }
    _ = try check("privileges", "set group") { setresgid(account.group, account.group, account.group) }
}

/// Needs CAP_SETUID.
func becomeUser(of account: Account) throws(SystemError) {
    _ = try check("privileges", "set user") { setresuid(account.user, account.user, account.user) }
}

/// Tries to get root back, and looks at what the kernel says we are: trust nothing that was only asked for.
private func verifyPrivilegesAreGone(_ account: Account) throws(SystemError) {
    let rootRegained = setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 || setegid(0) == 0
    var (real, effective, saved) = (uid_t(0), uid_t(0), uid_t(0))
    let isUser =
        unsafe getresuid(&real, &effective, &saved) == 0
        && real == account.user && effective == account.user && saved == account.user
    var (realGroup, effectiveGroup, savedGroup) = (gid_t(0), gid_t(0), gid_t(0))
    let isGroup =
        unsafe getresgid(&realGroup, &effectiveGroup, &savedGroup) == 0
        && realGroup == account.group && effectiveGroup == account.group && savedGroup == account.group
    if rootRegained || !isUser || !isGroup || !clinux_has_no_capabilities() {
        throw SystemError("privileges", "drop", because: "some are left")
    }
}
