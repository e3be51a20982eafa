package gonnx

import (
	"fmt"

	"goalbert/native/kernel"
)

// softmax normalizes along an axis. Other axes than the last are brought there and back.
func softmax(c *call) (*array, error) {
	x := c.inputs[0]
	axis, err := x.axis(c.operation.integer("axis", -1))
	if err != nil {
		return nil, err
	}
	if !x.isFloat() {
		return nil, fmt.Errorf("got int64, want float32")
	}
	perm := identity(len(x.shape))
	perm[axis], perm[len(perm)-1] = perm[len(perm)-1], perm[axis]
	moved := permute(x, perm) // its own inverse
	out := newFloats(moved.shape)
	if columns := moved.shape[len(perm)-1]; columns > 0 {
		parallel(c.threads, len(out.floats)/columns, 8*len(out.floats), func(lo, hi int) {
			kernel.Softmax(out.floats[lo*columns:hi*columns], moved.floats[lo*columns:hi*columns], columns, 1)
		})
	}
	return permute(out, perm), nil
}

func identity(rank int) []int {
	perm := make([]int, rank)
	for i := range perm {
		perm[i] = i
	}
	return perm
}

// layerNormalization normalizes over an axis and all after it, and scales and shifts by inputs of that shape.
func layerNormalization(c *call) (*array, error) {
	x, scale := c.inputs[0], c.inputs[1]
	axis, err := x.axis(c.operation.integer("axis", -1))
	if err != nil {
		return nil, err
	}
	columns := size(x.shape[axis:])
	weight, err := scale.float()
	if err != nil {
		return nil, err
	}
	bias := make([]float32, columns)
	if b := c.input(2); b != nil {
		bias = b.floats
	}
	if len(weight) != columns || len(bias) != columns || !x.isFloat() {
		return nil, fmt.Errorf("shapes %v and %v do not fit", x.shape, scale.shape)
	}
	out := newFloats(x.shape)
	rows := len(x.floats) / columns
	mean, rstd := make([]float32, rows), make([]float32, rows)
	epsilon := c.operation.number("epsilon", 1e-5)
	parallel(c.threads, rows, len(x.floats), func(lo, hi int) {
		kernel.LayerNorm(out.floats[lo*columns:hi*columns], mean[lo:hi], rstd[lo:hi], x.floats[lo*columns:hi*columns], weight, bias, epsilon)
	})
	return out, nil
}
