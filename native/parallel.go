package native

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// task is work in numbered parts: do(worker, i) does part i. What it needs are its fields, so that a step allocates no
// closures.
//
// Which parts there are never depends on the number of threads, only who does them. A part writes what no other part
// touches; sums over parts are kept apart and added in the order of the parts. So results are the same bits for any
// number of threads.
type task interface{ do(worker, i int) }

// pool runs tasks on a number of threads. Its workers stay alive between tasks, and end when the pool is garbage.
type pool struct {
	threads int
	workers *workers
	mu      sync.Mutex
	free    []task // finished ones, of which the memory is used again
}

func newPool(threads int) *pool {
	p := &pool{threads: max(1, threads), workers: &workers{}}
	for i := 1; i < p.threads; i++ {
		start := make(chan struct{}, 1)
		p.workers.start = append(p.workers.start, start)
		go p.workers.serve(i, start)
	}
	runtime.AddCleanup(p, func(w *workers) {
		for _, start := range w.start {
			close(start)
		}
	}, p.workers)
	return p
}

// run does parts 0 to n-1 of t. A panic in one is raised again in the caller, with its stack.
func run[T any, P interface {
	*T
	task
}](p *pool, n int, t T) {
	if n == 0 {
		return
	}
	kept := P(keptTask[T](p))
	*kept = t
	p.workers.run(kept, n)
	var none T
	*kept = none
	p.mu.Lock()
	p.free = append(p.free, kept)
	p.mu.Unlock()
}

// keptTask returns a task of type T that is not in use.
func keptTask[T any](p *pool) *T {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, t := range p.free {
		if kept, ok := any(t).(*T); ok {
			last := len(p.free) - 1
			p.free[i] = p.free[last]
			p.free = p.free[:last]
			return kept
		}
	}
	return new(T)
}

// workers are goroutines that wait for a task. One task runs at a time; whoever comes meanwhile does their own alone.
type workers struct {
	busy   sync.Mutex
	start  []chan struct{} // of workers 1 to threads-1; worker 0 is the caller
	task   task
	n      int
	next   atomic.Int64
	wait   sync.WaitGroup
	failed atomic.Pointer[string]
}

func (w *workers) run(t task, n int) {
	if n == 1 || len(w.start) == 0 || !w.busy.TryLock() {
		for i := range n {
			t.do(0, i)
		}
		return
	}
	defer w.busy.Unlock()
	w.task, w.n = t, n
	w.next.Store(0)
	w.failed.Store(nil)
	helpers := w.start[:min(len(w.start), n-1)]
	w.wait.Add(len(helpers))
	for _, start := range helpers {
		start <- struct{}{}
	}
	w.work(0)
	w.wait.Wait()
	w.task = nil
	if failure := w.failed.Load(); failure != nil {
		panic(*failure)
	}
}

func (w *workers) serve(worker int, start chan struct{}) {
	for range start {
		w.work(worker)
		w.wait.Done()
	}
}

func (w *workers) work(worker int) {
	defer func() {
		if r := recover(); r != nil {
			w.fail(r)
		}
	}()
	for i := int(w.next.Add(1)) - 1; i < w.n; i = int(w.next.Add(1)) - 1 {
		w.task.do(worker, i)
	}
}

// fail keeps the first panic, and where it was.
func (w *workers) fail(r any) {
	failure := fmt.Sprintf("%v\n\n%s", r, debug.Stack())
	w.failed.CompareAndSwap(nil, &failure)
}

// span is rows lo to hi of a matrix.
type span struct{ lo, hi int }

func (s span) rows() int { return s.hi - s.lo }

// part returns the rows s of x (rows, columns).
func part[T any](x []T, s span, columns int) []T { return x[s.lo*columns : s.hi*columns] }

// tiling divides rows into parts of a task.
type tiling struct{ rows, tile int }

// tilesOf divides n rows: an eighth makes one part, but neither so few that the part is not worth starting nor so many
// that two threads finish at different times or a part's rows leave the second-level cache.
func tilesOf(n int) tiling {
	const least, most = 32, 128
	tile := (n/8 + least - 1) / least * least
	return tiling{n, min(max(tile, least), most)}
}

// outputTiles divides the rows of a weight's gradient.
func outputTiles(n int) tiling { return tiling{n, 128} }

// blocksOf divides a flat slice of n scalars.
func blocksOf(n int) tiling { return tiling{n, 1 << 16} }

func (t tiling) count() int { return (t.rows + t.tile - 1) / t.tile }

func (t tiling) at(i int) span { return span{i * t.tile, min((i+1)*t.tile, t.rows)} }
