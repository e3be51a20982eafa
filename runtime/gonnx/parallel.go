package gonnx

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// blockSize is how many elements make one task, where an element costs little.
const blockSize = 1 << 14

// pool shares out tasks among threads. Which tasks there are never depends on the number of threads.
type pool struct{ threads int }

// tasks calls task(i) for each i below n. A panic in a task is raised again in the caller, where it is recovered.
func (p pool) tasks(n int, task func(i int)) {
	helpers := min(p.threads, n) - 1
	if helpers < 1 {
		for i := range n {
			task(i)
		}
		return
	}
	var (
		next   atomic.Int64
		failed atomic.Pointer[any]
		wait   sync.WaitGroup
	)
	work := func() {
		defer func() {
			if r := recover(); r != nil {
				failed.CompareAndSwap(nil, &r)
			}
		}()
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			task(i)
		}
	}
	for range helpers {
		wait.Go(work)
	}
	work()
	wait.Wait()
	if r := failed.Load(); r != nil {
		panic(*r)
	}
}

// ranges calls task(lo, hi) for n items in pieces of about blockSize elements, each item having that many.
func (p pool) ranges(n, elements int, task func(lo, hi int)) {
	piece := max(1, blockSize/max(elements, 1))
	p.tasks((n+piece-1)/piece, func(i int) { task(i*piece, min((i+1)*piece, n)) })
}

// processors returns how many threads run at a time.
func processors() int { return runtime.GOMAXPROCS(0) }
