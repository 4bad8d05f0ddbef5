import CLinux

/// Becomes another user for good, with that user's groups: for a service that a super-server starts as root.
///
/// If the process is that user's already, nothing changes. Otherwise it needs root's privileges, and fails without.
///
/// - Parameters:
///   - name: the user's name.
///   - groupName: the name of the group to have in place of the user's own; `nil`: none is asked for.
package func becomeUser(named name: CString, groupNamed groupName: CString?) throws(SystemError) {
    guard let entry = unsafe getpwnam(name.pointer) else {
        throw SystemError(name, "look up user", because: "no such user")
    }
    let user = unsafe entry.pointee.pw_uid
    let group =
        try groupName.map { (name) throws(SystemError) in try groupNumber(name) } ?? (unsafe entry.pointee.pw_gid)
    if geteuid() == user && getuid() == user && getegid() == group { return }
    // The groups before the user, who can't change them.
    _ = try check(name, "set groups") { unsafe initgroups(name.pointer, group) }
    _ = try check(name, "set group") { setresgid(group, group, group) }
    _ = try check(name, "become user") { setresuid(user, user, user) }
    if user != 0 && (setuid(0) == 0 || getuid() != user || geteuid() != user) { throw privilegesAreLeft }
}

/// Takes a group, which needs root's privileges unless it is the process's own.
package func becomeGroup(named name: CString) throws(SystemError) {
    let group = try groupNumber(name)
    if getegid() == group && getgid() == group { return }
    _ = try check(name, "set groups") {
        var group = group
        return unsafe setgroups(1, &group)
    }
    _ = try check(name, "set group") { setresgid(group, group, group) }
}

private func groupNumber(_ name: CString) throws(SystemError) -> gid_t {
    guard let entry = unsafe getgrnam(name.pointer) else {
        throw SystemError(name, "look up group", because: "no such group")
    }
    return unsafe entry.pointee.gr_gid
}
