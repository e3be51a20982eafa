package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"goalbert/models"
	"goalbert/tasks"
)

// newFakeClassifier is an engine of a model with three labels.
func newFakeClassifier() *fakeEngine {
	e, c := newFakeEngine(), tinyConfig()
	c.Architecture, c.Labels = models.ForSequenceClassification, models.NewLabels("a", "b", "c")
	e.weights = models.NewWeights(c)
	e.weights.Initialize(1)
	return e
}

// testFeatures have 3 to 20 tokens, the first of which says which feature it is, up to the size of the vocabulary.
func testFeatures(n int) []*tasks.Feature {
	r := random(3, 0)
	features := make([]*tasks.Feature, n)
	for i := range features {
		ids := make([]int32, 3+r.IntN(18))
		for j := range ids {
			ids[j] = int32(5 + r.IntN(testVocabSize-5))
		}
		ids[0] = int32(i % testVocabSize)
		features[i] = &tasks.Feature{
			Sequences: []tasks.Sequence{{InputIDs: ids, TokenTypeIDs: make([]int32, len(ids))}},
			Labels:    []int32{int32(i % 3)}, Example: i,
		}
	}
	return features
}

func testFinetuneData(n int) *FinetuneData {
	return &FinetuneData{Features: testFeatures(n), WriteTokenizer: func(directory string) error {
		return os.WriteFile(filepath.Join(directory, "spiece.model"), []byte("pieces"), 0o666)
	}}
}

// scoresAt returns an evaluation whose accuracy after each step is known; e says which step it is.
func scoresAt(e *fakeEngine, accuracy func(step int) float64) func(context.Context, *models.Weights) (tasks.Scores, error) {
	return func(ctx context.Context, w *models.Weights) (tasks.Scores, error) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return tasks.Scores{{Name: "accuracy", Value: accuracy(int(e.steps))}, {Name: "f1", Value: 0.5}}, nil
	}
}

// testFinetuneOptions make two epochs of 45 features in batches of 8: 12 steps.
func testFinetuneOptions(t *testing.T, e *fakeEngine, accuracy func(step int) float64) FinetuneOptions {
	o := FinetuneDefaults()
	o.Directory = filepath.Join(t.TempDir(), "run")
	o.Seed, o.BatchFeatures, o.MicroBatchTokens, o.Epochs = 11, 8, 40, 2
	o.EvaluateEvery, o.CheckpointEvery = 3, 3
	if accuracy != nil {
		o.Evaluate = scoresAt(e, accuracy)
	}
	return o
}

// rising has its best at step 6 of those that are evaluated.
func rising(step int) float64 { return 0.9 - 0.01*math.Abs(float64(step)-7) - 0.001*float64(step) }

func finetune(t *testing.T, e *fakeEngine, o FinetuneOptions) *FinetuneResult {
	t.Helper()
	result, err := Finetune(context.Background(), e, testFinetuneData(45), o, &recorder{})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// resumeFinetune goes on as the command does.
func resumeFinetune(ctx context.Context, e *fakeEngine, o FinetuneOptions, observer Observer) (*FinetuneResult, error) {
	checkpoint, err := FindCheckpoint(o.Directory)
	if err != nil {
		return nil, err
	}
	if checkpoint != nil {
		weights, err := checkpoint.ReadWeights(e.weights.Config)
		if err != nil {
			return nil, err
		}
		e.weights = weights
	}
	o.Resume = checkpoint
	return Finetune(ctx, e, testFinetuneData(45), o, observer)
}

// The model is the best checkpoint, not the last, and the metrics have the loss of every step and the scores where they
// were computed.
func TestFinetuneKeepsTheBest(t *testing.T) {
	e := newFakeClassifier()
	o := testFinetuneOptions(t, e, rising)
	o.KeepCheckpoints = 1
	result := finetune(t, e, o)
	if result.Steps != 12 || result.Step != 12 || result.Features != 45 || result.Best == nil || result.Best.Step != 6 ||
		result.Best.Score != (tasks.Score{Name: "accuracy", Value: rising(6)}) || len(result.Scores) != 2 || result.Scores[0] != result.Best.Score {
		t.Errorf("result %+v, best %+v, want step 6 of 12", result, result.Best)
	}
	best := readFile(t, o.Directory, "checkpoints/step-00000006/model.safetensors")
	if readFile(t, result.Model, models.WeightsFile) != best {
		t.Error("the model is not the best checkpoint")
	}
	if last := readFile(t, o.Directory, "checkpoints/step-00000012/model.safetensors"); last == best {
		t.Error("the best checkpoint has the last weights")
	}
	for _, name := range []string{"config.json", "spiece.model"} {
		if _, err := os.Stat(filepath.Join(result.Model, name)); err != nil {
			t.Error(err)
		}
	}
	lines, err := ReadMetrics(o.Directory)
	if err != nil || len(lines) != 13 {
		t.Fatalf("%d lines, %v, want 13", len(lines), err)
	}
	for i, m := range lines {
		if evaluated := i%3 == 0; evaluated != (m.Dev != nil) || evaluated && m.Dev[0].Value != rising(i) {
			t.Errorf("step %d: scores %v", i, m.Dev)
		}
		if i > 0 && (m.TaskScores == nil || math.Abs(m.Loss-5/(1+float64(i-1)/10)) > 1e-9 || m.Accuracy == nil || m.Scores != nil) {
			t.Errorf("step %d: %+v", i, m)
		}
	}
	if lines[0].TaskScores != nil || result.Start[0].Value != rising(0) {
		t.Errorf("start %+v, %v", lines[0], result.Start)
	}
}

// Without anything to evaluate on the last weights are the model.
func TestFinetuneWithoutEvaluation(t *testing.T) {
	e := newFakeClassifier()
	o := testFinetuneOptions(t, e, nil)
	result := finetune(t, e, o)
	if result.Best != nil || result.Scores != nil ||
		readFile(t, result.Model, models.WeightsFile) != readFile(t, o.Directory, "checkpoints/step-00000012/model.safetensors") {
		t.Errorf("result %+v, want the last weights and no scores", result)
	}
}

// A step has an accuracy where labels are right or wrong: of classes and in-batch negatives, not of values.
func TestAccuracyOfAStep(t *testing.T) {
	for _, c := range []struct {
		architecture models.Architecture
		problem      models.ProblemType
		targets      bool
		want         bool
	}{
		{models.ForSequenceClassification, "", false, true},
		{models.ForSequenceClassification, models.MultiLabel, true, true},
		{models.ForSequenceClassification, models.Regression, true, false},
		{models.ForTokenClassification, "", false, true},
		{models.ForQuestionAnswering, "", false, true},
		{models.ForMultipleChoice, "", false, true},
		{models.BaseModel, "", true, false},
		{models.BaseModel, "", false, true},
	} {
		e, data := newFakeClassifier(), testFinetuneData(1)
		e.weights.Config.Architecture, e.weights.Config.ProblemType = c.architecture, c.problem
		if c.targets {
			data.Features[0].Targets = []float32{1}
		}
		f := &finetuning{run: run{engine: e}, data: data}
		var m Metrics
		f.training(&m, models.Losses{Task: 6, Labels: 4, LabelsCorrect: 3}, models.Denominators{Labels: 8})
		if m.Loss != 0.75 || (m.Accuracy != nil) != c.want || c.want && *m.Accuracy != 0.75 {
			t.Errorf("%+v: loss %v, accuracy %v", c, m.Loss, m.Accuracy)
		}
	}
}

// As many evaluations in a row without a better score as patience lasts end the run, and one less does not.
func TestPatience(t *testing.T) {
	for patience, want := range map[int]int{1: 9, 3: 12} {
		e := newFakeClassifier()
		o := testFinetuneOptions(t, e, rising)
		o.Patience = patience
		if result := finetune(t, e, o); result.Step != want || result.Best.Step != 6 || result.Steps != 12 {
			t.Errorf("patience %d: ended at %d with the best %+v, want %d and step 6", patience, result.Step, result.Best, want)
		}
	}
	e := newFakeClassifier()
	o := testFinetuneOptions(t, e, func(int) float64 { return 0.5 })
	o.EvaluateEvery, o.Patience = 1, 2
	if result := finetune(t, e, o); result.Step != 3 || result.Best.Step != 1 {
		t.Errorf("a score that stays: ended at %d with the best %+v, want 3 and step 1", result.Step, result.Best)
	}
}

// firstTokens names the features of each step.
func firstTokens(e *fakeEngine) [][]int32 {
	var steps [][]int32
	for step := range uint64(len(e.seen)) {
		var names []int32
		for _, b := range e.seen[step] {
			for _, offset := range b.Offsets[:b.Sequences()] {
				names = append(names, b.InputIDs[offset])
			}
		}
		steps = append(steps, names)
	}
	return steps
}

// Every epoch has each feature once, in another order, and its last batch is short. With a fixed order it is that of the
// features.
func TestEpochsOfFeatures(t *testing.T) {
	order := func(change func(*FinetuneOptions)) [][]int32 {
		e := newFakeClassifier()
		o := testFinetuneOptions(t, e, nil)
		change(&o)
		finetune(t, e, o)
		return firstTokens(e)
	}
	steps := order(func(*FinetuneOptions) {})
	var epochs [2][]int32
	for i, names := range steps {
		epochs[i/6] = append(epochs[i/6], names...)
	}
	if slices.Equal(epochs[0], epochs[1]) {
		t.Error("both epochs have the same order")
	}
	for _, names := range epochs {
		slices.Sort(names)
		for i := range int32(45) {
			if len(names) != 45 || names[i] != i {
				t.Fatalf("an epoch has the features %v, want each of 45 once", names)
			}
		}
	}
	if again := order(func(*FinetuneOptions) {}); !equal(again, steps) {
		t.Error("the same seed gives another order")
	}
	if other := order(func(o *FinetuneOptions) { o.Seed++ }); equal(other, steps) {
		t.Error("another seed gives the same order")
	}
	for i, names := range order(func(o *FinetuneOptions) { o.FixedOrder = true }) {
		for j, name := range names {
			if int(name) != i%6*8+j {
				t.Errorf("step %d of a fixed order has %v", i, names)
				break
			}
		}
	}
}

func equal(a, b [][]int32) bool { return slices.EqualFunc(a, b, slices.Equal) }

// The features of a batch are of about one length, and the batches of an epoch are not sorted by it.
func TestBatchesAreOfOneLength(t *testing.T) {
	d := testFinetuneData(4000)
	o := FinetuneDefaults()
	s := newFeatureSource(d, newFakeClassifier().weights.Config, &o)
	spread, rises := 0.0, 0
	batches := s.order(3)
	var before int
	for i, batch := range batches {
		shortest, longest := math.MaxInt, 0
		for _, n := range batch {
			shortest, longest = min(shortest, d.Features[n].Tokens()), max(longest, d.Features[n].Tokens())
		}
		spread += float64(longest-shortest) / float64(len(batches))
		if i > 0 && longest > before {
			rises++
		}
		before = longest
	}
	if len(batches) != 125 || spread > 1 {
		t.Errorf("%d batches, lengths within one differ by %v in the mean, want 125 and at most 1 of 17", len(batches), spread)
	}
	if rises < 30 || rises > 90 { // of 124, half for lengths in random order
		t.Errorf("%d of 124 batches are longer than the one before, want about half", rises)
	}
}

// Micro-batches divide a step in order, have no more tokens than they may, and get the denominator of the whole step.
func TestMicroBatchesOfFeatures(t *testing.T) {
	e := newFakeClassifier()
	o := testFinetuneOptions(t, e, nil)
	o.LabelWeights = []float32{0.5, 2, 1}
	s := newFeatureSource(testFinetuneData(45), e.weights.Config, &o)
	step := s.step([]int{0, 1, 2, 3, 4, 5, 6, 7}, 4)
	first, tokens, many := 0, 0, false
	for _, b := range step.batches {
		if b.FirstSequence != first || b.Step != 4 || b.Tokens() > 40 || !slices.Equal(b.LabelWeights, o.LabelWeights) {
			t.Errorf("batch %+v, want sequence %d of step 4 and at most 40 tokens", b, first)
		}
		first += b.Sequences()
		tokens += b.Tokens()
		many = many || b.Sequences() > 1
	}
	if first != 8 || len(step.batches) < 2 || !many || tokens != step.tokens {
		t.Errorf("%d sequences, %d tokens in %d batches", first, tokens, len(step.batches))
	}
	if want := 3*0.5 + 3*2 + 2*1.0; step.denominators.Labels != want {
		t.Errorf("the denominator is %v, want %v", step.denominators.Labels, want)
	}

	s.microTokens = 1
	if step := s.step([]int{3, 1}, 0); len(step.batches) != 2 {
		t.Errorf("%d batches, want a feature each", len(step.batches))
	}
	pairs := testFeatures(8)
	for _, f := range pairs {
		f.Sequences, f.Labels = append(f.Sequences, f.Sequences[0]), nil
	}
	s.features, s.architecture, s.labelWeights = pairs, models.BaseModel, nil
	step = s.step([]int{0, 1, 2, 3, 4, 5, 6, 7}, 0)
	if len(step.batches) != 1 || step.batches[0].Group != 2 || step.denominators.Labels != 8 {
		t.Errorf("in-batch negatives: %d batches, denominators %+v, want one of 8 pairs", len(step.batches), step.denominators)
	}
	choices := testFeatures(4)
	for i, f := range choices {
		for range i/2 + 1 {
			f.Sequences = append(f.Sequences, f.Sequences[0])
		}
	}
	s.features, s.architecture, s.microTokens = choices, models.ForMultipleChoice, 4096
	if step = s.step([]int{0, 1, 2, 3}, 0); len(step.batches) != 2 || step.batches[0].Group != 2 || step.batches[1].Group != 3 {
		t.Errorf("two and three choices are in %d batches, want one each", len(step.batches))
	}
}

// The weights of balanced classes are scikit-learn's: compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 1])
// without the absent class, which has none there and 0 here.
func TestBalancedLabelWeights(t *testing.T) {
	var features []*tasks.Feature
	for _, label := range []int32{0, 0, 0, 1, models.IgnoreIndex} {
		features = append(features, &tasks.Feature{Labels: []int32{label}})
	}
	if got, want := BalancedLabelWeights(features, 2), []float32{4.0 / 6, 2}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := BalancedLabelWeights(features, 3); got[2] != 0 {
		t.Errorf("a class without labels weighs %v", got[2])
	}
}

// The oracle is a run without interruption: cancelled after a step, or while that is evaluated, and resumed, a run ends
// with the same model, the same best checkpoint and the same scores, with patience too.
func TestFinetuneCancelAndResume(t *testing.T) {
	t.Parallel()
	for patience, stops := range map[int][]int{0: {0, 3, 5, 6, 12}, 1: {6, 9}} {
		options := func(e *fakeEngine, evaluate func(int) float64) FinetuneOptions {
			o := testFinetuneOptions(t, e, evaluate)
			o.Patience, o.CheckpointEvery = patience, 5
			return o
		}
		e := newFakeClassifier()
		o := options(e, rising)
		want := finetune(t, e, o)
		wantModel, wantDev := readFile(t, want.Model, models.WeightsFile), devOf(t, o.Directory)
		for _, stop := range stops {
			for _, evaluating := range []bool{false, true} {
				if evaluating && (stop == 0 || stop%o.EvaluateEvery != 0) {
					continue
				}
				e, name := newFakeClassifier(), fmt.Sprintf("patience %d, cancelled at step %d, evaluating is %v", patience, stop, evaluating)
				ctx, cancel := context.WithCancel(context.Background())
				o := options(e, func(step int) float64 {
					if evaluating && step == stop {
						cancel()
					}
					return rising(step)
				})
				evaluate := o.Evaluate
				o.Evaluate = func(_ context.Context, w *models.Weights) (tasks.Scores, error) {
					scores, err := evaluate(context.Background(), w)
					if ctx.Err() != nil {
						return nil, ctx.Err()
					}
					return scores, err
				}
				observer := &recorder{onStep: func(m Metrics) {
					if !evaluating && m.Step == stop {
						cancel()
					}
				}}
				_, err := Finetune(ctx, e, testFinetuneData(45), o, observer)
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Fatalf("%s: %v", name, err)
				}
				cancel()
				e = newFakeClassifier()
				o.Evaluate = scoresAt(e, rising)
				result, err := resumeFinetune(context.Background(), e, o, &recorder{})
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if result.Step != want.Step || *result.Best != *want.Best || !slices.Equal(result.Scores, want.Scores) ||
					readFile(t, result.Model, models.WeightsFile) != wantModel {
					t.Errorf("%s: ended at %d with the best %+v and scores %v, want %d, %+v, %v and the same model", name,
						result.Step, result.Best, result.Scores, want.Step, want.Best, want.Scores)
				}
				if got := devOf(t, o.Directory); got != wantDev {
					t.Errorf("%s: the scores are\n%s, want\n%s", name, got, wantDev)
				}
			}
		}
	}
}

// devOf returns the scores of a run by step.
func devOf(t *testing.T, directory string) string {
	t.Helper()
	lines, err := ReadMetrics(directory)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, m := range lines {
		fmt.Fprintln(&text, m.Step, m.Dev)
	}
	return text.String()
}

// Killed at any moment, in the midst of writing a checkpoint too, and resumed, a fine-tuning ends with the bytes of one
// that was not.
func TestFinetuneKilledAtAnyMomentAndResumed(t *testing.T) {
	t.Parallel()
	e := newFakeClassifier()
	o := testFinetuneOptions(t, e, rising)
	o.Epochs, o.Steps, o.EvaluateEvery, o.CheckpointEvery = 0, 4, 2, 3
	wanted := finetune(t, e, o)
	want := readFile(t, wanted.Model, models.WeightsFile)

	crashes, seen := t.TempDir(), map[string]bool{}
	e = newFakeClassifier()
	o = testFinetuneOptions(t, e, rising)
	o.Epochs, o.Steps, o.EvaluateEvery, o.CheckpointEvery = 0, 4, 2, 3
	crash := func() {
		copied := filepath.Join(crashes, "run")
		if err := os.CopyFS(copied, os.DirFS(o.Directory)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if os.Rename(copied, filepath.Join(crashes, tree(t, copied, seen))) != nil {
			os.RemoveAll(copied) // the same as before
		}
	}
	e.called = func(string) { crash() }
	if _, err := Finetune(context.Background(), e, testFinetuneData(45), o, &recorder{onStep: func(Metrics) { crash() }}); err != nil {
		t.Fatal(err)
	}
	crash()
	entries, err := os.ReadDir(crashes)
	if err != nil || len(entries) < 15 {
		t.Fatalf("%d different states of the disk, %v", len(entries), err)
	}
	for _, entry := range entries {
		o.Directory = filepath.Join(crashes, entry.Name())
		e := newFakeClassifier()
		o.Evaluate = scoresAt(e, rising)
		result, err := resumeFinetune(context.Background(), e, o, &recorder{})
		if err != nil {
			t.Errorf("killed in state %s: %v", entry.Name(), err)
			continue
		}
		if readFile(t, result.Model, models.WeightsFile) != want || *result.Best != *wanted.Best {
			t.Errorf("killed in state %s: another model than without interruption", entry.Name())
		}
		noPartial(t, o.Directory)
	}
}

// With one thing wrong, fine-tuning is refused in one sentence that names it, before anything is written.
func TestFinetuneRefusals(t *testing.T) {
	for want, spoil := range map[string]func(*FinetuneOptions, *FinetuneData, *models.Config){
		"exactly one of them above 0":         func(o *FinetuneOptions, _ *FinetuneData, _ *models.Config) { o.Steps = 5 },
		"length is steps 0, epochs NaN":       func(o *FinetuneOptions, _ *FinetuneData, _ *models.Config) { o.Epochs = math.NaN() },
		"batch is 0":                          func(o *FinetuneOptions, _ *FinetuneData, _ *models.Config) { o.BatchFeatures = 0 },
		"tokens of a micro-batch is 0":        func(o *FinetuneOptions, _ *FinetuneData, _ *models.Config) { o.MicroBatchTokens = 0 },
		"patience is -1":                      func(o *FinetuneOptions, _ *FinetuneData, _ *models.Config) { o.Patience = -1 },
		"nothing to evaluate on":              func(o *FinetuneOptions, _ *FinetuneData, _ *models.Config) { o.Patience, o.Evaluate = 2, nil },
		"warm-up is 12 steps, the run has 12": func(o *FinetuneOptions, _ *FinetuneData, _ *models.Config) { o.WarmupSteps = 12 },
		"learning rate is NaN":                func(o *FinetuneOptions, _ *FinetuneData, _ *models.Config) { o.LearningRate = math.NaN() },
		"optimizer is \"sgd\"":                func(o *FinetuneOptions, _ *FinetuneData, _ *models.Config) { o.Optimizer = "sgd" },
		"beta1 is 1":                          func(o *FinetuneOptions, _ *FinetuneData, _ *models.Config) { o.Beta1 = 1 },
		"2 label weights, want one for each of 3": func(o *FinetuneOptions, _ *FinetuneData, _ *models.Config) {
			o.LabelWeights = []float32{1, 2}
		},
		"the weight of label 1 (b) is -1": func(o *FinetuneOptions, _ *FinetuneData, _ *models.Config) {
			o.LabelWeights = []float32{1, -1, 1}
		},
		"no classes that exclude each other": func(o *FinetuneOptions, _ *FinetuneData, c *models.Config) {
			o.LabelWeights, c.ProblemType = []float32{1, 1, 1}, models.MultiLabel
		},
		"there is no feature to train on": func(_ *FinetuneOptions, d *FinetuneData, _ *models.Config) { d.Features = nil },
		"feature 2, of example 2: it has no label": func(_ *FinetuneOptions, d *FinetuneData, _ *models.Config) {
			d.Features[2].Labels = nil
		},
		"feature 2, of example 2: it has a value and the first one none": func(_ *FinetuneOptions, d *FinetuneData, _ *models.Config) {
			d.Features[2].Targets = []float32{1}
		},
		"feature 3, of example 3: it has no sequence": func(_ *FinetuneOptions, d *FinetuneData, _ *models.Config) {
			d.Features[3].Sequences = nil
		},
		"a sequence of 65 tokens, the model takes 1 to 64": func(_ *FinetuneOptions, d *FinetuneData, _ *models.Config) {
			d.Features[1].Sequences[0].InputIDs = make([]int32, 65)
		},
		"token 50, the model has 50": func(_ *FinetuneOptions, d *FinetuneData, _ *models.Config) {
			d.Features[1].Sequences[0].InputIDs[1] = 50
		},
		"label 3, the model has 3": func(o *FinetuneOptions, d *FinetuneData, _ *models.Config) {
			o.LabelWeights, d.Features[7].Labels = []float32{1, 1, 1}, []int32{3}
		},
	} {
		e, data := newFakeClassifier(), testFinetuneData(45)
		o, config := testFinetuneOptions(t, e, rising), e.weights.Config
		spoil(&o, data, &config)
		e.weights = models.NewWeights(config)
		_, err := Finetune(context.Background(), e, data, o, &recorder{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "train: ") {
			t.Errorf("error %v does not say %q", err, want)
		}
		if _, err := os.Stat(o.Directory); err == nil {
			t.Errorf("%q: the run's directory was made", want)
		}
	}
}

// A score, or a loss, that is not a number ends the run and says when; the last checkpoint stays.
func TestFinetuneDiverges(t *testing.T) {
	e := newFakeClassifier()
	o := testFinetuneOptions(t, e, func(step int) float64 {
		if step < 6 {
			return 0.5
		}
		return math.NaN()
	})
	_, err := Finetune(context.Background(), e, testFinetuneData(45), o, &recorder{})
	if err == nil || !strings.Contains(err.Error(), "step 6: the score accuracy is NaN") || !strings.Contains(err.Error(), "step-00000003 is whole") {
		t.Errorf("a score: %v", err)
	}
	e = newFakeClassifier()
	o = testFinetuneOptions(t, e, rising)
	e.loss = func(step uint64) float64 { return []float64{2, math.Inf(1)}[step/7] }
	_, err = Finetune(context.Background(), e, testFinetuneData(45), o, &recorder{})
	if err == nil || !strings.Contains(err.Error(), "step 8: the loss is +Inf, the last finite loss was 2.0000 at step 7") {
		t.Errorf("a loss: %v", err)
	}
	o = testFinetuneOptions(t, e, rising)
	o.Evaluate = func(context.Context, *models.Weights) (tasks.Scores, error) { return nil, nil }
	if _, err := Finetune(context.Background(), newFakeClassifier(), testFinetuneData(45), o, &recorder{}); err == nil ||
		!strings.Contains(err.Error(), "gave no score") {
		t.Errorf("no score: %v", err)
	}
}

// A fine-tuning is resumed with its own options and examples, and neither is taken for a pre-training.
func TestFinetuneResumesItsOwn(t *testing.T) {
	e := newFakeClassifier()
	o := testFinetuneOptions(t, e, rising)
	finetune(t, e, o)
	for want, change := range map[string]func(*FinetuneOptions){
		"epochs is 3, the checkpoint was made with 2":                 func(o *FinetuneOptions) { o.Epochs = 3 },
		"freeze is true, the checkpoint was made with false":          func(o *FinetuneOptions) { o.Freeze = true },
		"label-weights is [1,1,2], the checkpoint was made with null": func(o *FinetuneOptions) { o.LabelWeights = []float32{1, 1, 2} },
		"patience is 4, the checkpoint was made with 0":               func(o *FinetuneOptions) { o.Patience = 4 },
		"": func(o *FinetuneOptions) { o.CheckpointEvery, o.KeepCheckpoints = 1, 7 },
	} {
		changed := o
		change(&changed)
		_, err := resumeFinetune(context.Background(), newFakeClassifier(), changed, &recorder{})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	checkpoint, err := FindCheckpoint(o.Directory)
	if err != nil {
		t.Fatal(err)
	}
	o.Resume = checkpoint
	data := testFinetuneData(45)
	data.Features[4].Labels[0]++
	if _, err := Finetune(context.Background(), newFakeClassifier(), data, o, &recorder{}); err == nil ||
		!strings.Contains(err.Error(), "the examples are not what the checkpoint was trained on") {
		t.Errorf("other examples: %v", err)
	}
	data = testFinetuneData(45)
	data.Dev = labelledDev("b")
	if _, err := Finetune(context.Background(), newFakeClassifier(), data, o, &recorder{}); err == nil ||
		!strings.Contains(err.Error(), "the dev examples are not those of the checkpoint's scores") {
		t.Errorf("other dev examples: %v", err)
	}
	p := testOptions(t)
	p.Directory, p.Resume = o.Directory, checkpoint
	if _, err := Pretrain(context.Background(), newFakeEngine(), testData(t), p, &recorder{}); err == nil ||
		!strings.Contains(err.Error(), "the checkpoint is of a fine-tuning") {
		t.Errorf("a fine-tuning taken for a pre-training: %v", err)
	}
	p = finished(t)
	if o.Resume, err = FindCheckpoint(p.Directory); err != nil {
		t.Fatal(err)
	}
	o.Directory = p.Directory
	if _, err := Finetune(context.Background(), newFakeClassifier(), testFinetuneData(45), o, &recorder{}); err == nil ||
		!strings.Contains(err.Error(), "the checkpoint is of a pre-training") {
		t.Errorf("a pre-training taken for a fine-tuning: %v", err)
	}
}

// labelledDev is two examples of that label.
func labelledDev(label string) *tasks.Set {
	s := &tasks.Set{Features: testFeatures(2)}
	for i := range s.Features {
		s.Examples = append(s.Examples, &tasks.Example{Place: "dev.tsv", Texts: []string{"x"}, Labelled: true, Labels: []string{label}})
		s.Features[i].Example = i
	}
	return s
}

// What scores follow from tells dev examples apart; where they lie does not.
func TestFingerprintOfDevExamples(t *testing.T) {
	want := fingerprintOfSet(labelledDev("a"))
	for name, change := range map[string]func(*tasks.Set){
		"a label":      func(s *tasks.Set) { s.Examples[1].Labels[0] = "b" },
		"a value":      func(s *tasks.Set) { s.Examples[1].Value = 2 },
		"an answer":    func(s *tasks.Set) { s.Examples[1].Answers = []tasks.Answer{{Text: "x"}} },
		"the choice":   func(s *tasks.Set) { s.Examples[1].Right = 1 },
		"the passage":  func(s *tasks.Set) { s.Examples[1].Texts[0] = "y" },
		"a token":      func(s *tasks.Set) { s.Features[1].Sequences[0].InputIDs[2]++ },
		"their number": func(s *tasks.Set) { s.Examples = s.Examples[:1] },
	} {
		s := labelledDev("a")
		if change(s); fingerprintOfSet(s) == want {
			t.Errorf("%s does not change the fingerprint", name)
		}
	}
	moved := labelledDev("a")
	moved.Examples[0].Place, moved.Examples[0].ID = "other.tsv", "7"
	if fingerprintOfSet(moved) != want {
		t.Error("the same examples of another file have another fingerprint")
	}
	if fingerprintOfSet(nil) != "" || fingerprintOfSet(&tasks.Set{}) != "" {
		t.Error("no examples have a fingerprint")
	}
}

// Scores by another metric, or of answers that are decoded otherwise, are not compared with those of a checkpoint.
func TestResumeOfAnotherTask(t *testing.T) {
	e := newFakeClassifier()
	made := models.TaskParams{Task: "squad2", Metric: "f1", Texts: 2, MaxLength: 384, NoAnswer: true}
	e.weights.Config.TaskParams = made
	o := testFinetuneOptions(t, e, rising)
	finetune(t, e, o)
	for want, change := range map[string]func(*models.TaskParams){
		`metric is "exact", the checkpoint was made with "f1"`:      func(p *models.TaskParams) { p.Metric = "exact" },
		`max_length is 128, the checkpoint was made with 384`:       func(p *models.TaskParams) { p.MaxLength = 128 },
		`no_answer is not given, the checkpoint was made with true`: func(p *models.TaskParams) { p.NoAnswer = false },
		`null_threshold is 2, the checkpoint was made with none`:    func(p *models.TaskParams) { p.NullThreshold = 2 },
		`texts is 1, the checkpoint was made with 2`:                func(p *models.TaskParams) { p.Texts = 1 },
		"": func(p *models.TaskParams) {},
	} {
		changed := newFakeClassifier()
		changed.weights.Config.TaskParams = made
		change(&changed.weights.Config.TaskParams)
		_, err := resumeFinetune(context.Background(), changed, o, &recorder{})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	older := made
	older.Texts = 0
	if err := sameTask(made, older); err != nil {
		t.Errorf("a checkpoint that does not know how many texts its examples have: %v", err)
	}
}

// Warm-up in steps is exact, and the rate falls to 0 after the last step.
func TestFinetuneSchedule(t *testing.T) {
	e := newFakeClassifier()
	o := testFinetuneOptions(t, e, nil)
	o.WarmupSteps = 5
	finetune(t, e, o)
	lines, err := ReadMetrics(o.Directory)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range lines[1:] {
		want := o.LearningRate * min(float64(i)/5, float64(12-i)/7)
		if math.Abs(m.LearningRate-want) > 1e-18 {
			t.Errorf("step %d has rate %v, want %v", i+1, m.LearningRate, want)
		}
	}
}
