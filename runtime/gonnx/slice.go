package gonnx

import (
	"errors"
	"fmt"
	"slices"
)

// slice is data[starts:ends:steps] on some axes, as numpy has it: positions beyond the ends are cut, negative ones
// count from the end, a negative step goes backwards.
func slice(r *run, in []tensor) ([]tensor, error) {
	shape, strides := slices.Clone(in[0].shape), contiguous(in[0].shape)
	lists, err := sliceLists(in, len(shape))
	if err != nil {
		return nil, err
	}
	offset := 0
	for i, axis := range lists.axes {
		begin, count := sliceRange(shape[axis], lists.starts[i], lists.ends[i], lists.steps[i])
		shape[axis] = count
		offset += begin * strides[axis]
		strides[axis] *= lists.steps[i]
	}
	return one(strided(r, in[0], shape, strides, offset))
}

type sliceArguments struct{ starts, ends, axes, steps []int }

func sliceLists(in []tensor, rank int) (s sliceArguments, err error) {
	if s.starts, err = integers("starts", in[1]); err != nil {
		return s, err
	}
	if s.ends, err = integers("ends", in[2]); err != nil {
		return s, err
	}
	for i := range s.starts {
		s.axes, s.steps = append(s.axes, i), append(s.steps, 1)
	}
	if len(in) > 3 && !in[3].absent() {
		if s.axes, err = integers("axes", in[3]); err != nil {
			return s, err
		}
	}
	if len(in) > 4 && !in[4].absent() {
		if s.steps, err = integers("steps", in[4]); err != nil {
			return s, err
		}
	}
	if n := len(s.starts); len(s.ends) != n || len(s.axes) != n || len(s.steps) != n {
		return s, fmt.Errorf("%d starts, %d ends, %d axes and %d steps, want as many of each",
			n, len(s.ends), len(s.axes), len(s.steps))
	}
	if slices.Contains(s.steps, 0) {
		return s, errors.New("a step of 0")
	}
	s.axes, err = resolveAxes(s.axes, rank)
	return s, err
}

// sliceRange returns where a slice of an axis of d elements begins and how many elements it has.
func sliceRange(d, start, end, step int) (begin, count int) {
	if start < 0 {
		start += d
	}
	if end < 0 {
		end += d
	}
	if step > 0 {
		start, end = min(max(start, 0), d), min(max(end, 0), d)
		if start >= end {
			return 0, 0
		}
		return start, (end-start-1)/step + 1
	}
	start, end = min(max(start, -1), d-1), min(max(end, -1), d-1)
	if start <= end {
		return 0, 0
	}
	if step == -step { // the lowest number has no opposite
		return start, 1
	}
	return start, (start-end-1)/-step + 1
}

// strided returns the elements of t that strides reach from offset.
func strided(r *run, t tensor, shape, strides []int, offset int) (tensor, error) {
	switch t.data.(type) {
	case []float32:
		return copyStrided[float32](r, t, shape, strides, offset)
	case []int64:
		return copyStrided[int64](r, t, shape, strides, offset)
	}
	return copyStrided[bool](r, t, shape, strides, offset)
}

func copyStrided[T element](r *run, t tensor, shape, strides []int, offset int) (tensor, error) {
	x, err := values[T]("the input", t)
	if err != nil {
		return tensor{}, err
	}
	y, out, err := newTensor[T](r, shape)
	if err != nil {
		return tensor{}, err
	}
	copyWalk(r.pool, newWalk(shape, strides), out, x, offset)
	return y, nil
}
