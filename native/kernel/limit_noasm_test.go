//go:build purego || !amd64

package kernel

// limit is 0: there is nothing to compare portable code with.
func limit(set) float64 { return 0 }
