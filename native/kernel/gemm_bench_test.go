package kernel

import (
	"fmt"
	"testing"
)

// BenchmarkGEMM multiplies at the shapes of ALBERT-base (rows of a batch by its weights, and a weight's gradient), of
// albert-tiny, and of attention, with B packed by it or before. "% of limit" is of the multiply-adds from registers that the processor does just before
// and just after.
func BenchmarkGEMM(b *testing.B) {
	for _, size := range []struct {
		m, n, k        int
		transA, transB bool
		ld             int // of a matrix within a wider one; 0: of one alone
	}{
		{m: 1024, n: 768, k: 768, transB: true},
		{m: 1024, n: 3072, k: 768, transB: true},
		{m: 1024, n: 768, k: 3072, transB: true},
		{m: 1024, n: 768, k: 3072},
		{m: 768, n: 3072, k: 1024, transA: true},
		{m: 128, n: 768, k: 768, transB: true},
		{m: 128, n: 3072, k: 768, transB: true},
		{m: 256, n: 128, k: 128, transB: true},
		{m: 256, n: 512, k: 128, transB: true},
		{m: 1024, n: 128, k: 512, transB: true},
		{m: 1024, n: 384, k: 128, transB: true},
		{m: 1024, n: 128, k: 64, transB: true},
		{m: 256, n: 128, k: 512},
		{m: 128, n: 512, k: 4096, transA: true},
		{m: 154, n: 8000, k: 64, transB: true},
		{m: 64, n: 64, k: 64, transB: true, ld: 384},
		{m: 64, n: 64, k: 64, ld: 384},
		{m: 64, n: 64, k: 64, transA: true, ld: 384},
		{m: 37, n: 37, k: 64, transB: true, ld: 384},
		{m: 37, n: 64, k: 37, ld: 384},
		{m: 37, n: 64, k: 37, transA: true, ld: 384},
	} {
		for _, by := range tilings {
			if !by.available {
				continue
			}
			m, n, k := size.m, size.n, size.k
			name := fmt.Sprintf("impl=%v/m=%d/n=%d/k=%d/transA=%v/transB=%v", by.tiling, m, n, k, size.transA, size.transB)
			lda, ldb, rows := max(k, size.ld), max(n, size.ld), max(m, n, k)
			if size.transA {
				lda = max(m, size.ld)
			}
			if size.transB {
				ldb = max(k, size.ld)
			}
			x, w, y := narrow(normals(1, rows*lda)), narrow(normals(2, rows*ldb)), make([]float32, m*n)
			packed := by.newPacked(k, n, make([]float32, by.packedSize(k, n)))
			packed.Pack(size.transB, w, ldb, 0, map[bool]int{true: n, false: k}[size.transB])
			run := func(b *testing.B, multiply func()) {
				before := limitOf(by.set, by.precision, 1)
				b.ResetTimer()
				for b.Loop() {
					multiply()
				}
				speed := 2 * float64(m*n*k) * float64(b.N) / b.Elapsed().Seconds() / 1e9
				b.ReportMetric(speed, "GFLOP/s")
				if before > 0 {
					b.ReportMetric(100*speed*2/(before+limitOf(by.set, by.precision, 1)), "%-of-limit")
				}
			}
			b.Run(name, func(b *testing.B) {
				run(b, func() { by.gemm(size.transA, size.transB, m, n, k, 1, x, lda, w, ldb, 0, y, n) })
			})
			b.Run(name+"/packed", func(b *testing.B) {
				run(b, func() { packed.Multiply(size.transA, m, x, lda, y, n, nil, 0) })
			})
		}
	}
}

func BenchmarkLimit(b *testing.B) {
	for _, each := range tilings {
		if each.available && each.set != portable {
			b.Run("impl="+each.String(), func(b *testing.B) {
				best := 0.0
				for b.Loop() {
					best = max(best, limitOf(each.set, each.precision, 1))
				}
				b.ReportMetric(best, "GFLOP/s")
			})
		}
	}
}
