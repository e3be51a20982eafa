package gonnx

import "fmt"

// gather takes slices of the first input along an axis, by the indices of the second. An index below zero counts from
// the end.
func gather(c *call) (*array, error) {
	x := c.inputs[0]
	indices, err := c.inputs[1].int()
	if err != nil {
		return nil, err
	}
	axis, err := x.axis(c.operation.integer("axis", 0))
	if err != nil {
		return nil, err
	}
	outer, n, inner := size(x.shape[:axis]), x.shape[axis], size(x.shape[axis+1:])
	rows := make([]int, len(indices))
	for i, index := range indices {
		if index < -int64(n) || index >= int64(n) {
			return nil, fmt.Errorf("index %d, want %d to %d", index, -n, n-1)
		}
		rows[i] = int((index + int64(n)) % int64(n))
	}
	shape := append(append(append([]int{}, x.shape[:axis]...), c.inputs[1].shape...), x.shape[axis+1:]...)
	if x.isFloat() {
		return &array{shape: shape, floats: take(x.floats, rows, outer, n, inner)}, nil
	}
	return newInts(take(x.ints, rows, outer, n, inner), shape...), nil
}

// take copies rows of x (outer, n, inner).
func take[T float32 | int64](x []T, rows []int, outer, n, inner int) []T {
	out := make([]T, 0, outer*len(rows)*inner)
	for o := range outer {
		for _, row := range rows {
			at := (o*n + row) * inner
			out = append(out, x[at:at+inner]...)
		}
	}
	return out
}

// concat joins its inputs along an axis.
func concat(c *call) (*array, error) {
	first := c.inputs[0]
	axis, err := first.axis(c.operation.integer("axis", 0))
	if err != nil {
		return nil, err
	}
	shape := append([]int{}, first.shape...)
	shape[axis] = 0
	for _, x := range c.inputs {
		if len(x.shape) != len(shape) || x.isFloat() != first.isFloat() {
			return nil, fmt.Errorf("shapes %v and %v, or types, do not fit", first.shape, x.shape)
		}
		for i, d := range x.shape {
			if i != axis && d != shape[i] {
				return nil, fmt.Errorf("shapes %v and %v do not fit", first.shape, x.shape)
			}
		}
		shape[axis] += x.shape[axis]
	}
	if first.isFloat() {
		return &array{shape: shape, floats: join(c.inputs, axis, func(x *array) []float32 { return x.floats })}, nil
	}
	return newInts(join(c.inputs, axis, func(x *array) []int64 { return x.ints }), shape...), nil
}

func join[T float32 | int64](inputs []*array, axis int, numbers func(*array) []T) []T {
	var out []T
	for o := range size(inputs[0].shape[:axis]) {
		for _, x := range inputs {
			width := size(x.shape[axis:])
			out = append(out, numbers(x)[o*width:(o+1)*width]...)
		}
	}
	return out
}

// slice takes a range along each of some axes: inputs are data, starts, ends, and optionally axes and steps. Bounds
// below zero count from the end, and those outside are cut to it.
func slice(c *call) (*array, error) {
	x := c.inputs[0]
	var lists [4][]int64
	for i := range lists {
		list := c.input(i + 1)
		if list == nil {
			continue
		}
		values, err := list.int()
		if err != nil {
			return nil, err
		}
		lists[i] = values
	}
	starts, ends, axes, steps := lists[0], lists[1], lists[2], lists[3]
	if len(starts) != len(ends) || axes != nil && len(axes) != len(starts) || steps != nil && len(steps) != len(starts) {
		return nil, fmt.Errorf("%d starts, %d ends, %d axes, %d steps", len(starts), len(ends), len(axes), len(steps))
	}
	for i := range starts {
		axis, step := int64(i), int64(1)
		if axes != nil {
			axis = axes[i]
		}
		if steps != nil {
			step = steps[i]
		}
		rows, at, err := bounds(x, axis, starts[i], ends[i], step)
		if err != nil {
			return nil, err
		}
		x = takeAlong(x, at, rows)
	}
	return x, nil
}

// bounds returns the indices of a range along an axis.
func bounds(x *array, along, start, end, step int64) (rows []int, axis int, err error) {
	if axis, err = x.axis(along); err != nil {
		return nil, 0, err
	}
	if step == 0 {
		return nil, 0, fmt.Errorf("a step of zero")
	}
	n := int64(x.shape[axis])
	least, most := int64(0), n
	if step < 0 {
		least, most = -1, n-1
	}
	clip := func(v int64) int64 {
		if v < 0 {
			v += n
		}
		return min(max(v, least), most)
	}
	for i, stop := clip(start), clip(end); step > 0 && i < stop || step < 0 && i > stop; i += step {
		rows = append(rows, int(i))
	}
	return rows, axis, nil
}

// takeAlong returns the slices of x along an axis with these indices.
func takeAlong(x *array, axis int, rows []int) *array {
	shape := append([]int{}, x.shape...)
	shape[axis] = len(rows)
	outer, n, inner := size(x.shape[:axis]), x.shape[axis], size(x.shape[axis+1:])
	if x.isFloat() {
		return &array{shape: shape, floats: take(x.floats, rows, outer, n, inner)}
	}
	return newInts(take(x.ints, rows, outer, n, inner), shape...)
}
