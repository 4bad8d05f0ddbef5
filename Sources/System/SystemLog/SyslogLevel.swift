import CLinux

/// The levels of lines in the system log that are not about scans (syslog(3)).
package enum SyslogLevel {
    package static var critical: Int32 { LOG_CRIT }
    package static var error: Int32 { LOG_ERR }
    package static var warning: Int32 { LOG_WARNING }
    package static var notice: Int32 { LOG_NOTICE }
    package static var info: Int32 { LOG_INFO }
}
