package kernel

import (
	"math"
	"math/rand/v2"
	"testing"

	"goalbert/internal/numeric"
)

func normals(seed uint64, n int) []float64 {
	random := rand.New(rand.NewPCG(seed, 0))
	x := make([]float64, n)
	for i := range x {
		x[i] = 2 * random.NormFloat64()
	}
	return x
}

func dot(x, y []float64) float64 {
	sum := 0.0
	for i, v := range x {
		sum += v * y[i]
	}
	return sum
}

// checkBackward compares backward with finite differences of Σ dOut·forward(x). Backward must overwrite: the gradient
// starts from something, or is dOut.
func checkBackward(t *testing.T, name string, forward func(out, x []float64), backward func(dX, dOut, x []float64), x []float64) {
	t.Helper()
	dOut, out := normals(2, len(x)), make([]float64, len(x))
	dX, inPlace := normals(3, len(x)), append([]float64(nil), dOut...)
	backward(dX, dOut, x)
	backward(inPlace, inPlace, x)
	numeric.Check(t, name+" in place", inPlace, dX, numeric.Exact)
	numeric.CheckGradient(t, name, func() float64 { forward(out, x); return dot(out, dOut) }, x, dX)
}

func TestActivationsBackward(t *testing.T) {
	x := append(normals(1, 100), -30, -8, -1e-3, 1e-3, 8, 30)
	checkBackward(t, "GELU", GELU[float64], GELUBackward[float64], x)
	checkBackward(t, "GELUNew", GELUNew[float64], GELUNewBackward[float64], x)
	checkBackward(t, "ReLU", ReLU[float64], ReLUBackward[float64], x)
	checkBackward(t, "SiLU", SiLU[float64], SiLUBackward[float64], x)
	checkBackward(t, "Tanh", Tanh[float64], func(dX, dOut, x []float64) {
		y := make([]float64, len(x))
		Tanh(y, x)
		TanhBackward(dX, dOut, y)
	}, x)
}

func TestSoftmaxBackward(t *testing.T) {
	for _, columns := range []int{1, 2, 7, 33} {
		forward := func(out, x []float64) { Softmax(out, x, columns, 0.3) }
		checkBackward(t, "softmax", forward, func(dX, dOut, x []float64) {
			p := make([]float64, len(x))
			forward(p, x)
			SoftmaxBackward(dX, dOut, p, columns, 0.3)
		}, normals(1, 3*columns))
	}
}

func TestLayerNormBackward(t *testing.T) {
	const rows, columns, eps = 3, 5, 1e-12
	x, weight, bias := normals(1, rows*columns), normals(4, columns), normals(5, columns)
	dOut, out := normals(2, rows*columns), make([]float64, rows*columns)
	mean, rstd := make([]float64, rows), make([]float64, rows)
	loss := func() float64 {
		LayerNorm(out, mean, rstd, x, weight, bias, eps)
		return dot(out, dOut)
	}
	loss()
	dX, inPlace := normals(3, len(x)), append([]float64(nil), dOut...) // overwritten
	dWeight, dBias := normals(6, columns), normals(7, columns)         // added to
	weightStart, biasStart := append([]float64(nil), dWeight...), append([]float64(nil), dBias...)
	LayerNormBackward(dX, dWeight, dBias, dOut, x, mean, rstd, weight)
	for j := range columns {
		dWeight[j] -= weightStart[j]
		dBias[j] -= biasStart[j]
	}
	LayerNormBackward(inPlace, weightStart, biasStart, inPlace, x, mean, rstd, weight)
	numeric.Check(t, "x in place", inPlace, dX, numeric.Exact)
	numeric.CheckGradient(t, "x", loss, x, dX)
	numeric.CheckGradient(t, "weight", loss, weight, dWeight)
	numeric.CheckGradient(t, "bias", loss, bias, dBias)
}

func TestCrossEntropyBackward(t *testing.T) {
	const classes, ignore = 6, -100
	labels := []int32{2, ignore, 5, 0}
	logits := normals(1, len(labels)*classes)
	dLogits := normals(2, len(logits)) // overwritten
	CrossEntropyBackward(dLogits, logits, labels, ignore, 0.25)
	numeric.CheckGradient(t, "logits", func() float64 {
		sum, count, _ := CrossEntropy(logits, labels, ignore)
		if count != 3 {
			t.Fatalf("counted %d labels, want 3", count)
		}
		return 0.25 * sum
	}, logits, dLogits)

	inPlace := append([]float64(nil), logits...)
	CrossEntropyBackward(inPlace, inPlace, labels, ignore, 0.25)
	numeric.Check(t, "in place", inPlace, dLogits, numeric.Exact)
}

func TestCrossEntropyCounts(t *testing.T) {
	logits := []float64{0, 1, 1, 3, 0, 0, 0, 0, 1000} // a tie goes to the first; 1000 must not overflow
	sum, count, correct := CrossEntropy(logits, []int32{1, 2, 2}, -100)
	want := math.Log(1+2*math.E) - 1 + math.Log(math.Exp(3)+2)
	if math.Abs(sum-want) > 1e-12 || count != 3 || correct != 2 {
		t.Errorf("got %v, %d, %d; want %v, 3, 2", sum, count, correct, want)
	}
}
