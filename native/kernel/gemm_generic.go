package kernel

// multiplyTileGeneric sets C = α·A·B + β·D for a tile of C of at most 4 rows and 2 columns, a being packed (depth, 4)
// and b (depth, 2).
func multiplyTileGeneric[T Float](rows, columns, depth int, alpha T, a, b []T, beta T, c []T, ldc int, d []T, ldd int) {
	var c00, c01, c10, c11, c20, c21, c30, c31 T
	a, b = a[:4*depth], b[:2*depth]
	for len(a) >= 4 && len(b) >= 2 {
		b0, b1 := b[0], b[1]
		c00 += a[0] * b0
		c01 += a[0] * b1
		c10 += a[1] * b0
		c11 += a[1] * b1
		c20 += a[2] * b0
		c21 += a[2] * b1
		c30 += a[3] * b0
		c31 += a[3] * b1
		a, b = a[4:], b[2:]
	}
	sums := [4][2]T{{c00, c01}, {c10, c11}, {c20, c21}, {c30, c31}}
	for i, sum := range sums[:rows] {
		row, addend := c[i*ldc:][:columns], d[i*ldd:][:columns]
		for j := range row {
			v := alpha * sum[j]
			if beta != 0 { // D may be anything, NaN too, where it is not to be added
				v += beta * addend[j]
			}
			row[j] = v
		}
	}
}

// packPanelGeneric sets dst[p*width+i] to element p of line i, and to zero where there is no line i.
func packPanelGeneric[T Float](dst []T, width, lines, depth int, x matrix[T]) {
	dst = dst[:width*depth]
	if lines < width {
		clear(dst)
	}
	if x.line == 1 {
		for p := range depth {
			copy(dst[p*width:], x.data[p*x.step:][:lines])
		}
		return
	}
	for line := range lines {
		for p, v := range x.data[line*x.line:][:depth] {
			dst[p*width+line] = v
		}
	}
}
