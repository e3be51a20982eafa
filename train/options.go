package train

import (
	"fmt"
	"math"

	"goalbert/corpus"
	"goalbert/models"
)

// Options of a pre-training. Those with a JSON name decide the result: a run is resumed with the same ones only. The
// JSON names are also those of the command's flags.
type Options struct {
	Directory string `json:"-"` // of the run: see CheckpointsDirectory

	Seed uint64 `json:"seed"` // of everything random

	Segments
	Masking
	Schedule
	Optimization

	Precision string `json:"precision"` // of the engine's products; whoever makes the engine reads it

	BatchSequences      int `json:"batch"`       // sequences of an optimizer step
	MicroBatchSequences int `json:"micro-batch"` // most sequences computed at once

	// How long to train: one of the three. Minutes are turned into a number of steps when the run starts.
	Steps   int     `json:"steps"`
	Tokens  int64   `json:"tokens"`
	Minutes float64 `json:"minutes"`

	HeldOut          float64 `json:"held-out"`           // share of the documents that is not trained on
	HeldOutSequences int     `json:"held-out-sequences"` // most instances of them that an evaluation uses

	EvaluateEvery   int `json:"-"` // steps; 0 is a tenth of the run
	CheckpointEvery int `json:"-"` // steps; 0 is as often as evaluated
	KeepCheckpoints int `json:"-"` // the last ones; the best one stays besides

	// A process that shares every step with others takes the Replica-th of Replicas equal parts of its sequences, and Sum
	// adds up gradients over all of them. 0 Replicas are 1.
	Replica  int                   `json:"-"`
	Replicas int                   `json:"-"`
	Sum      func([]float32) error `json:"-"`

	// Evaluator computes the held-out losses elsewhere; nil is by the engine.
	Evaluator Evaluator `json:"-"`
	// Resume is the checkpoint to go on from; nil is from the start.
	Resume *Checkpoint `json:"-"`
}

const defaultPrecision = "fp32"

// Optimization is the optimizer and its constants.
type Optimization struct {
	Optimizer      models.Optimizer `json:"optimizer"`
	Beta1          float64          `json:"beta1"`
	Beta2          float64          `json:"beta2"`
	Epsilon        float64          `json:"epsilon"`
	WeightDecay    float64          `json:"weight-decay"`
	BiasCorrection bool             `json:"bias-correction"`
	MaxGradNorm    float64          `json:"max-grad-norm"` // 0 is no clipping
}

// hyperparameters returns the hyper-parameters of a step with that learning rate.
func (o Optimization) hyperparameters(learningRate float64) models.Hyperparameters {
	return models.Hyperparameters{
		Optimizer: o.Optimizer, LearningRate: learningRate, Beta1: o.Beta1, Beta2: o.Beta2, Epsilon: o.Epsilon,
		WeightDecay: o.WeightDecay, BiasCorrection: o.BiasCorrection, MaxGradNorm: o.MaxGradNorm,
	}
}

func (o Optimization) validate() error {
	if o.Optimizer != models.AdamW && o.Optimizer != models.LAMB {
		return fmt.Errorf("train: optimizer is %q, want %s or %s", o.Optimizer, models.AdamW, models.LAMB)
	}
	return within([]quantity{
		{"beta1", o.Beta1, o.Beta1 >= 0 && o.Beta1 < 1, "0 or more, below 1"},
		{"beta2", o.Beta2, o.Beta2 >= 0 && o.Beta2 < 1, "0 or more, below 1"},
		{"epsilon", o.Epsilon, o.Epsilon > 0, "above 0"},
		{"weight decay", o.WeightDecay, o.WeightDecay >= 0, "0 or more"},
		{"gradient norm limit", o.MaxGradNorm, o.MaxGradNorm >= 0, "0 (none) or more"},
	})
}

// Defaults returns the options of a training with an optimizer, all but its length: for AdamW those of
// torch.optim.AdamW with a linear decay, for LAMB those of the paper (rate 0.00176, 2.5 % warm-up, polynomial decay,
// meant for steps of 4096 sequences).
func Defaults(optimizer models.Optimizer) (Options, error) {
	o := Options{
		Segments:            Segments{Objective: SOP, SequenceLength: 128, ShortProbability: 0.1},
		Masking:             DefaultMasking(),
		Schedule:            Schedule{LearningRate: 1e-3, Warmup: 0.1, Decay: LinearDecay, Power: 1},
		Precision:           defaultPrecision,
		BatchSequences:      64,
		MicroBatchSequences: 16,
		HeldOut:             0.03,
		HeldOutSequences:    512,
		KeepCheckpoints:     2,
		Optimization: Optimization{
			Optimizer: optimizer, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.01, BiasCorrection: true,
			MaxGradNorm: 1,
		},
	}
	switch optimizer {
	case models.AdamW:
	case models.LAMB:
		o.Schedule = Schedule{LearningRate: 0.00176, Warmup: 0.025, Decay: PolynomialDecay, Power: 1}
		o.Epsilon, o.BiasCorrection = 1e-6, false
	default:
		return Options{}, fmt.Errorf("train: optimizer is %q, want %s or %s", optimizer, models.AdamW, models.LAMB)
	}
	return o, nil
}

// validate reports the first value that no training can have, with a model of configuration c.
func (o *Options) validate(c models.Config) error {
	if err := o.Segments.validate(); err != nil {
		return err
	}
	if err := o.Schedule.validate(); err != nil {
		return err
	}
	if o.SequenceLength > c.MaxPositionEmbeddings {
		return fmt.Errorf("train: sequence length is %d, the model has %d positions (max_position_embeddings); "+
			"use shorter sequences or a configuration with more positions", o.SequenceLength, c.MaxPositionEmbeddings)
	}
	if !c.Architecture.HasPredictions() {
		return fmt.Errorf("train: an %s has no masked-LM head to train; take a model that has, as an %s",
			c.Architecture, models.ForPreTraining)
	}
	if o.Objective != NoSentences && c.Architecture != models.ForPreTraining {
		return fmt.Errorf("train: objective %s needs the sentence head of %s, the model is an %s; use objective %s",
			o.Objective, models.ForPreTraining, c.Architecture, NoSentences)
	}
	if o.Objective != NoSentences && c.TypeVocabSize < 2 {
		return fmt.Errorf("train: objective %s needs two token types, the model has type_vocab_size %d; "+
			"use objective %s", o.Objective, c.TypeVocabSize, NoSentences)
	}
	if err := o.Optimization.validate(); err != nil {
		return err
	}
	return o.validateNumbers()
}

// replica returns which part of every step is this process's.
func (o *Options) replica() replica { return replica{o.Replica, max(1, o.Replicas)} }

func (o *Options) validateReplica() error {
	r := o.replica()
	if r.index < 0 || r.index >= r.count || r.count > o.BatchSequences {
		return fmt.Errorf("train: replica is %d of %d with steps of %d sequences, want one of 0 to replicas - 1, and a sequence for each",
			o.Replica, o.Replicas, o.BatchSequences)
	}
	if r.count > 1 && o.Sum == nil {
		return fmt.Errorf("train: %d replicas need something that sums their gradients, got nothing", r.count)
	}
	return nil
}

func (o *Options) validateNumbers() error {
	if err := atLeast([]number{
		{"batch", o.BatchSequences, 1},
		{"micro-batch", o.MicroBatchSequences, 1},
		{"held-out sequences", o.HeldOutSequences, 1},
		{"evaluation interval", o.EvaluateEvery, 0},
		{"checkpoint interval", o.CheckpointEvery, 0},
		{"checkpoints to keep", o.KeepCheckpoints, 1},
		{"longest n-gram", o.MaxNGram, 1},
		{"most predictions", o.MaxPredictions, 0},
	}); err != nil {
		return err
	}
	if err := within([]quantity{
		{"masked-LM probability", o.Probability, o.Probability > 0 && o.Probability <= 1, "above 0, at most 1"},
		{"held-out share", o.HeldOut, o.HeldOut >= 0 && o.HeldOut < 1, "0 or more, below 1"},
	}); err != nil {
		return err
	}
	if err := o.validateReplica(); err != nil {
		return err
	}
	return o.validateLength()
}

// number is a whole number of the options.
type number struct {
	name         string
	value, least int
}

func atLeast(numbers []number) error {
	for _, n := range numbers {
		if n.value < n.least {
			return fmt.Errorf("train: %s is %d, want at least %d", n.name, n.value, n.least)
		}
	}
	return nil
}

// quantity is another number of the options.
type quantity struct {
	name  string
	value float64
	ok    bool
	want  string
}

func within(quantities []quantity) error {
	for _, q := range quantities {
		if !q.ok || math.IsInf(q.value, 0) {
			return fmt.Errorf("train: %s is %v, want %s", q.name, q.value, q.want)
		}
	}
	return nil
}

func (o *Options) validateLength() error {
	given := 0
	for _, set := range []bool{o.Steps != 0, o.Tokens != 0, o.Minutes != 0} {
		if set {
			given++
		}
	}
	if given != 1 || o.Steps < 0 || o.Tokens < 0 || !(o.Minutes >= 0) {
		return fmt.Errorf("train: length is steps %d, tokens %d, minutes %v, want exactly one of them above 0",
			o.Steps, o.Tokens, o.Minutes)
	}
	return nil
}

// sameResult reports the first option in which o differs from those that a checkpoint was made with.
func (o *Options) sameResult(made *Options) error {
	return sameFields(o, made, sameOptionsAdvice)
}

const sameOptionsAdvice = "resume with the same options or start another run"

// sameFields reports the first JSON field in which what is asked for now differs from what a checkpoint has.
func sameFields(now, made any, advice string) error {
	if name, a, b := corpus.DifferentField(now, made); name != "" {
		return fmt.Errorf("train: resume: %s is %s, the checkpoint was made with %s; %s", name, a, b, advice)
	}
	return nil
}
