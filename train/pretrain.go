package train

import (
	"context"
	"errors"
	"time"

	"goalbert/models"
)

// pretraining is a pre-training under way.
type pretraining struct {
	run
	data    *Data
	o       Options
	source  *source
	heldOut *heldOutSet // nil if nothing is held out
}

// Pretrain trains the model of e on data and leaves in o.Directory the metrics, the curves, checkpoints, and the model
// after the last step. A cancelled context ends it with a checkpoint and an error that wraps the context's; a loss or
// gradient that is not finite ends it without touching the last checkpoint. To resume, e must hold the weights of the
// checkpoint o.Resume; then it ends with the same weights as a run that was never interrupted.
func Pretrain(ctx context.Context, e Engine, data *Data, o Options, observer Observer) (*Result, error) {
	p := &pretraining{data: data, o: o}
	p.run = run{method: p, engine: e, observer: observer, began: time.Now(), course: course{
		directory: o.Directory, resume: o.Resume, schedule: o.Schedule, Optimization: o.Optimization,
		evaluateEvery: o.EvaluateEvery, checkpointEvery: o.CheckpointEvery, keepCheckpoints: o.KeepCheckpoints,
		writeTokenizer: data.WriteTokenizer,
	}}
	if o.Replicas > 1 {
		p.course.sum = o.Sum
	}
	if err := o.validate(e.Weights().Config); err != nil {
		return nil, err
	}
	if err := data.validate(e.Weights().Config); err != nil {
		return nil, err
	}
	var err error
	if p.source, p.heldOut, p.plan, err = prepare(data, &o); err != nil {
		return nil, err
	}
	defer p.close()
	if err := p.toTheEnd(ctx); err != nil {
		return nil, err
	}
	result, err := p.finish(ctx)
	if err != nil {
		return nil, p.interrupted(ctx, err)
	}
	return result, nil
}

func (p *pretraining) options(s *State) { s.Options, s.Data = p.o, p.data.fingerprint }

// checkResume reports why a run with these options and data cannot go on from a checkpoint.
func (p *pretraining) checkResume(c *Checkpoint) error {
	if c.State.Finetuning != nil {
		return errors.New("train: resume: the checkpoint is of a fine-tuning; resume that, or choose another directory")
	}
	if err := p.o.sameResult(&c.State.Options); err != nil {
		return err
	}
	if c.State.Data != p.data.fingerprint {
		return errors.New("train: resume: the text is not what the checkpoint was trained on (after tokenization); " +
			"resume with the same text and vocabulary or start another run")
	}
	return nil
}

func (p *pretraining) loader(at Position, step uint64) *loader {
	return newLoader(p.source, &p.o, at, step)
}

func (p *pretraining) training(m *Metrics, l models.Losses, _ models.Denominators) {
	m.Scores = newScores(l)
}

// due reports whether a step is one that is evaluated; checkpoints are, to find the best one.
func (p *pretraining) due(step int, saved bool) bool {
	return saved || step%p.course.evaluateEvery == 0
}

func (p *pretraining) best() *Best {
	s := &p.state
	if s.HeldOut != nil && (s.Best == nil || s.HeldOut.MaskedLMLoss < s.Best.MaskedLMLoss) {
		return &Best{Step: s.Step, MaskedLMLoss: s.HeldOut.MaskedLMLoss}
	}
	return s.Best
}

func (p *pretraining) wanted() bool { return false }

func (p *pretraining) over() bool { return false }
