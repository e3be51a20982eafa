package native

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"goalbert/internal/numeric"
	"goalbert/models"
)

// taskCase is a head, and what a batch needs besides its tokens to train it.
type taskCase struct {
	name         string
	architecture models.Architecture
	problem      models.ProblemType
	labels       int
	teach        func(b *models.Batch)
}

// taskCases are all heads with all that they can be trained for. The batch has sequences of 5, 1, 4, 6, 5 and 1 tokens.
var taskCases = []taskCase{
	{"single label", models.ForSequenceClassification, models.SingleLabel, 3, func(b *models.Batch) {
		b.Labels = []int32{2, 0, models.IgnoreIndex, 1, 1, 0}
	}},
	{"weighted labels", models.ForSequenceClassification, models.SingleLabel, 3, func(b *models.Batch) {
		b.Labels = []int32{2, 0, models.IgnoreIndex, 1, 1, 0}
		b.LabelWeights = []float32{0.5, 2, 1.25}
	}},
	{"several labels", models.ForSequenceClassification, models.MultiLabel, 2, func(b *models.Batch) {
		b.Targets = []float32{0, 1, 1, 1, 0, 0, 1, 0, 0.25, 0, 1, 0}
	}},
	{"regression", models.ForSequenceClassification, models.Regression, 1, func(b *models.Batch) {
		b.Targets = []float32{0.5, -2, 3.25, 0, 1, -0.5}
	}},
	{"tokens", models.ForTokenClassification, "", 3, func(b *models.Batch) { b.Labels = tokenLabels(b) }},
	{"weighted tokens", models.ForTokenClassification, "", 3, func(b *models.Batch) {
		b.Labels, b.LabelWeights = tokenLabels(b), []float32{0.5, 2, 1.25}
	}},
	{"answers", models.ForQuestionAnswering, "", 2, func(b *models.Batch) {
		b.Labels = []int32{1, 4, 0, 0, 4, models.IgnoreIndex, 5, 5, 0, 2, 1, 1} // sequences 2 and 5 end before
	}},
	{"choices", models.ForMultipleChoice, "", 2, func(b *models.Batch) {
		b.Group, b.Labels = 2, []int32{1, 0, models.IgnoreIndex}
	}},
	{"cosines", models.BaseModel, "", 2, func(b *models.Batch) { b.Group, b.Targets = 2, []float32{1, -0.5, 0.25} }},
	{"pairs", models.BaseModel, "", 2, func(b *models.Batch) { b.Group = 2 }},
	{"triples", models.BaseModel, "", 2, func(b *models.Batch) { b.Group = 3 }},
}

// tokenLabels gives every third token no label.
func tokenLabels(b *models.Batch) []int32 {
	labels := make([]int32, b.Tokens())
	for i := range labels {
		if labels[i] = int32(i * 5 % 7 % 3); i%3 == 1 {
			labels[i] = models.IgnoreIndex
		}
	}
	return labels
}

func (t *taskCase) config(c models.Config) models.Config {
	c.Architecture, c.ProblemType = t.architecture, t.problem
	names := make([]string, t.labels)
	for i := range names {
		names[i] = fmt.Sprint(i)
	}
	c.Labels = models.NewLabels(names...)
	return c
}

// batch is testBatch and its first two sequences again.
func (t *taskCase) batch(c models.Config) *models.Batch {
	b := testBatch(c)
	b.MaskedPositions, b.MaskedLabels = nil, nil
	again := split(testBatch(c))
	appendBatch(b, again[1])
	appendBatch(b, again[0])
	b.Offsets[5] = b.Offsets[4] + 5
	b.SentenceLabels, b.MaskedPositions, b.MaskedLabels = nil, nil, nil
	t.teach(b)
	return b
}

func (t *taskCase) denominators(b *models.Batch) models.Denominators {
	return models.Denominators{Labels: b.LabelDenominator(t.architecture)}
}

func eachTask(t *testing.T, do func(t *testing.T, task *taskCase)) {
	for i := range taskCases {
		t.Run(taskCases[i].name, func(t *testing.T) { do(t, &taskCases[i]) })
	}
}

func shallowConfig() models.Config {
	c := testConfig()
	c.NumHiddenLayers, c.NumHiddenGroups, c.InnerGroupNum = 2, 1, 1
	return c
}

// The gradient of every head, down to the embeddings, with dropout, by central differences in float64.
func TestBackwardOfTasksByFiniteDifferences(t *testing.T) {
	eachTask(t, func(t *testing.T, task *taskCase) {
		c := task.config(shallowConfig())
		b := task.batch(c)
		if err := Check(c, b); err != nil {
			t.Fatal(err)
		}
		checkGradientOf(t, c, b, Dropout{Enabled: true, Seed: 11}, task.denominators(b))
	})
}

// Any split of a step into micro-batches gives the gradient of the undivided batch, groups being kept together. In-batch
// candidates are those of a micro-batch, so there it is another loss.
func TestMicroBatchesOfTasksGiveTheGradientOfTheWhole(t *testing.T) {
	eachTask(t, func(t *testing.T, task *taskCase) {
		c := task.config(testConfig())
		b, d := task.batch(c), Dropout{Enabled: true, Seed: 3}
		if objectiveOf(&c, b) == inBatch {
			t.Skip("the loss is of the batch as a whole")
		}
		w := testWeights(c)
		whole := gradientOf(w, d, task.denominators(b), b)
		parts := gradientOf(w, d, task.denominators(b), splitTask(c, b)...)
		numeric.Check(t, "gradient", parts, whole, numeric.SameSum64)
	})
}

// splitTask returns the groups of b as batches of their own.
func splitTask(c models.Config, b *models.Batch) []*models.Batch {
	perGroup := func(n int) int { return n / (b.Sequences() / b.GroupSize()) }
	var parts []*models.Batch
	for i := 0; i < b.Sequences(); i += b.GroupSize() {
		end, group := i+b.GroupSize(), i/b.GroupSize()
		lo, hi := b.Offsets[i], b.Offsets[end]
		part := &models.Batch{
			InputIDs: b.InputIDs[lo:hi], TokenTypeIDs: b.TokenTypeIDs[lo:hi], PositionIDs: b.PositionIDs[lo:hi],
			LabelWeights: b.LabelWeights, Group: b.Group, Step: b.Step, FirstSequence: b.FirstSequence + i,
		}
		for _, offset := range b.Offsets[i : end+1] {
			part.Offsets = append(part.Offsets, offset-lo)
		}
		if c.Architecture == models.ForTokenClassification {
			part.Labels = b.Labels[lo:hi]
		} else if n := perGroup(len(b.Labels)); n > 0 {
			part.Labels = b.Labels[group*n : (group+1)*n]
		}
		if n := perGroup(len(b.Targets)); n > 0 {
			part.Targets = b.Targets[group*n : (group+1)*n]
		}
		parts = append(parts, part)
	}
	return parts
}

// manyTilesTask is a batch at which every task has several parts.
func (t *taskCase) manyTiles() (models.Config, *models.Batch) {
	c := t.config(manyTilesConfig())
	b := benchmarkBatch(c, 0, 0)
	for i := range 36 {
		appendBatch(b, benchmarkBatch(c, 1, 5+i%25))
	}
	b.SentenceLabels, b.MaskedPositions, b.MaskedLabels = nil, nil, nil
	small := &models.Batch{InputIDs: make([]int32, 22), Offsets: []int{0, 5, 6, 10, 16, 21, 22}}
	t.teach(small)
	if b.Group, b.LabelWeights = small.Group, small.LabelWeights; t.architecture == models.ForTokenClassification {
		b.Labels = tokenLabels(b)
		return c, b
	}
	for range 6 {
		b.Labels, b.Targets = append(b.Labels, small.Labels...), append(b.Targets, small.Targets...)
	}
	return c, b
}

// step accumulates b and updates the weights.
func (t *taskCase) step(test testing.TB, e *Engine, b *models.Batch, optimizer models.Optimizer) models.Losses {
	test.Helper()
	l, err := e.Accumulate(b, t.denominators(b))
	if err != nil {
		test.Fatal(err)
	}
	if _, err := e.Step(testHyperparameters(optimizer)); err != nil {
		test.Fatal(err)
	}
	return l
}

// Training a head gives the same bits for any number of threads, and whether activations are kept or computed again, with
// the encoder frozen too.
func TestThreadsDoNotChangeTheBitsOfTasks(t *testing.T) {
	eachTask(t, func(t *testing.T, task *taskCase) {
		for _, precision := range []Precision{FP32, BF16} {
			for _, freeze := range []bool{false, true} {
				if precision.Available() != nil || freeze && task.architecture == models.BaseModel {
					continue
				}
				var want []float32
				for _, o := range []Options{{Threads: 1}, {Threads: 2}, {Threads: 3, Recompute: true}} {
					o.Seed, o.Precision, o.Freeze = 5, precision, freeze
					c, b := task.manyTiles()
					w := testWeights(c)
					e := newEngine(t, w, o)
					for range 2 {
						task.step(t, e, b, models.AdamW)
					}
					if want == nil {
						want = w.Data
					}
					if !slices.Equal(w.Data, want) {
						t.Errorf("%+v gives other weights than one thread that keeps all", o)
					}
				}
			}
		}
	})
}

// In steady state a step of a head allocates nothing.
func TestStepOfTasksAllocatesNothing(t *testing.T) {
	eachTask(t, func(t *testing.T, task *taskCase) {
		for _, o := range []Options{{Threads: 2}, {Threads: 2, Freeze: true}} {
			if o.Freeze && task.architecture == models.BaseModel {
				continue
			}
			c, b := task.manyTiles()
			e := newEngine(t, testWeights(c), o)
			// Each worker's memory grows until it has done the largest part, which is a matter of luck.
			allocations := uint64(1)
			for try := 0; allocations > 0 && try < 20; try++ {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				for range 5 {
					task.step(t, e, b, models.AdamW)
				}
				runtime.ReadMemStats(&after)
				allocations = after.Mallocs - before.Mallocs
			}
			if allocations > 0 {
				t.Errorf("%+v: %v allocations in five steps, want 0", o, allocations)
			}
		}
	})
}

// In float32 and bf16 the gradients of the heads are those of float64 but for rounding.
func TestGradientsOfTasksInEveryPrecision(t *testing.T) {
	eachTask(t, func(t *testing.T, task *taskCase) {
		c, b := task.manyTiles()
		c.InitializerRange = 0.05
		w := models.NewWeights(c)
		w.Initialize(1)
		want := gradientOf(w, Dropout{Enabled: true, Seed: 2}, task.denominators(b), b)
		for _, o := range []Options{{Threads: 2}, {Threads: 2, Precision: BF16}} {
			if o.Precision.Available() != nil {
				continue
			}
			o.Seed = 2
			e := newEngine(t, w, o)
			if _, err := e.Accumulate(b, task.denominators(b)); err != nil {
				t.Fatal(err)
			}
			limit := 1e-4 // a float32 sum's error grows with its terms
			if o.Precision == BF16 {
				limit = 3 * numeric.BF16 // small models have fewer signs to cancel
			}
			off, norm := 0.0, 0.0
			for i, v := range e.gradient.Flat() {
				off += (float64(v) - want[i]) * (float64(v) - want[i])
				norm += want[i] * want[i]
			}
			if !(math.Sqrt(off) <= limit*math.Sqrt(norm)) || norm == 0 {
				t.Errorf("%+v: the gradient is off by %v, want at most %v of %v", o, math.Sqrt(off), limit, math.Sqrt(norm))
			}
		}
	})
}

// With the encoder frozen the losses and the head's gradient are those of the whole model, nothing else has a gradient,
// and nothing else moves, weight decay or not.
func TestFreezeTrainsTheHeadAlone(t *testing.T) {
	eachTask(t, func(t *testing.T, task *taskCase) {
		c := task.config(testConfig())
		b, w := task.batch(c), testWeights(c)
		if task.architecture == models.BaseModel {
			if _, err := NewEngine(w, Options{Freeze: true}); err == nil || !strings.Contains(err.Error(), "no classifier") {
				t.Errorf("an %s is frozen: %v", task.architecture, err)
			}
			return
		}
		for _, optimizer := range []models.Optimizer{models.AdamW, models.LAMB} {
			whole := newEngine(t, testWeights(c), Options{Threads: 2, Seed: 4})
			frozen := newEngine(t, testWeights(c), Options{Threads: 2, Seed: 4, Freeze: true, Recompute: optimizer == models.LAMB})
			want, err := whole.Accumulate(b, task.denominators(b))
			if err != nil {
				t.Fatal(err)
			}
			got, err := frozen.Accumulate(b, task.denominators(b))
			if err != nil || got != want {
				t.Errorf("losses %+v, error %v, want %+v", got, err, want)
			}
			square := 0.0
			for _, p := range w.Parameters.Order {
				lo, hi := p.Offset, p.Offset+p.Size()
				gradient := frozen.gradient.Flat()[lo:hi]
				if !isHead(p.Name) {
					if slices.ContainsFunc(gradient, func(v float32) bool { return v != 0 }) {
						t.Errorf("%s has a gradient", p.Name)
					}
					continue
				}
				if !slices.Equal(gradient, whole.gradient.Flat()[lo:hi]) {
					t.Errorf("%s has another gradient than where all is trained", p.Name)
				}
				for _, v := range gradient {
					square += float64(v) * float64(v)
				}
			}
			norm, err := frozen.Step(testHyperparameters(optimizer))
			if err != nil || math.Abs(norm/math.Sqrt(square)-1) > 1e-12 {
				t.Errorf("the norm is %v, error %v, want that of the head, %v", norm, err, math.Sqrt(square))
			}
			for _, p := range w.Parameters.Order {
				still := task.name == "choices" && p.Name == "classifier.bias" // which all choices have alike
				if moved := !slices.Equal(frozen.Weights().Tensor(p), w.Tensor(p)); moved != (isHead(p.Name) && !still) {
					t.Errorf("%s: %s moved is %v", optimizer, p.Name, moved)
				}
			}
			fresh := New[float32](frozen.Weights(), 1)
			var a, other Activations[float32]
			frozen.model.Infer(&a, b)
			fresh.Infer(&other, b)
			if !slices.Equal(a.Logits, other.Logits) {
				t.Error("the copies in kernel order are not those of the new weights")
			}
		}
	})
}

func isHead(name string) bool {
	return strings.Contains(name, "pooler.") || strings.Contains(name, "classifier.") || strings.Contains(name, "qa_outputs.")
}

// Sentence embeddings are means: the pooler of an AlbertModel is left as it is, by weight decay too.
func TestPoolerOfSentenceEmbeddingsStays(t *testing.T) {
	task := &taskCases[slices.IndexFunc(taskCases, func(c taskCase) bool { return c.name == "pairs" })]
	c := task.config(testConfig())
	e, before := newEngine(t, testWeights(c), Options{Threads: 1}), testWeights(c)
	task.step(t, e, task.batch(c), models.AdamW)
	for _, p := range before.Parameters.Order {
		if moved := !slices.Equal(e.Weights().Tensor(p), before.Tensor(p)); moved == strings.HasPrefix(p.Name, "pooler.") {
			t.Errorf("%s moved is %v", p.Name, moved)
		}
	}
}

// Labels that none of a batch has, or all of which are to be ignored, teach nothing.
func TestNoLabelsNoGradient(t *testing.T) {
	eachTask(t, func(t *testing.T, task *taskCase) {
		c := task.config(testConfig())
		b := task.batch(c)
		for i := range b.Labels {
			b.Labels[i] = models.IgnoreIndex
		}
		if b.Labels == nil {
			b.Targets, b.Group = nil, 0
		}
		d := task.denominators(b)
		if g := gradientOf(testWeights(c), Dropout{}, d, b); !isZero(g) || d.Labels != 0 {
			t.Errorf("there is a gradient, or a denominator, %v", d.Labels)
		}
	})
}

// One wrong label, target or weight is refused in a sentence that says which.
func TestCheckRefusesLabelsOfTasks(t *testing.T) {
	for _, test := range []struct {
		task, want string
		damage     func(*models.Batch)
	}{
		{"single label", "label 3 at index 1, want 0 to 2 or -100", func(b *models.Batch) { b.Labels[1] = 3 }},
		{"single label", "label -1 at index 0", func(b *models.Batch) { b.Labels[0] = -1 }},
		{"single label", "5 labels, want 6", func(b *models.Batch) { b.Labels = b.Labels[1:] }},
		{"single label", "6 targets, want 6 labels; that is what an AlbertForSequenceClassification for single_label",
			func(b *models.Batch) { b.Labels, b.Targets = nil, make([]float32, 6) }},
		{"single label", "groups of 2 sequences", func(b *models.Batch) { b.Group = 2 }},
		{"single label", "2 masked labels, and an AlbertForSequenceClassification has no masked-LM head", func(b *models.Batch) {
			b.MaskedPositions, b.MaskedLabels = []int32{0, 1}, []int32{5, 6}
		}},
		{"weighted labels", "2 label weights, want one for each of 3", func(b *models.Batch) { b.LabelWeights = b.LabelWeights[1:] }},
		{"weighted labels", "weight -1 of label 2", func(b *models.Batch) { b.LabelWeights = []float32{1, 1, -1} }},
		{"weighted labels", "weight NaN of label 0", func(b *models.Batch) { b.LabelWeights[0] = float32(math.NaN()) }},
		{"several labels", "target 1.5 at index 3, want 0 to 1", func(b *models.Batch) { b.Targets[3] = 1.5 }},
		{"several labels", "target NaN at index 3", func(b *models.Batch) { b.Targets[3] = float32(math.NaN()) }},
		{"several labels", "6 targets, want 12", func(b *models.Batch) { b.Targets = b.Targets[:6] }},
		{"several labels", "6 labels, want 12 targets", func(b *models.Batch) { b.Targets, b.Labels = nil, make([]int32, 6) }},
		{"several labels", "2 label weights", func(b *models.Batch) { b.LabelWeights = []float32{1, 1} }},
		{"regression", "target NaN at index 2, want a number", func(b *models.Batch) { b.Targets[2] = float32(math.NaN()) }},
		{"regression", "target +Inf at index 2, want a number", func(b *models.Batch) { b.Targets[2] = float32(math.Inf(1)) }},
		{"regression", "7 targets, want 6", func(b *models.Batch) { b.Targets = append(b.Targets, 1) }},
		{"tokens", "21 labels, want 22", func(b *models.Batch) { b.Labels = b.Labels[1:] }},
		{"tokens", "label 3 at index 9", func(b *models.Batch) { b.Labels[9] = 3 }},
		{"answers", "11 labels, want 12", func(b *models.Batch) { b.Labels = b.Labels[1:] }},
		{"answers", "label -2 at index 4", func(b *models.Batch) { b.Labels[4] = -2 }},
		{"answers", "2 label weights, an AlbertForQuestionAnswering has no classes to weigh",
			func(b *models.Batch) { b.LabelWeights = []float32{1, 1} }},
		{"choices", "label 2 at index 0, want 0 to 1", func(b *models.Batch) { b.Labels[0] = 2 }},
		{"choices", "6 sequences in groups of 4", func(b *models.Batch) { b.Group = 4 }},
		{"choices", "6 sequences in groups of -1", func(b *models.Batch) { b.Group = -1 }},
		{"cosines", "groups of 3 sequences, want pairs", func(b *models.Batch) { b.Group = 3 }},
		{"cosines", "2 targets, want 3", func(b *models.Batch) { b.Targets = b.Targets[1:] }},
		{"cosines", "target NaN at index 0", func(b *models.Batch) { b.Targets[0] = float32(math.NaN()) }},
		{"pairs", "3 labels, want 3 targets", func(b *models.Batch) { b.Labels = make([]int32, 3) }},
	} {
		task := &taskCases[slices.IndexFunc(taskCases, func(c taskCase) bool { return c.name == test.task })]
		c := task.config(testConfig())
		b := task.batch(c)
		if err := Check(c, b); err != nil {
			t.Errorf("%s: a good batch is refused: %v", test.task, err)
		}
		test.damage(b)
		if err := Check(c, b); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want one that says %q", test.task, err, test.want)
		}
	}
	c := testConfig()
	b := testBatch(c)
	b.Labels = []int32{1, 1, 1, 1}
	if err := Check(c, b); err == nil || !strings.Contains(err.Error(), "4 labels, want 0") {
		t.Errorf("labels for an %s: %v", c.Architecture, err)
	}
}

// A label that excludes no other is predicted from a logit of 0 on, as package tasks predicts it.
func TestLogitOfZeroIsALabel(t *testing.T) {
	m := &Model[float64]{Config: models.Config{Architecture: models.ForSequenceClassification, ProblemType: models.MultiLabel}}
	a := &Activations[float64]{Logits: []float64{0, -1e-9, 1e-9}}
	b := &models.Batch{Targets: []float32{1, 0, 1}}
	if _, count, correct := m.taskLoss(a, b); count != 3 || correct != 3 {
		t.Errorf("%d of %d are right, want all 3", correct, count)
	}
}
