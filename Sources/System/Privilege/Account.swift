import CLinux
import ScanCore

/// The user that the daemon becomes.
package struct Account {
    package let user: uid_t
    package let group: gid_t

    /// Looks a user up by name (getpwnam(3)), who must have the group of that name, which is his alone.
    ///
    /// Root, and the group root, are refused: becoming them drops nothing. So is any other group, such as the one that
    /// whoever has no group is in: others may be in it too.
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

    /// What getpwnam(3) says of a name, if anything.
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

    /// Whom root becomes to read a file: the user that the daemon becomes, or, where it could not become him, nobody,
    /// whom every system has: he owns nothing, and the process keeps to itself what it does.
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
        } catch {}  // the number will do
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
