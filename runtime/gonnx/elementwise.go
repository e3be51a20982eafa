package gonnx

import (
	"errors"
	"fmt"
	"math"
)

func erf(x float32) float32     { return float32(math.Erf(float64(x))) }
func tanh(x float32) float32    { return float32(math.Tanh(float64(x))) }
func sigmoid(x float32) float32 { return float32(1 / (1 + math.Exp(-float64(x)))) }
func relu(x float32) float32    { return max(x, 0) }

func power(x, y float32) float32 {
	if y == 3 { // the exponent of GELU's tanh form
		return x * x * x
	}
	return float32(math.Pow(float64(x), float64(y)))
}

func integerPower(x, y int64) int64 { return int64(math.Pow(float64(x), float64(y))) }

// pow is a power of the type of its base; the exponent may be of another.
func pow(c *call) (*array, error) {
	base, exponent := c.inputs[0], c.inputs[1]
	if base.isFloat() != exponent.isFloat() {
		converted := *c
		if base.isFloat() {
			converted.inputs = []*array{base, asFloats(exponent)}
			return arithmetic(power, integerPower)(&converted)
		}
		converted.inputs = []*array{asFloats(base), exponent}
		out, err := arithmetic(power, integerPower)(&converted)
		if err != nil {
			return nil, err
		}
		return asInts(out), nil
	}
	return arithmetic(power, integerPower)(c)
}

// elementwise is an operator that is a function of each element.
func elementwise(f func(float32) float32) func(*call) (*array, error) {
	return func(c *call) (*array, error) {
		x, err := c.inputs[0].float()
		if err != nil {
			return nil, err
		}
		out := newFloats(c.inputs[0].shape)
		parallel(c.threads, len(x), len(x), func(lo, hi int) {
			for i, v := range x[lo:hi] {
				out.floats[lo+i] = f(v)
			}
		})
		return out, nil
	}
}

// arithmetic is an operator of two inputs with NumPy's broadcasting, which must be of the same type.
func arithmetic(f func(x, y float32) float32, g func(x, y int64) int64) func(*call) (*array, error) {
	return func(c *call) (*array, error) {
		a, b := c.inputs[0], c.inputs[1]
		if a.isFloat() != b.isFloat() {
			return nil, errors.New("its inputs are of different types")
		}
		shape, err := broadcast(a.shape, b.shape)
		if err != nil {
			return nil, err
		}
		if a.isFloat() {
			out := newFloats(shape)
			combine(c.threads, out.floats, a.floats, b.floats, shape, a.shape, b.shape, f)
			return out, nil
		}
		out := newInts(make([]int64, size(shape)), shape...)
		combine(c.threads, out.ints, a.ints, b.ints, shape, a.shape, b.shape, g)
		return out, nil
	}
}

// divide refuses to divide a whole number by zero.
func divide(c *call) (*array, error) {
	for _, v := range c.inputs[1].ints {
		if v == 0 {
			return nil, errors.New("division of a whole number by zero")
		}
	}
	return arithmetic(func(x, y float32) float32 { return x / y }, func(x, y int64) int64 { return x / y })(c)
}

// broadcast returns the shape that a and b have together: dimensions are aligned at the end, and one of 1 is repeated.
func broadcast(a, b []int) ([]int, error) {
	shape := make([]int, max(len(a), len(b)))
	for i := range shape {
		x, y := dimension(a, len(shape), i), dimension(b, len(shape), i)
		switch {
		case x == y || y == 1:
			shape[i] = x
		case x == 1:
			shape[i] = y
		default:
			return nil, fmt.Errorf("shapes %v and %v do not broadcast", a, b)
		}
	}
	return shape, nil
}

// dimension returns dimension i of a shape that is filled up with ones in front to rank.
func dimension(shape []int, rank, i int) int {
	if i -= rank - len(shape); i >= 0 {
		return shape[i]
	}
	return 1
}

// strides returns the distance between neighbours along each dimension of a broadcast shape, 0 where it is repeated.
func strides(shape, broadcast []int) []int {
	s := make([]int, len(broadcast))
	step := 1
	for i := len(broadcast) - 1; i >= 0; i-- {
		d := dimension(shape, len(broadcast), i)
		if d > 1 {
			s[i] = step
		}
		step *= d
	}
	return s
}

// combine sets out = f(x, y) over a broadcast shape. Rows of the last dimension are divided over threads.
func combine[T float32 | int64](threads int, out, x, y []T, shape, shapeX, shapeY []int, f func(x, y T) T) {
	if len(out) == 0 {
		return
	}
	width := 1
	if len(shape) > 0 {
		width = shape[len(shape)-1]
	}
	outer := shape[:max(0, len(shape)-1)]
	stridesX, stridesY := strides(shapeX, shape), strides(shapeY, shape)
	stepX, stepY := 0, 0
	if len(shape) > 0 {
		stepX, stepY = stridesX[len(outer)], stridesY[len(outer)]
	}
	parallel(threads, len(out)/width, len(out), func(lo, hi int) {
		for row := lo; row < hi; row++ {
			atX, atY := offset(row, outer, stridesX), offset(row, outer, stridesY)
			for i := range out[row*width : (row+1)*width] {
				out[row*width+i] = f(x[atX+i*stepX], y[atY+i*stepY])
			}
		}
	})
}

// offset returns where the index-th element of a shape lies, given its strides.
func offset(index int, shape, strides []int) int {
	at := 0
	for i := len(shape) - 1; i >= 0 && index > 0; i-- {
		at += index % shape[i] * strides[i]
		index /= shape[i]
	}
	return at
}
