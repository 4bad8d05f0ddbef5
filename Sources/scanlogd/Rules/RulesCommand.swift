import Capture
import ScanCore
import System

#if Rules
    import HostRules

    /// Runs `scanlogd rules`: checks rules in the hosts_access language, and tries them out. The first argument is
    /// `rules`.
    ///
    /// - Returns: the exit status: 0 for clean, or granted; 1 for problems, or denied; 2 for errors.
    func runRules(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32 {
        guard count > 1, let first = unsafe arguments[1] else { return refuse("rules", "check or match must follow") }
        let command = unsafe CString(unsafe: first)
        let isMatch = command == "match"
        do throws(SystemError) {
            if command == "-h" || command == "--help" {
                try print(rulesUsage)
                return 0
            }
            if !isMatch && !(command == "check") { return refuse(command, "no such command of rules") }
            guard let options = unsafe RulesOptions(count - 1, arguments + 1, isMatch: isMatch) else {
                warn(LogLine("try 'scanlogd rules --help'"))
                return 2
            }
            if options.wantsHelp {
                try print(rulesUsage)
                return 0
            }
            if options.exempt != nil && options.name != nil {
                return refuse("--name", "the source of a packet has an address only")
            }
            if options.exempt != nil && options.port != nil {
                return refuse("--port", "scans are of many ports: rules for exempt sources have none")
            }
            if options.exempt != nil && options.reportsImplicitAllow {
                return refuse("-a", "rules for exempt sources need not say allow")
            }
            if options.exempt != nil && options.isForWrap {
                return refuse("--wrap", "rules for exempt sources have no such options")
            }
            if options.exempt != nil && (options.allow != nil || options.deny != nil) {
                return refuse("--exempt", "is for a file of its own, beside no other")
            }
            return isMatch ? try matchRules(options) : try checkRules(options)
        } catch {
            warn(error.line)
            return 2
        }
    }

    /// Prints why a command line is invalid, and returns the exit status.
    func refuse(_ object: CString, _ reason: CString) -> Int32 {
        warn(SystemError(object, "argument", because: reason).line)
        warn(LogLine("try 'scanlogd rules --help'"))
        return 2
    }

    /// Opens a rule file; `nil` if it does not exist and was not given explicitly.
    func openRules(
        _ given: CString?, or standard: CString, limit: Int64 = .max
    ) throws(SystemError) -> FileContents? {
        do throws(SystemError) {
            return try FileContents(given ?? standard, limit: limit)
        } catch {
            if error.code == Errno.noSuchFileOrDirectory && given == nil { return nil }
            throw error
        }
    }

    /// The text of `scanlogd rules --help`.
    private let rulesUsage = """
        usage: scanlogd rules check [-av] [--wrap] [--allow FILE] [--deny FILE]
               scanlogd rules check [-v] --exempt FILE
               scanlogd rules match [-v] [--allow FILE] [--deny FILE]
                              [--name NAME|unknown|paranoid] [--port PORT]
                              DAEMON[@SERVER] [USER@]CLIENT
               scanlogd rules match [-v] --exempt FILE scanlogd SOURCE

        Checks and tries out access rules in the language of TCP Wrappers, scanlogd-rules(5).

          check                 prints what is wrong, each with file and line
          match                 prints what becomes of a client, and the rule that decides

              --allow FILE      instead of /etc/hosts.allow
              --deny FILE       instead of /etc/hosts.deny
              --exempt FILE     the sources that scanlogd --exempt FILE does not report
          -a                    check: also rules that grant without saying "allow"
              --wrap            check: also options for which scanlogd wrap does less than libwrap
          -v, --verbose         check: print each rule; match: why earlier rules do not match
              --name NAME       match: the client's name (unknown); nothing is looked up
              --port PORT       match: the port that was connected to
          -h, --help            print this

        Exit status: 0 clean, granted or exempt; 1 problems, or another verdict; 2 neither.

        """
#endif
