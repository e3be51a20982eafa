//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// residentMemory returns the most memory of a process that was resident, in bytes. Linux counts with it what its parent
// had when it started the process: little, as long as this program computes nothing itself.
func residentMemory(ended *os.ProcessState) float64 {
	usage, ok := ended.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return float64(usage.Maxrss)
	}
	return float64(usage.Maxrss) * 1024 // elsewhere it is in KiB
}
