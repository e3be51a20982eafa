package gonnx

import "sync"

// least is how many elements make a part that is worth a goroutine.
const least = 1 << 14

// parallel calls work for parts lo to hi of n, on at most so many goroutines, where the n together are so many elements.
// Each element of a result belongs to one part, so results do not depend on the number of threads. A panic in a part is
// raised again in the caller.
func parallel(threads, n, elements int, work func(lo, hi int)) {
	parts := min(threads, n, max(1, elements/least))
	if parts <= 1 {
		work(0, n)
		return
	}
	var wait sync.WaitGroup
	failed := make(chan any, parts)
	for i := range parts {
		wait.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					failed <- r
				}
			}()
			work(i*n/parts, (i+1)*n/parts)
		})
	}
	wait.Wait()
	select {
	case r := <-failed:
		panic(r)
	default:
	}
}
