import CLinux

/// Whether this host has a user with a name (getpwnam(3)).
package func userExists(_ name: CString) -> Bool { unsafe getpwnam(name.pointer) != nil }

/// Whether this host has a group with a name (getgrnam(3)).
package func groupExists(_ name: CString) -> Bool { unsafe getgrnam(name.pointer) != nil }
