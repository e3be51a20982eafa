package evaluate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"goalbert/models"
	"goalbert/runtime"
)

// Load is what a model is asked to do at once.
type Load struct {
	Batch  int `json:"batch"`  // sequences
	Length int `json:"length"` // tokens of each, all attended
}

// Tokens is how many there are.
func (l Load) Tokens() int { return l.Batch * l.Length }

// LoadInputs returns inputs of that load for a model of configuration c: random ids, the same in every run. The sequences
// of multiple choice are the choices of one question.
func LoadInputs(c models.Config, l Load) (map[string]runtime.Tensor, error) {
	if l.Batch < 1 || l.Length < 1 || l.Length > c.MaxPositionEmbeddings {
		return nil, fmt.Errorf("evaluate: a load of %d sequences of %d tokens, want at least one of each, and at most %d tokens (max_position_embeddings)",
			l.Batch, l.Length, c.MaxPositionEmbeddings)
	}
	random := rand.New(rand.NewPCG(uint64(l.Batch), uint64(l.Length)))
	n := l.Tokens()
	ids, mask, types := make([]int64, n), make([]int64, n), make([]int64, n)
	for i := range n {
		ids[i], mask[i] = random.Int64N(int64(c.VocabSize)), 1
	}
	shape := []int{l.Batch, l.Length}
	if c.Architecture == models.ForMultipleChoice {
		shape = []int{1, l.Batch, l.Length}
	}
	return map[string]runtime.Tensor{
		models.InputIDs:      runtime.NewTensor(ids, shape...),
		models.AttentionMask: runtime.NewTensor(mask, shape...),
		models.TokenTypeIDs:  runtime.NewTensor(types, shape...),
	}, nil
}

// RunTime is how long a session takes to run inputs once, the copies of inputs and outputs included.
func RunTime(ctx context.Context, s runtime.Session, inputs map[string]runtime.Tensor) (time.Duration, error) {
	began := time.Now()
	if _, err := s.Run(ctx, inputs); err != nil {
		return 0, err
	}
	return time.Since(began), nil
}

// Latency sums up runs of one load.
type Latency struct {
	Runs            int           `json:"runs"`
	Best            time.Duration `json:"best_ns"`
	P50             time.Duration `json:"p50_ns"`
	P90             time.Duration `json:"p90_ns"`
	P99             time.Duration `json:"p99_ns"`
	TokensPerSecond float64       `json:"tokens_per_second"` // over all runs
}

// NewLatency sums up times of a load. There must be at least one. A percentile is the smallest time that at least that share of the runs did not
// exceed (the nearest rank): with few runs the 99th is the longest.
func NewLatency(l Load, times []time.Duration) Latency {
	sorted := slices.Sorted(slices.Values(times))
	rank := func(percent int) time.Duration { return sorted[(len(sorted)*percent+99)/100-1] }
	var total time.Duration
	for _, t := range sorted {
		total += t
	}
	return Latency{
		Runs: len(sorted), Best: sorted[0], P50: rank(50), P90: rank(90), P99: rank(99),
		TokensPerSecond: float64(l.Tokens()*len(sorted)) / total.Seconds(),
	}
}
