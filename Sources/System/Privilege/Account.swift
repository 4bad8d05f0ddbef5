import CLinux
import ScanCore

/// The user that the daemon runs as.
package struct Account {
    package let user: uid_t
    package let group: gid_t

    /// Looks up a user by name (getpwnam(3)). The user's primary group must be the one with the same name.
    ///
    /// Root, and the group root, are refused: switching to them drops nothing. So is any other group, such as nogroup:
    /// it may have other members.
    package init(named name: CString) throws(SystemError) {
        guard let account = try Account(whoeverIs: name) else {
            throw SystemError(name, "look up user", because: "no such user")
        }
        self = account
        if user == 0 { throw SystemError(name, "become user", because: "its user id is root's") }
        if group == 0 { throw SystemError(name, "become user", because: "its group is root's") }
        if try Self.group(named: name) != group {
            throw SystemError(name, "become user", because: "its primary group is not the group of its name")
        }
    }

    private init(user: uid_t, group: gid_t) {
        self.user = user
        self.group = group
    }

    /// The result of getpwnam(3) for a name, or `nil` if there is no such user.
    private init?(whoeverIs name: CString) throws(SystemError) {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var text = InlineArray<4096, CChar>(repeating: 0)  // the strings of the entry, which we don't use
        var buffer = text.mutableSpan
        let failure = unsafe buffer.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return ERANGE }
            return unsafe getpwnam_r(name.pointer, &entry, start, buffer.count, &found)
        }
        if failure != 0 { throw SystemError(name, "look up user", code: failure) }
        if unsafe found == nil { return nil }
        self.init(user: unsafe entry.pw_uid, group: unsafe entry.pw_gid)
    }

    /// The user that root switches to before it reads a file: the daemon's user, or, if that is not possible, nobody,
    /// which exists on every system: it owns nothing, and this process is protected from others of that user.
    package static var forReading: Account {
        do throws(SystemError) {
            return try Account(named: CString(Parameters.user))
        } catch {
            return .nobody
        }
    }

    private static var nobody: Account {
        do throws(SystemError) {
            if let known = try Account(whoeverIs: "nobody"), known.user != 0, known.group != 0 { return known }
        } catch {}  // fall back to the usual number
        return Account(user: 65534, group: 65534)
    }

    /// The id of a group (getgrnam(3)), if there is one of that name.
    private static func group(named name: CString) throws(SystemError) -> gid_t? {
        var entry = unsafe CLinux.group()
        var found: UnsafeMutablePointer<CLinux.group>?
        var text = InlineArray<4096, CChar>(repeating: 0)  // the strings of the entry, which we don't use
        var buffer = text.mutableSpan
        let failure = unsafe buffer.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return ERANGE }
            return unsafe getgrnam_r(name.pointer, &entry, start, buffer.count, &found)
        }
        if failure != 0 { throw SystemError(name, "look up group", code: failure) }
        return unsafe found == nil ? nil : entry.gr_gid
    }
}
