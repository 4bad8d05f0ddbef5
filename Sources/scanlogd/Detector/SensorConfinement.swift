import System

/// Makes this process one that can do nothing but look at the packets of the sockets that it holds, and hand over lines.
///
/// - Parameters:
///   - account: the user it becomes.
///   - directory: what becomes its root directory.
///   - backend: where it has its packets from, which says what system calls it needs.
func confineSensor(
    to account: Account, in directory: consuming ChrootDirectory, _ backend: Backend
) throws(SystemError) {
    let nullDevice = try openNullDevice()  // it can't be reached from inside the directory
    try directory.enter()
    try dropPrivileges(to: account)
    try forbidTracing()
    try replaceStandardDescriptors(by: nullDevice)
    drop(nullDevice)
    try limitDescriptors(more: 0)
    try limit(.fileSize, to: 0)  // no file can grow; a pipe is none
    try install { backend.filterSystemCalls() }
}
