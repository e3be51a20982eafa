//go:build purego || !amd64

package kernel

// multiplyTile sets C = α·A·B + β·C for a tile of C of at most tileM rows and tileN columns.
func (by tiling[T]) multiplyTile(rows, columns, depth int, alpha T, a, b panel[T], beta T, c []T, ldc int) {
	multiplyTileGeneric(rows, columns, depth, alpha, a.data, b.data, beta, c, ldc)
}

// packPanel sets dst[p*width+i] to element p of line i; elements of lines that are missing may be anything.
func (by tiling[T]) packPanel(dst []T, width, lines, depth int, x matrix[T]) {
	packPanelGeneric(dst, width, lines, depth, x)
}
