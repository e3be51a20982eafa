package train

import (
	"context"

	"goalbert/models"
)

// Position is a place in the stream of training instances: everything before it has been used.
type Position struct {
	Epoch  uint64 `json:"epoch"`
	Window int    `json:"window"` // of the epoch
	Index  int    `json:"index"`  // in the order of the window
}

// stream is the instances from a position on. While a window is used, the next one is read.
type stream struct {
	source *source
	at     Position
	window *window
	coming chan windowRead // the window after that
}

type windowRead struct {
	window *window
	err    error
}

func newStream(s *source, at Position) (*stream, error) {
	w, err := s.window(at.Epoch, at.Window)
	if err != nil {
		return nil, err
	}
	t := &stream{source: s, at: at, window: w}
	t.readAhead()
	return t, nil
}

// following is the beginning of the next window.
func (t *stream) following() Position {
	if t.at.Window+1 < t.source.windows() {
		return Position{Epoch: t.at.Epoch, Window: t.at.Window + 1}
	}
	return Position{Epoch: t.at.Epoch + 1}
}

func (t *stream) readAhead() {
	coming, at := make(chan windowRead, 1), t.following()
	t.coming = coming
	go func() {
		w, err := t.source.window(at.Epoch, at.Window)
		coming <- windowRead{w, err}
	}()
}

// next returns the next sequence.
func (t *stream) next() (*Sequence, error) {
	for t.at.Index >= len(t.window.instances) {
		read := <-t.coming
		if read.err != nil {
			return nil, read.err
		}
		t.at, t.window = t.following(), read.window
		t.readAhead()
	}
	sequence := t.source.sequence(t.at.Epoch, t.window, t.window.instances[t.at.Index])
	t.at.Index++
	return sequence, nil
}

// replica is one of several processes that share every optimizer step.
type replica struct{ index, count int }

// share returns which of the sequences of a step are the replica's own.
func (r replica) share(batch int) (from, to int) {
	return batch * r.index / r.count, batch * (r.index + 1) / r.count
}

// stepBatches is what one optimizer step is made of.
type stepBatches struct {
	batches      []*models.Batch     // micro-batches, of the replica's share
	denominators models.Denominators // of the whole step
	tokens       int                 // of the whole step
	end          Position            // where the next step begins
	err          error               // instead of all that: the corpus could not be read
}

// loader prepares the steps to come in a goroutine of its own. The steps are a function of the source and of where
// it starts, so that a loader that starts at the end of a step continues as if there had been no interruption. All
// replicas make all sequences, which costs little and tells each the denominators, and keep their share: together the
// shares are the step of a single process, and a run may go on with another number of replicas.
type loader struct {
	steps chan *stepBatches
	stop  context.CancelFunc
}

// ahead is how many steps are prepared before they are asked for.
const ahead = 4

// newLoader starts at a position of s, with the step of that number, counted from 0.
func newLoader(s *source, o *Options, at Position, step uint64) *loader {
	batch, microBatch, r := o.BatchSequences, o.MicroBatchSequences, o.replica()
	var instances *stream
	return load(func() *stepBatches {
		if instances == nil {
			var err error
			if instances, err = newStream(s, at); err != nil {
				return &stepBatches{err: err}
			}
		}
		prepared := instances.step(batch, microBatch, r, step)
		step++
		return prepared
	})
}

// load prepares the steps that make returns one after the other, until it returns an error.
func load(following func() *stepBatches) *loader {
	ctx, stop := context.WithCancel(context.Background())
	l := &loader{steps: make(chan *stepBatches, ahead), stop: stop}
	go l.fill(ctx, following)
	return l
}

// next returns the next step, or the error of the context or of the corpus.
func (l *loader) next(ctx context.Context) (*stepBatches, error) {
	select {
	case s := <-l.steps:
		return s, s.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *loader) close() { l.stop() }

func (l *loader) fill(ctx context.Context, following func() *stepBatches) {
	for {
		prepared := following()
		select {
		case l.steps <- prepared:
		case <-ctx.Done():
			return
		}
		if prepared.err != nil {
			return
		}
	}
}

// step makes the next step.
func (t *stream) step(batch, microBatch int, r replica, number uint64) *stepBatches {
	sequences := make([]*Sequence, batch)
	prepared := &stepBatches{}
	for i := range sequences {
		if sequences[i], prepared.err = t.next(); prepared.err != nil {
			return prepared
		}
		prepared.tokens += len(sequences[i].InputIDs)
	}
	from, to := r.share(batch)
	prepared.batches = newBatches(sequences, from, to, microBatch, number)
	prepared.denominators = denominators(sequences)
	prepared.end = t.at
	return prepared
}
