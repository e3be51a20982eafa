package kernel

// Gemm computes
//
//	C = α·op(A)·op(B) + β·C
//
// where op(A) is m×k, A itself or its transpose, op(B) is k×n, and C is m×n; lda, ldb and ldc are the distances between
// rows. With β = 0, C need not be initialized. C must overlap neither A nor B.
//
// The products of an element of C are added in an order that depends on k and the kernel set alone: first within each
// block of steps, then block by block.
//
// Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", TOMS 2008.
func Gemm[T Float](transA, transB bool, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	tilingOf[T](setOf[T](), Full).gemm(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

// gemm is Gemm by one tiling. A block of op(A) is packed once, blocks of op(B) one after the other pass by it. Of these
// a panel of A stays in the first-level cache while the panels of B come from the second.
func (by tiling[T]) gemm(transA, transB bool, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	if m == 0 || n == 0 {
		return
	}
	if k == 0 {
		scaleRows(m, n, beta, c, ldc)
		return
	}
	left, right := newMatrix(a, lda, transA, m, k), newMatrix(b, ldb, !transB, n, k)
	c = c[:(m-1)*ldc+n]
	const rowsAtOnce = 4 // blocks of op(A): packing op(B) again for each would not pay
	blockM, blockN, blockK := even(m, rowsAtOnce*by.blockM, by.unitM), even(n, by.blockN, by.tileN), by.depth(k)
	packs := takePacks[T]()
	defer packs.giveBack()
	for i := 0; i < m; i += blockM {
		rows, betaNow := min(blockM, m-i), beta
		for p := 0; p < k; p += blockK {
			depth := min(blockK, k-p)
			packs.packA(by, left.from(i, p), rows, depth, n)
			for j := 0; j < n; j += blockN {
				columns := min(blockN, n-j)
				packs.packB(by, right.from(j, p), columns, depth, rows)
				at := c[i*ldc+j:]
				by.multiply(packs.a, packs.b, rows, columns, by.elements(depth), alpha, betaNow, at, ldc, at, ldc)
			}
			betaNow = 1
		}
	}
}

// multiply sets C = α·A·B + β·D for blocks of A and B.
func (by tiling[T]) multiply(a, b panel[T], m, n, depth int, alpha, beta T, c []T, ldc int, d []T, ldd int) {
	height := even(m, by.tileM, by.unitM)
	for i := 0; i < m; i += height {
		rows := min(height, m-i)
		left := a.from(i)
		for j := 0; j < n; j += by.tileN {
			by.multiplyTile(rows, min(by.tileN, n-j), depth, alpha, left, b.from(j), beta, c[i*ldc+j:], ldc, d[i*ldd+j:], ldd)
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
