package kernel

import (
	"math"
	"slices"
	"testing"

	"goalbert/internal/numeric"
)

// elementwise lists functions of one number with their definitions in float64, and the largest relative error of each
// set in units of float32's unit roundoff: of portable, and of assembly as the sweep of TestElementwise measured it,
// rounded up, and one more because the definition is rounded too. (A unit in the last place is one or two of them.)
var elementwise = []struct {
	name              string
	kernel            func(s set, out, x []float32)
	want              func(x float64) float64
	portable, vectors float64
}{
	{"GELU", gelu[float32], func(x float64) float64 { return x * math.Erfc(-x/math.Sqrt2) / 2 }, 2, 8},
	{"GELUNew", geluNew[float32], func(x float64) float64 {
		return x / (1 + math.Exp(-2*math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	}, 2, 4},
	{"ReLU", anySet(ReLU[float32]), func(x float64) float64 { return math.Max(x, 0) }, 0, 0},
	{"SiLU", silu[float32], func(x float64) float64 { return x / (1 + math.Exp(-x)) }, 2, 4},
	{"Tanh", tanh[float32], math.Tanh, 1, 4},
}

// anySet is for what has no assembly.
func anySet(kernel func(out, x []float32)) func(_ set, out, x []float32) {
	return func(_ set, out, x []float32) { kernel(out, x) }
}

// Every function over its whole useful range, in place too. GELUNew's argument of exp is computed in float32: its
// relative error, 4 roundoffs, is multiplied by the argument itself, 2u.
func TestElementwise(t *testing.T) {
	var x []float32
	for v := -12.0; v <= 12; v += 1.0 / 4096 {
		x = append(x, float32(v))
	}
	x = append(x, 0, 1e-30, -1e-30, 1e-40, 1e30, -1e30, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), -88, -87, 88)
	for _, f := range elementwise {
		t.Run(f.name, func(t *testing.T) {
			eachSet(t, func(t *testing.T, s set) {
				got, worst := make([]float32, len(x)), 0.0
				f.kernel(s, got, x)
				for i, v := range x {
					w := f.want(float64(v))
					roundoffs := f.vectors
					if s == portable {
						roundoffs = f.portable
					}
					if f.name == "GELUNew" {
						roundoffs += 8 * min(math.Abs(float64(geluInner(float64(v)))), 100)
					} else if e := math.Abs(float64(got[i])-w) / math.Abs(w) * 0x1p24; math.Abs(w) > 1e-37 && e < 1e6 {
						worst = max(worst, e)
					}
					tolerance := numeric.Tolerance{Absolute: 1e-37, Relative: roundoffs * 0x1p-24}
					if c := numeric.Compare(got[i:i+1], []float32{float32(w)}, tolerance); !c.OK() {
						t.Fatalf("at %v: %v", v, c)
					}
				}
				t.Logf("largest error %.2f roundoffs", worst)
				again := append([]float32(nil), x...)
				f.kernel(s, again, again)
				numeric.Check(t, "in place", again, got, numeric.Exact)
			})
		})
	}
}

// GELU and its derivative keep their digits where Φ is small, down to the numbers below the normal range: there Φ, or
// the density, is off by half of the smallest number, 0.7e-45, and x times that. Of x > -1 the derivative, near 1 and
// with a zero at -0.75, has an absolute error. The roundoffs are rounded up from 7.1, 8.8 and 2.3, which were measured
// at every number from 2⁻⁹ to 14, of both signs.
func TestGELUTail(t *testing.T) {
	var x []float32
	for v := -16.0; v < 16; v += 1.0 / 8192 {
		x = append(x, float32(v))
	}
	x = append(x, -1e30, 1e30, float32(math.Inf(-1)), float32(math.Inf(1)), float32(math.NaN()))
	ones := slices.Repeat([]float32{1}, len(x))
	eachSet(t, func(t *testing.T, s set) {
		got, slope := make([]float32, len(x)), make([]float32, len(x))
		gelu(s, got, x)
		geluBackward(s, slope, ones, x)
		for i, v := range x {
			v := float64(v)
			phi := math.Erfc(-v/math.Sqrt2) / 2
			derivative := phi + v*math.Exp(-v*v/2)/math.Sqrt(2*math.Pi)
			tolerance := numeric.Tolerance{Absolute: 2e-44, Relative: 8 * 0x1p-24}
			if c := numeric.Compare([]float64{float64(got[i])}, []float64{v * phi}, tolerance); !c.OK() {
				t.Fatalf("at %v: %v", v, c)
			}
			tolerance.Relative = 9 * 0x1p-24
			if v > -1 {
				tolerance = numeric.Tolerance{Absolute: 3 * 0x1p-24}
			}
			if c := numeric.Compare([]float64{float64(slope[i])}, []float64{derivative}, tolerance); !c.OK() {
				t.Fatalf("derivative at %v: %v", v, c)
			}
		}
	})
}

// FuzzElementwise takes any numbers, in any set: near the definition, and NaN for NaN. Where e⁻ˣ is beyond float32, x·σ(x),
// at most 3e-37, is 0.
func FuzzElementwise(f *testing.F) {
	f.Add([]byte{0, 0, 0xc0, 0x7f, 0, 0, 0x80, 0x7f, 1, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0xb0, 0xc2})
	f.Fuzz(func(t *testing.T, data []byte) {
		x := repeated(data, 1+len(data)/4)
		got := make([]float32, len(x))
		for _, function := range elementwise {
			for _, each := range sets {
				if !each.available {
					continue
				}
				function.kernel(each.set, got, x)
				for i, v := range x {
					w := function.want(float64(v))
					if math.IsInf(float64(v), 0) || function.name == "GELUNew" && math.Abs(float64(v)) > 1e12 {
						continue
					}
					if math.IsNaN(w) != math.IsNaN(float64(got[i])) || math.Abs(float64(got[i])-w) > 3e-37+2e-4*math.Abs(w) {
						t.Fatalf("%s, %v: at %v: got %v, want %v", function.name, each.set, v, got[i], w)
					}
				}
			}
		}
	})
}
