package gonnx

// where is the second input where the first is true, and the third where it is not.
func where(r *run, in []tensor) ([]tensor, error) {
	switch in[1].data.(type) {
	case []float32:
		return choose[float32](r, in)
	case []int64:
		return choose[int64](r, in)
	}
	return choose[bool](r, in)
}

func choose[T element](r *run, in []tensor) ([]tensor, error) {
	condition, err := values[bool]("the condition", in[0])
	if err != nil {
		return nil, err
	}
	x, err := values[T]("the second input", in[1])
	if err != nil {
		return nil, err
	}
	y, err := values[T]("the third input", in[2])
	if err != nil {
		return nil, err
	}
	shape, err := broadcastShape(in[0].shape, in[1].shape, in[2].shape)
	if err != nil {
		return nil, err
	}
	t, out, err := newTensorIn[T](r, shape, in...)
	if err != nil {
		return nil, err
	}
	var strides [3][]int
	for k := range strides {
		strides[k] = broadcastStrides(in[k].shape, shape)
	}
	w := newWalk(shape, strides[:]...)
	stepC, stepX, stepY := w.step(0), w.step(1), w.step(2)
	w.each(r.pool, func(begin, n int, at [3]int) {
		for i := range n {
			if condition[at[0]+i*stepC] {
				out[begin+i] = x[at[1]+i*stepX]
			} else {
				out[begin+i] = y[at[2]+i*stepY]
			}
		}
	})
	return []tensor{t}, nil
}
