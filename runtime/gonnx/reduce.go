package gonnx

import (
	"errors"
	"slices"
)

// reduction is over which axes elements are added, and what becomes of the sum.
type reduction struct {
	axes     []int // where they are an attribute
	keep     bool  // the reduced axes remain, of dimension 1
	noop     bool  // without axes nothing is reduced, instead of everything
	mean     bool
	fromNode bool // axes may be an input
}

func buildReduceSum(n *nodeAttributes) operator { return buildReduction(n, false, n.opset >= 13) }

func buildReduceMean(n *nodeAttributes) operator {
	if n.opset >= 18 && n.has("axes") {
		n.fail(errors.New("axes are an attribute, and from opset 18 on an input"))
	}
	return buildReduction(n, true, n.opset >= 18)
}

func buildReduction(n *nodeAttributes, mean, fromNode bool) operator {
	o := reduction{
		axes:     wide(attribute(n, "axes", []int64(nil))),
		keep:     attribute(n, "keepdims", int64(1)) != 0,
		noop:     attribute(n, "noop_with_empty_axes", int64(0)) != 0,
		mean:     mean,
		fromNode: fromNode,
	}
	return func(r *run, in []tensor) ([]tensor, error) {
		axes := o.axes
		if len(in) > 1 && !in[1].absent() {
			if !o.fromNode {
				return nil, errors.New("axes are an input, and before opset 18 an attribute")
			}
			var err error
			if axes, err = integers("axes", in[1]); err != nil {
				return nil, err
			}
		}
		switch in[0].data.(type) {
		case []float32:
			return reduce(r, in[0], axes, o, func(sum float64, n int) float32 {
				if o.mean {
					sum /= float64(n)
				}
				return float32(sum)
			})
		case []int64:
			return reduce(r, in[0], axes, o, func(sum int64, n int) int64 {
				if o.mean {
					sum /= int64(max(n, 1))
				}
				return sum
			})
		}
		return unsupported(in[0])
	}
}

// reduce adds the elements of x along axes, in A, and finishes each sum of n elements.
func reduce[T number, A int64 | float64](r *run, t tensor, axes []int, o reduction, finish func(sum A, n int) T) ([]tensor, error) {
	if len(axes) == 0 {
		if o.noop {
			return []tensor{t.view(t.shape)}, nil
		}
		for i := range t.shape {
			axes = append(axes, i)
		}
	}
	axes, err := resolveAxes(axes, len(t.shape))
	if err != nil {
		return nil, err
	}
	shape, kept, reduced := o.split(t.shape, axes)
	out, y, err := newTensor[T](r, shape)
	if err != nil {
		return nil, err
	}
	x := t.data.([]T)
	n, inner := size(reduced.shape), len(reduced.shape)-1
	run, step := reduced.shape[inner], reduced.step(0)
	kept.each(r.pool, func(begin, count int, at [3]int) {
		coordinates := make([]int, inner)
		for i := range count {
			sum, from := A(0), [3]int{at[0] + i*kept.step(0)}
			for range size(reduced.shape[:inner]) {
				for j := range run {
					sum += A(x[from[0]+j*step])
				}
				reduced.next(coordinates, &from)
			}
			y[begin+i] = finish(sum, n)
		}
	})
	return []tensor{out}, nil
}

// split returns the shape of a reduction's output, the walk through what is kept and that through what is reduced.
func (o reduction) split(shape, axes []int) (out []int, kept, reduced walk) {
	strides := contiguous(shape)
	var keptShape, keptStrides, reducedShape, reducedStrides []int
	for i, d := range shape {
		if slices.Contains(axes, i) {
			reducedShape, reducedStrides = append(reducedShape, d), append(reducedStrides, strides[i])
			if o.keep {
				out = append(out, 1)
			}
			continue
		}
		keptShape, keptStrides = append(keptShape, d), append(keptStrides, strides[i])
		out = append(out, d)
	}
	return out, newWalk(keptShape, keptStrides), newWalk(reducedShape, reducedStrides)
}
