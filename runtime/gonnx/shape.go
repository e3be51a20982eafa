package gonnx

import (
	"fmt"
	"slices"
)

// transpose permutes the axes; without a permutation it reverses them.
func transpose(c *call) (*array, error) {
	x := c.inputs[0]
	perm := identity(len(x.shape))
	slices.Reverse(perm)
	if given := c.operation.integers("perm"); given != nil {
		if len(given) != len(perm) {
			return nil, fmt.Errorf("permutation %v of shape %v", given, x.shape)
		}
		seen := make([]bool, len(perm))
		for i, p := range given {
			if p < 0 || int(p) >= len(perm) || seen[p] {
				return nil, fmt.Errorf("%v is no permutation", given)
			}
			perm[i], seen[p] = int(p), true
		}
	}
	return permute(x, perm), nil
}

// permute returns x with axis perm[i] as its axis i.
func permute(x *array, perm []int) *array {
	if slices.Equal(perm, identity(len(perm))) {
		return x
	}
	own := strides(x.shape, x.shape)
	shape, steps := make([]int, len(perm)), make([]int, len(perm))
	for i, p := range perm {
		shape[i], steps[i] = x.shape[p], own[p]
	}
	if x.isFloat() {
		return &array{shape: shape, floats: gatherStrided(x.floats, shape, steps)}
	}
	return newInts(gatherStrided(x.ints, shape, steps), shape...)
}

// gatherStrided copies a shape out of x, whose neighbours along each axis are that far apart.
func gatherStrided[T float32 | int64](x []T, shape, steps []int) []T {
	out := make([]T, size(shape))
	last := len(shape) - 1
	if len(out) == 0 {
		return out
	}
	width, step := shape[last], steps[last]
	for row := range len(out) / width {
		at := offset(row, shape[:last], steps)
		if step == 1 {
			copy(out[row*width:(row+1)*width], x[at:at+width])
			continue
		}
		for i := range width {
			out[row*width+i] = x[at+i*step]
		}
	}
	return out
}

// reshape gives the numbers another shape. In it -1 is what is left, and 0 is copied unless allowzero is set.
func reshape(c *call) (*array, error) {
	x := c.inputs[0]
	wanted, err := c.inputs[1].int()
	if err != nil {
		return nil, err
	}
	shape, free, known := make([]int, len(wanted)), -1, 1
	for i, d := range wanted {
		switch {
		case d == 0 && c.operation.integer("allowzero", 0) == 0:
			if i >= len(x.shape) {
				return nil, fmt.Errorf("shape %v has nothing to copy from %v", wanted, x.shape)
			}
			shape[i] = x.shape[i]
		case d == -1 && free < 0:
			free, shape[i] = i, 1
		case d < 0:
			return nil, fmt.Errorf("shape %v", wanted)
		default:
			shape[i] = int(d)
		}
		known *= shape[i]
	}
	if free >= 0 && known > 0 {
		shape[free] = size(x.shape) / known
	}
	if size(shape) != size(x.shape) {
		return nil, fmt.Errorf("shape %v of %v", wanted, x.shape)
	}
	return x.with(shape), nil
}

// shapeOf is the shape from start to end.
func shapeOf(c *call) (*array, error) {
	shape := c.inputs[0].shape
	rank := int64(len(shape))
	clip := func(v int64) int64 {
		if v < 0 {
			v += rank
		}
		return min(max(v, 0), rank)
	}
	lo, hi := clip(c.operation.integer("start", 0)), clip(c.operation.integer("end", rank))
	values := []int64{}
	for i := lo; i < hi; i++ {
		values = append(values, int64(shape[i]))
	}
	return newInts(values, len(values)), nil
}

// axesOf returns the axes that the second input lists, in a shape of that rank, sorted.
func axesOf(axes *array, rank int) ([]int, error) {
	values, err := axes.int()
	if err != nil {
		return nil, err
	}
	var list []int
	for _, v := range values {
		if v < 0 {
			v += int64(rank)
		}
		if v < 0 || v >= int64(rank) || slices.Contains(list, int(v)) {
			return nil, fmt.Errorf("axes %v of a tensor with %d", values, rank)
		}
		list = append(list, int(v))
	}
	slices.Sort(list)
	return list, nil
}

// unsqueeze puts dimensions of 1 at some axes of the result.
func unsqueeze(c *call) (*array, error) {
	x := c.inputs[0]
	axes, err := axesOf(c.inputs[1], len(x.shape)+len(c.inputs[1].ints))
	if err != nil {
		return nil, err
	}
	shape := append([]int{}, x.shape...)
	for _, axis := range axes {
		shape = slices.Insert(shape, axis, 1)
	}
	return x.with(shape), nil
}

// squeeze removes dimensions of 1: those at some axes, or all of them.
func squeeze(c *call) (*array, error) {
	x := c.inputs[0]
	remove := func(_ int, d int) bool { return d == 1 }
	if list := c.input(1); list != nil {
		axes, err := axesOf(list, len(x.shape))
		if err != nil {
			return nil, err
		}
		for _, axis := range axes {
			if x.shape[axis] != 1 {
				return nil, fmt.Errorf("axis %d of shape %v is not 1", axis, x.shape)
			}
		}
		remove = func(i, _ int) bool { return slices.Contains(axes, i) }
	}
	shape := []int{}
	for i, d := range x.shape {
		if !remove(i, d) {
			shape = append(shape, d)
		}
	}
	return x.with(shape), nil
}

// The element types of Cast's attribute.
const (
	toFloat = 1
	toInt64 = 7
)

// cast changes the type of the numbers.
func cast(c *call) (*array, error) {
	x := c.inputs[0]
	switch to := c.operation.integer("to", 0); {
	case to == toFloat && x.isFloat() || to == toInt64 && !x.isFloat():
		return x, nil
	case to == toFloat:
		return asFloats(x), nil
	case to == toInt64:
		return asInts(x), nil
	default:
		return nil, fmt.Errorf("element type %d, want float32 or int64", to)
	}
}

// asFloats and asInts convert the numbers; a fraction is cut off.
func asFloats(x *array) *array {
	out := newFloats(x.shape)
	for i, v := range x.ints {
		out.floats[i] = float32(v)
	}
	return out
}

func asInts(x *array) *array {
	values := make([]int64, len(x.floats))
	for i, v := range x.floats {
		values[i] = int64(v)
	}
	return newInts(values, x.shape...)
}
