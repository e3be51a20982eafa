package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"

	"goalbert/internal/numeric"
)

// packedBy returns p's right operand packed in three parts, in memory that may be guarded.
func packedBy(by tiling[float32], p product, b, memory []float32) Packed[float32] {
	packed := by.newPacked(p.k, p.n, memory)
	rows := p.k
	if p.transB {
		rows = p.n
	}
	from := 0
	for _, to := range []int{rows / 3 / PackUnit * PackUnit, rows * 2 / 3 / PackUnit * PackUnit, rows} {
		packed.Pack(p.transB, b[from*p.ldb:], p.ldb, from, to)
		from = to
	}
	return packed
}

// Multiply gives the bits of Gemm, whatever D is, from guarded memory, and leaves what lies between the rows of C.
func TestPackedIsGemm(t *testing.T) {
	eachTiling(t, func(t *testing.T, by tiling[float32]) {
		const largest = 1 << 18
		memory, _ := guarded[float32](t, largest)
		guardedA, _ := guarded[float32](t, largest)
		guardedC, _ := guarded[float32](t, largest)
		guardedD, _ := guarded[float32](t, largest)
		last := func(of, x []float32) []float32 { return append(of[len(of)-len(x):][:0], x...) }
		eachProduct(func(p product) {
			size := by.packedSize(p.k, p.n)
			if max(size, len(p.a), len(p.c)) > largest {
				return
			}
			p.alpha = 1
			packed := packedBy(by, p, narrow(p.b), memory[len(memory)-size:])
			a := last(guardedA, narrow(p.a))
			for _, beta := range []float64{0, 1} {
				p.beta = beta
				want := narrow(p.c)
				p.run(by, narrow(p.a), narrow(p.b), want)
				c, d := last(guardedC, narrow(p.c)), []float32(nil)
				if beta == 1 {
					d = c
				}
				packed.Multiply(p.transA, p.m, a, p.lda, c, p.ldc, d, p.ldc)
				match(t, p.String(), c, want, numeric.Exact)
				if beta == 1 { // D apart from C
					c, d = last(guardedC, narrow(p.c)), last(guardedD, narrow(p.c))
					packed.Multiply(p.transA, p.m, a, p.lda, c, p.ldc, d, p.ldc)
					match(t, p.String()+", D apart", c, want, numeric.Exact)
				}
			}
		})
	})
}

// A bias is one row for all.
func TestPackedAddsBias(t *testing.T) {
	eachTiling(t, func(t *testing.T, by tiling[float32]) {
		random := rand.New(rand.NewPCG(3, 3))
		for _, size := range [][3]int{{1, 1, 1}, {15, 33, 7}, {300, 200, 50}, {20, 40, 1700}} {
			p := randomProduct(random, false, true, size[0], size[1], size[2])
			p.alpha, p.beta = 1, 1
			bias := normals(5, p.n)
			for i := range p.m {
				copy(p.c[i*p.ldc:], bias)
			}
			packed := packedBy(by, p, narrow(p.b), make([]float32, by.packedSize(p.k, p.n)))
			c := narrow(p.c)
			for i := range p.m {
				clear(c[i*p.ldc:][:p.n])
			}
			packed.Multiply(false, p.m, narrow(p.a), p.lda, c, p.ldc, narrow(bias), 0)
			p.compare(t, by.precision, c)
		}
	})
}

func TestPackedAllocatesNothing(t *testing.T) {
	eachTiling(t, func(t *testing.T, by tiling[float32]) {
		x, y := make([]float32, 100*100), make([]float32, 100*100)
		packed := by.newPacked(100, 100, make([]float32, by.packedSize(100, 100)))
		run := func() {
			packed.Pack(true, x, 100, 0, 100)
			packed.Multiply(false, 100, x, 100, y, 100, nil, 0)
		}
		run()
		if n := testing.AllocsPerRun(20, run); n > 0 {
			t.Errorf("%v allocations, want 0", n)
		}
	})
}

func TestPackedFloat64(t *testing.T) {
	eachProduct(func(p product) {
		p.alpha = 1
		p.beta = 1
		want, _ := p.oracle()
		packed := NewPacked(Full, p.k, p.n, make([]float64, PackedSize[float64](Full, p.k, p.n)))
		packed.Pack(p.transB, p.b, p.ldb, 0, map[bool]int{true: p.n, false: p.k}[p.transB])
		got := slices.Clone(p.c)
		packed.Multiply(p.transA, p.m, p.a, p.lda, got, p.ldc, got, p.ldc)
		numeric.Check(t, p.String(), got, want, numeric.SameSum64)
	})
}

// Without a summed dimension C is D, or zero.
func TestPackedWithoutSteps(t *testing.T) {
	eachTiling(t, func(t *testing.T, by tiling[float32]) {
		packed := by.newPacked(0, 3, make([]float32, by.packedSize(0, 3)))
		packed.Pack(false, nil, 3, 0, 0)
		c := []float32{9, 9, 9, 9, 9, 9}
		packed.Multiply(false, 2, nil, 1, c, 3, []float32{1, 2, 3}, 0)
		match(t, "C with a bias", c, []float32{1, 2, 3, 1, 2, 3}, numeric.Exact)
		packed.Multiply(false, 2, nil, 1, c, 3, nil, 0)
		match(t, "C alone", c, make([]float32, 6), numeric.Exact)
	})
}
