//go:build !purego

package kernel

import "testing"

// BenchmarkLimit is the processor's limit: multiply-adds from registers alone.
func BenchmarkLimit(b *testing.B) {
	const times, sums = 1 << 20, 12
	for _, each := range []struct {
		set   set
		has   bool
		lanes int
		run   func(n int)
	}{{avx2, hasAVX2, 8, multiplyAddAVX2}, {avx512, hasAVX512, 16, multiplyAddAVX512}} {
		if !each.has {
			continue
		}
		b.Run("impl="+each.set.String(), func(b *testing.B) {
			for b.Loop() {
				each.run(times)
			}
			b.ReportMetric(2*times*sums*float64(each.lanes)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
