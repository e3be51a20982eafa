package train

import (
	"context"
	"fmt"
	"math"

	"goalbert/models"
	"goalbert/tasks"
)

// FinetuneOptions are those of a fine-tuning. Those with a JSON name decide the result: a run is resumed with the same
// ones only. The JSON names are also those of the command's flags.
//
// The engine is made by whoever calls: that it is frozen, and its precision, stand here for the checkpoints alone, and
// dropout is the model's configuration.
type FinetuneOptions struct {
	Directory string `json:"-"` // of the run: see CheckpointsDirectory

	Seed uint64 `json:"seed"` // of everything random

	Schedule
	WarmupSteps int `json:"warmup-steps"` // of the schedule, instead of a share; 0 is by the share
	Optimization

	Precision string `json:"precision"` // of the engine's products
	Freeze    bool   `json:"freeze"`    // embeddings and encoder stay as they are

	BatchFeatures    int `json:"batch"`              // of an optimizer step
	MicroBatchTokens int `json:"micro-batch-tokens"` // computed at once, but at least one feature; see Finetune

	// How long to train: one of both.
	Epochs float64 `json:"epochs"`
	Steps  int     `json:"steps"`

	FixedOrder   bool      `json:"fixed-order"`   // that of the features, in every epoch
	LabelWeights []float32 `json:"label-weights"` // of the classes in the loss; nil is 1 each

	EvaluateEvery   int `json:"evaluate-every"` // steps; 0 is a tenth of the run
	Patience        int `json:"patience"`       // evaluations without a better score that end the run; 0 is any number
	CheckpointEvery int `json:"-"`              // steps; 0 is as often as evaluated
	KeepCheckpoints int `json:"-"`              // the last ones; the best one stays besides

	// Evaluate returns the scores of weights on examples that are not trained on; the first decides which checkpoint is
	// the best. Without it the last weights become the model.
	Evaluate func(ctx context.Context, w *models.Weights) (tasks.Scores, error) `json:"-"`
	// Resume is the checkpoint to go on from; nil is from the start.
	Resume *Checkpoint `json:"-"`
}

// FinetuneDefaults returns the options of a fine-tuning, all but its length: the usual ones of the field, AdamW with a
// rate of 5e-5 that falls in a straight line after a tenth of warm-up, without weight decay, in batches of 32.
func FinetuneDefaults() FinetuneOptions {
	return FinetuneOptions{
		Schedule: Schedule{LearningRate: 5e-5, Warmup: 0.1, Decay: LinearDecay, Power: 1},
		Optimization: Optimization{
			Optimizer: models.AdamW, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, BiasCorrection: true, MaxGradNorm: 1,
		},
		Precision: defaultPrecision, BatchFeatures: 32, MicroBatchTokens: 4096, KeepCheckpoints: 1,
	}
}

// steps returns the number of optimizer steps, given that of an epoch.
func (o *FinetuneOptions) steps(epoch int) int {
	if o.Steps > 0 {
		return o.Steps
	}
	return int(max(1, math.Round(o.Epochs*float64(epoch))))
}

// schedule returns that of a run of so many steps.
func (o *FinetuneOptions) schedule(steps int) Schedule {
	s := o.Schedule
	if o.WarmupSteps > 0 {
		s.Warmup = float64(o.WarmupSteps) / float64(steps)
	}
	return s
}

// validate reports the first value that no fine-tuning of a model of configuration c can have, given the steps of an epoch.
func (o *FinetuneOptions) validate(c models.Config, epoch int) error {
	if (o.Steps > 0) == (o.Epochs > 0) || o.Steps < 0 || !(o.Epochs >= 0) || math.IsInf(o.Epochs, 0) {
		return fmt.Errorf("train: length is steps %d, epochs %v, want exactly one of them above 0", o.Steps, o.Epochs)
	}
	if err := atLeast([]number{
		{"batch", o.BatchFeatures, 1},
		{"tokens of a micro-batch", o.MicroBatchTokens, 1},
		{"warm-up", o.WarmupSteps, 0},
		{"evaluation interval", o.EvaluateEvery, 0},
		{"patience", o.Patience, 0},
		{"checkpoint interval", o.CheckpointEvery, 0},
		{"checkpoints to keep", o.KeepCheckpoints, 1},
	}); err != nil {
		return err
	}
	if steps := o.steps(epoch); o.WarmupSteps >= steps {
		return fmt.Errorf("train: warm-up is %d steps, the run has %d; want less", o.WarmupSteps, steps)
	}
	if err := o.schedule(o.steps(epoch)).validate(); err != nil {
		return err
	}
	if err := o.Optimization.validate(); err != nil {
		return err
	}
	if o.Patience > 0 && o.Evaluate == nil {
		return fmt.Errorf("train: patience is %d evaluations, and there is nothing to evaluate on; give some, or patience 0", o.Patience)
	}
	return o.validateWeights(c)
}

func (o *FinetuneOptions) validateWeights(c models.Config) error {
	if o.LabelWeights == nil {
		return nil
	}
	classes := c.Architecture == models.ForTokenClassification ||
		c.Architecture == models.ForSequenceClassification && c.Problem() == models.SingleLabel
	if !classes {
		return fmt.Errorf("train: %d label weights, an %s has no classes that exclude each other; leave them out",
			len(o.LabelWeights), c.Architecture)
	}
	if n := c.Labels.Len(); len(o.LabelWeights) != n {
		return fmt.Errorf("train: %d label weights, want one for each of %d labels", len(o.LabelWeights), n)
	}
	for i, w := range o.LabelWeights {
		if !(w >= 0) || math.IsInf(float64(w), 0) {
			return fmt.Errorf("train: the weight of label %d (%s) is %v, want a number from 0", i, c.Labels.Names()[i], w)
		}
	}
	return nil
}
