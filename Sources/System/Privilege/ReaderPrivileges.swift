import CLinux

/// The privileges of whoever reads a file, which takes none: all that there are can be given up, and must be.
///
/// Root may have some only, or none: in a container, in a user namespace, or where a service manager has taken some
/// away. What there is is asked of the kernel first, and not guessed from what fails: without CAP_SETUID, say, it stays
/// the user it is, who can do no more than any other.
package struct ReaderPrivileges {
    /// Whom root becomes, as far as it can; `nil`: it is somebody else already.
    private let account: Account?
    private let mayChangeRoot: Bool
    private let mayEmptyBoundingSet: Bool
    private let mayChangeUser: Bool
    private let mayChangeGroup: Bool
    /// Whether this user namespace has everybody keep the groups he has (user_namespaces(7)).
    private let groupsAreFixed: Bool

    /// To be found out while /proc can be reached.
    package init() {
        account = geteuid() == 0 ? .forReading : nil
        mayChangeRoot = clinux_may_have(CAP_SYS_CHROOT)
        mayEmptyBoundingSet = clinux_may_have(CAP_SETPCAP)
        mayChangeUser = clinux_may_have(CAP_SETUID)
        mayChangeGroup = clinux_may_have(CAP_SETGID)
        groupsAreFixed = Self.firstByte(of: "/proc/self/setgroups") == UInt8(ascii: "d")  // deny
    }

    private static func firstByte(of path: CString) -> UInt8? {
        let opened = unsafe clinux_open(path.pointer, O_RDONLY | O_CLOEXEC, 0)
        if opened < 0 { return nil }
        let file = Descriptor(owning: opened)
        var byte: UInt8 = 0
        return unsafe read(file.number, &byte, 1) == 1 ? byte : nil
    }

    package var isRoot: Bool { account != nil }

    /// The directory to be locked into, if root can be: the daemon's, or, where nothing is installed, one that has
    /// nothing but the numbers of what the process has open (proc(5)), and where nobody can make anything.
    package func openDirectory() throws(SystemError) -> ChrootDirectory? {
        if !isRoot || !mayChangeRoot { return nil }
        do throws(SystemError) {
            return try openChrootDirectory()
        } catch {
            let missing = error  // which says more than that there is no /proc, either
            do throws(SystemError) { return try ChrootDirectory("/proc/self/fdinfo") } catch { throw missing }
        }
    }

    /// Takes them out of what programs started later can get, if there is something to take it out with; else
    /// no_new_privs sees to that.
    package func emptyBoundingSet() throws(SystemError) {
        if mayEmptyBoundingSet { try System.emptyBoundingSet() }
    }

    /// Drops all that there are, for good. The order is that of ``dropPrivileges(to:)``.
    package func drop() throws(SystemError) {
        try emptyBoundingSet()
        var isOther = false
        if let account {
            if mayChangeGroup { try leaveGroups(for: account) }
            if mayChangeUser {
                isOther = try isKnown { () throws(SystemError) in try becomeUser(of: account) }
            }
        }
        _ = try check("privileges", "drop capabilities") { clinux_drop_capabilities() }
        try forbidNewPrivileges()
        let isLeft = !clinux_has_no_capabilities() || mayEmptyBoundingSet && !clinux_has_no_bounding_set()
        if isLeft || isOther && account?.isUserForGood != true { throw privilegesAreLeft }
    }

    private func leaveGroups(for account: Account) throws(SystemError) {
        if !groupsAreFixed, try !isKnown({ () throws(SystemError) in try leaveOtherGroups(than: account) }) {
            _ = try check("privileges", "set supplementary groups") { setgroups(0, nil) }
        }
        _ = try isKnown { () throws(SystemError) in try setGroup(of: account) }
    }

    /// Changes an id, and returns whether this user namespace has the new one.
    private func isKnown(_ change: () throws(SystemError) -> Void) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try change()
            return true
        } catch {
            if error.code != EINVAL { throw error }
            return false
        }
    }
}

/// How a process of `scanlogd connections` gives its privileges up.
package enum PrivilegeDrop {
    /// All of root's: it becomes that user, or does not go on. It takes packets from a network.
    case all(Account)
    /// Those that there are: it reads a file.
    case present(ReaderPrivileges)

    /// Whether there are any of root's.
    package var isRoot: Bool {
        switch self {
        case .all: true
        case .present(let privileges): privileges.isRoot
        }
    }

    /// The directory to be locked into, if there is to be one.
    package func openDirectory() throws(SystemError) -> ChrootDirectory? {
        switch self {
        case .all: try openChrootDirectory()
        case .present(let privileges): try privileges.openDirectory()
        }
    }

    /// Drops them for good.
    package func drop() throws(SystemError) {
        switch self {
        case .all(let account): try dropPrivileges(to: account)
        case .present(let privileges): try privileges.drop()
        }
    }

    /// Does so with what programs started later could get.
    package func emptyBoundingSet() throws(SystemError) {
        switch self {
        case .all: try System.emptyBoundingSet("broker")
        case .present(let privileges): try privileges.emptyBoundingSet()
        }
    }
}
