import Capture
import CLinux

/// The user that the daemon becomes.
struct Account {
    let user: uid_t
    let group: gid_t

    /// Looks a user up by name (getpwnam(3)). Root, and the group root, are refused: becoming them drops nothing.
    init(named name: ConstantText) throws(SystemError) {
        guard let entry = unsafe getpwnam(name.pointer) else {
            throw SystemError(name, "look up user", because: "no such user")
        }
        user = unsafe entry.pointee.pw_uid
        group = unsafe entry.pointee.pw_gid
        if user == 0 { throw SystemError(name, "become user", because: "its user id is root's") }
        if group == 0 { throw SystemError(name, "become user", because: "its group is root's") }
    }
}
