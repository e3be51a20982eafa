package gonnx

import (
	"fmt"
	"slices"

	"goalbert/native/kernel"
)

// buildLayerNorm returns (x - mean)/√(var + ε)·scale + bias over the axes from axis on, the mean and 1/√(var + ε).
func buildLayerNorm(n *nodeAttributes) operator {
	axis := int(attribute(n, "axis", int64(-1)))
	epsilon := attribute(n, "epsilon", float32(1e-5))
	if stash := attribute(n, "stash_type", int64(1)); stash != 1 {
		n.fail(fmt.Errorf("attribute \"stash_type\" is %d, want 1, float32", stash))
	}
	return func(r *run, in []tensor) ([]tensor, error) {
		x, err := values[float32]("X", in[0])
		if err != nil {
			return nil, err
		}
		axis, err := resolveAxis(axis, len(in[0].shape))
		if err != nil {
			return nil, err
		}
		normalized := in[0].shape[axis:]
		scale, err := parameter(r, "Scale", in[1], normalized)
		if err != nil {
			return nil, err
		}
		bias := make([]float32, size(normalized))
		if len(in) > 2 && !in[2].absent() {
			if bias, err = parameter(r, "B", in[2], normalized); err != nil {
				return nil, err
			}
		}
		return normalize(r, in[0], x, axis, scale, bias, epsilon)
	}
}

// parameter returns the elements of a scale or bias, which is almost always of the normalized shape already.
func parameter(r *run, what string, t tensor, shape []int) ([]float32, error) {
	data, err := values[float32](what, t)
	if err != nil || slices.Equal(t.shape, shape) {
		return data, err
	}
	to, err := broadcastShape(t.shape, shape)
	if err != nil || !slices.Equal(to, shape) {
		return nil, fmt.Errorf("%s has shape %v, which cannot be broadcast to %v", what, t.shape, shape)
	}
	stretched := make([]float32, size(shape))
	copyWalk(r.pool, newWalk(shape, broadcastStrides(t.shape, shape)), stretched, data, 0)
	return stretched, nil
}

func normalize(r *run, in tensor, x []float32, axis int, scale, bias []float32, epsilon float32) ([]tensor, error) {
	shape := slices.Clone(in.shape)
	for i := axis; i < len(shape); i++ {
		shape[i] = 1
	}
	mean, means, err := newTensor[float32](r, shape)
	if err != nil {
		return nil, err
	}
	rstd, rstds, err := newTensor[float32](r, shape)
	if err != nil {
		return nil, err
	}
	y, out, err := newTensorIn[float32](r, in.shape, in)
	if err != nil {
		return nil, err
	}
	columns := len(scale)
	if len(x) > 0 {
		r.ranges(len(x)/columns, columns, func(lo, hi int) {
			kernel.LayerNorm(out[lo*columns:hi*columns], means[lo:hi], rstds[lo:hi], x[lo*columns:hi*columns], scale, bias, epsilon)
		})
	}
	return []tensor{y, mean, rstd}, nil
}
