package gonnx

import (
	"math"

	"goalbert/native/kernel"
)

// elementwise computes f(out, x) on blocks of a tensor of one type.
func elementwise[T element](r *run, x tensor, f func(out, x []T)) ([]tensor, error) {
	data, err := values[T]("the input", x)
	if err != nil {
		return nil, err
	}
	y, out, err := newTensorIn[T](r, x.shape, x)
	if err != nil {
		return nil, err
	}
	r.ranges(len(data), 1, func(lo, hi int) { f(out[lo:hi], data[lo:hi]) })
	return []tensor{y}, nil
}

func squareRoot(r *run, in []tensor) ([]tensor, error) {
	return elementwise(r, in[0], func(out, x []float32) {
		for i, v := range x {
			out[i] = float32(math.Sqrt(float64(v)))
		}
	})
}

func tanh(r *run, in []tensor) ([]tensor, error) { return elementwise(r, in[0], kernel.Tanh[float32]) }

func erf(r *run, in []tensor) ([]tensor, error) {
	return elementwise(r, in[0], func(out, x []float32) {
		for i, v := range x {
			out[i] = float32(math.Erf(float64(v)))
		}
	})
}

// sigmoid is 1/(1 + e⁻ˣ).
func sigmoid(r *run, in []tensor) ([]tensor, error) {
	return elementwise(r, in[0], func(out, x []float32) {
		for i, v := range x {
			out[i] = float32(1 / (1 + math.Exp(-float64(v))))
		}
	})
}

func exp(r *run, in []tensor) ([]tensor, error) {
	return elementwise(r, in[0], func(out, x []float32) {
		for i, v := range x {
			out[i] = float32(math.Exp(float64(v)))
		}
	})
}

func relu(r *run, in []tensor) ([]tensor, error) {
	if _, ok := in[0].data.([]int64); ok {
		return elementwise(r, in[0], positive[int64])
	}
	return elementwise(r, in[0], positive[float32])
}

func positive[T number](out, x []T) {
	for i, v := range x {
		out[i] = max(v, 0)
	}
}

func negate(r *run, in []tensor) ([]tensor, error) {
	if _, ok := in[0].data.([]int64); ok {
		return elementwise(r, in[0], negative[int64])
	}
	return elementwise(r, in[0], negative[float32])
}

func negative[T number](out, x []T) {
	for i, v := range x {
		out[i] = -v
	}
}
