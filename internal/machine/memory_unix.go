//go:build unix

package machine

import (
	"os"
	"runtime"
	"syscall"
)

// PeakMemory returns the most memory of a process that has ended that was resident, in bytes. Linux counts with it what its parent
// had when it started the process: little, as long as this program computes nothing itself.
func PeakMemory(ended *os.ProcessState) float64 {
	usage, ok := ended.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return float64(usage.Maxrss)
	}
	return float64(usage.Maxrss) * 1024 // elsewhere it is in KiB
}
