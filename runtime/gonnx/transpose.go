package gonnx

import (
	"fmt"
	"slices"
)

// buildTranspose returns the input with its axes in another order; without perm, the opposite one.
func buildTranspose(n *nodeAttributes) operator {
	perm := wide(attribute(n, "perm", []int64(nil)))
	return func(r *run, in []tensor) ([]tensor, error) {
		rank := len(in[0].shape)
		order := perm
		if !n.has("perm") {
			for i := rank - 1; i >= 0; i-- {
				order = append(order, i)
			}
		}
		sorted := slices.Sorted(slices.Values(order))
		for i, axis := range sorted {
			if i != axis {
				return nil, fmt.Errorf("perm %v is no order of axes", order)
			}
		}
		if len(order) != rank {
			return nil, fmt.Errorf("perm %v for a tensor of %d dimensions", order, rank)
		}
		own := contiguous(in[0].shape)
		shape, strides := make([]int, rank), make([]int, rank)
		for i, axis := range order {
			shape[i], strides[i] = in[0].shape[axis], own[axis]
		}
		return one(strided(r, in[0], shape, strides, 0))
	}
}

// expand is the input stretched to a shape, or to what both can be stretched to.
func expand(r *run, in []tensor) ([]tensor, error) {
	wanted, err := integers("shape", in[1])
	if err != nil {
		return nil, err
	}
	shape, err := broadcastShape(in[0].shape, wanted)
	if err != nil {
		return nil, err
	}
	return one(strided(r, in[0], shape, broadcastStrides(in[0].shape, shape), 0))
}
