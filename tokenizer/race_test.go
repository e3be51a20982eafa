//go:build race

package tokenizer

// raceDetector says whether the tests run under it; a sync.Pool then drops at random, so that buffers are made anew.
const raceDetector = true
