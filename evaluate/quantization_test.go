package evaluate_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"goalbert/evaluate"
	"goalbert/export"
	"goalbert/models"
	"goalbert/runtime"
	sessions "goalbert/runtime/native"
	"goalbert/runtime/ort"
	"goalbert/tasks"
	"goalbert/tokenizer"
)

// labelledByModel are random features of a classifier, with a task whose labels are the model's own answers, but for every
// tenth.
func labelledByModel(t *testing.T, w *models.Weights, count int, begin int) (tasks.Task, *tasks.Set) {
	t.Helper()
	task, err := tasks.New("classification", tasks.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := task.Adopt(w.Config); err != nil {
		t.Fatal(err)
	}
	set := &tasks.Set{}
	for i := range count {
		n := begin + i
		f := &tasks.Feature{Example: i}
		var s tasks.Sequence
		for k := range 3 + n%9 {
			s.InputIDs, s.TokenTypeIDs = append(s.InputIDs, int32((n*n*7+k*(n+3)*11+k*k)%w.Config.VocabSize)), append(s.TokenTypeIDs, 0)
		}
		f.Sequences = []tasks.Sequence{s}
		set.Features = append(set.Features, f)
		set.Examples = append(set.Examples, &tasks.Example{Place: fmt.Sprint("example ", n), Texts: []string{fmt.Sprint(s.InputIDs)}})
	}
	r, err := evaluate.Predict(context.Background(), sessions.New(w, 1), w.Config, task, set)
	if err != nil {
		t.Fatal(err)
	}
	names := w.Config.Labels.Names()
	for i, e := range set.Examples {
		e.Labelled, e.Labels = true, []string{r.Predictions[i].Label}
		if i%10 == 0 {
			e.Labels = []string{names[(slices.Index(names, r.Predictions[i].Label)+1)%len(names)]}
		}
	}
	return task, set
}

// classifier has random weights and three labels.
func classifier(t *testing.T) *models.Weights {
	t.Helper()
	c := weights(t).Config
	c.InitializerRange = 0.15
	c.Architecture, c.Labels, c.ProblemType = models.ForSequenceClassification, models.NewLabels("a", "b", "c"), models.SingleLabel
	w := models.NewWeights(c)
	w.Initialize(3)
	return w
}

// inORT opens w in int8, a scale a matrix, in ONNX Runtime.
func inORT(t *testing.T, w *models.Weights) func(keep []string) (runtime.Session, error) {
	t.Helper()
	if _, err := ort.Find(""); err != nil {
		t.Skipf("ONNX Runtime is needed: %v", err)
	}
	folder := t.TempDir()
	return func(keep []string) (runtime.Session, error) {
		path := filepath.Join(folder, "model.onnx")
		if err := export.Write(path, w, export.Options{Precision: export.INT8, Target: export.VNNI, PerTensor: true, Keep: keep}); err != nil {
			return nil, err
		}
		return ort.Open(path, ort.Options{IntraOpThreads: 1})
	}
}

func matricesOf(w *models.Weights) []evaluate.Matrix {
	var all []evaluate.Matrix
	for _, p := range export.Matrices(w.Config) {
		all = append(all, evaluate.Matrix{Name: p.Name, Saved: int64(3 * p.Size())})
	}
	return all
}

// A matrix that int8 ruins is found, kept, and the rest certified: a row of the pooler is 1000 times as large as the others, of
// which one scale leaves nothing.
func TestSearchFindsTheSensitiveMatrix(t *testing.T) {
	w := classifier(t)
	sensitive := w.Parameters.Pooler.Weight
	for i := range sensitive.Shape[1] {
		w.Tensor(sensitive)[i] *= 1000
	}
	task, search := labelledByModel(t, w, 300, 0)
	_, certify := labelledByModel(t, w, 300, 1000)
	for _, measured := range []tasks.Task{task, nil} {
		q := &evaluate.Quantization{Config: w.Config, Reference: sessions.New(w, 1), Open: inORT(t, w), Matrices: matricesOf(w),
			Task: measured, Search: search, Certify: certify, MaxDrop: 5, Seed: 1}
		c, err := q.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if c.Whole.Drop <= 5 {
			t.Fatalf("all in int8 drops by %.2f only: the test shows nothing", c.Whole.Drop)
		}
		if !slices.Equal(c.Keep, []string{sensitive.Name}) || c.Rounds[0].Chosen != sensitive.Name {
			t.Errorf("%s: kept %v, want the pooler alone", c.Measure, c.Keep)
		}
		if !c.Certified || c.Upper > 5 || c.Score.Drop > c.Upper || c.Examples != 300 {
			t.Errorf("%s: certified %v, a drop of %+v up to %v; want a certificate", c.Measure, c.Certified, c.Score, c.Upper)
		}
		for _, r := range c.Rounds[0].Restored[1:] {
			if r.Gain > c.Rounds[0].Restored[0].Gain {
				t.Errorf("%s gains %v, more than what was chosen", r.Matrix, r.Gain)
			}
		}
	}
}

// pieces is a vocabulary of that many.
type pieces struct {
	tokenizer.Tokenizer
	size int
}

func (p pieces) VocabSize() int { return p.size }

func (p pieces) Special() tokenizer.SpecialIDs {
	return tokenizer.SpecialIDs{Pad: 0, Unknown: 1, CLS: 2, SEP: 3, MASK: 4}
}

func (p pieces) Decode(ids []int32) string { return fmt.Sprint(ids) }

// On random pieces every head agrees with itself, with other weights less, and is certified of no more than that; values and
// embeddings, of which none is right or wrong, by the bootstrap.
func TestAgreementOfEveryHead(t *testing.T) {
	for _, a := range models.Architectures() {
		for _, problem := range []models.ProblemType{models.SingleLabel, models.MultiLabel, models.Regression} {
			if a != models.ForSequenceClassification && problem != models.SingleLabel {
				continue
			}
			c := weights(t).Config
			c.Architecture = a
			if a.HasLabels() {
				c.Labels = models.NewLabels("a", "b", "c")
			}
			if a == models.ForSequenceClassification {
				c.ProblemType = problem
			}
			if problem == models.Regression {
				c.Labels = models.NewLabels("a")
			}
			w, other := models.NewWeights(c), models.NewWeights(c)
			w.Initialize(3)
			other.Initialize(4)
			q := &evaluate.Quantization{Config: c, Reference: sessions.New(w, 1), MaxDrop: 99, Seed: 1, Matrices: matricesOf(w)[:2],
				Search: evaluate.RandomSequences(c, pieces{size: c.VocabSize}, 40, 2), Certify: evaluate.RandomSequences(c, pieces{size: c.VocabSize}, 40, 3)}
			for drawn, answers := range map[bool]*models.Weights{false: w, true: other} {
				q.Open = func([]string) (runtime.Session, error) { return sessions.New(answers, 1), nil }
				certificate, err := q.Run(context.Background())
				if err != nil {
					t.Fatalf("%s %s: %v", a, problem, err)
				}
				s := certificate.Score
				if drawn != (s.Drop > 1) || certificate.Measure != evaluate.AgreementMeasure {
					t.Errorf("%s %s, other weights %v: a drop of %v", a, problem, drawn, s.Drop)
				}
				if !drawn && (s.Error != 0 || certificate.Upper < 5 || certificate.Upper > 11) {
					t.Errorf("%s %s: 40 examples without a difference have an error of %v and a drop up to %v", a, problem, s.Error, certificate.Upper)
				}
			}
		}
	}
}

// spoilt answers with logits of the other sign.
type spoilt struct{ runtime.Session }

func (s spoilt) Run(ctx context.Context, inputs map[string]runtime.Tensor) (map[string]runtime.Tensor, error) {
	outputs, err := s.Session.Run(ctx, inputs)
	if err == nil {
		data := outputs[models.Logits].Data.([]float32)
		for i := range data {
			data[i] = -data[i]
		}
	}
	return outputs, err
}

// halfSpoilt answers every second sequence with logits of the other sign.
type halfSpoilt struct{ runtime.Session }

func (s halfSpoilt) Run(ctx context.Context, inputs map[string]runtime.Tensor) (map[string]runtime.Tensor, error) {
	outputs, err := s.Session.Run(ctx, inputs)
	if err == nil {
		data := outputs[models.Logits].Data.([]float32)
		for i := range data {
			if i/3%2 == 1 {
				data[i] = -data[i]
			}
		}
	}
	return outputs, err
}

// The matrix that gains most is kept, and of those that gain as much the smallest comes first.
func TestSearchOrder(t *testing.T) {
	w := classifier(t)
	task, search := labelledByModel(t, w, 60, 0)
	_, certify := labelledByModel(t, w, 60, 1000)
	q := &evaluate.Quantization{Config: w.Config, Reference: sessions.New(w, 1), Task: task, Search: search, Certify: certify, MaxDrop: 7,
		Matrices: []evaluate.Matrix{{Name: "large", Saved: 30}, {Name: "most", Saved: 40}, {Name: "small", Saved: 20}},
		Open: func(keep []string) (runtime.Session, error) {
			switch {
			case slices.Contains(keep, "most"):
				return sessions.New(w, 1), nil
			case len(keep) > 0:
				return halfSpoilt{sessions.New(w, 1)}, nil
			}
			return spoilt{sessions.New(w, 1)}, nil
		}}
	c, err := q.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, r := range c.Rounds[0].Restored {
		if order = append(order, r.Matrix); r.Gain <= 1 {
			t.Errorf("%s gains %v: the test shows nothing", r.Matrix, r.Gain)
		}
	}
	if !slices.Equal(order, []string{"most", "small", "large"}) || !slices.Equal(c.Keep, []string{"most"}) {
		t.Errorf("the order is %v and %v is kept, want most, small, large and the first", order, c.Keep)
	}
}

// What no choice mends is refused; what two matrices spoil together is found although neither alone gains anything; and a drop
// that is within the limit by luck is not certified, with the number of examples that would do.
func TestSearchThatFails(t *testing.T) {
	w := classifier(t)
	task, search := labelledByModel(t, w, 60, 0)
	_, certify := labelledByModel(t, w, 60, 1000)
	names := matricesOf(w)
	open := func(good func(keep []string) bool) func([]string) (runtime.Session, error) {
		return func(keep []string) (runtime.Session, error) {
			if good(keep) {
				return sessions.New(w, 1), nil
			}
			return spoilt{sessions.New(w, 1)}, nil
		}
	}
	q := &evaluate.Quantization{Config: w.Config, Reference: sessions.New(w, 1), Matrices: names, Task: task, Search: search, Certify: certify, MaxDrop: 7, Table: true}
	run := func(good func([]string) bool) *evaluate.Certificate {
		t.Helper()
		q.Open = open(good)
		c, err := q.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := run(func([]string) bool { return false }); c.Certified || !c.NothingIn || c.Score != nil || len(c.Keep) != len(names)-1 {
		t.Errorf("a hopeless model: %+v, want no certificate", c)
	}
	a, b := names[4].Name, names[6].Name
	c := run(func(keep []string) bool { return slices.Contains(keep, a) && slices.Contains(keep, b) })
	if !slices.Contains(c.Keep, a) || !slices.Contains(c.Keep, b) || c.NothingIn {
		t.Errorf("kept %v, want %s and %s among them", c.Keep, a, b)
	}
	if c = run(func([]string) bool { return true }); !c.Certified || len(c.Rounds) != 1 || c.Upper < 4 {
		t.Errorf("60 examples without a difference: %+v, want 7 points certified and the first round measured", c)
	}
	q.MaxDrop, q.Anyway = 1, true
	c = run(func([]string) bool { return true })
	if c.Certified || c.Score.Drop != 0 || len(c.Keep) != 0 || c.Needed < 2*350 || c.Needed > 2*420 {
		t.Errorf("60 examples without a difference: %+v, want none certified below 1 point, which about 381 would be", c)
	}
	q.Anyway = false
	opened := 0
	for limit, needed := range map[float64][2]int{1: {2 * 350, 2 * 420}, 0: {0, 0}} {
		q.MaxDrop = limit
		c = run(func([]string) bool { opened++; return true })
		if !c.TooFew || c.Certified || opened > 0 || c.Least < 5 || c.Least > 7 || c.Needed < needed[0] || c.Needed > needed[1] {
			t.Errorf("60 examples for %v points: %+v after opening %d models, want that they are too few, before any is opened", limit, c, opened)
		}
	}
	q.MaxDrop = -1
	if _, err := q.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "want 0 or more") {
		t.Errorf("error %v", err)
	}
}

// fewSpoilt answers about one in so many sequences, by its first piece, with logits of the other sign.
type fewSpoilt struct {
	runtime.Session
	every int
}

func (s fewSpoilt) Run(ctx context.Context, inputs map[string]runtime.Tensor) (map[string]runtime.Tensor, error) {
	outputs, err := s.Session.Run(ctx, inputs)
	if err == nil {
		logits, ids := outputs[models.Logits], inputs[models.InputIDs]
		data := logits.Data.([]float32)
		for i := range data {
			row := i / logits.Shape[1]
			if ids.Data.([]int64)[row*ids.Shape[1]]%int64(s.every) == 0 {
				data[i] = -data[i]
			}
		}
	}
	return outputs, err
}

// The search goes on while the interval of a drop that is within the limit is not, for the other half's will be as wide; where
// nothing brings it there, the first file is taken whose drop is.
func TestSearchForAnInterval(t *testing.T) {
	w := classifier(t)
	_, search := labelledByModel(t, w, 300, 0)
	_, certify := labelledByModel(t, w, 300, 1000)
	q := &evaluate.Quantization{Config: w.Config, Reference: sessions.New(w, 1), Search: search, Certify: certify, MaxDrop: 6,
		Matrices: []evaluate.Matrix{{Name: "other", Saved: 20}, {Name: "sensitive", Saved: 30}}}
	mended := true
	q.Open = func(keep []string) (runtime.Session, error) {
		if mended && slices.Contains(keep, "sensitive") {
			return sessions.New(w, 1), nil
		}
		return fewSpoilt{sessions.New(w, 1), 31}, nil
	}
	c, err := q.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if c.Whole.Drop <= 0 || c.Whole.Drop > q.MaxDrop || c.Whole.Upper == nil || *c.Whole.Upper <= q.MaxDrop {
		t.Fatalf("all in int8 drops by %+v: the test shows nothing", c.Whole)
	}
	if !slices.Equal(c.Keep, []string{"sensitive"}) || !c.Certified || c.Short {
		t.Errorf("kept %v, certified %v; want the sensitive matrix and a certificate", c.Keep, c.Certified)
	}
	mended = false
	if c, err = q.Run(context.Background()); err != nil || !c.Short || c.NothingIn || len(c.Keep) != 0 || c.Score == nil {
		t.Errorf("%+v, error %v; want the file with everything in int8, measured", c, err)
	}
}

// Nothing of one half is in the other: no group, no text; both have half of the examples, by the seed alone.
func TestHalves(t *testing.T) {
	var examples []*tasks.Example
	for i := range 400 {
		e := &tasks.Example{Place: fmt.Sprint(i), Texts: []string{fmt.Sprint("text ", i*i%331)}}
		if i%3 == 0 {
			e.Group = fmt.Sprint("group ", i%60)
		}
		examples = append(examples, e)
	}
	first, second, err := evaluate.Halves(examples, 1)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for half, part := range [][]*tasks.Example{first, second} {
		for _, e := range part {
			for _, key := range []string{e.Texts[0], e.Group, "place " + e.Place} {
				if key == "" {
					continue
				}
				if other, ok := seen[key]; ok && other != half {
					t.Fatalf("%q is in both halves", key)
				}
				seen[key] = half
			}
		}
	}
	if len(first)+len(second) != 400 || len(first) < 100 || len(second) < 100 {
		t.Errorf("halves of %d and %d, want 400 in all", len(first), len(second))
	}
	places := func(part []*tasks.Example) []string {
		var all []string
		for _, e := range part {
			all = append(all, e.Place)
		}
		slices.Sort(all)
		return all
	}
	again, _, _ := evaluate.Halves(examples, 1)
	other, _, _ := evaluate.Halves(examples, 2)
	if !slices.Equal(places(first), places(again)) {
		t.Error("the same seed gave other halves")
	}
	if slices.Equal(places(first), places(other)) {
		t.Error("another seed gave the same halves")
	}
	for _, one := range [][]*tasks.Example{examples[:1], {{Group: "a", Texts: []string{"x"}}, {Group: "a", Texts: []string{"y"}}}} {
		if _, _, err := evaluate.Halves(one, 1); err == nil || !strings.Contains(err.Error(), "make no two halves") {
			t.Errorf("error %v", err)
		}
	}
}
