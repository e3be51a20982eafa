package kernel

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"

	"goalbert/internal/numeric"
)

// product is one call of Gemm: matrices with rows longer than they need be, of which the last ends where it must.
type product struct {
	transA, transB bool
	m, n, k        int
	alpha, beta    float64
	a, b, c        []float64
	lda, ldb, ldc  int
}

func randomProduct(random *rand.Rand, transA, transB bool, m, n, k int) product {
	p := product{transA: transA, transB: transB, m: m, n: n, k: k, alpha: 0.5, beta: float64(random.IntN(3))}
	matrix := func(transposed bool, rows, columns int) ([]float64, int) {
		if transposed {
			rows, columns = columns, rows
		}
		ld := columns + random.IntN(4)
		x := make([]float64, (rows-1)*ld+columns)
		for i := range x {
			x[i] = float64(float32(random.NormFloat64()))
		}
		return x, ld
	}
	p.a, p.lda = matrix(transA, m, k)
	p.b, p.ldb = matrix(transB, k, n)
	p.c, p.ldc = matrix(false, m, n)
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
	want = slices.Clone(p.c)
	run(p.a, p.b, want)
	a, b, terms := slices.Clone(p.a), slices.Clone(p.b), slices.Clone(p.c)
	for _, x := range [][]float64{a, b, terms} {
		absolute(x)
	}
	run(a, b, terms)
	return want, terms
}

func (p product) String() string {
	return fmt.Sprintf("transA=%v transB=%v m=%d n=%d k=%d lda=%d ldb=%d ldc=%d beta=%v",
		p.transA, p.transB, p.m, p.n, p.k, p.lda, p.ldb, p.ldc, p.beta)
}

// eachTiling runs a test for every tiling whose kernels this processor has.
func eachTiling(t *testing.T, test func(t *testing.T, by tiling[float32])) {
	for _, each := range tilings {
		t.Run(each.String(), func(t *testing.T) {
			if !each.available {
				t.Skip("not on this processor, or not in this build")
			}
			test(t, each.tiling)
		})
	}
}

// factors returns x as it is multiplied in a precision. A number that is no normal one is zero in bf16.
func factors(precision Precision, x []float64) []float64 {
	if precision != BF16 {
		return x
	}
	rounded := make([]float64, len(x))
	for i, v := range x {
		bits := math.Float32bits(float32(v))
		if !math.IsNaN(v) {
			bits += 0x7fff + bits>>16&1 // to the nearest, a tie to the even one
		}
		rounded[i] = float64(math.Float32frombits(bits &^ 0xffff))
		if math.Abs(v) < 0x1p-126 {
			rounded[i] = math.Copysign(0, v)
		}
	}
	return rounded
}

// run computes the product in float32 by a tiling.
func (p product) run(by tiling[float32], a, b, c []float32) {
	by.gemm(p.transA, p.transB, p.m, p.n, p.k, float32(p.alpha), a, p.lda, b, p.ldb, float32(p.beta), c, p.ldc)
}

// check compares the product in float32, by a tiling, with the oracle. What lies between the rows of C must stay.
func (p product) check(t *testing.T, by tiling[float32]) {
	t.Helper()
	c := narrow(p.c)
	p.run(by, narrow(p.a), narrow(p.b), c)
	p.compare(t, by.precision, c)
}

// compare compares c with the oracle of factors of a precision.
func (p product) compare(t *testing.T, precision Precision, c []float32) {
	t.Helper()
	p.a, p.b = factors(precision, p.a), factors(precision, p.b)
	want, terms := p.oracle()
	for i := range want {
		tolerance := numeric.Dot32(terms[i])
		if i%p.ldc >= p.n {
			tolerance = numeric.Exact
		}
		if compared := numeric.Compare(c[i:i+1], []float32{float32(want[i])}, tolerance); !compared.OK() {
			t.Fatalf("%v: element %d: %v", p, i, compared)
		}
	}
}

// eachProduct calls do with products of all kinds of transposition, of small sizes and at the edges of tiles and blocks.
func eachProduct(do func(p product)) {
	random := rand.New(rand.NewPCG(1, 1))
	for _, trans := range [][2]bool{{false, false}, {false, true}, {true, false}, {true, true}} {
		of := func(m, n, k int) { do(randomProduct(random, trans[0], trans[1], m, n, k)) }
		for size := 1; size <= 100; size++ {
			of(size, 1+random.IntN(100), 1+random.IntN(40))
			of(1+random.IntN(40), size, 1+random.IntN(40))
			of(1+random.IntN(40), 1+random.IntN(40), size)
		}
		for _, edge := range []int{127, 128, 129, 255, 256, 257, 383, 384, 385, 767, 768, 769, 1535, 1536, 1537, 1600} {
			of(edge, 5, 3)
			of(3, edge, 5)
			of(5, 3, edge)
		}
		of(130, 520, 260)
		of(520, 130, 400)
	}
}

func TestGemm(t *testing.T) {
	eachTiling(t, func(t *testing.T, by tiling[float32]) { eachProduct(func(p product) { p.check(t, by) }) })
}

func TestGemmFloat64(t *testing.T) {
	eachProduct(func(p product) {
		want, _ := p.oracle()
		got := slices.Clone(p.c)
		Gemm(p.transA, p.transB, p.m, p.n, p.k, p.alpha, p.a, p.lda, p.b, p.ldb, p.beta, got, p.ldc)
		numeric.Check(t, p.String(), got, want, numeric.SameSum64)
	})
}

// Nothing outside of the matrices is read or written, and the bits are the same wherever they lie.
func TestGemmBetweenGuards(t *testing.T) {
	eachTiling(t, func(t *testing.T, by tiling[float32]) {
		const largest = 1 << 16
		var guardedA, guardedB, guardedC [2][]float32
		guardedA[0], guardedA[1] = guarded[float32](t, largest)
		guardedB[0], guardedB[1] = guarded[float32](t, largest)
		guardedC[0], guardedC[1] = guarded[float32](t, largest)
		place := func(x []float64, at [2][]float32, side int) []float32 {
			to := at[side]
			if side == 0 {
				to = to[len(to)-len(x):]
			}
			return append(to[:0], narrow(x)...)
		}
		eachProduct(func(p product) {
			if max(len(p.a), len(p.b), len(p.c)) > largest {
				return
			}
			want := narrow(p.c)
			p.run(by, narrow(p.a), narrow(p.b), want)
			for side := range 2 {
				c := place(p.c, guardedC, side)
				p.run(by, place(p.a, guardedA, side), place(p.b, guardedB, side), c)
				match(t, p.String(), c, want, numeric.Exact)
			}
		})
	})
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

// Matrices that are too short panic before anything is read, as they would without assembly.
func TestGemmRefusesShortMatrices(t *testing.T) {
	for name, lengths := range map[string][3]int{
		"A": {2*8 + 2, 2*9 + 5, 2*7 + 5},
		"B": {2*8 + 3, 2*9 + 4, 2*7 + 5},
		"C": {2*8 + 3, 2*9 + 5, 2*7 + 4},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			x := func(i int) []float32 { return make([]float32, lengths[i])[:lengths[i]:lengths[i]] }
			Gemm(false, false, 3, 5, 3, 1, x(0), 8, x(1), 9, 0, x(2), 7)
		})
	}
}

// The bits of an element depend on its row of op(A), its column of op(B) and on k alone: not on where in memory they
// lie, on the other rows and columns, nor on whether the tile is an edge or an operand was packed.
func TestGemmBitsDoNotDependOnPlace(t *testing.T) {
	eachTiling(t, func(t *testing.T, by tiling[float32]) {
		random := rand.New(rand.NewPCG(2, 2))
		for _, trans := range [][2]bool{{false, false}, {false, true}, {true, false}, {true, true}} {
			for _, k := range []int{1, 17, 300, 1601} {
				p := randomProduct(random, trans[0], trans[1], 530, 531, k) // so many that both operands are packed
				p.beta = 1
				a, b, whole := narrow(p.a), narrow(p.b), narrow(p.c)
				p.run(by, a, b, whole)
				for range 60 {
					part := p
					i, j := random.IntN(p.m), random.IntN(p.n)
					part.m, part.n = 1+random.IntN(min(p.m-i, 40)), 1+random.IntN(min(p.n-j, 70))
					if random.IntN(10) == 0 {
						part.n = p.n - j
					}
					startA, startB := i*p.lda, j
					if p.transA {
						startA = i
					}
					if p.transB {
						startB = j * p.ldb
					}
					shift := random.IntN(16)
					moved := append(make([]float32, shift), a[startA:]...)[shift:]
					got := append(make([]float32, shift), narrow(p.c[i*p.ldc+j:])...)[shift:]
					part.run(by, moved, b[startB:], got)
					for row := range part.m {
						name := fmt.Sprintf("%v, from row %d, column %d: row %d", part, i, j, row)
						match(t, name, got[row*p.ldc:][:part.n], whole[(i+row)*p.ldc+j:][:part.n], numeric.Exact)
					}
				}
			}
		}
	})
}

func TestGemmAllocatesNothing(t *testing.T) {
	x, y := make([]float32, 100*100), make([]float32, 100*100)
	Gemm(false, true, 100, 100, 100, 1, x, 100, x, 100, 0, y, 100)
	if n := testing.AllocsPerRun(20, func() { Gemm(false, true, 100, 100, 100, 1, x, 100, x, 100, 0, y, 100) }); n > 0 {
		t.Errorf("%v allocations a product, want 0", n)
	}
}

// FuzzGemm multiplies whatever the bytes are as numbers. An element is near that of the float64 loop where all of its
// terms are finite and of moderate size, and no number where one of its factors is none.
func FuzzGemm(f *testing.F) {
	f.Add(uint8(3), uint8(5), uint8(7), true, []byte("a few bytes to start from, repeated as numbers"))
	f.Add(uint8(14), uint8(33), uint8(1), false, []byte{0, 0, 0xc0, 0x7f, 0, 0, 0x80, 0x7f, 1, 0, 0, 0, 0, 0, 0x80, 0x3f})
	f.Add(uint8(8), uint8(56), uint8(2), true, []byte("a denormal number that would round to a normal one \xff\x7f\x00\x00 \xa6\xa6\xa6\xa6\x97"))
	f.Fuzz(func(t *testing.T, rows, columns, depth uint8, transposed bool, data []byte) {
		m, n, k := 1+int(rows)%70, 1+int(columns)%70, 1+int(depth)%70
		a, b := repeated(data, m*k), repeated(data[len(data)/2:], k*n)
		lda, ldb := k, n
		if transposed {
			lda, ldb = m, k
		}
		for _, each := range tilings {
			if !each.available {
				continue
			}
			c := make([]float32, m*n)
			x, y := factors(each.precision, widen(a)), factors(each.precision, widen(b))
			smallest := math.SmallestNonzeroFloat32
			if each.precision == BF16 {
				smallest = 0x1p-126 // what is below is taken for zero
			}
			each.gemm(transposed, transposed, m, n, k, 1, a, lda, b, ldb, 0, c, n)
			for i := range m {
				for j := range n {
					sum, terms := 0.0, 0.0
					for p := range k {
						term := x[i*k+p] * y[p*n+j]
						if transposed {
							term = x[i+p*m] * y[p+j*k]
						}
						sum, terms = sum+term, terms+math.Abs(term)
					}
					got := float64(c[i*n+j])
					if math.IsNaN(terms) || math.IsInf(terms, 0) {
						if !math.IsNaN(got) && !math.IsInf(got, 0) {
							t.Fatalf("%v: %dx%dx%d: element %d, %d is %v, want what %v is", each.tiling, m, n, k, i, j, got, terms)
						}
					} else if terms < math.MaxFloat32/2 {
						// The rigorous bound: numbers that repeat are rounded in the same direction again and again.
						tolerance := numeric.Tolerance{Absolute: float64(k) * (0x1p-23*terms + smallest)}
						if compared := numeric.Compare([]float64{got}, []float64{sum}, tolerance); !compared.OK() {
							t.Fatalf("%v: %dx%dx%d: element %d, %d: %v", each.tiling, m, n, k, i, j, compared)
						}
					}
				}
			}
		}
	})
}

// repeated returns n numbers of which the bytes, again and again, are those of data.
func repeated(data []byte, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		var bits [4]byte
		for j := range bits {
			if len(data) > 0 {
				bits[j] = data[(4*i+j)%len(data)]
			}
		}
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(bits[:]))
	}
	return x
}
