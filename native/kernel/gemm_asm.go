//go:build !purego && amd64

package kernel

// multiplyTile sets C = α·A·B + β·C for a tile of C of at most tileM rows and tileN columns.
func (by tiling[T]) multiplyTile(rows, columns, depth int, alpha T, a, b panel[T], beta T, c []T, ldc int) {
	if by.set == avx512 {
		multiplyTileAVX512(rows, columns, depth, first(a.data), a.line, a.step, first(b.data), b.step,
			float32(alpha), float32(beta), first(c), ldc)
	} else if by.set == avx2 {
		multiplyTileAVX2(rows, columns, depth, first(a.data), a.line, a.step, first(b.data), b.step,
			float32(alpha), float32(beta), first(c), ldc)
	} else {
		multiplyTileGeneric(rows, columns, depth, alpha, a.data, b.data, beta, c, ldc)
	}
}

// packPanel sets dst[p*width+i] to element p of line i; elements of lines that are missing may be anything.
func (by tiling[T]) packPanel(dst []T, width, lines, depth int, x matrix[T]) {
	switch {
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
