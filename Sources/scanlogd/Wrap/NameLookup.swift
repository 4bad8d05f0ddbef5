#if Wrap
    import CSeccomp
    import HostRules
    import ScanCore
    import System

    /// The lookup of a host's name in a process of its own, which has dropped what it does not need for that and is
    /// killed after five seconds. So nothing that the C library's resolver loads or opens is inherited by the service, and
    /// nothing that a name server answers reaches a process with privileges but as a name of letters, digits, dots,
    /// hyphens and underscores.
    enum NameLookup {
        /// How long a lookup may take, in nanoseconds.
        private static var patience: Int64 { 5_000_000_000 }

        /// What the process sends: a step, and the name.
        private static var messageSize: Int { 2 + ResolvedName.capacity }

        /// Looks up the name of an address, and verifies it.
        ///
        /// A name that could not be verified in time is a mismatch: whoever claims it may have made its name server
        /// silent. A host of which no name was heard of in time has none.
        ///
        /// - Parameter log: is told about a mismatch, and about a lookup that could not be made.
        static func name(of address: Address, _ log: WrapLog) -> RuleHost.Name {
            do throws(SystemError) {
                let ends = try makeSockets("host names")
                let ours = Descriptor(owning: ends[0])
                let theirs = Descriptor(owning: ends[1])
                guard let child = try ChildProcess.fork("host names") else { serve(address, theirs.number) }
                drop(theirs)
                let (claim, name) = receive(from: ours.number)
                child.killAndWait()
                return outcome(claim, name, address, log)
            } catch {
                log.warn(error)
                return .unknown
            }
        }

        private static func outcome(
            _ claim: NameClaim?, _ name: ResolvedName, _ address: Address, _ log: WrapLog
        ) -> RuleHost.Name {
            // The process is trusted no more than a name server.
            if claim == .verified, name.isHostName, let known = name.withBytes({ FixedName($0) }) {
                return .known(known)
            }
            guard let claim else { return .unknown }
            var line = LogLine(claim == .claimed ? "warning: can't verify hostname: " : "warning: ")
            if claim != .claimed { line.append("host name/address mismatch: ") }
            line.append(address)
            line.append(claim == .claimed ? " claims " : " != ")
            name.withBytes { line.append(escaping: $0, limit: 255) }
            log.write(line, level: SyslogLevel.error)
            return .paranoid
        }

        /// Receives steps until the last, the end of the process, or the end of the time.
        private static func receive(from socket: Int32) -> (NameClaim?, ResolvedName) {
            var (claim, name) = (NameClaim?.none, ResolvedName())
            let due = Timestamp.fromNow(patience)
            do throws(SystemError) {
                while claim == nil || claim == .claimed {
                    let left = due.millisecondsFromNow
                    if left == 0 { break }
                    var waiting = PollSet<1>()
                    waiting.watch(0, socket)
                    try waiting.wait(timeout: left)
                    if !waiting.happened(0) { continue }
                    guard let (step, text) = message(from: socket) else { break }
                    (claim, name) = (step, text)
                }
            } catch {
                return (claim, name)
            }
            return (claim, name)
        }

        private static func message(from socket: Int32) -> (NameClaim, ResolvedName)? {
            var bytes = InlineArray<257, UInt8>(repeating: 0)
            var span = bytes.mutableSpan
            let count = FileWriting.receive(&span, from: socket)
            let length = Int(bytes[1])
            guard count == messageSize, let step = NameClaim(rawValue: bytes[0]), length > 0 else { return nil }
            return (step, ResolvedName(bytes.span.extracting(2..<2 + length)))
        }

        /// The main function of the process.
        private static func serve(_ address: Address, _ socket: Int32) -> Never {
            do throws(SystemError) {
                let socket = closeAllExcept(socket)
                try confine()
                prepareResolver(options: "timeout:2")
                verifyName(of: address) { step, name in
                    var bytes = InlineArray<257, UInt8>(repeating: 0)
                    bytes[0] = step.rawValue
                    bytes[1] = UInt8(name.count)
                    name.withBytes { for index in $0.indices { bytes[2 + index] = $0[index] } }
                    _ = unsafe FileWriting.write(bytes.span.bytes, to: socket)
                }
            } catch {
                CurrentProcess.exit(1)
            }
            CurrentProcess.exit(0)
        }

        /// Drops everything but what a lookup takes: reading files and asking name servers.
        private static func confine() throws(SystemError) {
            let nullDevice = try openNullDevice()
            try replaceStandardDescriptors(by: nullDevice)
            try CurrentProcess.startSession("host names")
            try CurrentProcess.enterRoot()
            CurrentProcess.resetSignals()
            try ReaderPrivileges().drop()
            try forbidDumps()
            try endWithParent("host names")
            try limit(.descriptors, to: 64)
            try limit(.addressSpace, to: 256 << 20)
            try restrictFileSystem(to: .reading)
            try limit(.fileSize, to: 0)
            try limit(.processes, to: 0)
            try install(cseccomp_confine_names)
        }
    }
#endif
