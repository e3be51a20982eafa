package train

import (
	"context"

	"goalbert/models"
)

// Position is a place in the stream of training instances: everything before it has been used.
type Position struct {
	Epoch uint64 `json:"epoch"`
	Index int    `json:"index"` // in the order of the epoch
}

// stepBatches is what one optimizer step is made of.
type stepBatches struct {
	batches      []*models.Batch // micro-batches
	denominators models.Denominators
	tokens       int
	end          Position // where the next step begins
}

// loader prepares the steps to come in a goroutine of its own. The steps are a function of the source and of where
// it starts, so that a loader that starts at the end of a step continues as if there had been no interruption.
type loader struct {
	steps chan *stepBatches
	stop  context.CancelFunc
}

// ahead is how many steps are prepared before they are asked for.
const ahead = 4

// newLoader starts at a position, with the step of that number, counted from 0.
func newLoader(s *source, batch, microBatch int, at Position, step uint64) *loader {
	ctx, stop := context.WithCancel(context.Background())
	l := &loader{steps: make(chan *stepBatches, ahead), stop: stop}
	go l.fill(ctx, s, batch, microBatch, at, step)
	return l
}

// next returns the next step, or the context's error.
func (l *loader) next(ctx context.Context) (*stepBatches, error) {
	select {
	case s := <-l.steps:
		return s, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *loader) close() { l.stop() }

func (l *loader) fill(ctx context.Context, s *source, batch, microBatch int, at Position, step uint64) {
	instances := s.epoch(at.Epoch)
	for ; ; step++ {
		sequences := make([]*Sequence, 0, batch)
		for len(sequences) < batch {
			if at.Index >= len(instances) {
				at = Position{Epoch: at.Epoch + 1}
				instances = s.epoch(at.Epoch)
			}
			sequences = append(sequences, s.sequence(at.Epoch, instances[at.Index]))
			at.Index++
		}
		prepared := newStep(sequences, microBatch, step)
		prepared.end = at
		select {
		case l.steps <- prepared:
		case <-ctx.Done():
			return
		}
	}
}

func newStep(sequences []*Sequence, microBatch int, step uint64) *stepBatches {
	batches, denominators := newBatches(sequences, microBatch, step)
	s := &stepBatches{batches: batches, denominators: denominators}
	for _, b := range batches {
		s.tokens += b.Tokens()
	}
	return s
}
