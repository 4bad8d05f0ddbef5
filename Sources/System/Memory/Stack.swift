import CLinux

/// Gives the pages of the stack back to the kernel that no function uses any more, up to 256 KiB: those of the start of
/// a process, which it would keep for good. Where there are more threads it does nothing.
package func releaseUnusedStack() {
    clinux_release_stack()
}
