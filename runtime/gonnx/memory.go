package gonnx

import "fmt"

// storage is a buffer that tensors of one run lie in.
type storage struct {
	data any // as it was allocated: a []float32, []int64 or []bool
	uses int // tensors that lie in it
}

// memory is the buffers of one run at a time that nothing uses.
type memory struct{ free []*storage }

// run is one evaluation of a program.
type run struct {
	pool
	limit  int // of elements in one tensor
	memory *memory
}

// newTensor returns a tensor of shape, whose elements are yet to be written, and the elements.
func newTensor[T element](r *run, shape []int) (tensor, []T, error) {
	n, err := checkedSize(shape, r.limit)
	if err != nil {
		return tensor{}, nil, err
	}
	s := take[T](r.memory, n)
	data := s.data.([]T)[:n]
	return tensor{shape: shape, data: data, store: s}, data, nil
}

// checkedSize returns the number of elements of a shape that may come from a file.
func checkedSize(shape []int, limit int) (int, error) {
	n := 1
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("impossible shape %v", shape)
		}
		if d > 0 && n > limit/d {
			return 0, fmt.Errorf("a tensor of shape %v is larger than %d elements, the most that are allowed", shape, limit)
		}
		n *= d
	}
	return n, nil
}

// newTensorIn is newTensor, in the buffer of an input that nothing else reads if there is one: such an operator writes
// an element only after it has read the one there.
func newTensorIn[T element](r *run, shape []int, inputs ...tensor) (tensor, []T, error) {
	n := size(shape)
	for _, t := range inputs {
		data, ok := t.data.([]T)
		if ok && len(data) == n && t.dying && t.store != nil && t.store.uses == 1 {
			return t.view(shape), data, nil
		}
	}
	return newTensor[T](r, shape)
}

// take returns a buffer of at least n elements: the smallest that is free and not twice as large, or a new one.
func take[T element](m *memory, n int) *storage {
	best := -1
	for i, s := range m.free {
		data, ok := s.data.([]T)
		if !ok || cap(data) < n || cap(data) > 2*n {
			continue
		}
		if best < 0 || cap(data) < cap(m.free[best].data.([]T)) {
			best = i
		}
	}
	if best < 0 {
		return &storage{data: make([]T, n), uses: 1}
	}
	s := m.free[best]
	last := len(m.free) - 1
	m.free[best], m.free[last] = m.free[last], nil
	m.free = m.free[:last]
	s.uses = 1
	return s
}

// release says that t is not needed any more.
func (r *run) release(t tensor) {
	if t.store == nil {
		return
	}
	if t.store.uses--; t.store.uses == 0 {
		r.memory.free = append(r.memory.free, t.store)
	}
}
