//go:build purego || !amd64

package kernel

func silu[T Float](_ set, out, x []T) {
	siluGeneric(out, x)
}

func siluBackward[T Float](_ set, dX, dOut, x []T) {
	siluBackwardGeneric(dX, dOut, x)
}

func tanh[T Float](_ set, out, x []T) {
	tanhGeneric(out, x)
}

func tanhBackward[T Float](_ set, dX, dOut, y []T) {
	tanhBackwardGeneric(dX, dOut, y)
}
