package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"goalbert/evaluate"
	"goalbert/models"
	"goalbert/native"
	runtimenative "goalbert/runtime/native"
	"goalbert/tasks"
	"goalbert/tokenizer"
	"goalbert/train"
)

// finetuning is the flags of albert finetune.
type finetuning struct {
	*taskFlags
	command *cobra.Command
	asJSON  *bool

	starting
	train, dev []string
	data       string
	devShare   float64
	devSeed    uint64
	out        string

	options          train.FinetuneOptions
	labelWeights     []string
	dropout          float64
	classifierDrop   float64
	seeds            []uint
	resume           bool
	threads          int
	recompute        bool
	hyperparameters  tasks.Hyperparameters // of the task
	vocabulary       tokenizer.Tokenizer
	start            models.Config // of the model that is trained
	task             tasks.Task
	training, tested *tasks.Set
	examples         int              // trained on
	labelled         []*tasks.Example // that labels are learned from: those to train on, and what is held out of them
}

func newFinetune() *cobra.Command {
	c := &cobra.Command{
		Use:   "finetune --task TASK --model DIRECTORY|RUN|NAME (--train FILE [--dev FILE] | --data DIRECTORY) --out RUN",
		Short: "Train a model for a task on labelled examples: classes, values, entities, answers, choices, similarity",
		Long: "Train a model for a task on labelled examples.\n\n" +
			"It starts from a checkpoint, a run of albert pretrain, a model of the Hugging Face Hub, or with --preset or\n" +
			"--config and --tokenizer from random weights. Tables have a header, or columns are given by number; labels are\n" +
			"those of the training examples. Of GLUE's tasks, IMDB, SQuAD and RACE --data is the directory that has their\n" +
			"files. Rate, batch, length and dropout are the paper's for these (arXiv:1909.11942, table 14), and usual ones\n" +
			"otherwise.\n\n" +
			"RUN gets checkpoints, metrics.jsonl, curves.png, and in RUN/model the weights that were best on the dev examples\n" +
			"by the task's metric, with the labels in config.json. With --seeds each has a run of its own, RUN/seed-N, and the\n" +
			"result names the model of the best; RUN is none then. An interrupted run goes on with --out RUN --resume, and\n" +
			"ends with the same weights.",
		Args: arguments(cobra.NoArgs),
	}
	flags := c.Flags()
	f := &finetuning{
		command: c, asJSON: jsonFlag(c), taskFlags: bindTask(flags, "task", taskUsage()), options: train.FinetuneDefaults(),
	}
	flags.StringVar(&f.model, "model", "", "what to start from: a checkpoint's directory, a run, or owner/name on the hub")
	flags.StringVar(&f.preset, "preset", "", fmt.Sprint("to start from random weights: one of ", models.PresetNames()))
	flags.StringVar(&f.config, "config", "", "a config.json instead of a preset")
	flags.StringVar(&f.tokenizer, "tokenizer", "", "directory of the vocabulary, with --preset or --config")
	flags.StringSliceVar(&f.train, "train", nil, "labelled examples to train on")
	flags.StringSliceVar(&f.dev, "dev", nil, "labelled examples by which the best checkpoint is chosen")
	flags.StringVar(&f.data, "data", "", "directory of a data set whose files the task knows by name")
	flags.Float64Var(&f.devShare, "dev-share", 0, "without --dev: share of the training examples that is held out for it, at random, of each class as much; 0.1 of imdb's, whose test set chooses nothing")
	flags.Uint64Var(&f.devSeed, "dev-seed", 1, "of that choice")
	flags.StringVar(&f.labels, "labels", "", "file of labels, one a line, in the order of the model's outputs; otherwise those of the training examples, sorted")
	flags.StringSliceVar(&f.labelWeights, "label-weights", nil, "of the classes in the loss: balanced, or label=weight,...; 1 each if empty")
	flags.Float64Var(&f.dropout, "dropout", -1, "of embeddings, attention and layers; the task's, if negative")
	flags.Float64Var(&f.classifierDrop, "classifier-dropout", -1, "before the classifier; the task's, if negative")
	flags.UintSliceVar(&f.seeds, "seeds", nil, "several seeds: a run for each, and the mean and spread of their scores")
	flags.StringVar(&f.out, "out", "", "the run's directory")
	flags.BoolVar(&f.resume, "resume", false, "go on from the newest checkpoint, with the flags that the run was started with")
	flags.IntVar(&f.threads, "threads", 0, "0 is one a processor; the result does not depend on it")
	flags.BoolVar(&f.recompute, "recompute", false, "keep little of each layer and compute it again in the backward pass: less memory for more time, the same result")
	bindFinetuning(flags, &f.options)
	c.MarkFlagRequired("out")
	c.MarkFlagsMutuallyExclusive("seed", "seeds")
	c.MarkFlagsMutuallyExclusive("model", "preset", "config")
	c.MarkFlagsMutuallyExclusive("dev", "dev-share")
	c.RunE = func(*cobra.Command, []string) error { return f.run() }
	return c
}

// bindFinetuning makes flags of the options of a fine-tuning, under their JSON names.
func bindFinetuning(f *pflag.FlagSet, o *train.FinetuneOptions) {
	f.Uint64Var(&o.Seed, "seed", o.Seed, "of everything random")
	f.Float64Var(&o.LearningRate, "learning-rate", 0, "at its peak; the task's, if 0")
	f.Float64Var(&o.Warmup, "warmup", 0, "share of the steps in which the rate rises; the task's, if neither this nor --warmup-steps is given")
	f.IntVar(&o.WarmupSteps, "warmup-steps", 0, "the same in steps")
	f.StringVar((*string)(&o.Decay), "decay", string(o.Decay), "how the rate falls then: linear, polynomial or constant")
	f.Float64Var(&o.Power, "power", o.Power, "of polynomial decay")
	f.IntVar(&o.BatchFeatures, "batch", 0, "examples of an optimizer step; the task's, if 0")
	f.IntVar(&o.MicroBatchTokens, "micro-batch-tokens", o.MicroBatchTokens, "most tokens computed at once, whose gradients add up; the result does not depend on it but for rounding")
	f.Float64Var(&o.Epochs, "epochs", 0, "how often every example is trained on; or")
	f.IntVar(&o.Steps, "steps", 0, "length of the training; the task's, if neither is given")
	f.BoolVar(&o.FixedOrder, "fixed-order", o.FixedOrder, "take the examples in the order of the files, in every epoch")
	f.StringVar(&o.Precision, "precision", o.Precision, "of products: fp32, or bf16 where the processor has it")
	f.BoolVar(&o.Freeze, "freeze", o.Freeze, "train the classifier and the pooler alone; embeddings and encoder stay as they are")
	f.StringVar((*string)(&o.Optimizer), "optimizer", string(o.Optimizer), "adamw or lamb")
	f.Float64Var(&o.Beta1, "beta1", o.Beta1, "of the gradient's running mean")
	f.Float64Var(&o.Beta2, "beta2", o.Beta2, "of the running mean of its square")
	f.Float64Var(&o.Epsilon, "epsilon", o.Epsilon, "added to the root of that")
	f.Float64Var(&o.WeightDecay, "weight-decay", o.WeightDecay, "of matrices and embeddings")
	f.BoolVar(&o.BiasCorrection, "bias-correction", o.BiasCorrection, "of adamw; without it and with epsilon 1e-6 it is Google's")
	f.Float64Var(&o.MaxGradNorm, "max-grad-norm", o.MaxGradNorm, "the gradient is clipped to; 0 is no clipping")
	f.IntVar(&o.EvaluateEvery, "evaluate-every", o.EvaluateEvery, "steps; 0 is a tenth of the run")
	f.IntVar(&o.Patience, "patience", o.Patience, "end after so many evaluations without a better score; 0 is never")
	f.IntVar(&o.CheckpointEvery, "checkpoint-every", o.CheckpointEvery, "steps; 0 is as often as evaluated")
	f.IntVar(&o.KeepCheckpoints, "keep-checkpoints", o.KeepCheckpoints, "the last ones; the best one stays besides")
}

func (f *finetuning) run() error {
	c := f.command
	if f.resume {
		if err := restoreFlags(c.Flags(), f.out); err != nil {
			return err
		}
	} else if holdsFinetuning(f.out) {
		return fmt.Errorf("finetune: %s holds a run already; go on with it (--resume) or choose another directory", f.out)
	}
	if err := f.checkFlags(); err != nil {
		return err
	}
	if err := f.prepare(); err != nil {
		return err
	}
	result := finetuned{Task: f.name, Examples: f.examples, Truncated: f.training.Truncated, Bad: f.training.Bad}
	if f.start.Architecture.HasLabels() && f.start.Problem() != models.Regression {
		result.Labels = f.start.Labels.Names()
	}
	if f.model != "" { // a run's newest checkpoint, or a name's on the hub, may be another one by then
		if err := c.Flags().Set("model", models.Pin(f.model, f.directory)); err != nil {
			return err
		}
	}
	if !holdsFinetuning(f.out) { // from here on it can be resumed with what it was started with
		if err := os.MkdirAll(f.out, 0o777); err != nil {
			return fmt.Errorf("finetune: make the run's directory: %w", err)
		}
		if err := saveFlags(c.Flags(), f.out); err != nil {
			return err
		}
	}
	if f.seeds == nil {
		r, err := f.once(f.out, f.options.Seed)
		if err != nil {
			return err
		}
		result.Runs = []seedResult{{f.options.Seed, r}}
	}
	for _, seed := range f.seeds {
		note(c, "seed %d", seed)
		r, err := f.once(filepath.Join(f.out, fmt.Sprint(models.RunSeed, seed)), uint64(seed))
		if err != nil {
			return err
		}
		result.Runs = append(result.Runs, seedResult{uint64(seed), r})
	}
	result.sumUp()
	return show(c, *f.asJSON, result, result.write)
}

// checkFlags refuses flags that do not go together.
func (f *finetuning) checkFlags() error {
	flags := f.command.Flags()
	if err := cmp.Or(checkGiven(f.command, "out", "task", "model", "preset", "config", "tokenizer"), checkThreads(f.threads)); err != nil {
		return err
	}
	switch {
	case f.name == "":
		return usagef("--task is missing: %s", taskUsage())
	case !slices.Contains(tasks.Names(), f.name):
		return usagef("task is %q, want %s", f.name, taskUsage())
	case f.model == "" && f.preset == "" && f.config == "":
		return usagef("--model is missing: a checkpoint's directory, a run, or owner/name on the hub; " +
			"or --preset with --tokenizer for random weights")
	case f.model == "" && f.tokenizer == "":
		return usagef("--tokenizer is missing: the directory of a vocabulary, from albert tokenizer train")
	case f.model != "" && f.tokenizer != "":
		return usagef("--tokenizer is for random weights; a model has its own")
	case len(f.train) == 0 && f.data == "":
		return usagef("--train is missing: a file of labelled examples; or --data, the directory of a data set that " +
			"the task knows")
	case flags.Changed("epochs") && flags.Changed("steps"):
		return usagef("--epochs and --steps are given, want one of them")
	case flags.Changed("warmup") && flags.Changed("warmup-steps"):
		return usagef("--warmup and --warmup-steps are given, want one of them")
	}
	if err := f.checkUsed(); err != nil {
		return err
	}
	for i, seed := range f.seeds {
		if slices.Contains(f.seeds[:i], seed) {
			return usagef("seed %d is given twice", seed)
		}
	}
	for _, d := range []struct {
		name  string
		value float64
	}{{"dropout", f.dropout}, {"classifier-dropout", f.classifierDrop}} {
		if !(d.value < 1) {
			return usagef("%s is %v, want below 1", d.name, d.value)
		}
	}
	return nil
}

// fill puts the hyper-parameters of the task where none are given.
func (f *finetuning) fill() {
	flags, o, h := f.command.Flags(), &f.options, f.hyperparameters
	if !flags.Changed("learning-rate") {
		o.LearningRate = h.LearningRate
	}
	if !flags.Changed("batch") {
		o.BatchFeatures = h.BatchSize
	}
	otherLength := flags.Changed("epochs") || flags.Changed("steps")
	if !otherLength {
		o.Epochs, o.Steps = h.Epochs, h.Steps
	}
	switch {
	case flags.Changed("warmup") || flags.Changed("warmup-steps"):
	case h.WarmupSteps > 0 && otherLength: // as large a share of another length
		o.Warmup = float64(h.WarmupSteps) / float64(h.Steps)
	default:
		o.Warmup, o.WarmupSteps = h.WarmupShare, h.WarmupSteps
	}
}

// once makes the run of one seed.
func (f *finetuning) once(directory string, seed uint64) (*train.FinetuneResult, error) {
	o := f.options
	o.Directory, o.Seed = directory, seed
	if len(f.tested.Features) > 0 {
		o.Evaluate = f.evaluate
	}
	var err error
	if o.LabelWeights, err = f.weightsOfLabels(); err != nil {
		return nil, err
	}
	weights, err := f.weights(&o)
	if err != nil {
		return nil, err
	}
	precision, err := native.ParsePrecision(o.Precision)
	if err != nil {
		return nil, usageError{err}
	}
	if err := precision.Available(); err != nil {
		return nil, err
	}
	engine, err := native.NewEngine(weights, native.Options{
		Threads: threadCount(f.threads), Seed: seed, Precision: precision, Recompute: f.recompute, Freeze: o.Freeze,
	})
	if err != nil {
		return nil, err
	}
	data := &train.FinetuneData{
		Features:       f.training.Features,
		Dev:            f.tested,
		WriteTokenizer: func(directory string) error { return tokenizer.Save(f.vocabulary, directory) },
	}
	watch := newProgress(f.command.ErrOrStderr())
	defer watch.end()
	return train.Finetune(f.command.Context(), engine, data, o, watch)
}

// evaluate returns the scores of weights on the dev examples.
func (f *finetuning) evaluate(ctx context.Context, w *models.Weights) (tasks.Scores, error) {
	r, err := evaluate.Task(ctx, runtimenative.New(w, threadCount(f.threads)), w.Config, f.task, f.tested)
	if err != nil {
		return nil, err
	}
	return r.Scores, nil
}

// weightsOfLabels returns the weights of classes that are asked for; nil is 1 each.
func (f *finetuning) weightsOfLabels() ([]float32, error) {
	if len(f.labelWeights) == 0 {
		return nil, nil
	}
	names := f.start.Labels.Names()
	if len(f.labelWeights) == 1 && f.labelWeights[0] == "balanced" {
		return train.BalancedLabelWeights(f.training.Features, len(names)), nil
	}
	weights := slices.Repeat([]float32{1}, len(names))
	for _, text := range f.labelWeights {
		at := strings.LastIndexByte(text, '=')
		if at < 0 {
			return nil, usagef("label weight is %q, want balanced, or label=weight", text)
		}
		weight, err := strconv.ParseFloat(text[at+1:], 32)
		i := slices.Index(names, text[:at])
		if err != nil || math.IsNaN(weight) {
			return nil, usagef("label weight is %q, want a number after the =", text)
		}
		if i < 0 {
			return nil, fmt.Errorf("label weight %q is of no label, want one of %s", text, strings.Join(names, ", "))
		}
		weights[i] = float32(weight)
	}
	return weights, nil
}

// finetuned is what albert finetune did.
type finetuned struct {
	Task      string       `json:"task"`
	Labels    []string     `json:"labels,omitempty"`
	Examples  int          `json:"examples"` // trained on
	Truncated int          `json:"truncated"`
	Bad       int          `json:"bad"`   // left out
	Model     string       `json:"model"` // the best run's
	Runs      []seedResult `json:"runs"`
	Mean      tasks.Scores `json:"mean,omitempty"`   // of several runs
	Spread    tasks.Scores `json:"spread,omitempty"` // their standard deviation, of a sample
}

// seedResult is that of a run.
type seedResult struct {
	Seed uint64 `json:"seed"`
	*train.FinetuneResult
}

// sumUp chooses the best run, and computes mean and spread of several.
func (r *finetuned) sumUp() {
	best := r.Runs[0]
	for _, run := range r.Runs {
		if run.Scores != nil && run.Scores[0].Value > best.Scores[0].Value {
			best = run
		}
	}
	r.Model = best.Model
	if len(r.Runs) < 2 {
		return
	}
	for i, score := range best.Scores {
		sum, squares, n := 0.0, 0.0, float64(len(r.Runs))
		for _, run := range r.Runs {
			sum += run.Scores[i].Value
		}
		for _, run := range r.Runs {
			squares += (run.Scores[i].Value - sum/n) * (run.Scores[i].Value - sum/n)
		}
		r.Mean = append(r.Mean, tasks.Score{Name: score.Name, Value: sum / n})
		r.Spread = append(r.Spread, tasks.Score{Name: score.Name, Value: math.Sqrt(squares / (n - 1))})
	}
}

func (r *finetuned) write(w io.Writer) {
	for _, run := range r.Runs {
		fmt.Fprintf(w, "%s, seed %d: %d steps, %s tokens, %s tokens/s", r.Task, run.Seed, run.Step, counted(run.Tokens),
			counted(int(run.TokensPerSecond)))
		if run.Best != nil {
			fmt.Fprintf(w, "; best at step %d: %s", run.Best.Step, scoreText(run.Scores))
		}
		fmt.Fprintln(w)
	}
	for i, mean := range r.Mean {
		fmt.Fprintf(w, "mean of %d seeds: %s %.4f, standard deviation %.4f\n", len(r.Runs), mean.Name, mean.Value,
			r.Spread[i].Value)
	}
	fmt.Fprintf(w, "model: %s\ncurves: %s\n", r.Model, filepath.Join(filepath.Dir(r.Model), train.CurvesFile))
}
