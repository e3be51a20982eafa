package kernel

import (
	"fmt"
	"math"
	"testing"

	"goalbert/internal/numeric"
)

// sizes are all small ones and the edges of vectors.
func sizes() []int {
	var all []int
	for n := range 101 {
		all = append(all, n)
	}
	return append(all, 127, 128, 129, 255, 256, 257, 768, 3072)
}

func TestVectors(t *testing.T) {
	for _, n := range sizes() {
		x, y := narrow(normals(1, n)), narrow(normals(2, n))
		sum, scaled := append([]float32(nil), y...), append([]float32(nil), y...)
		Add(sum, x)
		Axpy(0.5, x, scaled)
		squares := 0.0
		for i := range n {
			if sum[i] != y[i]+x[i] {
				t.Fatalf("Add: size %d: element %d is %v, want %v", n, i, sum[i], y[i]+x[i])
			}
			if scaled[i] != float32(float64(y[i])+0.5*float64(x[i])) { // half of a number is exact
				t.Fatalf("Axpy: size %d: element %d is %v, want %v + %v/2", n, i, scaled[i], y[i], x[i])
			}
			squares += float64(x[i]) * float64(x[i])
		}
		numeric.Check(t, fmt.Sprintf("SumSquares of %d", n), []float64{SumSquares(x)}, []float64{squares}, numeric.SameSum64)
	}
}

// Rows sum to 1, a score of -∞ has no weight, large scores do not overflow, and equal scores share equally.
func TestSoftmax(t *testing.T) {
	for _, n := range sizes()[1:] {
		x := normals(3, 2*n)
		got, want := narrow(x), make([]float32, 2*n)
		for row := range 2 {
			sum := 0.0
			for _, v := range got[row*n : (row+1)*n] {
				sum += math.Exp(0.7 * float64(v))
			}
			for j := row * n; j < (row+1)*n; j++ {
				want[j] = float32(math.Exp(0.7*float64(got[j])) / sum)
			}
		}
		Softmax(got, got, n, 0.7)
		// The exponent is rounded once, off by up to 16·u; the sum adds n roundings of terms of one sign.
		numeric.Check(t, fmt.Sprintf("softmax of %d", n), got, want, numeric.Tolerance{Relative: float64(32+n) * 0x1p-24})
	}
	x := []float32{1e30, float32(math.Inf(-1)), 1e30}
	Softmax(x, x, 3, 1)
	numeric.Check(t, "softmax at the limits", x, []float32{0.5, 0, 0.5}, numeric.Exact)
}

// Against the definition in float64, with a large mean: two passes keep the digits that E[x²] - E[x]² would lose.
func TestLayerNorm(t *testing.T) {
	for _, n := range sizes()[2:] {
		x, weight, bias := narrow(normals(1, 2*n)), narrow(normals(2, n)), narrow(normals(3, n))
		for i := range x {
			x[i] += 100
		}
		out, mean, rstd := make([]float32, 2*n), make([]float32, 2), make([]float32, 2)
		LayerNorm(out, mean, rstd, x, weight, bias, 1e-12)
		wide, m, r := make([]float64, 2*n), make([]float64, 2), make([]float64, 2)
		LayerNorm(wide, m, r, widen(x), widen(weight), widen(bias), 1e-12)
		for row := range 2 {
			part := wide[row*n : (row+1)*n]
			sum, squares := 0.0, 0.0
			for j := range part {
				normal := (part[j] - float64(bias[j])) / float64(weight[j])
				sum, squares = sum+normal, squares+normal*normal
			}
			if math.Abs(sum/float64(n)) > 1e-9 || math.Abs(squares/float64(n)-1) > 1e-9 {
				t.Errorf("size %d: mean %v and variance %v, want 0 and 1", n, sum/float64(n), squares/float64(n))
			}
		}
		// The mean, 100, is off by up to a few u·100 and the deviations are near 2: errors of 50·16·u of each weight.
		numeric.Check(t, fmt.Sprintf("layer norm of %d", n), out, narrow(wide), numeric.Tolerance{Absolute: 8 * 800 * 0x1p-24, Relative: 800 * 0x1p-24})
	}
}

func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}
