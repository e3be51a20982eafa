package train

import (
	"context"

	"goalbert/models"
)

// Evaluator returns the losses of weights w on batches, without dropout.
type Evaluator func(ctx context.Context, w *models.Weights, batches []*models.Batch) (models.Losses, error)

// evaluate computes the held-out scores, if anything is held out.
func (p *pretraining) evaluate(ctx context.Context) error {
	if p.heldOut == nil {
		return nil
	}
	evaluator := p.o.Evaluator
	if evaluator == nil {
		evaluator = p.evaluateByEngine
	}
	losses, err := evaluator(ctx, p.engine.Weights(), p.heldOut.batches)
	if err != nil {
		return err
	}
	if !finite(losses.MaskedLM) || !finite(losses.Sentence) {
		return p.diverged(p.state.Step, "held-out loss", losses.MaskedLM+losses.Sentence)
	}
	p.state.HeldOut = newScores(losses)
	return nil
}

func (p *pretraining) evaluateByEngine(ctx context.Context, _ *models.Weights, batches []*models.Batch) (models.Losses, error) {
	var losses models.Losses
	for _, b := range batches {
		if ctx.Err() != nil {
			return losses, ctx.Err()
		}
		sums, err := p.engine.Evaluate(b)
		if err != nil {
			return losses, err
		}
		losses.Add(sums)
	}
	return losses, nil
}
