//go:build purego || !amd64

package kernel

// multiplyTile sets C = α·A·B + β·D for a tile of C of at most tileM rows and tileN columns.
func (by tiling[T]) multiplyTile(rows, columns, depth int, alpha T, a, b panel[T], beta T, c []T, ldc int, d []T, ldd int) {
	multiplyTileGeneric(rows, columns, depth, alpha, a.data, b.data, beta, c, ldc, d, ldd)
}

// packPanel sets element p of line i, dst[p*width+i], to the line's step p. Elements of lines that are missing may be
// anything.
func (s *packs[T]) packPanel(by tiling[T], dst []T, width, lines, depth int, x matrix[T]) {
	packPanelGeneric(dst, width, lines, depth, x)
}
