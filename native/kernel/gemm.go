package kernel

import "sync"

// The blocks that are packed at a time: blockK x blockN of op(B) stay in the second-level cache while all of op(A)
// passes by in pieces of blockM x blockK. blockK decides the order of summation, and so the bits.
const (
	blockM = 128
	blockN = 512
	blockK = 256
)

// Gemm computes
//
//	C = α·op(A)·op(B) + β·C
//
// where op(A) is m×k, A itself or its transpose, op(B) is k×n, and C is m×n; lda, ldb and ldc are the distances between
// rows. With β = 0, C need not be initialized. C must overlap neither A nor B.
//
// The products of an element of C are added in an order that depends on k alone: first within each block of blockK,
// then block by block.
//
// Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", TOMS 2008.
func Gemm[T Float](transA, transB bool, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	if m == 0 || n == 0 {
		return
	}
	if k == 0 {
		scaleRows(m, n, beta, c, ldc)
		return
	}
	packs := takePacks[T]()
	defer packs.giveBack()
	for j := 0; j < n; j += blockN {
		columns, betaNow := min(blockN, n-j), beta
		for p := 0; p < k; p += blockK {
			depth := min(blockK, k-p)
			pack(packs.b, tileN, !transB, columns, depth, b[start(!transB, j, p, ldb):], ldb)
			for i := 0; i < m; i += blockM {
				rows := min(blockM, m-i)
				pack(packs.a, tileM, transA, rows, depth, a[start(transA, i, p, lda):], lda)
				multiplyPacked(rows, columns, depth, alpha, packs.a, packs.b, betaNow, c[i*ldc+j:], ldc)
			}
			betaNow = 1
		}
	}
}

// multiplyPacked sets C = α·A·B + β·C for packed A and B of the same depth.
func multiplyPacked[T Float](m, n, depth int, alpha T, a, b []T, beta T, c []T, ldc int) {
	var tile [tileM * tileN]T
	for j := 0; j < n; j += tileN {
		for i := 0; i < m; i += tileM {
			multiplyTile(&tile, depth, a[i*depth:], b[j*depth:])
			addTile(min(tileM, m-i), min(tileN, n-j), alpha, &tile, beta, c[i*ldc+j:], ldc)
		}
	}
}

// addTile sets C = α·tile + β·C for the first m rows and n columns of a tile.
func addTile[T Float](m, n int, alpha T, tile *[tileM * tileN]T, beta T, c []T, ldc int) {
	for i := range m {
		row := c[i*ldc:][:n]
		for j := range row {
			v := alpha * tile[i*tileN+j]
			if beta != 0 { // C may be anything, NaN too, where it is only written
				v += beta * row[j]
			}
			row[j] = v
		}
	}
}

// scaleRows sets C = β·C: what is left of a product without a summed dimension.
func scaleRows[T Float](m, n int, beta T, c []T, ldc int) {
	for i := range m {
		row := c[i*ldc:][:n]
		for j := range row {
			if beta == 0 {
				row[j] = 0
			} else {
				row[j] *= beta
			}
		}
	}
}

// pack copies count lines of depth elements into panels of width lines: for each panel, element by element, those of
// its lines side by side; lines that are missing from the last panel are zero. Lines are rows of op(A), columns of
// op(B). Line i's element p is x[i+p·ld] where lines are adjacent in memory, and x[i·ld+p] where their elements are.
func pack[T Float](dst []T, width int, adjacent bool, count, depth int, x []T, ld int) {
	for i := 0; i < count; i += width {
		lines := min(width, count-i)
		panel := dst[i*depth:][:width*depth]
		if lines < width {
			clear(panel)
		}
		if adjacent {
			for p := range depth {
				copy(panel[p*width:], x[i+p*ld:][:lines])
			}
			continue
		}
		for line := range lines {
			for p, v := range x[(i+line)*ld:][:depth] {
				panel[p*width+line] = v
			}
		}
	}
}

// start returns where line i begins at element p; see pack.
func start(adjacent bool, i, p, ld int) int {
	if adjacent {
		return i + p*ld
	}
	return i*ld + p
}

// packs is the memory of one product under way.
type packs[T Float] struct {
	a []T // (blockM, blockK)
	b []T // (blockN, blockK)
}

var free32, free64 sync.Pool // of *packs[float32], *packs[float64]

func takePacks[T Float]() *packs[T] {
	if p, ok := freePacks[T]().Get().(*packs[T]); ok {
		return p
	}
	const a, b = blockM * blockK, blockN * blockK // whole tiles: both are multiples of the tile's sides
	return &packs[T]{a: make([]T, a), b: make([]T, b)}
}

func (p *packs[T]) giveBack() { freePacks[T]().Put(p) }

func freePacks[T Float]() *sync.Pool {
	if _, narrow := any(T(0)).(float32); narrow {
		return &free32
	}
	return &free64
}
