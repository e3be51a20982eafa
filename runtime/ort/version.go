package ort

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// checkVersion returns an error if a library of version is older than [MinimumVersion], or does not say how old it is.
func checkVersion(version string) error {
	major, _, _ := strings.Cut(version, ".")
	if _, err := strconv.Atoi(major); err != nil {
		return fmt.Errorf("version %q is not known, want %s or newer", version, MinimumVersion)
	}
	if compareVersions(version, MinimumVersion) < 0 {
		return fmt.Errorf("version %q is too old, want %s or newer", version, MinimumVersion)
	}
	return nil
}

// compareVersions compares the numbers that follow each other in a and b, "1.9.2" before "1.10". It may be given file
// names that end in a version, of the same stem.
func compareVersions(a, b string) int {
	for a != "" && b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		m, errX := strconv.Atoi(x)
		n, errY := strconv.Atoi(y)
		order := cmp.Compare(m, n)
		if errX != nil || errY != nil {
			order = strings.Compare(x, y)
		}
		if order != 0 {
			return order
		}
	}
	return cmp.Compare(len(a), len(b))
}
