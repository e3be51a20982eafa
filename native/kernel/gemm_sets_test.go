package kernel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"goalbert/internal/numeric"
)

// Every kernel set, at all sizes up to its largest tile and beyond, with operands that end, and that begin, at memory
// that must not be touched. Each element is within the bound of its float64 value, and what lies between the rows of C
// stays as it is.
func TestGemmOfEverySet(t *testing.T) {
	eachSet(t, func(t *testing.T, s set) {
		by := tilingBy[float32](s)
		random := rand.New(rand.NewPCG(5, 5))
		for size := 1; size <= 100; size++ {
			trans := [2]bool{size%2 == 0, size%4 < 2}
			others := func() int { return 1 + random.IntN(40) }
			by.checkGuarded(t, randomProduct(random, trans[0], trans[1], size, others(), others()))
			by.checkGuarded(t, randomProduct(random, trans[0], trans[1], others(), size, others()))
			by.checkGuarded(t, randomProduct(random, trans[0], trans[1], others(), others(), size))
		}
		for _, edge := range []int{127, 128, 129, 383, 384, 385, 511, 512, 513, 768, 1025} {
			for i := range 4 {
				p := randomProduct(random, i&1 == 0, i&2 == 0, 3+i, 5, edge)
				by.checkGuarded(t, p)
				by.checkGuarded(t, randomProduct(random, i&1 == 0, i&2 == 0, edge, 17, 3))
				by.checkGuarded(t, randomProduct(random, i&1 == 0, i&2 == 0, 15, edge, 3))
			}
		}
	})
}

func (by tiling[T]) checkGuarded(t *testing.T, p product) {
	t.Helper()
	want, terms := p.oracle()
	a, b, c := place[T](t, p.a), place[T](t, p.b), place[T](t, p.c)
	for i := range a { // before a page that must not be touched, and behind one
		by.gemm(p.transA, p.transB, p.m, p.n, p.k, T(p.alpha), a[i], p.lda, b[i], p.ldb, T(p.beta), c[i], p.ldc)
		for j := range want {
			tolerance := numeric.Dot32(terms[j])
			if j%p.ldc >= p.n {
				tolerance = numeric.Exact
			}
			if one := numeric.Compare(c[i][j:j+1], []T{T(want[j])}, tolerance); !one.OK() {
				t.Fatalf("%v: element %d: %v", p, j, one)
			}
		}
	}
}

// place copies x to memory that ends at a guard page, and to memory that begins at one.
func place[T Float](t *testing.T, x []float64) [2][]T {
	t.Helper()
	before, _ := guarded[T](t, len(x))
	_, behind := guarded[T](t, len(x))
	for i, v := range x {
		before[i], behind[i] = T(v), T(v)
	}
	return [2][]T{before, behind}
}

// In every set an element has the same bits whatever the product around it: alone in its row and column, at any place of
// a tile and of memory, whole products or parts of them.
func TestBitsOfEverySet(t *testing.T) {
	eachSet(t, func(t *testing.T, s set) {
		by := tilingBy[float32](s)
		random := rand.New(rand.NewPCG(6, 6))
		for _, k := range []int{1, 7, 64, 385, 1000} {
			p := randomProduct(random, false, true, 33, 70, k)
			a, b := narrow(p.a), narrow(p.b)
			whole := make([]float32, p.m*p.n)
			by.gemm(false, true, p.m, p.n, k, 1, a, p.lda, b, p.ldb, 0, whole, p.n)
			for range 40 {
				i, j := random.IntN(p.m), random.IntN(p.n)
				m, n := 1+random.IntN(p.m-i), 1+random.IntN(p.n-j)
				moved := slices.Concat(make([]float32, random.IntN(9)), a[i*p.lda:])
				moved = moved[len(moved)-len(a[i*p.lda:]):]
				part := make([]float32, m*n)
				by.gemm(false, true, m, n, k, 1, moved, p.lda, b[j*p.ldb:], p.ldb, 0, part, n)
				for row := range m {
					name := fmt.Sprintf("k=%d: rows from %d, columns from %d of %d, row %d", k, i, j, n, row)
					numeric.Check(t, name, part[row*n:(row+1)*n], whole[(i+row)*p.n+j:][:n], numeric.Exact)
				}
			}
		}
	})
}

// FuzzGemm compares the fastest set with the portable one on arbitrary sizes and places.
func FuzzGemm(f *testing.F) {
	f.Add(uint64(1), uint8(3), uint8(5), uint16(7), true, false)
	f.Add(uint64(2), uint8(14), uint8(32), uint16(384), false, true)
	f.Fuzz(func(t *testing.T, seed uint64, m, n uint8, k uint16, transA, transB bool) {
		if m == 0 || n == 0 || k == 0 || k > 1200 {
			return
		}
		p := randomProduct(rand.New(rand.NewPCG(seed, 0)), transA, transB, int(m), int(n), int(k))
		tilingOf[float32]().checkGuarded(t, p)
	})
}

// Products in steady state allocate nothing.
func TestGemmAllocatesNothing(t *testing.T) {
	a, b, c := make([]float32, 100*90), make([]float32, 90*80), make([]float32, 100*80)
	run := func() { Gemm(false, false, 100, 80, 90, 1, a, 90, b, 80, 0, c, 80) }
	run()
	if n := testing.AllocsPerRun(100, run); n > 0 {
		t.Errorf("%v allocations a product, want none", n)
	}
}
