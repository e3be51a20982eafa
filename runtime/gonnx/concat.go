package gonnx

import (
	"errors"
	"fmt"
	"slices"
)

// buildConcat returns the inputs one after the other along an axis.
func buildConcat(n *nodeAttributes) operator {
	requireAttribute(n, "axis")
	axis := int(attribute(n, "axis", int64(0)))
	return func(r *run, in []tensor) ([]tensor, error) {
		switch in[0].data.(type) {
		case []float32:
			return concat[float32](r, in, axis)
		case []int64:
			return concat[int64](r, in, axis)
		}
		return concat[bool](r, in, axis)
	}
}

func concat[T element](r *run, in []tensor, axis int) ([]tensor, error) {
	axis, err := resolveAxis(axis, len(in[0].shape))
	if err != nil {
		return nil, err
	}
	shape := slices.Clone(in[0].shape)
	parts := make([][]T, len(in))
	for i, t := range in {
		if parts[i], err = values[T](fmt.Sprintf("input %d", i), t); err != nil {
			return nil, err
		}
		if i == 0 {
			continue
		}
		if len(t.shape) != len(shape) || !slices.Equal(t.shape[:axis], shape[:axis]) || !slices.Equal(t.shape[axis+1:], shape[axis+1:]) {
			return nil, fmt.Errorf("input %d has shape %v, and the first %v: only axis %d may differ", i, t.shape, in[0].shape, axis)
		}
		shape[axis] += t.shape[axis]
	}
	y, out, err := newTensor[T](r, shape)
	if err != nil {
		return nil, err
	}
	outer, row := size(shape[:axis]), size(shape[axis:])
	begin := 0
	for i, part := range parts {
		width := size(in[i].shape[axis:])
		for o := range outer {
			copy(out[o*row+begin:][:width], part[o*width:])
		}
		begin += width
	}
	return []tensor{y}, nil
}

// buildSplit returns the input in pieces along an axis: of the lengths that the second input says, or of one length,
// the last then being shorter where that does not go up.
func buildSplit(n *nodeAttributes) operator {
	axis := int(attribute(n, "axis", int64(0)))
	pieces := int(attribute(n, "num_outputs", int64(n.outputs)))
	even := n.opset < 18 || !n.has("num_outputs")
	if pieces != n.outputs {
		n.fail(fmt.Errorf("attribute \"num_outputs\" is %d, and there are %d outputs", pieces, n.outputs))
	}
	return func(r *run, in []tensor) ([]tensor, error) {
		axis, err := resolveAxis(axis, len(in[0].shape))
		if err != nil {
			return nil, err
		}
		var lengths []int
		if len(in) > 1 && !in[1].absent() {
			lengths, err = integers("split", in[1])
		} else {
			lengths, err = evenLengths(in[0].shape[axis], pieces, even)
		}
		if err != nil {
			return nil, err
		}
		if err := checkLengths(lengths, pieces, in[0].shape[axis]); err != nil {
			return nil, err
		}
		switch in[0].data.(type) {
		case []float32:
			return split[float32](r, in[0], axis, lengths)
		case []int64:
			return split[int64](r, in[0], axis, lengths)
		}
		return split[bool](r, in[0], axis, lengths)
	}
}

func evenLengths(d, pieces int, even bool) ([]int, error) {
	if even && d%pieces != 0 {
		return nil, fmt.Errorf("%d elements cannot be split into %d equal pieces", d, pieces)
	}
	length := (d + pieces - 1) / pieces
	lengths := slices.Repeat([]int{length}, pieces)
	lengths[pieces-1] = d - length*(pieces-1)
	return lengths, nil
}

func checkLengths(lengths []int, pieces, d int) error {
	sum := 0
	for _, n := range lengths {
		if n < 0 || n > d {
			return fmt.Errorf("pieces of %v elements of an axis of %d", lengths, d)
		}
		sum += n
	}
	if len(lengths) != pieces || sum != d {
		return fmt.Errorf("pieces of %v elements, want %d pieces of %d elements in all", lengths, pieces, d)
	}
	return nil
}

func split[T element](r *run, t tensor, axis int, lengths []int) ([]tensor, error) {
	x, ok := t.data.([]T)
	if !ok {
		return nil, errors.New("the input is missing")
	}
	var parts []tensor
	outer, row, begin := size(t.shape[:axis]), size(t.shape[axis:]), 0
	for _, n := range lengths {
		shape := slices.Clone(t.shape)
		shape[axis] = n
		y, out, err := newTensor[T](r, shape)
		if err != nil {
			return nil, err
		}
		width := size(shape[axis:])
		for o := range outer {
			copy(out[o*width:][:width], x[o*row+begin:])
		}
		begin += width
		parts = append(parts, y)
	}
	return parts, nil
}
