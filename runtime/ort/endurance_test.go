//go:build cgo && linux

package ort_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"goalbert/export"
	"goalbert/internal/machine"
	"goalbert/models"
	"goalbert/runtime/ort"
)

// enduranceEnv asks for the whole of TestEndurance, which takes minutes: make endurance.
const enduranceEnv = "ORT_ENDURANCE"

// Runs of mixed shapes from 16 goroutines on one session: none fails, and memory does not grow after the first ones. ONNX
// Runtime's arena keeps the most that runs have needed at once, and grows by powers of two: so of the first runs every
// other one is the largest, and those that follow need less. A leak of one output in a hundred would be more than what
// is allowed.
func TestEndurance(t *testing.T) {
	needLibrary(t)
	preset, settle, runs := "albert-tiny", 500, 3000
	if os.Getenv(enduranceEnv) != "" {
		preset, settle, runs = "albert-base-v2", 1000, 10_000
	}
	c, err := models.Preset(preset)
	if err != nil {
		t.Fatal(err)
	}
	c.VocabSize, c.MaxPositionEmbeddings, c.NumHiddenLayers = 2000, longest, 1 // more layers only take more time
	w := models.NewWeights(c)
	w.Initialize(1)
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := export.Write(path, w, export.Options{}); err != nil {
		t.Fatal(err)
	}
	s := open(t, path, ort.Options{IntraOpThreads: 1})
	before := hammer(t, s, settle, 1, true)
	var memory []string
	var last int64
	for done := settle; done < runs; done += runs / 10 {
		last = hammer(t, s, min(runs/10, runs-done), uint64(done), false)
		memory = append(memory, fmt.Sprintf("%.1f", float64(last)/1e6))
	}
	t.Logf("%s, %d runs: resident memory %.1f MB after %d, then %s MB", preset, runs, float64(before)/1e6, settle, strings.Join(memory, " "))
	if growth := last - before; growth > allowedGrowth {
		t.Errorf("memory grew by %.1f MB after the first %d runs, want at most %.1f", float64(growth)/1e6, settle, allowedGrowth/1e6)
	}
}

const (
	longest       = 32  // tokens
	allowedGrowth = 4e6 // bytes
)

// hammer runs batches of one or two rows in 16 goroutines and returns the resident memory then, without what Go's
// collector has not given back yet. If large is set, every other batch is the largest.
func hammer(t *testing.T, s *ort.Session, runs int, seed uint64, large bool) (bytes int64) {
	var begun atomic.Int64
	var wait sync.WaitGroup
	for worker := range 16 {
		wait.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(worker)))
			for n := 0; begun.Add(1) <= int64(runs); n++ {
				rows, length := 1+random.IntN(2), 1+random.IntN(longest)
				if large && n%2 == 0 {
					rows, length = 2, longest
				}
				out, err := s.Run(context.Background(), inputs(rows, length))
				if err != nil {
					t.Error(err)
					return
				}
				if got := out[models.PredictionLogits].Shape; got[0] != rows || got[1] != length {
					t.Errorf("got logits of shape %v for %d rows of %d", got, rows, length)
				}
			}
		})
	}
	wait.Wait()
	debug.FreeOSMemory()
	return machine.ResidentMemory()
}
