import CLinux

/// The privileges of a process that reads a file. Reading an open file needs none, so all that are present must be
/// dropped.
///
/// Root may have only some privileges, or none: in a container, in a user namespace, or under a service manager that
/// has removed some. The kernel is asked which are present, rather than inferring it from failures: without CAP_SETUID,
/// for example, the process keeps its user, who can do no more than any other.
package struct ReaderPrivileges {
    /// The user to switch to from root, if possible; `nil`: the process is not root's.
    private let account: Account?
    private let mayChangeRoot: Bool
    private let mayEmptyBoundingSet: Bool
    private let mayChangeUser: Bool
    private let mayChangeGroup: Bool
    /// Whether this user namespace denies setgroups(2) (user_namespaces(7)).
    private let groupsAreFixed: Bool

    /// Must be called while /proc can be reached.
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

    /// The directory to change the root to, if root can do so: the daemon's, or, if the program is not installed, one
    /// that holds only the numbers of the process's open descriptors (proc(5)), and where no file can be created.
    package func openDirectory() throws(SystemError) -> ChrootDirectory? {
        if !isRoot || !mayChangeRoot { return nil }
        do throws(SystemError) {
            return try openChrootDirectory()
        } catch {
            let missing = error  // a more useful error than a missing /proc
            do throws(SystemError) { return try ChrootDirectory("/proc/self/fdinfo") } catch { throw missing }
        }
    }

    /// Empties the bounding set if that is permitted; otherwise no_new_privs has the same effect.
    package func emptyBoundingSet() throws(SystemError) {
        if mayEmptyBoundingSet { try System.emptyBoundingSet() }
    }

    /// Drops all that are present, permanently. The order is that of ``dropPrivileges(to:)``.
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

    /// Changes an id, and returns whether it is mapped in this user namespace.
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

/// How a process of `scanlogd connections` drops its privileges.
package enum PrivilegeDrop {
    /// All of root's: it switches to that user, or fails. For live capture.
    case all(Account)
    /// Those that are present. For reading a file.
    case present(ReaderPrivileges)

    /// Whether the process is root's.
    package var isRoot: Bool {
        switch self {
        case .all: true
        case .present(let privileges): privileges.isRoot
        }
    }

    /// The directory to change the root to, if any.
    package func openDirectory() throws(SystemError) -> ChrootDirectory? {
        switch self {
        case .all: try openChrootDirectory()
        case .present(let privileges): try privileges.openDirectory()
        }
    }

    /// Drops them permanently.
    package func drop() throws(SystemError) {
        switch self {
        case .all(let account): try dropPrivileges(to: account)
        case .present(let privileges): try privileges.drop()
        }
    }

    /// Empties the bounding set, for programs started later.
    package func emptyBoundingSet() throws(SystemError) {
        switch self {
        case .all: try System.emptyBoundingSet("broker")
        case .present(let privileges): try privileges.emptyBoundingSet()
        }
    }
}
