package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"

	"goalbert/internal/numeric"
)

// product is one call of Gemm on random numbers: matrices with rows longer than they need be.
type product struct {
	transA, transB bool
	m, n, k        int
	alpha, beta    float64
	a, b, c        []float64
	lda, ldb, ldc  int
}

func randomProduct(random *rand.Rand, transA, transB bool, m, n, k int) product {
	p := product{transA: transA, transB: transB, m: m, n: n, k: k, alpha: 0.5, beta: float64(random.IntN(3))}
	rows := func(transposed bool, r, c int) (int, int) {
		if transposed {
			return c, r
		}
		return r, c
	}
	matrix := func(r, c int) ([]float64, int) {
		ld := c + random.IntN(3) + 1
		x := make([]float64, r*ld)
		for i := range x {
			x[i] = float64(float32(random.NormFloat64()))
		}
		return x, ld
	}
	p.a, p.lda = matrix(rows(transA, m, k))
	p.b, p.ldb = matrix(rows(transB, k, n))
	p.c, p.ldc = matrix(m, n)
	return p
}

func narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

// oracle is gonum's multiply in float64, and the sum of the absolute values of each element's terms.
func (p product) oracle() (want, terms []float64) {
	transpose := map[bool]blas.Transpose{false: blas.NoTrans, true: blas.Trans}
	run := func(a, b, c []float64) {
		gonum.Implementation{}.Dgemm(transpose[p.transA], transpose[p.transB], p.m, p.n, p.k, p.alpha, a, p.lda, b, p.ldb,
			p.beta, c, p.ldc)
	}
	absolute := func(x []float64) []float64 {
		y := make([]float64, len(x))
		for i, v := range x {
			y[i] = math.Abs(v)
		}
		return y
	}
	want, terms = append([]float64(nil), p.c...), absolute(p.c)
	run(p.a, p.b, want)
	run(absolute(p.a), absolute(p.b), terms)
	return want, terms
}

func (p product) String() string {
	return fmt.Sprintf("transA=%v transB=%v m=%d n=%d k=%d beta=%v", p.transA, p.transB, p.m, p.n, p.k, p.beta)
}

// check runs the product in float32 and in float64. What lies between the rows of C must stay as it is.
func (p product) check(t *testing.T) {
	t.Helper()
	want, terms := p.oracle()
	narrowC, wideC := narrow(p.c), append([]float64(nil), p.c...)
	Gemm(p.transA, p.transB, p.m, p.n, p.k, float32(p.alpha), narrow(p.a), p.lda, narrow(p.b), p.ldb, float32(p.beta), narrowC, p.ldc)
	Gemm(p.transA, p.transB, p.m, p.n, p.k, p.alpha, p.a, p.lda, p.b, p.ldb, p.beta, wideC, p.ldc)
	for i := range want {
		tolerance := numeric.Dot32(terms[i])
		if i%p.ldc >= p.n {
			tolerance = numeric.Exact
		}
		one := numeric.Compare(narrowC[i:i+1], []float32{float32(want[i])}, tolerance)
		two := numeric.Compare(wideC[i:i+1], want[i:i+1], numeric.SameSum64)
		if !one.OK() || !two.OK() {
			t.Fatalf("%v: element %d: float32 %v; float64 %v", p, i, one, two)
		}
	}
}

func TestGemm(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for _, trans := range [][2]bool{{false, false}, {false, true}, {true, false}, {true, true}} {
		for size := 1; size <= 100; size += 1 + size/16 {
			randomProduct(random, trans[0], trans[1], size, 1+random.IntN(100), 1+random.IntN(100)).check(t)
			randomProduct(random, trans[0], trans[1], 1+random.IntN(40), size, 1+random.IntN(40)).check(t)
			randomProduct(random, trans[0], trans[1], 1+random.IntN(40), 1+random.IntN(40), size).check(t)
		}
		for _, edge := range []int{127, 128, 129, 255, 256, 257, 511, 512, 513} {
			randomProduct(random, trans[0], trans[1], edge, 5, 3).check(t)
			randomProduct(random, trans[0], trans[1], 3, edge, 5).check(t)
			randomProduct(random, trans[0], trans[1], 5, 3, edge).check(t)
		}
		randomProduct(random, trans[0], trans[1], 130, 520, 260).check(t)
	}
}

// With β = 0 what C held does not matter, with k = 0 only β does, and empty matrices are no mistake.
func TestGemmAtTheLimits(t *testing.T) {
	c := []float32{float32(math.NaN())}
	Gemm(false, false, 1, 1, 1, 1, []float32{2}, 1, []float32{3}, 1, 0, c, 1)
	if c[0] != 6 {
		t.Errorf("β = 0 over NaN: got %v, want 6", c[0])
	}
	Gemm(false, false, 1, 1, 0, 1, nil, 1, nil, 1, 0.5, c, 1)
	if c[0] != 3 {
		t.Errorf("k = 0: got %v, want 3", c[0])
	}
	Gemm(true, false, 0, 1, 1, 1, nil, 1, []float32{3}, 1, 0, nil, 1)
	Gemm(false, true, 1, 0, 1, 1, []float32{2}, 1, nil, 1, 0, nil, 1)
}

// The bits of a product depend on the numbers alone, not on where they lie in memory nor on the other rows.
func TestGemmBitsDoNotDependOnPlace(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	p := randomProduct(random, false, true, 9, 21, 300)
	a, b := narrow(p.a), narrow(p.b)
	whole := make([]float32, 9*21)
	Gemm(false, true, 9, 21, 300, 1, a, p.lda, b, p.ldb, 0, whole, 21)
	for shift := range 8 {
		moved := append(make([]float32, shift), a...)[shift:]
		for row := range 9 {
			got := make([]float32, 21)
			Gemm(false, true, 1, 21, 300, 1, moved[row*p.lda:], p.lda, b, p.ldb, 0, got, 21)
			numeric.Check(t, fmt.Sprintf("row %d, moved by %d", row, shift), got, whole[row*21:(row+1)*21], numeric.Exact)
		}
	}
}
