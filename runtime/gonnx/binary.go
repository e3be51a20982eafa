package gonnx

import "fmt"

// loops is an operator of two operands on a run of elements: of both operands, or of one and a number.
type loops[T, R element] struct {
	both  func(out []R, a, b []T)
	right func(out []R, a []T, b T)
	left  func(out []R, a T, b []T)
}

// broadcast computes a ∘ b, both stretched to one shape.
func broadcast[T, R element](r *run, a, b tensor, l loops[T, R]) ([]tensor, error) {
	x, err := values[T]("the first input", a)
	if err != nil {
		return nil, err
	}
	y, err := values[T]("the second input", b)
	if err != nil {
		return nil, err
	}
	shape, err := broadcastShape(a.shape, b.shape)
	if err != nil {
		return nil, err
	}
	t, out, err := newTensorIn[R](r, shape, a, b)
	if err != nil {
		return nil, err
	}
	w := newWalk(shape, broadcastStrides(a.shape, shape), broadcastStrides(b.shape, shape))
	stepA, stepB := w.step(0), w.step(1)
	w.each(r.pool, func(begin, n int, at [3]int) {
		to := out[begin:][:n]
		switch {
		case stepB == 0: // of a single element, stepA is 0 too
			l.right(to, x[at[0]:][:n], y[at[1]])
		case stepA == 0:
			l.left(to, x[at[0]], y[at[1]:][:n])
		default:
			l.both(to, x[at[0]:][:n], y[at[1]:][:n])
		}
	})
	return []tensor{t}, nil
}

// arithmetic applies the loops of the first input's type.
func arithmetic(r *run, in []tensor, floats loops[float32, float32], ints loops[int64, int64]) ([]tensor, error) {
	switch in[0].data.(type) {
	case []float32:
		return broadcast(r, in[0], in[1], floats)
	case []int64:
		return broadcast(r, in[0], in[1], ints)
	}
	return unsupported(in...)
}

func add(r *run, in []tensor) ([]tensor, error) {
	return arithmetic(r, in, addLoops[float32](), addLoops[int64]())
}

func addLoops[T number]() loops[T, T] {
	right := func(out, a []T, b T) {
		for i, v := range a[:len(out)] {
			out[i] = v + b
		}
	}
	return loops[T, T]{
		both: func(out, a, b []T) {
			b = b[:len(out)]
			for i, v := range a[:len(out)] {
				out[i] = v + b[i]
			}
		},
		right: right,
		left:  func(out []T, a T, b []T) { right(out, b, a) },
	}
}

func subtract(r *run, in []tensor) ([]tensor, error) {
	return arithmetic(r, in, subtractLoops[float32](), subtractLoops[int64]())
}

func subtractLoops[T number]() loops[T, T] {
	return loops[T, T]{
		both: func(out, a, b []T) {
			b = b[:len(out)]
			for i, v := range a[:len(out)] {
				out[i] = v - b[i]
			}
		},
		right: func(out, a []T, b T) {
			for i, v := range a[:len(out)] {
				out[i] = v - b
			}
		},
		left: func(out []T, a T, b []T) {
			for i, v := range b[:len(out)] {
				out[i] = a - v
			}
		},
	}
}

func multiply(r *run, in []tensor) ([]tensor, error) {
	return arithmetic(r, in, multiplyLoops[float32](), multiplyLoops[int64]())
}

func multiplyLoops[T number]() loops[T, T] {
	right := func(out, a []T, b T) {
		for i, v := range a[:len(out)] {
			out[i] = v * b
		}
	}
	return loops[T, T]{
		both: func(out, a, b []T) {
			b = b[:len(out)]
			for i, v := range a[:len(out)] {
				out[i] = v * b[i]
			}
		},
		right: right,
		left:  func(out []T, a T, b []T) { right(out, b, a) },
	}
}

// divide is a/b; of whole numbers, without the fraction.
func divide(r *run, in []tensor) ([]tensor, error) {
	if divisors, ok := in[1].data.([]int64); ok {
		for i, v := range divisors {
			if v == 0 {
				return nil, fmt.Errorf("division of whole numbers by zero, element %d of the second input", i)
			}
		}
	}
	return arithmetic(r, in, divideLoops[float32](), divideLoops[int64]())
}

func divideLoops[T number]() loops[T, T] {
	return loops[T, T]{
		both: func(out, a, b []T) {
			b = b[:len(out)]
			for i, v := range a[:len(out)] {
				out[i] = v / b[i]
			}
		},
		right: func(out, a []T, b T) {
			for i, v := range a[:len(out)] {
				out[i] = v / b
			}
		},
		left: func(out []T, a T, b []T) {
			for i, v := range b[:len(out)] {
				out[i] = a / v
			}
		},
	}
}

func equal(r *run, in []tensor) ([]tensor, error) {
	switch in[0].data.(type) {
	case []float32:
		return broadcast(r, in[0], in[1], equalLoops[float32]())
	case []int64:
		return broadcast(r, in[0], in[1], equalLoops[int64]())
	}
	return broadcast(r, in[0], in[1], equalLoops[bool]())
}

func equalLoops[T element]() loops[T, bool] {
	right := func(out []bool, a []T, b T) {
		for i, v := range a[:len(out)] {
			out[i] = v == b
		}
	}
	return loops[T, bool]{
		both: func(out []bool, a, b []T) {
			b = b[:len(out)]
			for i, v := range a[:len(out)] {
				out[i] = v == b[i]
			}
		},
		right: right,
		left:  func(out []bool, a T, b []T) { right(out, b, a) },
	}
}
