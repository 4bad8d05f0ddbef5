#if Pcap
    import CLinux
    import CPcap
    import ScanCore
    import System

    /// libpcap's functions, loaded at run time.
    ///
    /// It is loaded on demand and not linked, so that other backends need neither the library nor its memory.
    @safe @usableFromInline struct PcapLibrary {
        @usableFromInline let functions: UnsafePointer<cpcap_library>

        /// Loads libpcap, which must be done outside the chroot.
        init() throws(SystemError) {
            guard let functions = unsafe cpcap_load() else { throw PcapLibrary.error("libpcap", "load") }
            unsafe self.functions = functions
        }

        /// The error whose reason the last C function has stored.
        static func error(_ object: CString, _ operation: CString) -> SystemError {
            SystemError(object, operation, because: unsafe CString(unsafe: cpcap_reason()))
        }

        /// The error of a call on a handle, which holds the text.
        func error(_ object: CString, _ operation: CString, of handle: OpaquePointer) -> SystemError {
            unsafe cpcap_set_reason(functions.pointee.geterr(handle))
            return PcapLibrary.error(object, operation)
        }

        /// Sets a filter for packets that match an expression.
        func setFilter(_ expression: CString, of handle: OpaquePointer) throws(SystemError) {
            let result = unsafe cpcap_set_filter(functions, handle, expression.pointer)
            if result > 0 { throw unsafe error(expression, "compile filter", of: handle) }
            if result < 0 { throw PcapLibrary.error(expression, "attach filter") }
        }

        /// The link layer of a handle's frames.
        func linkLayer(of handle: OpaquePointer, _ object: CString) throws(SystemError) -> LinkLayer {
            let type = unsafe functions.pointee.datalink(handle)
            if let link = LinkLayer(dataLinkType: type) { return link }
            throw unknownLink(type, object)
        }

        /// The error for an unknown link type.
        func unknownLink(_ type: Int32, _ object: CString) -> SystemError {
            guard let name = unsafe functions.pointee.datalink_val_to_name(type) else {
                return SystemError(object, "read link type", because: "not known: number ", type)
            }
            unsafe cpcap_set_reason(name)
            return PcapLibrary.error(object, "read frames of link type")
        }
    }
#endif
