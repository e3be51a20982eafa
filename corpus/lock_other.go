//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package corpus

// lockDirectory does nothing where there is no flock.
func lockDirectory(string) (unlock func(), err error) { return func() {}, nil }
