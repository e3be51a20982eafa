package kernel

import (
	"sync"
	"time"
)

// Limit measures how many GFLOP/s of multiply-adds the processor does on so many threads at once, from registers alone:
// the best of a few short runs. No product of that precision can be faster. It is 0 for a set without vectors, and where
// the precision is not available.
func Limit(p Precision, threads int) float64 {
	if p.Available() != nil {
		return 0
	}
	return limitOf(fastest, p, threads)
}

func limitOf(s set, p Precision, threads int) float64 {
	const times = 1 << 17
	run, flops := multiplyAdds(s, p)
	if run == nil {
		return 0
	}
	best := time.Hour
	for range 10 {
		var all sync.WaitGroup
		start := time.Now()
		for range threads {
			all.Go(func() { run(times) })
		}
		all.Wait()
		best = min(best, time.Since(start))
	}
	return times * float64(threads*flops) / best.Seconds() / 1e9
}
