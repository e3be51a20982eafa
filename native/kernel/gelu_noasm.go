//go:build purego || !amd64

package kernel

func geluNew[T Float](_ set, out, x []T) { geluNewGeneric(out, x) }

func geluNewBackward[T Float](_ set, dX, dOut, x []T) { geluNewBackwardGeneric(dX, dOut, x) }
