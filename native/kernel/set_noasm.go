//go:build purego || !amd64

package kernel

// Without assembly there is one set.
const hasAVX2, hasAVX512, hasBF16 = false, false, false
