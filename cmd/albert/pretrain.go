package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"goalbert/corpus"
	"goalbert/evaluate"
	"goalbert/export"
	"goalbert/models"
	"goalbert/native"
	"goalbert/runtime/ort"
	"goalbert/tokenizer"
	"goalbert/train"
)

// pretraining is the flags that are no train.Options.
type pretraining struct {
	starting
	asJSON        *bool
	text          corpus.TextOptions
	resume        bool
	dropout       float64
	evaluateWith  string
	library       *string
	threads       int
	recompute     bool
	trainingFlags *pflag.FlagSet // those of train.Options
}

func newPretrain() *cobra.Command {
	c := &cobra.Command{
		Use:   "pretrain CORPUS... (--tokenizer DIRECTORY | --model MODEL) --out RUN",
		Short: "Train an ALBERT from text: masked LM and a sentence objective",
		Long: "Train an ALBERT from text: masked LM and a sentence objective.\n\n" +
			"A corpus is text, files or directories, a sentence a line and a blank line between documents or as --format\n" +
			"says; it is read into memory. Or it is the directory of shards that albert prepare made of text of any size;\n" +
			"the training is the same. RUN gets checkpoints, metrics.jsonl, curves.png, and in RUN/model the weights after\n" +
			"the last step. With --model it begins with the weights of a checkpoint, to learn a field's own text. An interrupted\n" +
			"run goes on with --resume: it takes its options from its newest checkpoint, and ends with the same weights.",
		Args: arguments(cobra.MinimumNArgs(1)),
	}
	p := &pretraining{asJSON: jsonFlag(c), text: corpus.DefaultTextOptions(), library: libraryFlag(c), trainingFlags: pflag.NewFlagSet("", pflag.ContinueOnError)}
	flags := c.Flags()
	out := flags.String("out", "", "the run's directory")
	flags.StringVar(&p.tokenizer, "tokenizer", "", "directory of the vocabulary; that of the shards if empty")
	textFlags(flags, &p.text)
	flags.StringVar(&p.model, "model", "", "what to go on from instead of random weights, with its vocabulary: a checkpoint's directory, a run, or owner/name on the hub")
	flags.StringVar(&p.preset, "preset", "albert-tiny", fmt.Sprint("one of ", models.PresetNames(), "; the vocabulary's size is the tokenizer's"))
	flags.StringVar(&p.config, "config", "", "a config.json instead of a preset")
	flags.Float64Var(&p.dropout, "dropout", -1, "of embeddings, attention and layers; the configuration's, if negative")
	flags.BoolVar(&p.resume, "resume", false, "go on from the newest checkpoint")
	flags.StringVar(&p.evaluateWith, "evaluate-with", nativeEngine, "what computes held-out losses: native, or onnxruntime on a fresh export")
	flags.IntVar(&p.threads, "threads", 0, "0 is one a processor; the result does not depend on it")
	flags.BoolVar(&p.recompute, "recompute", false, "keep little of each layer and compute it again in the backward pass: less memory for more time, the same result")
	defaults, err := train.Defaults(models.AdamW)
	if err != nil {
		panic(err)
	}
	bindTraining(p.trainingFlags, &defaults)
	flags.AddFlagSet(p.trainingFlags)
	c.MarkFlagRequired("out")
	c.MarkFlagsMutuallyExclusive("model", "tokenizer")
	c.MarkFlagsMutuallyExclusive("model", "preset", "config")
	c.RunE = func(c *cobra.Command, args []string) error { return p.run(c, args, *out) }
	return c
}

// bindTraining makes flags of the options of a training, under their JSON names.
func bindTraining(f *pflag.FlagSet, o *train.Options) {
	f.Uint64Var(&o.Seed, "seed", o.Seed, "of everything random")
	f.StringVar((*string)(&o.Objective), "objective", string(o.Objective), "sentence objective: sop (ALBERT), nsp (BERT) or none")
	f.IntVar(&o.SequenceLength, "sequence-length", o.SequenceLength, "most tokens of a sequence")
	f.Float64Var(&o.ShortProbability, "short-probability", o.ShortProbability, "share of sequences that aim at a random shorter length")
	f.Float64Var(&o.Probability, "mask-probability", o.Probability, "share of the tokens to predict")
	f.IntVar(&o.MaxNGram, "max-ngram", o.MaxNGram, "longest run of whole words hidden together")
	f.IntVar(&o.MaxPredictions, "max-predictions", o.MaxPredictions, "most tokens to predict in a sequence; 0 is no limit")
	f.StringVar(&o.Precision, "precision", o.Precision, "of products: fp32, or bf16 where the processor has it, about twice as fast")
	f.IntVar(&o.BatchSequences, "batch", o.BatchSequences, "sequences of an optimizer step")
	f.IntVar(&o.MicroBatchSequences, "micro-batch", o.MicroBatchSequences, "most sequences computed at once; the result does not depend on it but for rounding")
	f.Float64Var(&o.LearningRate, "learning-rate", o.LearningRate, "at its peak")
	f.Float64Var(&o.Warmup, "warmup", o.Warmup, "share of the steps in which the rate rises")
	f.StringVar((*string)(&o.Decay), "decay", string(o.Decay), "how it falls then: linear, polynomial or constant")
	f.Float64Var(&o.Power, "power", o.Power, "of polynomial decay")
	f.StringVar((*string)(&o.Optimizer), "optimizer", string(o.Optimizer), "adamw, or lamb, which also changes the defaults of rate, warm-up, decay, epsilon and bias correction")
	f.Float64Var(&o.Beta1, "beta1", o.Beta1, "of the gradient's running mean")
	f.Float64Var(&o.Beta2, "beta2", o.Beta2, "of the running mean of its square")
	f.Float64Var(&o.Epsilon, "epsilon", o.Epsilon, "added to the root of that")
	f.Float64Var(&o.WeightDecay, "weight-decay", o.WeightDecay, "of matrices and embeddings")
	f.BoolVar(&o.BiasCorrection, "bias-correction", o.BiasCorrection, "of adamw; without it and with epsilon 1e-6 it is Google's")
	f.Float64Var(&o.MaxGradNorm, "max-grad-norm", o.MaxGradNorm, "the gradient is clipped to; 0 is no clipping")
	f.IntVar(&o.Steps, "steps", o.Steps, "length of the training; or")
	f.Int64Var(&o.Tokens, "tokens", o.Tokens, "its length in tokens; or")
	f.Float64Var(&o.Minutes, "minutes", o.Minutes, "its length in minutes, which is turned into steps when it starts")
	f.Float64Var(&o.HeldOut, "held-out", o.HeldOut, "share of the documents that is not trained on")
	f.IntVar(&o.HeldOutSequences, "held-out-sequences", o.HeldOutSequences, "most sequences of them that an evaluation uses")
	f.IntVar(&o.EvaluateEvery, "evaluate-every", o.EvaluateEvery, "steps; 0 is a tenth of the run")
	f.IntVar(&o.CheckpointEvery, "checkpoint-every", o.CheckpointEvery, "steps; 0 is as often as evaluated")
	f.IntVar(&o.KeepCheckpoints, "keep-checkpoints", o.KeepCheckpoints, "the last ones; the best one stays besides")
}

// options returns the options of the run: what was given, on top of the optimizer's defaults or of the checkpoint's.
func (p *pretraining) options(checkpoint *train.Checkpoint) (train.Options, error) {
	var o train.Options
	if checkpoint != nil {
		o = checkpoint.State.Options
		o.KeepCheckpoints = 2
		o.Resume = checkpoint
	} else {
		optimizer, err := p.trainingFlags.GetString("optimizer")
		if err != nil {
			return o, err
		}
		if o, err = train.Defaults(models.Optimizer(optimizer)); err != nil {
			return o, usageError{err}
		}
	}
	given := pflag.NewFlagSet("", pflag.ContinueOnError)
	bindTraining(given, &o)
	var err error
	p.trainingFlags.VisitAll(func(f *pflag.Flag) {
		if f.Changed && err == nil {
			err = given.Set(f.Name, f.Value.String())
		}
	})
	return o, err
}

func (p *pretraining) run(c *cobra.Command, files []string, out string) error {
	if err := cmp.Or(checkGiven(c, "out", "tokenizer", "model"), checkThreads(p.threads)); err != nil {
		return err
	}
	for _, name := range []string{"model", "tokenizer", "preset", "config", "dropout"} {
		if p.resume && c.Flags().Changed(name) {
			return usagef("--%s is for a new run, and --resume goes on with what the checkpoint has; leave one of them out", name)
		}
	}
	if !(p.dropout < 1) {
		return usagef("dropout is %v, want below 1", p.dropout)
	}
	checkpoint, config, t, err := p.start(c, files, out)
	if err != nil {
		return err
	}
	o, err := p.options(checkpoint)
	if err != nil {
		return err
	}
	o.Directory = out
	var weights *models.Weights
	if checkpoint != nil {
		weights, err = models.ReadCheckpoint(checkpoint.Directory)
	} else {
		weights, err = p.starting.weights(c, config, o.Seed)
	}
	if err != nil {
		return err
	}
	if o.Evaluator, err = p.evaluator(); err != nil {
		return err
	}
	engineOptions, err := p.engineOptions(o)
	if err != nil {
		return err
	}
	text, err := openCorpus(c, files, p.text, t, threadCount(p.threads))
	if err != nil {
		return err
	}
	engine, err := native.NewEngine(weights, engineOptions)
	if err != nil {
		return err
	}
	watch := newProgress(c.ErrOrStderr())
	result, err := train.Pretrain(c.Context(), engine, train.NewData(text, t), o, watch)
	watch.end()
	if err != nil {
		return err
	}
	return show(c, *p.asJSON, result, func(w io.Writer) { writeResult(w, result) })
}

// engineOptions returns those of the engine, with a precision that it has.
func (p *pretraining) engineOptions(o train.Options) (native.Options, error) {
	precision, err := native.ParsePrecision(o.Precision)
	if err != nil {
		return native.Options{}, usageError{err}
	}
	e := native.Options{Threads: threadCount(p.threads), Seed: o.Seed, Precision: precision, Recompute: p.recompute}
	return e, precision.Available()
}

// start returns what the run begins with: its newest checkpoint, or nil and the configuration of a model, and the
// vocabulary.
func (p *pretraining) start(c *cobra.Command, files []string, out string) (*train.Checkpoint, models.Config, tokenizer.Tokenizer, error) {
	if p.resume {
		checkpoint, err := findCheckpoint(out)
		if err != nil {
			return nil, models.Config{}, nil, err
		}
		t, err := openTokenizer(checkpoint.Directory)
		return checkpoint, models.Config{}, t, err
	}
	if p.model == "" && p.tokenizer == "" && corpus.IsShards(files[0]) {
		p.tokenizer = filepath.Join(files[0], corpus.TokenizerDirectory)
	}
	if p.model == "" && p.tokenizer == "" {
		return nil, models.Config{}, nil, usagef("--tokenizer is missing: the directory of a vocabulary, from albert tokenizer train; " +
			"or --model, a model with its own")
	}
	config, t, err := p.starting.open(c)
	if p.model != "" {
		config = config.As(models.ForPreTraining) // whatever its head is
	}
	if p.dropout >= 0 {
		config.HiddenDropoutProb, config.AttentionProbsDropoutProb = p.dropout, p.dropout
	}
	return nil, config, t, err
}

// evaluator returns what computes held-out losses; nil is the training engine itself.
func (p *pretraining) evaluator() (train.Evaluator, error) {
	switch p.evaluateWith {
	case nativeEngine:
		return nil, nil
	case onnxRuntime:
		if _, err := ort.Find(*p.library); err != nil {
			return nil, err
		}
		return p.evaluateExport, nil
	}
	return nil, usagef("evaluate-with is %q, want %s or %s", p.evaluateWith, nativeEngine, onnxRuntime)
}

// evaluateExport exports the weights and runs them in ONNX Runtime.
func (p *pretraining) evaluateExport(ctx context.Context, w *models.Weights, batches []*models.Batch) (models.Losses, error) {
	dir, err := os.MkdirTemp("", "albert-")
	if err != nil {
		return models.Losses{}, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.onnx")
	if err := export.Write(path, w, export.Options{Version: version}); err != nil {
		return models.Losses{}, err
	}
	session, err := ort.Open(path, ort.Options{Library: *p.library, IntraOpThreads: p.threads})
	if err != nil {
		return models.Losses{}, err
	}
	defer session.Close()
	return evaluate.Pretraining(ctx, session, w.Config, slices.Values(batches))
}

func writeResult(w io.Writer, r *train.Result) {
	fmt.Fprintf(w, "%s tokens in %d steps, %s tokens/s\n", counted(r.Tokens), r.Steps, counted(int(r.TokensPerSecond)))
	if r.Start != nil && r.End != nil {
		fmt.Fprintf(w, "held-out masked-LM loss: %.4f at the start, %.4f at the end; unigram reference %.4f\n",
			r.Start.MaskedLMLoss, r.End.MaskedLMLoss, r.UnigramLoss)
		if r.End.SentenceScores != nil {
			fmt.Fprintf(w, "held-out sentence accuracy: %.1f %% (always the commoner answer: %.1f %%)\n",
				100*r.End.SentenceAccuracy, 100*r.MajoritySentence)
		}
	}
	fmt.Fprintf(w, "model: %s\ncurves: %s\n", r.Model, r.Curves)
}
