package gonnx

import (
	"context"
	"errors"
	"testing"
)

// A run leaves every buffer for the next one, which needs no more.
func TestBuffersAreReused(t *testing.T) {
	p, err := newProgram(small())
	if err != nil {
		t.Fatal(err)
	}
	r := newRun(1)
	var after []int
	for range 3 {
		outputs, err := p.evaluate(context.Background(), r, []tensor{randomFloats(40, 3)})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range outputs {
			if o.store.uses != 1 {
				t.Errorf("an output's buffer has %d uses, want 1", o.store.uses)
			}
			r.release(o)
		}
		after = append(after, len(r.memory.free))
	}
	// The square is written over the product, and the result is the sum in another name.
	if after[0] != 2 || after[2] != 2 {
		t.Errorf("%v buffers are free after each run, want 2", after)
	}
}

// countdown is a context that ends after so many looks at it.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestCancelledBetweenNodes(t *testing.T) {
	p, err := newProgram(small())
	if err != nil {
		t.Fatal(err)
	}
	for looks := range len(p.steps) {
		ctx := &countdown{context.Background(), looks}
		if _, err := p.evaluate(ctx, newRun(1), []tensor{randomFloats(1, 3)}); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled after %d nodes: got error %v", looks, err)
		}
	}
}

// Tasks are done once each, and a panic in one comes out where it can be recovered.
func TestTasks(t *testing.T) {
	for _, threads := range []int{1, 2, 5} {
		done := make([]int, 100)
		pool{threads}.tasks(len(done), func(i int) { done[i]++ })
		for i, n := range done {
			if n != 1 {
				t.Errorf("%d threads: task %d was done %d times", threads, i, n)
			}
		}
		func() {
			defer func() {
				if r := recover(); r != "task 7" {
					t.Errorf("%d threads: recovered %v, want what was raised", threads, r)
				}
			}()
			pool{threads}.tasks(10, func(i int) {
				if i == 7 {
					panic("task 7")
				}
			})
		}()
	}
}
