package gonnx

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// buildReshape returns the input in another shape, in which -1 stands for what is left, and 0 for the input's own
// dimension there unless allowzero says that it is one.
func buildReshape(n *nodeAttributes) operator {
	allowZero := attribute(n, "allowzero", int64(0)) != 0
	return func(_ *run, in []tensor) ([]tensor, error) {
		wanted, err := integers("shape", in[1])
		if err != nil {
			return nil, err
		}
		shape, err := reshape(in[0].shape, wanted, allowZero)
		if err != nil {
			return nil, err
		}
		return []tensor{in[0].view(shape)}, nil
	}
}

func reshape(from, wanted []int, allowZero bool) ([]int, error) {
	shape := slices.Clone(wanted)
	free, known := -1, 1
	for i, d := range shape {
		switch {
		case d == 0 && !allowZero:
			if i >= len(from) {
				return nil, fmt.Errorf("shape %v has a 0 where the input, of shape %v, has no dimension", wanted, from)
			}
			shape[i] = from[i]
		case d == -1 && free < 0:
			free = i
			continue
		case d < 0:
			return nil, fmt.Errorf("impossible shape %v", wanted)
		}
		if shape[i] > 0 && known > maxElements/shape[i] {
			return nil, fmt.Errorf("an input of shape %v cannot have shape %v", from, wanted)
		}
		known *= shape[i]
	}
	n := size(from)
	if free >= 0 {
		if allowZero && slices.Contains(wanted, 0) {
			return nil, fmt.Errorf("shape %v has both 0 and -1", wanted)
		}
		if known == 0 && n == 0 {
			shape[free] = 0
			return shape, nil
		}
		if known == 0 || n%known != 0 {
			return nil, fmt.Errorf("an input of shape %v cannot have shape %v", from, wanted)
		}
		shape[free] = n / known
		return shape, nil
	}
	if known != n {
		return nil, fmt.Errorf("an input of shape %v cannot have shape %v", from, wanted)
	}
	return shape, nil
}

// buildShape returns the dimensions from start to end, which are cut to those that are there.
func buildShape(n *nodeAttributes) operator {
	start, end := int(attribute(n, "start", int64(0))), int(attribute(n, "end", int64(math.MaxInt64)))
	return func(r *run, in []tensor) ([]tensor, error) {
		if in[0].absent() {
			return nil, errors.New("the input is missing")
		}
		begin, count := sliceRange(len(in[0].shape), start, end, 1)
		t, out, err := newTensor[int64](r, []int{count})
		if err != nil {
			return nil, err
		}
		for i := range out {
			out[i] = int64(in[0].shape[begin+i])
		}
		return []tensor{t}, nil
	}
}

// squeeze drops axes of dimension 1: those named, or all.
func squeeze(_ *run, in []tensor) ([]tensor, error) {
	var axes []int
	if len(in) > 1 && !in[1].absent() {
		list, err := integers("axes", in[1])
		if err != nil {
			return nil, err
		}
		if axes, err = resolveAxes(list, len(in[0].shape)); err != nil {
			return nil, err
		}
	} else {
		for i, d := range in[0].shape {
			if d == 1 {
				axes = append(axes, i)
			}
		}
	}
	shape := []int{}
	for i, d := range in[0].shape {
		if !slices.Contains(axes, i) {
			shape = append(shape, d)
		} else if d != 1 {
			return nil, fmt.Errorf("axis %d of shape %v has not dimension 1", i, in[0].shape)
		}
	}
	return []tensor{in[0].view(shape)}, nil
}

// unsqueeze adds axes of dimension 1, at those places of the result.
func unsqueeze(_ *run, in []tensor) ([]tensor, error) {
	list, err := integers("axes", in[1])
	if err != nil {
		return nil, err
	}
	rank := len(in[0].shape) + len(list)
	axes, err := resolveAxes(list, rank)
	if err != nil {
		return nil, err
	}
	shape, next := make([]int, rank), 0
	for i := range shape {
		if slices.Contains(axes, i) {
			shape[i] = 1
			continue
		}
		shape[i] = in[0].shape[next]
		next++
	}
	return []tensor{in[0].view(shape)}, nil
}

// buildFlatten returns a matrix: the axes before axis are its rows, the others its columns.
func buildFlatten(n *nodeAttributes) operator {
	axis := int(attribute(n, "axis", int64(1)))
	return func(_ *run, in []tensor) ([]tensor, error) {
		rank := len(in[0].shape)
		if axis < -rank || axis > rank {
			return nil, fmt.Errorf("axis %d of a tensor of %d dimensions", axis, rank)
		}
		at := axis
		if at < 0 {
			at += rank
		}
		return []tensor{in[0].view([]int{size(in[0].shape[:at]), size(in[0].shape[at:])})}, nil
	}
}

func identity(_ *run, in []tensor) ([]tensor, error) { return []tensor{in[0].view(in[0].shape)}, nil }
