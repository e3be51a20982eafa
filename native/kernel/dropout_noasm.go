//go:build purego || !amd64

package kernel

func dropout[T Float](_ set, out, x []T, counter [4]uint32, key [2]uint32, threshold uint32, scale T) {
	dropoutGeneric(out, x, counter, key, threshold, scale)
}
