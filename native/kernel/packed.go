package kernel

// Packed is the right operand B (k×n) of products C = op(A)·B + D, in the order in which the innermost loop reads it: a
// matrix that is multiplied with often is packed once. Several goroutines may pack parts of it, and any number multiply by
// it afterwards.
//
// The steps are divided into blocks, a block into panels of columns, and a panel holds its columns step by step:
// (k/blockK, n/tileN, blockK, tileN).
type Packed[T Float] struct {
	by     tiling[T]
	k, n   int
	blockK int // steps of each block but the last
	data   []T
}

// PackedSize returns how many numbers a Packed (k×n) needs.
func PackedSize[T Float](p Precision, k, n int) int {
	by := tilingOf[T](setOf[T](), p)
	return by.packedSize(k, n)
}

// NewPacked returns a B (k×n) that lies in memory, of PackedSize numbers, and is to be packed. It panics where the
// precision is not available.
func NewPacked[T Float](p Precision, k, n int, memory []T) Packed[T] {
	if err := p.Available(); err != nil {
		panic(err)
	}
	return tilingOf[T](setOf[T](), p).newPacked(k, n, memory)
}

func (by tiling[T]) newPacked(k, n int, memory []T) Packed[T] {
	return Packed[T]{by: by, k: k, n: n, blockK: by.depth(max(k, 1)), data: memory[:by.packedSize(k, n)]}
}

func (by tiling[T]) packedSize(k, n int) int { return by.elements(k)*by.padded(n) + packSlack }

// Pack takes over x, which is rows lo to hi of B, or of its transpose (n×k); ld is the distance between rows. lo must be a
// multiple of PackUnit, and so must hi unless there are no rows after it.
func (b *Packed[T]) Pack(trans bool, x []T, ld, lo, hi int) {
	switch {
	case lo == hi:
	case trans:
		b.pack(newMatrix(x, ld, false, hi-lo, b.k), lo, hi, 0, b.k)
	default:
		b.pack(newMatrix(x, ld, true, b.n, hi-lo), 0, b.n, lo, hi)
	}
}

// pack takes over columns j to toJ of steps p to toP, which is x.
func (b *Packed[T]) pack(x matrix[T], j, toJ, p, toP int) {
	by, packs := b.by, takePacks[T]()
	defer packs.giveBack()
	for start := p; p < toP; {
		block := p / b.blockK * b.blockK
		depth := min(b.blockK, b.k-block)
		end := min(block+depth, toP)
		first, elements := by.elements(p-block), by.elements(depth)
		for column := j; column < toJ; column += by.tileN {
			at := by.elements(block)*by.padded(b.n) + column*elements + first*by.tileN
			packs.packPanel(by, b.data[at:], by.tileN, min(by.tileN, toJ-column), end-p, x.from(column-j, p-start))
		}
		p = end
	}
}

// Multiply sets C = op(A)·B + D, where op(A) (m×k) is A itself or its transpose, C and D are (m×n), and lda, ldc and ldd
// are the distances between rows. D may be C, and is nothing where it is nil; with ldd = 0 its one row, a bias, is added to
// every row. The order of summation is Gemm's.
func (b *Packed[T]) Multiply(transA bool, m int, a []T, lda int, c []T, ldc int, d []T, ldd int) {
	if m == 0 || b.n == 0 {
		return
	}
	if b.k == 0 {
		copyRows(m, b.n, c, ldc, d, ldd)
		return
	}
	by, beta := b.by, T(1)
	if d == nil {
		d, ldd, beta = c, ldc, 0
	}
	left := newMatrix(a, lda, transA, m, b.k)
	c, d = c[:(m-1)*ldc+b.n], d[:(m-1)*ldd+b.n]
	blockM, blockN := even(m, by.blockM, by.unitM), even(b.n, by.blockN, by.tileN)
	packs := takePacks[T]()
	defer packs.giveBack()
	for i := 0; i < m; i += blockM {
		rows, beta, d, ldd := min(blockM, m-i), beta, d[i*ldd:], ldd
		for p := 0; p < b.k; p += b.blockK {
			depth := min(b.blockK, b.k-p)
			elements := by.elements(depth)
			packs.packA(by, left.from(i, p), rows, depth, b.n)
			for j := 0; j < b.n; j += blockN {
				panels := panel[T]{b.data[by.elements(p)*by.padded(b.n)+j*elements:], 1, by.tileN, elements}
				by.multiply(packs.a, panels, rows, min(blockN, b.n-j), elements, 1, beta, c[i*ldc+j:], ldc, d[j:], ldd)
			}
			beta, d, ldd = 1, c[i*ldc:], ldc
		}
	}
}

// copyRows sets C = D, or zero where D is nil: what is left of a product without a summed dimension.
func copyRows[T Float](m, n int, c []T, ldc int, d []T, ldd int) {
	for i := range m {
		if row := c[i*ldc:][:n]; d == nil {
			clear(row)
		} else {
			copy(row, d[i*ldd:][:n])
		}
	}
}
