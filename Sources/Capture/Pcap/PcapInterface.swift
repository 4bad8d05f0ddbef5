#if Pcap
    import CLinux
    import CPcap
    import ScanCore
    import System

    /// An interface that libpcap captures from, or all of them.
    ///
    /// Not closed automatically: ``PcapCapture``, which owns several, closes them.
    @safe @usableFromInline struct PcapInterface {
        @usableFromInline let handle: OpaquePointer
        let name: CString
        let descriptor: Int32
        let link: LinkLayer
        private let promiscuous: Bool
        /// See ``CaptureOptions/ownAnswers``.
        private let ownAnswers: Bool
        /// Whether frames with a VLAN tag are left out, which are not told from others otherwise.
        private let hidesTags: Bool
        /// The hardware type of the network that ``link`` belongs to (ARPHRD_), or -1 if it applies to all.
        private let hardwareType: Int32
        /// Whether its frames include the number of their interface.
        let isAny: Bool
        /// Whether packets are of an interface of this name: a renamed one is captured from until another appears.
        var isThere = true
        /// The next packet, if one has been fetched; and whether the last fetch found none. See ``PcapHead``.
        var head: PcapHead?
        var isIdle = false

        /// Starts to capture from all interfaces.
        static func openAll(
            _ selection: CaptureOptions, _ library: PcapLibrary
        ) throws(SystemError) -> PcapInterface {
            try PcapInterface("any", nil, by: "any", selection, library)
        }

        /// Starts to capture from an interface.
        ///
        /// - Parameters:
        ///   - name: the name for errors.
        ///   - ownName: its own name: libpcap does not accept alternative ones that are longer.
        ///   - index: its index.
        static func open(
            _ name: CString, _ ownName: InterfaceName, _ index: Int32, _ selection: CaptureOptions,
            _ library: PcapLibrary
        ) throws(SystemError) -> PcapInterface {
            do throws(SystemError) {
                return try unsafe ownName.withCString { (device) throws(SystemError) in
                    try PcapInterface(name, ownName, by: unsafe CString(unsafe: device), selection, library)
                }
            } catch {
                if error.code != ENETDOWN { throw error }
            }
            // libpcap does not open an interface that is down, but it opens `any`, and its socket can then be bound to
            // one.
            var interface = try PcapInterface(name, ownName, by: "any", selection, library)
            do throws(SystemError) {
                try interface.capture(from: index, ownName)
            } catch {
                unsafe library.functions.pointee.close(interface.handle)
                throw error
            }
            return interface
        }

        /// - Parameter device: the device for libpcap to open.
        private init(
            _ name: CString, _ ownName: InterfaceName?, by device: CString, _ selection: CaptureOptions,
            _ library: PcapLibrary
        ) throws(SystemError) {
            var text = InlineArray<256, CChar>(repeating: 0)  // PCAP_ERRBUF_SIZE
            var span = text.mutableSpan
            let created = unsafe span.withUnsafeMutableBufferPointer { buffer -> OpaquePointer? in
                let handle = unsafe library.functions.pointee.create(device.pointer, buffer.baseAddress)
                if unsafe handle == nil, let reason = buffer.baseAddress { unsafe cpcap_set_reason(reason) }
                return unsafe handle
            }
            guard let handle = unsafe created else { throw PcapLibrary.error(name, "open") }
            do throws(SystemError) {
                try unsafe PcapInterface.configure(handle, name, ownName, selection, library)
                link = try unsafe library.linkLayer(of: handle, name)
                descriptor = unsafe library.functions.pointee.get_selectable_fd(handle)
                if descriptor < 0 { throw SystemError(name, "poll", because: "libpcap can't") }
                hardwareType = unsafe cpcap_hardware_type(descriptor, device.pointer)
                if !selection.ownAnswers || !PcapFilterText.isKnown(unsafe library.functions.pointee.datalink(handle)) {
                    try unsafe PcapInterface.setDirection(
                        handle, name, selection.direction, link, hardwareType, library)
                }
                hidesTags = selection.untaggedOnly && link.hidesTags
                try PcapInterface.leaveOutFrames(
                    descriptor, name, ofOtherHosts: !selection.promiscuous, withTags: hidesTags)
            } catch {
                unsafe library.functions.pointee.close(handle)
                throw error
            }
            if selection.direction == .incoming && !selection.ownAnswers { cpcap_ignore_outgoing(descriptor) }
            unsafe self.handle = handle
            self.name = name
            promiscuous = selection.promiscuous
            ownAnswers = selection.ownAnswers
            isAny = name == "any"
        }

        /// Before the filter is attached, only packets between the two calls are captured, which are checked again.
        private static func configure(
            _ handle: OpaquePointer, _ name: CString, _ ownName: InterfaceName?, _ selection: CaptureOptions,
            _ library: PcapLibrary
        ) throws(SystemError) {
            let pcap = unsafe library.functions.pointee
            _ = unsafe pcap.set_snaplen(handle, Parameters.pcapSnapshot)
            _ = unsafe pcap.set_promisc(handle, selection.promiscuous ? 1 : 0)
            _ = unsafe pcap.set_timeout(handle, Parameters.pcapTimeout)
            _ = unsafe pcap.set_buffer_size(handle, Parameters.pcapBuffer)
            if selection.keepsOrder {  // see `receiveInOrder`
                let count = Int32(selection.interfaces.count)
                _ = unsafe pcap.set_immediate_mode(handle, 1)
                _ = unsafe pcap.set_snaplen(handle, try orderedSnapshot(ownName))
                _ = unsafe pcap.set_buffer_size(handle, Parameters.pcapOrderedBuffer / count)
            }
            _ = unsafe pcap.set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO)
            let status = unsafe pcap.activate(handle)
            if status < 0 { throw unsafe activationError(status, handle, name, library) }
            if ownName == nil && selection.interest != .probes && selection.untaggedOnly {
                // Its frames include the interface, but not the tags they had. Unknown to libpcap before 1.10.
                _ = unsafe pcap.set_datalink(handle, LinkLayer.linuxCooked2)
            }
            if let expression = selection.expression {
                try unsafe library.setFilter(expression, of: handle)
            } else {
                try unsafe setFilter(of: handle, name, OtherPackets(), ownAnswers: selection.ownAnswers, library)
            }
            var text = InlineArray<256, CChar>(repeating: 0)
            var span = text.mutableSpan
            let blocking = unsafe span.withUnsafeMutableBufferPointer { buffer in
                unsafe pcap.setnonblock(handle, 1, buffer.baseAddress)
            }
            if blocking < 0 { throw unsafe library.error(name, "make non-blocking", of: handle) }
        }

        @inline(never)  // it takes 20 kB of stack
        private static func setFilter(
            of handle: OpaquePointer, _ name: CString, _ others: OtherPackets, ownAnswers: Bool, _ library: PcapLibrary
        ) throws(SystemError) {
            let functions = unsafe library.functions
            let link = unsafe functions.pointee.datalink(handle)
            guard var filter = PcapFilterText(dataLinkType: link, others: others, ownAnswers: ownAnswers) else {
                return
            }
            let result = unsafe filter.withPointer { unsafe cpcap_set_filter(functions, handle, $0) }
            if result < 0 { throw PcapLibrary.error(name, "attach filter") }
        }

        /// Has the filter of a socket leave out frames that it can't tell from others.
        private static func leaveOutFrames(
            _ socket: Int32, _ name: CString, ofOtherHosts: Bool, withTags: Bool
        ) throws(SystemError) {
            if !ofOtherHosts && !withTags { return }
            _ = try check(name, "leave out frames") { cpcap_leave_out(socket, ofOtherHosts, withTags) }
        }

        /// Sets the filter anew, so that other packets pass too.
        func admit(_ others: OtherPackets, _ library: PcapLibrary) throws(SystemError) {
            try unsafe PcapInterface.setFilter(of: handle, name, others, ownAnswers: ownAnswers, library)
            try PcapInterface.leaveOutFrames(descriptor, name, ofOtherHosts: !promiscuous, withTags: hidesTags)
        }

        /// How many bytes of a frame are kept where each slot is as large as the longest: on any network at least an
        /// ordinary frame, and on one with jumbo frames the whole frame, since extension headers may fill it.
        private static func orderedSnapshot(_ name: InterfaceName?) throws(SystemError) -> Int32 {
            let linkHeader: Int32 = 64  // more than any has
            // -1 if there is no such interface, which the activation reports.
            let length = try unsafe name?.withCString { (name) throws(SystemError) in unsafe cpcap_mtu(name) } ?? -1
            let longestPacket = min(length, 65_535 - linkHeader)
            return max(Parameters.pcapOrderedSnapshot, longestPacket + linkHeader)
        }

        /// Leaves out the other direction, where the frames do not indicate it: see ``LinkLayer/isSent(_:)``. Of
        /// loopback traffic, libpcap delivers only the incoming frame.
        private static func setDirection(
            _ handle: OpaquePointer, _ name: CString, _ direction: CaptureOptions.Direction, _ link: LinkLayer,
            _ hardwareType: Int32, _ library: PcapLibrary
        ) throws(SystemError) {
            let isLoopback = hardwareType == Int32(LinkLayer.loopback)
            if direction == .both || direction == .outgoing && (link.knowsDirection || isLoopback) { return }
            let way = direction == .incoming ? PCAP_D_IN : PCAP_D_OUT
            if unsafe library.functions.pointee.setdirection(handle, way) < 0 {
                throw unsafe library.error(name, "leave out the other direction", of: handle)
            }
        }

        /// libpcap has a text for the kind of error, and most often one for the specific error.
        private static func activationError(
            _ status: Int32, _ handle: OpaquePointer, _ name: CString, _ library: PcapLibrary
        ) -> SystemError {
            if status == PCAP_ERROR_IFACE_NOT_UP { return SystemError(name, "open", code: ENETDOWN) }
            let pcap = unsafe library.functions.pointee
            if let text = unsafe pcap.geterr(handle), unsafe text.pointee != 0 {
                unsafe cpcap_set_reason(text)
            } else if let text = unsafe pcap.statustostr(status) {
                unsafe cpcap_set_reason(text)
            }
            return PcapLibrary.error(name, "open")
        }

        /// Receives waiting packets into a batch.
        ///
        /// - Throws: libpcap's reason for a failure; packets before it are in the batch.
        mutating func receive(into batch: inout PcapBatch, _ library: PcapLibrary) throws(SystemError) {
            if unsafe !batch.fill(from: handle, library) { throw PcapLibrary.error(name, "receive") }
        }

        /// Clears the socket's error that its interface went down or away, which is reported by other means.
        ///
        /// The socket stays readable until then; and libpcap, if it sees the error first, treats it as fatal.
        func acknowledgeDown() throws(SystemError) {
            var code: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            _ = try check(name, "read error") { unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) }
            if code != 0 && code != ENETDOWN { throw SystemError(name, "receive", code: code) }
        }

        /// Captures from the interface that has the name now: a different one than before, or one that was away.
        ///
        /// - Parameters:
        ///   - index: its index.
        ///   - ownName: its own name.
        /// - Throws: also an error if it is of another kind, whose frames have another link header.
        mutating func capture(from index: Int32, _ ownName: InterfaceName) throws(SystemError) {
            isThere = false
            let (descriptor, hardwareType, promiscuous) = (descriptor, hardwareType, promiscuous)
            try unsafe ownName.withCString { (device) throws(SystemError) in
                _ = try check(name, "capture again") {
                    unsafe cpcap_rebind(descriptor, device, index, hardwareType, promiscuous ? 1 : 0)
                }
            }
            isThere = true
        }
    }
#endif
