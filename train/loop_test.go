package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"goalbert/models"
)

func TestPretrainLeavesTheRunsFiles(t *testing.T) {
	o, observer := testOptions(t), &recorder{}
	result, err := Pretrain(context.Background(), newFakeEngine(), testData(t), o, observer)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"metrics.jsonl", "curves.png", "model/config.json", "model/model.safetensors", "model/spiece.model",
		"checkpoints/step-00000012/config.json", "checkpoints/step-00000012/model.safetensors",
		"checkpoints/step-00000012/spiece.model", "checkpoints/step-00000012/trainer/state.json",
		"checkpoints/step-00000012/trainer/optimizer.safetensors",
	} {
		if _, err := os.Stat(filepath.Join(o.Directory, path)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(result.Model, "trainer")); err == nil {
		t.Error("the model's directory has the trainer's files")
	}
	lines, err := ReadMetrics(o.Directory)
	if err != nil {
		t.Fatal(err)
	}
	var evaluated []int
	for i, m := range lines {
		if m.Step != i {
			t.Fatalf("line %d is of step %d", i, m.Step)
		}
		if m.HeldOut != nil {
			evaluated = append(evaluated, m.Step)
		}
	}
	// every 4 steps and at the checkpoints, every 3 steps
	if want := []int{0, 3, 4, 6, 8, 9, 12}; len(lines) != 13 || !slices.Equal(evaluated, want) {
		t.Errorf("%d lines, evaluated at %v, want 13 lines and %v", len(lines), evaluated, want)
	}
	if len(observer.steps) != 13 || len(observer.plans) != 1 || len(observer.saved) != 5 {
		t.Errorf("observer saw %d steps, %d plans, %d checkpoints, want 13, 1, 5",
			len(observer.steps), len(observer.plans), len(observer.saved))
	}
	if result.Start.MaskedLMLoss != 5 || math.Abs(result.End.MaskedLMLoss-5/2.2) > 1e-9 || result.Best.Step != 12 {
		t.Errorf("result %+v, want a loss from 5 to 2.27", result)
	}
}

// A step's micro-batches divide its sequences in order, and every one gets the counts of the whole step.
func TestMicroBatchesOfAStep(t *testing.T) {
	o, e := testOptions(t), newFakeEngine()
	if _, err := Pretrain(context.Background(), e, testData(t), o, &recorder{}); err != nil {
		t.Fatal(err)
	}
	for step := range uint64(12) {
		first := 0
		for _, b := range e.seen[step] {
			if b.FirstSequence != first {
				t.Errorf("step %d: a batch begins at sequence %d, want %d", step, b.FirstSequence, first)
			}
			first += b.Sequences()
		}
		if first != o.BatchSequences || len(e.seen[step]) != 3 {
			t.Errorf("step %d has %d sequences in %d batches, want %d in 3", step, first, len(e.seen[step]), o.BatchSequences)
		}
	}
}

// The oracle is a run without interruption: cancelled after any step, and resumed, a run ends with the same bytes.
func TestCancelAndResumeAtEveryStep(t *testing.T) {
	t.Parallel()
	sparse := func() Options {
		o := testOptions(t)
		o.EvaluateEvery, o.CheckpointEvery = 12, 5
		return o
	}
	want := uninterrupted(t, sparse())
	for stop := range 13 {
		o := sparse()
		ctx, cancel := context.WithCancel(context.Background())
		observer := &recorder{onStep: func(m Metrics) {
			if m.Step == stop {
				cancel()
			}
		}}
		_, err := Pretrain(ctx, newFakeEngine(), testData(t), o, observer)
		if stop < 12 && (!errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "--resume")) {
			t.Fatalf("cancelled after step %d: %v, want an error that wraps context.Canceled", stop, err)
		}
		result, err := resumeRun(context.Background(), newFakeEngine(), testData(t), o, &recorder{})
		if err != nil {
			t.Fatalf("resumed after step %d: %v", stop, err)
		}
		if readFile(t, result.Model, models.WeightsFile) != want {
			t.Errorf("cancelled after step %d and resumed: other weights than without interruption", stop)
		}
		lines, err := ReadMetrics(o.Directory)
		if err != nil || len(lines) != 13 {
			t.Errorf("cancelled after step %d and resumed: %d lines of metrics, %v, want 13", stop, len(lines), err)
		}
	}
}

// A cancelled context stops between micro-batches; the step that was under way is made again from its beginning.
func TestCancelInTheMiddleOfAStep(t *testing.T) {
	t.Parallel()
	o, e := testOptions(t), newFakeEngine()
	want := uninterrupted(t, o)
	ctx, cancel := context.WithCancel(context.Background())
	calls := 0
	e.called = func(method string) {
		if method == "Accumulate" {
			if calls++; calls == 8 { // the second micro-batch of step 3
				cancel()
			}
		}
	}
	if _, err := Pretrain(ctx, e, testData(t), o, &recorder{}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if calls != 8 {
		t.Errorf("%d micro-batches were computed, want 8", calls)
	}
	result, err := resumeRun(context.Background(), newFakeEngine(), testData(t), o, &recorder{})
	if err != nil {
		t.Fatal(err)
	}
	if readFile(t, result.Model, models.WeightsFile) != want {
		t.Error("other weights than without interruption")
	}
}

func TestNotFiniteStopsAndKeepsTheCheckpoint(t *testing.T) {
	t.Parallel()
	nanAt := func(bad uint64) func(uint64) float64 {
		return func(step uint64) float64 {
			if step >= bad {
				return math.NaN()
			}
			return 3
		}
	}
	for name, c := range map[string]struct {
		prepare func(*fakeEngine)
		want    []string
	}{
		"loss": {
			func(e *fakeEngine) { e.loss, e.heldOut = nanAt(7), func(uint64) float64 { return 3 } },
			[]string{"step 8: the loss is NaN", "last finite loss was 3.0000 at step 7", "learning rate below 0.001",
				"step-00000006 is whole"},
		},
		"gradient": {
			func(e *fakeEngine) { e.gradNorm = func(s uint64) float64 { return []float64{1, math.Inf(1)}[s/10] } },
			[]string{"step 11: the gradient is +Inf", "step-00000009 is whole"},
		},
		"held-out loss": {
			func(e *fakeEngine) { e.heldOut = nanAt(4) },
			[]string{"step 4: the held-out loss is NaN", "step-00000003 is whole"},
		},
		"before the first step": {
			func(e *fakeEngine) { e.heldOut = nanAt(0) },
			[]string{"step 0: the held-out loss is NaN", "none before it was finite"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			o, e := testOptions(t), newFakeEngine()
			c.prepare(e)
			_, err := Pretrain(context.Background(), e, testData(t), o, &recorder{})
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
			if checkpoint, err := FindCheckpoint(o.Directory); err != nil || checkpoint == nil && len(c.want) > 2 {
				t.Errorf("the last checkpoint: %v, %v", checkpoint, err)
			}
		})
	}
}

func TestKeepsTheLastAndTheBest(t *testing.T) {
	o, e := testOptions(t), newFakeEngine()
	o.CheckpointEvery, o.KeepCheckpoints = 2, 2
	// the lowest held-out loss is at step 4
	e.heldOut = func(step uint64) float64 { return 3 + math.Abs(float64(step)-4) }
	result, err := Pretrain(context.Background(), e, testData(t), o, &recorder{})
	if err != nil {
		t.Fatal(err)
	}
	directories, err := checkpointDirectories(o.Directory)
	if err != nil {
		t.Fatal(err)
	}
	for i := range directories {
		directories[i] = filepath.Base(directories[i])
	}
	if want := []string{"step-00000004", "step-00000010", "step-00000012"}; !slices.Equal(directories, want) {
		t.Errorf("kept %v, want %v", directories, want)
	}
	if result.Best == nil || *result.Best != (Best{Step: 4, MaskedLMLoss: 3}) {
		t.Errorf("best is %+v, want step 4 with loss 3", result.Best)
	}
}

// An evaluator takes the place of the engine's evaluation, on the same batches.
func TestEvaluator(t *testing.T) {
	o, e := testOptions(t), newFakeEngine()
	e.called = func(method string) {
		if method == "Evaluate" {
			t.Error("the engine evaluated")
		}
	}
	sequences := 0
	o.Evaluator = func(_ context.Context, w *models.Weights, batches []*models.Batch) (models.Losses, error) {
		sequences = 0
		for _, b := range batches {
			sequences += b.Sequences()
		}
		return models.Losses{MaskedLM: 7, MaskedTokens: 2}, nil
	}
	result, err := Pretrain(context.Background(), e, testData(t), o, &recorder{})
	if err != nil {
		t.Fatal(err)
	}
	if sequences != 10 || result.End.MaskedLMLoss != 3.5 || result.End.SentenceScores != nil {
		t.Errorf("%d sequences, %+v; want 10 and a loss of 3.5", sequences, result.End)
	}
}

// With one option wrong, training is refused in one sentence that names it, before anything is written.
func TestRefusals(t *testing.T) {
	for want, spoil := range map[string]func(*Options, *Data, *models.Config){
		"sequence length is 65, the model has 64 positions": func(o *Options, _ *Data, _ *models.Config) { o.SequenceLength = 65 },
		"objective is \"mlm\", want sop, nsp or none":       func(o *Options, _ *Data, _ *models.Config) { o.Objective = "mlm" },
		"needs the sentence head": func(_ *Options, _ *Data, c *models.Config) {
			c.Architecture = models.ForMaskedLM
		},
		"needs two token types":                              func(_ *Options, _ *Data, c *models.Config) { c.TypeVocabSize = 1 },
		"learning rate is NaN":                               func(o *Options, _ *Data, _ *models.Config) { o.LearningRate = math.NaN() },
		"learning rate is +Inf":                              func(o *Options, _ *Data, _ *models.Config) { o.LearningRate = math.Inf(1) },
		"weight decay is +Inf":                               func(o *Options, _ *Data, _ *models.Config) { o.WeightDecay = math.Inf(1) },
		"warm-up is 1":                                       func(o *Options, _ *Data, _ *models.Config) { o.Warmup = 1 },
		"decay is \"cosine\"":                                func(o *Options, _ *Data, _ *models.Config) { o.Decay = "cosine" },
		"optimizer is \"sgd\"":                               func(o *Options, _ *Data, _ *models.Config) { o.Optimizer = "sgd" },
		"batch is 0":                                         func(o *Options, _ *Data, _ *models.Config) { o.BatchSequences = 0 },
		"masked-LM probability is 0":                         func(o *Options, _ *Data, _ *models.Config) { o.Probability = 0 },
		"exactly one of them":                                func(o *Options, _ *Data, _ *models.Config) { o.Minutes = 1 },
		"replica is 2 of 2":                                  func(o *Options, _ *Data, _ *models.Config) { o.Replica, o.Replicas = 2, 2 },
		"2 replicas need something that sums":                func(o *Options, _ *Data, _ *models.Config) { o.Replicas = 2 },
		"leaves nothing to train on":                         func(o *Options, d *Data, _ *models.Config) { d.Corpus = testDocuments(1).blocks(1 << 20) },
		"the text has no documents":                          func(o *Options, d *Data, _ *models.Config) { d.Corpus = memory{}.blocks(1 << 20) },
		"document 0 has no sentences":                        func(o *Options, d *Data, _ *models.Config) { d.Corpus = memory{{}, {{7}}}.blocks(1 << 20) },
		"sentence 1 has no tokens":                           func(o *Options, d *Data, _ *models.Config) { d.Corpus = memory{{{7}, {}}, {{7}}}.blocks(1 << 20) },
		"token 50, the vocabulary has":                       func(o *Options, d *Data, _ *models.Config) { d.Corpus = memory{{{50}}, {{7}}}.blocks(1 << 20) },
		"tokenizer has 50 pieces, the model has room for 49": func(_ *Options, _ *Data, c *models.Config) { c.VocabSize = 49 },
		"every sentence of the 1 held-out documents": func(o *Options, d *Data, _ *models.Config) {
			d.Corpus = memory{{{7}}, {{7}}, {{7}}}.blocks(1 << 20)
		},
	} {
		o, data, config := testOptions(t), testData(t), tinyConfig()
		spoil(&o, data, &config)
		e := newFakeEngine()
		e.weights = models.NewWeights(config)
		_, err := Pretrain(context.Background(), e, data, o, &recorder{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "train: ") {
			t.Errorf("error %v does not say %q", err, want)
		}
		if _, err := os.Stat(o.Directory); err == nil {
			t.Errorf("%q: the run's directory was made", want)
		}
	}
}

// A replica computes its share of every step, and sums the gradient once a step.
func TestReplicaTrainsOnItsShare(t *testing.T) {
	o := testOptions(t)
	sums := 0
	o.Replica, o.Replicas, o.Sum = 1, 2, func([]float32) error { sums++; return nil }
	e := newFakeEngine()
	result, err := Pretrain(context.Background(), e, testData(t), o, &recorder{})
	if err != nil {
		t.Fatal(err)
	}
	if sums != result.Steps {
		t.Errorf("the gradient was summed %d times in %d steps", sums, result.Steps)
	}
	for step, batches := range e.seen {
		if first := batches[0].FirstSequence; first != o.BatchSequences/2 {
			t.Errorf("step %d begins with sequence %d, want %d", step, first, o.BatchSequences/2)
		}
	}
	o.Directory += "-broken"
	o.Sum = func([]float32) error { return errors.New("the network is gone") }
	if _, err := Pretrain(context.Background(), newFakeEngine(), testData(t), o, &recorder{}); err == nil ||
		!strings.Contains(err.Error(), "over replicas: the network is gone") {
		t.Errorf("a sum that fails: got %v", err)
	}
}

func TestStartRefusesADirectoryWithARun(t *testing.T) {
	o := testOptions(t)
	uninterruptedHere := func() error {
		_, err := Pretrain(context.Background(), newFakeEngine(), testData(t), o, &recorder{})
		return err
	}
	if err := uninterruptedHere(); err != nil {
		t.Fatal(err)
	}
	before := readFile(t, o.Directory, MetricsFile)
	if err := uninterruptedHere(); err == nil || !strings.Contains(err.Error(), "--resume") {
		t.Errorf("error %v does not say --resume", err)
	}
	if readFile(t, o.Directory, MetricsFile) != before {
		t.Error("the refused start changed the metrics")
	}
}

// Without held-out documents there is nothing to evaluate, and the last checkpoints stay.
func TestNothingHeldOut(t *testing.T) {
	o := testOptions(t)
	o.HeldOut = 0
	result, err := Pretrain(context.Background(), newFakeEngine(), testData(t), o, &recorder{})
	if err != nil {
		t.Fatal(err)
	}
	if result.End != nil || result.Best != nil || result.TrainingDocuments != 60 {
		t.Errorf("result %+v, want no scores and 60 documents", result)
	}
}

// Measuring the machine for a time budget leaves no trace: the run is the one that the same number of steps gives.
func TestTimeBudgetIsAsReproducibleAsSteps(t *testing.T) {
	o, e := testOptions(t), newFakeEngine()
	o.Steps, o.Minutes = 0, 0.04
	clock := 0
	e.called = func(string) { clock++ }
	ctx, cancel := context.WithCancel(context.Background())
	observer := &recorder{onStep: func(m Metrics) {
		if m.Step == 3 {
			cancel()
		}
	}}
	if _, err := Pretrain(ctx, e, testData(t), o, observer); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if observer.plans[0].Steps < 4 {
		t.Fatalf("%d steps in a few seconds", observer.plans[0].Steps)
	}
	fixed := testOptions(t)
	fixed.Steps = observer.plans[0].Steps
	ctx, cancel = context.WithCancel(context.Background())
	observer.onStep = func(m Metrics) {
		if m.Step == 3 {
			cancel()
		}
	}
	if _, err := Pretrain(ctx, newFakeEngine(), testData(t), fixed, observer); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	weights := fmt.Sprintf("checkpoints/step-%08d/model.safetensors", 3)
	if readFile(t, o.Directory, weights) != readFile(t, fixed.Directory, weights) {
		t.Error("a run with a time budget has other weights than one with its number of steps")
	}
	// on being resumed the number of steps is the one that was measured at the start
	checkpoint, err := FindCheckpoint(o.Directory)
	if err != nil || checkpoint.State.Steps != fixed.Steps {
		t.Errorf("the checkpoint has %d steps, %v, want %d", checkpoint.State.Steps, err, fixed.Steps)
	}
}

func TestStepsWithin(t *testing.T) {
	for _, c := range []struct {
		seconds, step, evaluation float64
		every, want               int
	}{
		{100, 1, 0, 0, 100},
		{100, 1, 1, 0, 89}, // one evaluation at the start, ten on the way
		{101, 1, 1, 1, 50}, // one at the start, then one after each step
		{1, 10, 0, 0, 1},   // at least one step
		{1, 0.1, 10, 0, 1}, // even if there is no time at all
	} {
		if got := stepsWithin(c.seconds, c.step, c.evaluation, c.every); got != c.want {
			t.Errorf("stepsWithin(%v, %v, %v, %d) = %d, want %d", c.seconds, c.step, c.evaluation, c.every, got, c.want)
		}
	}
}

// A token budget ends within a few steps of its tokens.
func TestTokenBudget(t *testing.T) {
	o := testOptions(t)
	o.Steps, o.Tokens = 0, 6000
	result, err := Pretrain(context.Background(), newFakeEngine(), testData(t), o, &recorder{})
	if err != nil {
		t.Fatal(err)
	}
	if perStep := float64(result.Tokens) / float64(result.Steps); math.Abs(float64(result.Tokens)-6000) > 2*perStep {
		t.Errorf("%d tokens in %d steps, want about 6000", result.Tokens, result.Steps)
	}
}
