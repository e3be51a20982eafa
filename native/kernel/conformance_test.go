package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"goalbert/internal/numeric"
)

// conformance lists the kernels of slices, each for both types: its float64 instance is the reference of every set.
var conformance = []struct {
	name      string
	lengths   func(n int) []int // of the arguments; rows of three, and n columns
	run32     func(s set, x [][]float32)
	run64     func(s set, x [][]float64)
	inPlace   int                           // the argument that the first may be; 0: none
	positive  int                           // an argument that must not be negative; 0: none
	tolerance func(n int) numeric.Tolerance // of n normal numbers or columns
}{
	{"add", same(2), addCase[float32], addCase[float64], 1, 0, roundoffs(1, 0)},
	{"axpy", same(2), axpyCase[float32], axpyCase[float64], 1, 0, roundoffs(2, 8)},
	{"gelu", same(2), geluCase[float32], geluCase[float64], 1, 0, roundoffs(8, 0)},
	{"geluBackward", same(3), geluBackwardCase[float32], geluBackwardCase[float64], 1, 0, roundoffs(4, 8)},
	{"geluNew", same(2), geluNewCase[float32], geluNewCase[float64], 1, 0, roundoffs(60, 1)},
	{"geluNewBackward", same(3), geluNewBackwardCase[float32], geluNewBackwardCase[float64], 1, 0, roundoffs(4, 300)},
	{"silu", same(2), siluCase[float32], siluCase[float64], 1, 0, roundoffs(4, 0)},
	{"siluBackward", same(3), siluBackwardCase[float32], siluBackwardCase[float64], 1, 0, roundoffs(4, 200)},
	{"tanh", same(2), tanhCase[float32], tanhCase[float64], 1, 0, roundoffs(4, 0)},
	{"tanhBackward", same(3), tanhBackwardCase[float32], tanhBackwardCase[float64], 1, 0, roundoffs(4, 300)},
	{"dropout", same(2), dropoutCase[float32], dropoutCase[float64], 1, 0, roundoffs(0, 0)},
	{"softmax", rows(2), softmaxCase[float32], softmaxCase[float64], 1, 0, perElement(32, 0)},
	{"softmaxBackward", rows(3), softmaxBackwardCase[float32], softmaxBackwardCase[float64], 1, 0, perElement(4, 2000)},
	{"sumExp", func(n int) []int { return []int{2, n} }, sumExpCase[float32], sumExpCase[float64], 0, 0, perElement(32, 0)},
	{"layerNorm", layerNormLengths, layerNormCase[float32], layerNormCase[float64], 3, 0, perElement(100, 100)},
	{"layerNormBackward", layerNormBackwardLengths, layerNormBackwardCase[float32], layerNormBackwardCase[float64], 3, 0,
		perElement(100, 2000)},
	{"adamW", same(4), adamWCase[float32], adamWCase[float64], 0, 2, roundoffs(8, 16)},
	{"lambUpdate", same(5), lambUpdateCase[float32], lambUpdateCase[float64], 4, 3, roundoffs(16, 16)},
}

func same(count int) func(n int) []int {
	return func(n int) []int {
		lengths := make([]int, count)
		for i := range lengths {
			lengths[i] = n
		}
		return lengths
	}
}

func rows(count int) func(n int) []int { return func(n int) []int { return same(count)(3 * n) } }

func layerNormLengths(n int) []int         { return []int{3 * n, 3, 3, 3 * n, n, n} }
func layerNormBackwardLengths(n int) []int { return []int{3 * n, n, n, 3 * n, 3 * n, 3, 3, n} }

// roundoffs is a tolerance in units of the unit roundoff: relative, and absolute for numbers of about 1.
func roundoffs(relative, absolute float64) func(int) numeric.Tolerance {
	return func(int) numeric.Tolerance {
		return numeric.Tolerance{Absolute: absolute * 0x1p-24, Relative: relative * 0x1p-24}
	}
}

// perElement is roundoffs where a sum adds half of one for each of its terms.
func perElement(relative, absolute float64) func(int) numeric.Tolerance {
	return func(n int) numeric.Tolerance {
		return roundoffs(relative+float64(n)/2, absolute+float64(n)/2)(n)
	}
}

func addCase[T Float](s set, x [][]T)             { add(s, x[0], x[1]) }
func axpyCase[T Float](s set, x [][]T)            { axpy(s, 0.7, x[1], x[0]) }
func geluCase[T Float](s set, x [][]T)            { gelu(s, x[0], x[1]) }
func geluBackwardCase[T Float](s set, x [][]T)    { geluBackward(s, x[0], x[1], x[2]) }
func geluNewCase[T Float](s set, x [][]T)         { geluNew(s, x[0], x[1]) }
func geluNewBackwardCase[T Float](s set, x [][]T) { geluNewBackward(s, x[0], x[1], x[2]) }
func siluCase[T Float](s set, x [][]T)            { silu(s, x[0], x[1]) }
func siluBackwardCase[T Float](s set, x [][]T)    { siluBackward(s, x[0], x[1], x[2]) }

func tanhCase[T Float](s set, x [][]T)         { tanh(s, x[0], x[1]) }
func tanhBackwardCase[T Float](s set, x [][]T) { tanhBackward(s, x[0], x[1], x[2]) }

// dropoutCase has a scale whose products float32 rounds as float64, narrowed, has them.
func dropoutCase[T Float](s set, x [][]T) {
	dropout(s, x[0], x[1], [4]uint32{math.MaxUint32 - 9, 2, 3, 4}, [2]uint32{5, 6}, 1<<30, 1.25)
}

func softmaxCase[T Float](s set, x [][]T) {
	if columns := len(x[1]) / 3; columns > 0 {
		scaledSoftmax(s, x[0], x[1], columns, 0.5, 0.25)
	}
}

func softmaxBackwardCase[T Float](s set, x [][]T) {
	if columns := len(x[0]) / 3; columns > 0 {
		softmaxBackward(s, x[0], x[1], x[2], columns, 0.5)
	}
}

func sumExpCase[T Float](s set, x [][]T) {
	if len(x[1]) > 0 {
		top, sum := sumExp(s, x[1])
		x[0][0], x[0][1] = top, T(sum)
	}
}

func layerNormCase[T Float](s set, x [][]T) {
	if len(x[4]) > 1 { // of one number the variance is rounding alone
		layerNorm(s, x[0], x[1], x[2], x[3], x[4], x[5], 1e-12)
	}
}

func layerNormBackwardCase[T Float](s set, x [][]T) {
	layerNormBackward(s, x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7])
}

func adamWCase[T Float](s set, x [][]T) {
	adamW(s, x[0], x[1], x[2], x[3], averagesOf[T](0.9, 0.99, 0.5), adamWConstants[T]{0.99, 0.1, 1.5, 1e-3})
}

func lambUpdateCase[T Float](s set, x [][]T) {
	lambUpdate(s, x[0], x[1], x[2], x[3], x[4], averagesOf[T](0.9, 0.99, 0.5), 1e-3, 0.1)
}

func absolute(x []float64) {
	for i, v := range x {
		x[i] = math.Abs(v)
	}
}

// Every kernel of every set at all small sizes and the edges of vectors, between pages that must not be touched, in
// place where that is allowed. The bits are the same wherever the arguments lie.
func TestConformance(t *testing.T) {
	for _, kernel := range conformance {
		t.Run(kernel.name, func(t *testing.T) {
			eachSet(t, func(t *testing.T, s set) {
				for _, n := range sizes() {
					var start, want [][]float64
					for i, length := range kernel.lengths(n) {
						x := normals(uint64(10*n+i), length)
						if i == kernel.positive {
							absolute(x)
						}
						start = append(start, widen(narrow(x)))
						want = append(want, slices.Clone(start[i]))
					}
					kernel.run64(portable, want)
					places := placed(t, start)
					for place, x := range places {
						kernel.run32(s, x)
						for i := range x {
							name := fmt.Sprintf("size %d, place %d, argument %d", n, place, i)
							match(t, name, x[i], narrow(want[i]), kernel.tolerance(n))
							match(t, name+" as at place 0", x[i], places[0][i], numeric.Exact)
						}
					}
					if kernel.inPlace > 0 {
						start[0] = start[kernel.inPlace]
						separate, alias := narrowed(start), narrowed(start)
						alias[0] = alias[kernel.inPlace]
						kernel.run32(s, separate)
						kernel.run32(s, alias)
						match(t, fmt.Sprintf("size %d in place", n), alias[0], separate[0], numeric.Exact)
					}
				}
			})
		})
	}
}

// No kernel allocates, in any set, for either type.
func TestKernelsDoNotAllocate(t *testing.T) {
	for _, kernel := range conformance {
		t.Run(kernel.name, func(t *testing.T) {
			eachSet(t, func(t *testing.T, s set) {
				var wide [][]float64
				for i, length := range kernel.lengths(100) {
					wide = append(wide, normals(uint64(i), length))
					absolute(wide[i])
				}
				x := narrowed(wide)
				if n := testing.AllocsPerRun(10, func() { kernel.run32(s, x) }); n != 0 {
					t.Errorf("float32: %v allocations, want none", n)
				}
				if n := testing.AllocsPerRun(10, func() { kernel.run64(portable, wide) }); n != 0 {
					t.Errorf("float64: %v allocations, want none", n)
				}
			})
		})
	}
}

// FuzzConformance gives the kernels whatever the bytes are as numbers. Nothing outside of the arguments is touched, and the
// bits are the same wherever they lie.
func FuzzConformance(f *testing.F) {
	f.Add(uint8(17), []byte{0, 0, 0xc0, 0x7f, 0, 0, 0x80, 0x7f, 1, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0xb0, 0xc2})
	f.Fuzz(func(t *testing.T, size uint8, data []byte) {
		for _, kernel := range conformance {
			for _, each := range sets {
				if !each.available {
					continue
				}
				var start [][]float64
				for i, length := range kernel.lengths(int(size)) {
					start = append(start, widen(repeated(data[min(i, len(data)):], length)))
				}
				places := placed(t, start)
				for place, x := range places {
					kernel.run32(each.set, x)
					for i := range x {
						match(t, fmt.Sprintf("%s, %v, place %d, argument %d", kernel.name, each.set, place, i), x[i], places[0][i],
							numeric.Exact)
					}
				}
			}
		}
	})
}

// match is numeric.Check where what is within the tolerance is not worth a line.
func match(t *testing.T, name string, got, want []float32, tolerance numeric.Tolerance) {
	t.Helper()
	if compared := numeric.Compare(got, want, tolerance); !compared.OK() {
		t.Fatalf("%s: %v", name, compared)
	}
}

func narrowed(x [][]float64) [][]float32 {
	var y [][]float32
	for _, v := range x {
		y = append(y, narrow(v))
	}
	return y
}

// placed returns the arguments as float32 that end at a guard page, that begin at one, and that begin at odd addresses.
func placed(t *testing.T, start [][]float64) [3][][]float32 {
	var places [3][][]float32
	for i, x := range start {
		before, _ := guarded[float32](t, len(x))
		_, behind := guarded[float32](t, len(x))
		odd := make([]float32, len(x)+i+1)[i+1:]
		for place, to := range [][]float32{before, behind, odd} {
			copy(to, narrow(x))
			places[place] = append(places[place], to)
		}
	}
	return places
}

// The loss and its gradient in every set against float64, with one row that does not count.
func TestCrossEntropyOfEverySet(t *testing.T) {
	eachSet(t, func(t *testing.T, s set) {
		for _, classes := range []int{1, 2, 3, 15, 16, 17, 100, 8000} {
			logits, labels := normals(1, 4*classes), []int32{0, -100, int32(classes - 1), int32(classes / 2)}
			logits[2*classes+classes-1] = 50 // one that is right
			want, count, correct := crossEntropy(portable, widen(narrow(logits)), labels, -100)
			got, count32, correct32 := crossEntropy(s, narrow(logits), labels, -100)
			if math.Abs(got-want) > 1e-6*want+1e-6 || count32 != count || correct32 != correct {
				t.Errorf("%d classes: %v over %d rows, %d right; want %v over %d, %d",
					classes, got, count32, correct32, want, count, correct)
			}
			wide, d := make([]float64, len(logits)), make([]float32, len(logits))
			crossEntropyBackward(portable, wide, widen(narrow(logits)), labels, -100, 0.25)
			crossEntropyBackward(s, d, narrow(logits), labels, -100, 0.25)
			numeric.Check(t, fmt.Sprintf("gradient of %d classes", classes), d, narrow(wide),
				numeric.Tolerance{Absolute: 1e-7, Relative: 1e-5})
		}
	})
}

// Of equal largest logits the first is the answer.
func TestCrossEntropyTies(t *testing.T) {
	eachSet(t, func(t *testing.T, s set) {
		for label, want := range []int{1: 1, 2: 0, 3: 0} {
			if _, _, correct := crossEntropy(s, []float32{0, 2, 2, 1}, []int32{int32(label)}, -100); correct != want {
				t.Errorf("label %d: %d right, want %d", label, correct, want)
			}
		}
	})
}

func TestSumSquaresOfEverySet(t *testing.T) {
	eachSet(t, func(t *testing.T, s set) {
		for _, n := range sizes() {
			before, behind := guarded[float32](t, n)
			want := 0.0
			for i, v := range normals(1, n) {
				before[i] = float32(v)
				want += float64(float32(v)) * float64(float32(v))
			}
			got := sumSquares(s, before)
			copy(behind, before)
			numeric.Check(t, fmt.Sprintf("of %d", n), []float64{got, sumSquares(s, behind)}, []float64{want, got}, numeric.SameSum64)
		}
	})
}

// BenchmarkVectors runs each kernel on 3072 numbers, or on 3 rows of as many.
func BenchmarkVectors(b *testing.B) {
	const n = 3072
	for _, kernel := range conformance {
		for _, each := range sets {
			if !each.available {
				continue
			}
			b.Run(fmt.Sprintf("impl=%v/kernel=%s", each.set, kernel.name), func(b *testing.B) {
				var x [][]float32
				for i, length := range kernel.lengths(n) {
					v := normals(uint64(i), length)
					absolute(v)
					x = append(x, narrow(v))
				}
				for b.Loop() {
					kernel.run32(each.set, x)
				}
				elements := float64(slices.Max(kernel.lengths(n)))
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/elements, "ns/element")
			})
		}
	}
}
