package gonnx

import (
	"fmt"
	"slices"
)

// buildGather returns data's slices along an axis, at indices; a negative index counts from the end.
func buildGather(n *nodeAttributes) operator {
	axis := int(attribute(n, "axis", int64(0)))
	return func(r *run, in []tensor) ([]tensor, error) {
		indices, err := values[int64]("indices", in[1])
		if err != nil {
			return nil, err
		}
		axis, err := resolveAxis(axis, len(in[0].shape))
		if err != nil {
			return nil, err
		}
		d := in[0].shape[axis]
		for _, i := range indices {
			if i < int64(-d) || i >= int64(d) {
				return nil, fmt.Errorf("index %d, and the axis has %d elements", i, d)
			}
		}
		switch in[0].data.(type) {
		case []float32:
			return gather[float32](r, in[0], axis, indices, in[1].shape)
		case []int64:
			return gather[int64](r, in[0], axis, indices, in[1].shape)
		}
		return gather[bool](r, in[0], axis, indices, in[1].shape)
	}
}

func gather[T element](r *run, t tensor, axis int, indices []int64, shape []int) ([]tensor, error) {
	x, err := values[T]("data", t)
	if err != nil {
		return nil, err
	}
	y, out, err := newTensor[T](r, slices.Concat(t.shape[:axis], shape, t.shape[axis+1:]))
	if err != nil {
		return nil, err
	}
	d, inner := t.shape[axis], size(t.shape[axis+1:])
	r.ranges(size(t.shape[:axis])*len(indices), inner, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			index := int(indices[i%len(indices)])
			if index < 0 {
				index += d
			}
			copy(out[i*inner:][:inner], x[(i/len(indices)*d+index)*inner:])
		}
	})
	return []tensor{y}, nil
}
