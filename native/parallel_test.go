package native

import (
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// mark counts how often each part was done.
type mark struct {
	done   []atomic.Int32
	panics int // the part that does
}

func (m *mark) do(_, i int) {
	if i == m.panics {
		panic("part of a task")
	}
	m.done[i].Add(1)
}

func newMark(n int) mark { return mark{make([]atomic.Int32, n), -1} }

func (m *mark) check(t *testing.T) {
	t.Helper()
	for i := range m.done {
		if n := m.done[i].Load(); n != 1 {
			t.Errorf("part %d of %d was done %d times, want once", i, len(m.done), n)
		}
	}
}

func TestEveryPartIsDoneOnce(t *testing.T) {
	for _, threads := range []int{0, 1, 2, 3, 8} {
		p := newPool(threads)
		for _, n := range []int{0, 1, 2, 7, 1000} {
			m := newMark(n)
			run(p, n, m)
			m.check(t)
		}
	}
}

// A panic of a part reaches who ran the task, with the stack where it was, and the pool works on.
func TestPanicInAPart(t *testing.T) {
	p := newPool(2)
	m := newMark(100)
	m.panics = 50
	func() {
		defer func() {
			text, _ := recover().(string)
			if !strings.Contains(text, "part of a task") || !strings.Contains(text, "(*mark).do") {
				t.Errorf("recovered %q, want the part's panic and its stack", text)
			}
		}()
		run(p, 100, m)
	}()
	again := newMark(10)
	run(p, 10, again)
	again.check(t)
}

// Several callers, and a part that runs a task itself, each get their own done.
func TestPoolOfManyCallers(t *testing.T) {
	p := newPool(3)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				m := newMark(20)
				run(p, 20, m)
				m.check(t)
			}
		})
	}
	all.Wait()
	inner := newMark(5)
	run(p, 1, nested{p, &inner})
	inner.check(t)
}

type nested struct {
	p     *pool
	inner *mark
}

func (n *nested) do(_, _ int) { run(n.p, len(n.inner.done), *n.inner) }

// Workers end when their pool is garbage.
func TestWorkersEnd(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 20 {
		m := newMark(10)
		run(newPool(4), 10, m)
	}
	for range 1000 {
		runtime.GC()
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines, want the %d there were before", runtime.NumGoroutine(), before)
}

// One model serves many goroutines, each with activations and a gradient of its own.
func TestModelOfManyCallers(t *testing.T) {
	c := manyTilesConfig()
	b := benchmarkBatch(c, 9, 30)
	gradient := func(m *Model[float32]) []float32 {
		var a Activations[float32]
		g := NewGradient(m)
		m.Forward(&a, b, Dropout{Enabled: true, Seed: 1})
		m.Backward(g, &a, b, Dropout{Enabled: true, Seed: 1}, testDenominators)
		return g.Flat()
	}
	want := gradient(New[float32](testWeights(c), 1))
	m := New[float32](testWeights(c), 2)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if !slices.Equal(gradient(m), want) {
				t.Error("another gradient than alone")
			}
		})
	}
	all.Wait()
}
