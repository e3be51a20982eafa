package train

import (
	"context"
	"math"
	"time"
)

// evaluationsOfRun is how often a run is evaluated unless it is told otherwise.
const evaluationsOfRun = 10

// reserve is the share of a time budget that is kept for what cannot be measured beforehand: writing checkpoints,
// drawing curves, and a machine that becomes slower.
const reserve = 0.1

// steps turns the length that the options ask for into a number of optimizer steps. For a time budget it measures
// this machine; the number then belongs to the run, is kept in its checkpoints, and makes it reproducible (--steps).
func (p *pretraining) steps(ctx context.Context) (int, error) {
	o := &p.o
	switch {
	case o.Steps > 0:
		return o.Steps, nil
	case o.Tokens > 0:
		return int(max(1, math.Ceil(float64(o.Tokens)/p.plan.TokensPerStep))), nil
	}
	budget := time.Duration(o.Minutes * float64(time.Minute))
	begin := time.Now()
	if err := p.evaluate(ctx); err != nil {
		return 0, err
	}
	evaluation := time.Since(begin)
	secondsPerToken, err := p.measure(ctx, min(max(budget/50, time.Second), 5*time.Second))
	if err != nil {
		return 0, err
	}
	left := budget - time.Since(p.began)
	return stepsWithin(left.Seconds()*(1-reserve), secondsPerToken*p.plan.TokensPerStep, evaluation.Seconds(),
		o.EvaluateEvery), nil
}

// stepsWithin returns how many steps, at least 1, fit in some seconds, together with an evaluation now (it was
// measured, and is made once more) and then every so many steps; 0 is evaluationsOfRun times.
func stepsWithin(seconds, step, evaluation float64, every int) int {
	seconds -= evaluation
	if every > 0 {
		step += evaluation / float64(every)
	} else {
		seconds -= evaluationsOfRun * evaluation
	}
	return int(max(1, seconds/step))
}

// measure returns the seconds that a token takes in training. It accumulates gradients for about the time given, and
// clears them: weights and optimizer stay as they are.
func (p *pretraining) measure(ctx context.Context, about time.Duration) (float64, error) {
	l := p.loader(Position{}, 0)
	defer l.close()
	var spent time.Duration
	tokens := 0
	for batches := 0; spent < about; {
		step, err := l.next(ctx)
		if err != nil {
			return 0, err
		}
		for _, b := range step.batches {
			begin := time.Now()
			if _, err := p.engine.Accumulate(b, step.denominators); err != nil {
				return 0, err
			}
			if batches++; batches > 1 { // the first one pays for memory
				spent += time.Since(begin)
				tokens += b.Tokens()
			}
			if spent >= about {
				break
			}
		}
	}
	err := p.engine.AllReduce(func(gradient []float32) error {
		clear(gradient)
		return nil
	})
	return spent.Seconds() / float64(tokens), err
}
