//go:build purego || !amd64

package kernel

func gelu[T Float](_ set, out, x []T) { geluGeneric(out, x) }

func geluBackward[T Float](_ set, dX, dOut, x []T) { geluBackwardGeneric(dX, dOut, x) }

func geluNew[T Float](_ set, out, x []T) { geluNewGeneric(out, x) }

func geluNewBackward[T Float](_ set, dX, dOut, x []T) { geluNewBackwardGeneric(dX, dOut, x) }
