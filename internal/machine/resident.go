package machine

import (
	"os"
	"strconv"
	"strings"
)

// ResidentMemory returns the memory of this process that is resident now, in bytes; 0 where the system does not tell it as
// Linux does.
func ResidentMemory() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
