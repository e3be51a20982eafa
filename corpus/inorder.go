package corpus

import (
	"context"
	"iter"
)

// inOrder applies work to items with several goroutines and hands the results to collect in the items' order, until
// collect returns false, items has an error, or ctx is done. Items and collect run on the caller's goroutine.
func inOrder[Item, Result any](
	ctx context.Context, items iter.Seq2[Item, error], workers int, work func(Item) Result, collect func(Result) bool,
) error {
	type job struct {
		item   Item
		result chan Result
	}
	window := 2 * workers
	jobs := make(chan job, window) // never full: at most window results are pending
	defer close(jobs)
	for range workers {
		go func() {
			for j := range jobs {
				j.result <- work(j.item)
			}
		}()
	}
	var pending []chan Result
	next := func() bool {
		oldest := pending[0]
		pending = pending[1:]
		return collect(<-oldest)
	}
	for item, err := range items {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if len(pending) == window && !next() {
			return nil
		}
		j := job{item, make(chan Result, 1)}
		pending = append(pending, j.result)
		jobs <- j
	}
	for len(pending) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !next() {
			return nil
		}
	}
	return ctx.Err()
}
