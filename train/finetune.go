package train

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"goalbert/models"
	"goalbert/tasks"
)

// finetuning is a fine-tuning under way.
type finetuning struct {
	run
	data   *FinetuneData
	o      FinetuneOptions
	source *featureSource
}

// FinetuneResult is how a fine-tuning ended.
type FinetuneResult struct {
	Features        int          `json:"features"`
	Step            int          `json:"step"`  // the last one made
	Steps           int          `json:"steps"` // planned: more than made where the score became no better
	Tokens          int64        `json:"tokens"`
	Seconds         float64      `json:"seconds"`           // taken, evaluation and saving included
	TokensPerSecond float64      `json:"tokens_per_second"` // of the optimizer steps alone
	Start           tasks.Scores `json:"start,omitempty"`   // before the first step
	Best            *Best        `json:"best,omitempty"`    // the checkpoint that became the model
	Scores          tasks.Scores `json:"scores,omitempty"`  // its
	Model           string       `json:"model"`
	Curves          string       `json:"curves"`
}

// Finetune trains the model of e on features and leaves in o.Directory the metrics, the curves, checkpoints, and as the
// model the weights of the checkpoint with the best score. It is interrupted, ends where a number is not finite, and is
// resumed as Pretrain.
//
// An epoch takes the features in random order, in batches of about equal length. A batch is computed in micro-batches,
// whose gradients add up to its own; but sentences that are told from the others of their batch are computed together.
func Finetune(ctx context.Context, e Engine, data *FinetuneData, o FinetuneOptions, observer Observer) (*FinetuneResult, error) {
	c := e.Weights().Config
	f := &finetuning{data: data, o: o, source: newFeatureSource(data, c, &o)}
	if o.BatchFeatures < 1 { // before it divides
		return nil, fmt.Errorf("train: batch is %d, want at least 1", o.BatchFeatures)
	}
	epoch := f.source.steps()
	if err := o.validate(c, epoch); err != nil {
		return nil, err
	}
	if err := data.validate(c, o.LabelWeights); err != nil {
		return nil, err
	}
	f.run = run{method: f, engine: e, observer: observer, began: time.Now(), plan: f.planned(), course: course{
		directory: o.Directory, resume: o.Resume, schedule: o.schedule(o.steps(epoch)), Optimization: o.Optimization,
		evaluateEvery: o.EvaluateEvery, checkpointEvery: o.CheckpointEvery, keepCheckpoints: o.KeepCheckpoints,
		writeTokenizer: data.WriteTokenizer,
	}}
	defer f.close()
	if err := f.toTheEnd(ctx); err != nil {
		return nil, err
	}
	return f.finish()
}

// planned returns what the run is about to do.
func (f *finetuning) planned() *Plan {
	tokens := 0
	for _, feature := range f.data.Features {
		tokens += feature.Tokens()
	}
	return &Plan{Features: len(f.data.Features), TokensPerStep: float64(tokens) / float64(f.source.steps())}
}

func (f *finetuning) steps(context.Context) (int, error) { return f.o.steps(f.source.steps()), nil }

func (f *finetuning) options(s *State) {
	s.Finetuning, s.Data, s.DevData = &f.o, f.data.fingerprint, f.data.devFingerprint
}

// checkResume reports why a run with these options and features cannot go on from a checkpoint.
func (f *finetuning) checkResume(c *Checkpoint) error {
	if c.State.Finetuning == nil {
		return errors.New("train: resume: the checkpoint is of a pre-training; resume that, or choose another directory")
	}
	if err := sameFields(f.o, c.State.Finetuning, sameOptionsAdvice); err != nil {
		return err
	}
	if c.State.Data != f.data.fingerprint {
		return errors.New("train: resume: the examples are not what the checkpoint was trained on (after tokenization); " +
			"resume with the same examples and options or start another run")
	}
	if c.State.DevData != f.data.devFingerprint {
		return errors.New("train: resume: the dev examples are not those of the checkpoint's scores (after tokenization), which " +
			"could not be compared with others; resume with the same dev examples or start another run")
	}
	return nil
}

func (f *finetuning) loader(at Position, step uint64) *loader { return f.source.loader(at, step) }

func (f *finetuning) training(m *Metrics, l models.Losses, d models.Denominators) {
	m.TaskScores = &TaskScores{Loss: l.Task / d.Labels}
	c := f.engine.Weights().Config
	values := c.Architecture == models.ForSequenceClassification && c.Problem() == models.Regression ||
		c.Architecture == models.BaseModel && f.data.Features[0].Targets != nil
	if !values {
		accuracy := float64(l.LabelsCorrect) / float64(max(1, l.Labels))
		m.Accuracy = &accuracy
	}
}

// due reports whether a step is one that is evaluated. Checkpoints need not be: patience counts evaluations, and must not
// depend on how often there is a checkpoint.
func (f *finetuning) due(step int, _ bool) bool {
	return f.o.Evaluate != nil && (step == f.state.Steps || step%f.course.evaluateEvery == 0)
}

// evaluate computes the scores, and whether they are the best. Those before the first step are there to be seen.
func (f *finetuning) evaluate(ctx context.Context) error {
	if f.o.Evaluate == nil {
		return nil
	}
	scores, err := f.o.Evaluate(ctx, f.engine.Weights())
	if err != nil {
		return err
	}
	if len(scores) == 0 {
		return errors.New("train: the evaluation gave no score; want at least one")
	}
	s := &f.state
	if own := scores[0]; !finite(own.Value) {
		return f.diverged(s.Step, "score "+own.Name, own.Value)
	}
	s.Dev = scores
	switch {
	case s.Step == 0:
	case s.Best == nil || scores[0].Value > s.Best.Score.Value:
		s.Best, s.BestDev, s.SinceBest = &Best{Step: s.Step, Score: scores[0]}, scores, 0
	default:
		s.SinceBest++
	}
	return nil
}

func (f *finetuning) best() *Best { return f.state.Best }

// wanted reports whether the weights are the best ones, which would be lost otherwise, or the last ones.
func (f *finetuning) wanted() bool {
	return f.state.Best != nil && f.state.Best.Step == f.state.Step || f.over()
}

// over reports whether the score has not become better for as long as patience lasts.
func (f *finetuning) over() bool { return f.o.Patience > 0 && f.state.SinceBest >= f.o.Patience }

// finish writes the model: the weights of the best checkpoint, or the last ones where nothing was evaluated.
func (f *finetuning) finish() (*FinetuneResult, error) {
	s := &f.state
	weights := f.engine.Weights()
	if s.Best != nil && s.Best.Step != s.Step {
		c, err := readCheckpoint(stepDirectory(f.course.directory, s.Best.Step))
		if err != nil {
			return nil, err
		}
		if weights, err = c.ReadWeights(weights.Config); err != nil {
			return nil, err
		}
	}
	model, err := f.writeModel(weights)
	if err != nil {
		return nil, err
	}
	result := &FinetuneResult{
		Features: len(f.data.Features), Step: s.Step, Steps: s.Steps, Tokens: s.Tokens, Seconds: f.seconds(),
		TokensPerSecond: meanSpeed(f.metrics.lines), Best: s.Best, Scores: s.BestDev,
		Model: model, Curves: filepath.Join(f.course.directory, CurvesFile),
	}
	if lines := f.metrics.lines; len(lines) > 0 {
		result.Start = lines[0].Dev
	}
	return result, nil
}
