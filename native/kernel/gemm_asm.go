//go:build !purego && amd64

package kernel

// multiplyTile sets C = α·A·B + β·D for a tile of C of at most tileM rows and tileN columns.
func (by tiling[T]) multiplyTile(rows, columns, depth int, alpha T, a, b panel[T], beta T, c []T, ldc int, d []T, ldd int) {
	switch {
	case by.set == avx512 && by.precision == BF16:
		multiplyTilePairsAVX512(rows, columns, depth, first(a.data), a.line, a.step, first(b.data), b.step,
			float32(alpha), float32(beta), first(c), ldc, first(d), ldd)
	case by.set == avx512:
		multiplyTileAVX512(rows, columns, depth, first(a.data), a.line, a.step, first(b.data), b.step,
			float32(alpha), float32(beta), first(c), ldc, first(d), ldd)
	case by.set == avx2:
		multiplyTileAVX2(rows, columns, depth, first(a.data), a.line, a.step, first(b.data), b.step,
			float32(alpha), float32(beta), first(c), ldc, first(d), ldd)
	default:
		multiplyTileGeneric(rows, columns, depth, alpha, a.data, b.data, beta, c, ldc, d, ldd)
	}
}

// packPanel sets element p of line i, dst[p*width+i], to the line's step p, or to a pair of steps. Elements of lines that
// are missing may be anything.
func (s *packs[T]) packPanel(by tiling[T], dst []T, width, lines, depth int, x matrix[T]) {
	switch {
	case by.precision == BF16 && x.line == 1:
		packStepPairsAVX512(first(dst), width, lines, depth, first(x.data), x.step)
	case by.precision == BF16:
		pairs := by.elements(depth)
		rounded := sized(&s.rounded, lines*pairs)
		for i := range lines {
			roundPairsAVX512(first(rounded[i*pairs:]), first(x.data[i*x.line:]), depth)
		}
		packLinesAVX512(first(dst), width, lines, pairs, first(rounded), pairs)
	case by.set == avx512 && x.line == 1:
		packStepsAVX512(first(dst), width, lines, depth, first(x.data), x.step)
	case by.set == avx512:
		packLinesAVX512(first(dst), width, lines, depth, first(x.data), x.line)
	case by.set == avx2 && x.line == 1:
		packStepsAVX2(first(dst), width, lines, depth, first(x.data), x.step)
	case by.set == avx2:
		packLinesAVX2(first(dst), width, lines, depth, first(x.data), x.line)
	default:
		packPanelGeneric(dst, width, lines, depth, x)
	}
}
