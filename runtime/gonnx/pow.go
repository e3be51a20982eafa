package gonnx

import "math"

// pow is aᵇ, of a's type. Exponents are converted to float64, in which whole ones up to 2⁵³ are exact.
func pow(r *run, in []tensor) ([]tensor, error) {
	exponent, err := toFloat64(r, in[1])
	if err != nil {
		return nil, err
	}
	shape, err := broadcastShape(in[0].shape, in[1].shape)
	if err != nil {
		return nil, err
	}
	w := newWalk(shape, broadcastStrides(in[0].shape, shape), broadcastStrides(in[1].shape, shape))
	switch in[0].data.(type) {
	case []float32:
		return power(r, in[0], shape, w, exponent, func(x float32, e float64) float32 {
			return float32(math.Pow(float64(x), e))
		})
	case []int64:
		return power(r, in[0], shape, w, exponent, powInt64)
	}
	return unsupported(in...)
}

func toFloat64(r *run, t tensor) ([]float64, error) {
	out := make([]float64, length(t.data))
	switch data := t.data.(type) {
	case []float32:
		for i, v := range data {
			out[i] = float64(v)
		}
	case []int64:
		for i, v := range data {
			out[i] = float64(v)
		}
	default:
		_, err := values[float32]("the exponent", t)
		return nil, err
	}
	return out, nil
}

func power[T number](r *run, base tensor, shape []int, w walk, exponent []float64, general func(T, float64) T) ([]tensor, error) {
	x := base.data.([]T)
	t, out, err := newTensorIn[T](r, shape, base)
	if err != nil {
		return nil, err
	}
	stepX, stepE := w.step(0), w.step(1)
	w.each(r.pool, func(begin, n int, at [3]int) {
		to := out[begin:][:n]
		if e := exponent[at[1]]; stepE == 0 && stepX == 1 && (e == 2 || e == 3) {
			smallPower(to, x[at[0]:][:n], e == 3)
			return
		}
		for i := range to {
			to[i] = general(x[at[0]+i*stepX], exponent[at[1]+i*stepE])
		}
	})
	return []tensor{t}, nil
}

// smallPower is x² or x³.
func smallPower[T number](out, x []T, cube bool) {
	x = x[:len(out)]
	if !cube {
		for i, v := range x {
			out[i] = v * v
		}
		return
	}
	for i, v := range x {
		out[i] = v * v * v
	}
}

// powInt64 is exact, modulo 2⁶⁴, where the exponent is a whole number from 0 on.
func powInt64(x int64, e float64) int64 {
	if e < 0 || e != math.Trunc(e) || e > 1<<53 {
		return int64(math.Pow(float64(x), e))
	}
	y := int64(1)
	for n := int64(e); n > 0; n >>= 1 {
		if n&1 == 1 {
			y *= x
		}
		x *= x
	}
	return y
}
