//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package corpus

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// lockDirectory keeps other processes from preparing the same directory until unlock is called or the process ends,
// however it ends. File systems without locks do without.
func lockDirectory(directory string) (unlock func(), err error) {
	f, err := os.Open(directory)
	if err != nil {
		return nil, fmt.Errorf("corpus: prepare: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		f.Close()
		return nil, fmt.Errorf("corpus: prepare: another process works on %s; wait for it, or name another directory",
			directory)
	}
	return func() { f.Close() }, nil
}
