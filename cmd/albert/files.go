package main

import "os"

func sameFile(a, b string) bool {
	x, y := stat(a), stat(b)
	return x != nil && y != nil && os.SameFile(x, y)
}

// stat returns nil where there is no such file.
func stat(path string) os.FileInfo {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	return info
}
