import CLinux
import System

/// Whether a name is not an interface's but the label of an address (ip-address(8)), as ifconfig(8) creates them:
/// `eth0:1`.
func isAddressLabel(_ name: CString) throws(SystemError) -> Bool {
    if RequestedName.colon(in: name) == nil { return false }
    guard let label = RequestedName(name) else { return false }
    let socket = try Socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, name: "netlink socket")
    let buffer = try NetlinkBuffer()
    _ = try check(socket.name, "ask for addresses") { clinux_request_addresses(socket.number, AF_INET) }
    do throws(SystemError) {
        while true {  // the kernel replies during the request, and marks the last datagram
            let datagram = unsafe buffer.bytes(try buffer.receive(from: socket))
            if hasLabel(label, unsafe datagram.span) { return true }
        }
    } catch {
        if error.code != EAGAIN { throw error }
        return false
    }
}

/// Whether an address in a datagram has a label.
private func hasLabel(_ label: RequestedName, _ datagram: Span<UInt8>) -> Bool {
    var messages = NetlinkMessages()
    do throws(NetlinkFault) {
        while let message = try messages.next(in: datagram) {
            if message.type != Int32(RTM_NEWADDR) { continue }
            var attributes = NetlinkAttributes(of: message, behind: ifaddrmsg.self)
            while let (type, value) = try attributes.next(in: datagram) {
                if type == Int(IFA_LABEL) && label.isIn(datagram.extracting(value)) { return true }
            }
        }
    } catch {
        // A malformed message of the kernel: everything before it has been examined.
    }
    return false
}
