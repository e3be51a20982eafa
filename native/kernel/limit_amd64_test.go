//go:build !purego

package kernel

import (
	"testing"
	"time"
)

// limit returns how many GFLOP/s of multiply-adds from registers alone one thread does: the best of a few short runs. It
// is 0 for a set without vectors.
func limit(s set) float64 {
	const times, sums = 1 << 17, 12
	lanes, run := 8, multiplyAddAVX2
	switch s {
	case avx512:
		lanes, run = 16, multiplyAddAVX512
	case portable:
		return 0
	}
	best := time.Hour
	for range 10 {
		start := time.Now()
		run(times)
		best = min(best, time.Since(start))
	}
	return 2 * times * sums * float64(lanes) / best.Seconds() / 1e9
}

func BenchmarkLimit(b *testing.B) {
	for _, each := range sets {
		if each.available && each.set != portable {
			b.Run("impl="+each.set.String(), func(b *testing.B) {
				best := 0.0
				for b.Loop() {
					best = max(best, limit(each.set))
				}
				b.ReportMetric(best, "GFLOP/s")
			})
		}
	}
}
