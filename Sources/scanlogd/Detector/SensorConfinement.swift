import System

/// Confines this process: it can only receive packets from the sockets that it holds, and send messages.
///
/// - Parameters:
///   - account: the user to change to.
///   - directory: the root directory to change to.
///   - backend: the backend in use, which determines the system calls that are allowed.
func confineSensor(
    to account: Account, in directory: consuming ChrootDirectory, _ backend: Backend
) throws(SystemError) {
    let nullDevice = try openNullDevice()  // not accessible inside the directory
    try directory.enter()
    try dropPrivileges(to: account)
    try forbidTracing()
    try replaceStandardDescriptors(by: nullDevice)
    drop(nullDevice)
    try limitDescriptors(more: 0)
    try limit(.fileSize, to: 0)  // no file can grow; a pipe is not a file
    try install { backend.filterSystemCalls() }
}
