package train

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"goalbert/models"
)

// Result is how a run ended.
type Result struct {
	Plan
	Tokens          int64   `json:"tokens"`            // seen
	Seconds         float64 `json:"seconds"`           // taken, evaluation and saving included
	TokensPerSecond float64 `json:"tokens_per_second"` // of the optimizer steps alone
	Start           *Scores `json:"start,omitempty"`   // held-out, before the first step; nil if nothing is held out
	End             *Scores `json:"end,omitempty"`     // after the last step
	Best            *Best   `json:"best,omitempty"`    // checkpoint, which may be earlier than the last
	Model           string  `json:"model"`             // directory of the weights after the last step
	Curves          string  `json:"curves"`            // picture of the metrics
}

// finish writes the model after the last step.
func (p *pretraining) finish(ctx context.Context) (*Result, error) {
	if p.state.HeldOut == nil {
		if err := p.evaluate(ctx); err != nil {
			return nil, err
		}
	}
	model, err := p.writeModel(p.engine.Weights())
	if err != nil {
		return nil, err
	}
	result := &Result{
		Plan: *p.plan, Tokens: p.state.Tokens, Seconds: p.seconds(), End: p.state.HeldOut, Best: p.state.Best,
		Model: model, Curves: filepath.Join(p.course.directory, CurvesFile), TokensPerSecond: meanSpeed(p.metrics.lines),
	}
	if lines := p.metrics.lines; len(lines) > 0 {
		result.Start = lines[0].HeldOut
	}
	return result, nil
}

// writeModel writes the directory of the run's model, unless it is there, and returns it.
func (r *run) writeModel(w *models.Weights) (string, error) {
	directory := filepath.Join(r.course.directory, ModelDirectory)
	if _, err := os.Stat(directory); !errors.Is(err, fs.ErrNotExist) {
		return directory, nil
	}
	return directory, models.WriteDirectory(directory, func(temporary string) error {
		return writeModel(temporary, w, r.course.writeTokenizer)
	})
}

// meanSpeed returns the tokens a second of all steps together, from each step's tokens and speed.
func meanSpeed(lines []Metrics) float64 {
	var tokens int64
	var seconds float64
	for _, m := range lines {
		if m.TokensPerSecond > 0 {
			seconds += float64(m.Tokens-tokens) / m.TokensPerSecond
		}
		tokens = m.Tokens
	}
	if seconds == 0 {
		return 0
	}
	return float64(tokens) / seconds
}
