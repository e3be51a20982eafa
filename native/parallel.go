package native

import (
	"sync"
	"sync/atomic"
)

// pool runs tasks on a number of threads.
//
// Which tasks there are never depends on the number of threads, only who runs them. A task writes what no other
// task touches; sums over tasks are kept apart and added in the order of the tasks. So results are the same bits
// for any number of threads.
type pool struct{ threads int }

// run calls task(worker, i) for each i below n, worker being below the number of threads and one call's at a time.
// A panic in a task is raised again in the caller.
func (p *pool) run(n int, task func(worker, i int)) {
	threads := min(p.threads, n)
	if threads <= 1 {
		for i := range n {
			task(0, i)
		}
		return
	}
	var (
		next   atomic.Int64
		failed atomic.Value
		wait   sync.WaitGroup
	)
	work := func(worker int) {
		defer func() {
			if r := recover(); r != nil {
				failed.CompareAndSwap(nil, &r)
			}
		}()
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			task(worker, i)
		}
	}
	for worker := 1; worker < threads; worker++ {
		wait.Go(func() { work(worker) })
	}
	work(0)
	wait.Wait()
	if r, ok := failed.Load().(*any); ok {
		panic(*r)
	}
}

// rowTile returns how many of n rows make one task: an eighth of them, but neither so few that the task is not worth
// starting nor so many that two threads finish at different times.
func rowTile(n int) int {
	const least, most = 16, 256
	tile := (n/8 + least - 1) / least * least
	return min(max(tile, least), most)
}

// rows calls task(i, lo, hi) for tile i of n rows, lo to hi.
func (p *pool) rows(n int, task func(i, lo, hi int)) {
	tile := rowTile(n)
	p.run(tiles(n), func(_, i int) { task(i, i*tile, min((i+1)*tile, n)) })
}

// tiles returns the number of tiles that rows divides n rows into.
func tiles(n int) int {
	tile := rowTile(n)
	return (n + tile - 1) / tile
}

// blockSize is how many scalars of a flat slice make one task.
const blockSize = 1 << 16

// blocks calls task(i, lo, hi) for block i of n scalars, lo to hi.
func (p *pool) blocks(n int, task func(i, lo, hi int)) {
	p.run((n+blockSize-1)/blockSize, func(_, i int) { task(i, i*blockSize, min((i+1)*blockSize, n)) })
}
