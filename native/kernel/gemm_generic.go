package kernel

// The tile of C that is computed at once, from registers: 4 x 2 sums, 4 + 2 factors.
const (
	tileM = 4
	tileN = 2
)

// multiplyTile sets tile (tileM, tileN) = Σₚ a[p]·b[p]ᵀ for a panel a (depth, tileM) and a panel b (depth, tileN).
func multiplyTile[T Float](tile *[tileM * tileN]T, depth int, a, b []T) {
	var c00, c01, c10, c11, c20, c21, c30, c31 T
	a, b = a[:tileM*depth], b[:tileN*depth]
	for len(a) >= tileM && len(b) >= tileN {
		b0, b1 := b[0], b[1]
		c00 += a[0] * b0
		c01 += a[0] * b1
		c10 += a[1] * b0
		c11 += a[1] * b1
		c20 += a[2] * b0
		c21 += a[2] * b1
		c30 += a[3] * b0
		c31 += a[3] * b1
		a, b = a[tileM:], b[tileN:]
	}
	*tile = [tileM * tileN]T{c00, c01, c10, c11, c20, c21, c30, c31}
}
