package train

import (
	"context"

	"goalbert/models"
)

// Evaluator returns the losses of weights w on batches, without dropout.
type Evaluator func(ctx context.Context, w *models.Weights, batches []*models.Batch) (models.Losses, error)

// evaluate returns the held-out scores, which the state keeps, or nil if nothing is held out.
func (r *run) evaluate(ctx context.Context) (*Scores, error) {
	if r.heldOut == nil {
		return nil, nil
	}
	evaluator := r.options.Evaluator
	if evaluator == nil {
		evaluator = r.evaluateByEngine
	}
	losses, err := evaluator(ctx, r.engine.Weights(), r.heldOut.batches)
	if err != nil {
		return nil, err
	}
	if !finite(losses.MaskedLM) || !finite(losses.Sentence) {
		return nil, r.diverged(r.state.Step, "held-out loss", losses.MaskedLM+losses.Sentence)
	}
	scores := newScores(losses)
	r.state.HeldOut = scores
	return scores, nil
}

func (r *run) evaluateByEngine(ctx context.Context, _ *models.Weights, batches []*models.Batch) (models.Losses, error) {
	var losses models.Losses
	for _, b := range batches {
		if ctx.Err() != nil {
			return losses, ctx.Err()
		}
		sums, err := r.engine.Evaluate(b)
		if err != nil {
			return losses, err
		}
		losses.Add(sums)
	}
	return losses, nil
}
