import CLinux
@c(scanlogd_main) public func start(_ argc: Int32) -> Int32 { 0 }
