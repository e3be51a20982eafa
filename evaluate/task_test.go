package evaluate_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"goalbert/evaluate"
	"goalbert/export"
	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/runtime"
	"goalbert/runtime/gonnx"
	sessions "goalbert/runtime/native"
	"goalbert/runtime/ort"
	"goalbert/tasks"
)

// head is a golden checkpoint of a head with the batch that transformers ran (tools/golden/heads.py).
type head struct {
	weights  *models.Weights
	tensors  map[string]models.SafeTensor
	features []*tasks.Feature
	rows     []int   // of the golden outputs, one for each feature
	mask     []int64 // (sequences, length)
	length   int
}

// openHead makes a feature of each row of the golden batch whose mask hides its end alone, several of multiple choice.
func openHead(t *testing.T, name string) *head {
	t.Helper()
	dir := filepath.Join("..", "parity", "testdata", "heads", name)
	w, err := models.ReadCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	h := &head{weights: w}
	if h.tensors, err = models.ReadSafetensors(filepath.Join(dir, "golden.safetensors")); err != nil {
		t.Fatal(err)
	}
	columns := map[string][]int64{}
	for _, input := range w.Config.Architecture.Inputs() {
		if columns[input], err = h.tensors[input].Int64s(); err != nil {
			t.Fatal(err)
		}
	}
	shape := h.tensors[models.InputIDs].Shape
	h.mask, h.length = columns[models.AttentionMask], shape[len(shape)-1]
	group := 1
	if len(shape) == 3 {
		group = shape[1]
	}
	for row := range len(h.mask) / h.length / group {
		f, whole := &tasks.Feature{Example: len(h.features)}, true
		for sequence := row * group; sequence < (row+1)*group; sequence++ {
			var s tasks.Sequence
			begin := sequence * h.length
			for i := begin; i < begin+h.length; i++ {
				if h.mask[i] == 1 {
					s.InputIDs = append(s.InputIDs, int32(columns[models.InputIDs][i]))
					s.TokenTypeIDs = append(s.TokenTypeIDs, int32(columns[models.TokenTypeIDs][i]))
				}
			}
			whole = whole && !slices.Contains(h.mask[begin:begin+len(s.InputIDs)], 0)
			f.Sequences = append(f.Sequences, s)
		}
		if whole {
			h.features, h.rows = append(h.features, f), append(h.rows, row)
		}
	}
	if len(h.features) == 0 {
		t.Fatalf("%s: no row of the golden batch is padded on the right", name)
	}
	return h
}

// golden returns, of each feature, what transformers computed: whole rows of outputs of one row a sequence, attended
// positions of others.
func (h *head) golden(t *testing.T, perToken bool, names ...string) [][]float32 {
	t.Helper()
	var all [][]float32
	var columns []int
	for _, name := range names {
		values, err := h.tensors[name].Float32s()
		if err != nil {
			t.Fatal(err)
		}
		rows := h.tensors[name].Shape[0]
		if perToken {
			rows *= h.length
		}
		all, columns = append(all, values), append(columns, len(values)/rows)
	}
	outputs := make([][]float32, len(h.features))
	for i, row := range h.rows {
		if !perToken {
			outputs[i] = all[0][row*columns[0] : (row+1)*columns[0]]
			continue
		}
		for at := row * h.length; at < (row+1)*h.length; at++ {
			for k := range all {
				if h.mask[at] == 1 {
					outputs[i] = append(outputs[i], all[k][at*columns[k]:(at+1)*columns[k]]...)
				}
			}
		}
	}
	return outputs
}

// engines returns sessions on the weights: native, onnx-go, and ONNX Runtime where it is installed.
func engines(t *testing.T, w *models.Weights, o export.Options) map[string]runtime.Session {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := export.Write(path, w, o); err != nil {
		t.Fatal(err)
	}
	pure, err := gonnx.Open(path, gonnx.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]runtime.Session{"native": sessions.New(w, 1), "onnx-go": pure}
	if _, err := ort.Find(""); err != nil {
		t.Logf("without ONNX Runtime: %v", err)
		return all
	}
	if all["onnxruntime"], err = ort.Open(path, ort.Options{IntraOpThreads: 1}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { all["onnxruntime"].Close() })
	return all
}

// Each head's outputs are those that transformers computed, in every engine, padded and in other batches.
func TestOutputsAreTransformers(t *testing.T) {
	for name, test := range map[string]struct {
		perToken bool
		outputs  []string
	}{
		"single_label": {false, []string{models.Logits}},
		"multi_label":  {false, []string{models.Logits}},
		"regression":   {false, []string{models.Logits}},
		"choices":      {false, []string{models.Logits}},
		"tokens":       {true, []string{models.Logits}},
		"answers":      {true, []string{models.StartLogits, models.EndLogits}},
		"features":     {false, []string{models.SentenceEmbedding}},
	} {
		h := openHead(t, name)
		want := h.golden(t, test.perToken, test.outputs...)
		for engine, session := range engines(t, h.weights, export.Options{}) {
			got, err := evaluate.Outputs(context.Background(), session, h.weights.Config, h.features)
			if err != nil {
				t.Fatalf("%s, %s: %v", name, engine, err)
			}
			for i := range want {
				numeric.Check(t, fmt.Sprintf("%s, %s, feature %d", name, engine, i), got[i], want[i], numeric.Engine)
			}
		}
	}
}

// Features come back in the order given, whatever batches they ran in; a file that gives sentence embeddings gives
// those that are made of hidden states.
func TestOutputsKeepTheOrder(t *testing.T) {
	w := openHead(t, "features").weights
	var features []*tasks.Feature
	for i := range 700 {
		f := &tasks.Feature{}
		for range 1 + i%2 {
			s := tasks.Sequence{InputIDs: []int32{2}, TokenTypeIDs: []int32{0}}
			for j := range 1 + i*7%11 {
				s.InputIDs, s.TokenTypeIDs = append(s.InputIDs, int32(5+(i+j)%90)), append(s.TokenTypeIDs, 0)
			}
			f.Sequences = append(f.Sequences, s)
		}
		features = append(features, f)
	}
	together, err := evaluate.Outputs(context.Background(), sessions.New(w, 1), w.Config, features)
	if err != nil {
		t.Fatal(err)
	}
	for engine, session := range engines(t, w, export.Options{Embedding: true}) {
		for _, i := range []int{0, 1, 350, 699} {
			alone, err := evaluate.Outputs(context.Background(), session, w.Config, features[i:i+1])
			if err != nil {
				t.Fatal(err)
			}
			numeric.Check(t, fmt.Sprintf("%s, feature %d", engine, i), together[i], alone[0], numeric.Engine)
		}
	}
}

// set is examples that a golden model of three labels can be asked about.
func set(t *testing.T, h *head) (tasks.Task, *tasks.Set) {
	t.Helper()
	task, err := tasks.New("classification", tasks.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := task.Adopt(h.weights.Config); err != nil {
		t.Fatal(err)
	}
	s := &tasks.Set{Features: h.features}
	for i := range h.features {
		s.Examples = append(s.Examples, &tasks.Example{Place: fmt.Sprint("line ", i), Labelled: true, Labels: []string{"good"}})
	}
	return task, s
}

// Predictions and scores are the same in every engine, and their agreement says so.
func TestTask(t *testing.T) {
	h := openHead(t, "single_label")
	task, s := set(t, h)
	want, err := evaluate.Task(context.Background(), sessions.New(h.weights, 1), h.weights.Config, task, s)
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for _, p := range want.Predictions {
		if p.Label == "good" {
			right++
		}
	}
	if accuracy := float64(right) / float64(len(s.Examples)); want.Scores[0] != (tasks.Score{Name: "accuracy", Value: accuracy}) {
		t.Errorf("the first score is %v, want an accuracy of %v", want.Scores[0], accuracy)
	}
	for engine, session := range engines(t, h.weights, export.Options{}) {
		got, err := evaluate.Task(context.Background(), session, h.weights.Config, task, s)
		if err != nil {
			t.Fatal(err)
		}
		a, err := evaluate.Agree(s, got, want, numeric.Engine)
		if err != nil || !a.OK() || a.Same != len(s.Examples) || !slices.Equal(got.Scores, want.Scores) {
			t.Errorf("%s: agreement %+v, error %v, scores %v; want all the same and %v", engine, a, err, got.Scores, want.Scores)
		}
	}
}

// A prediction that differs is a tie if the outputs are equal within the tolerance, and else different.
func TestAgree(t *testing.T) {
	h := openHead(t, "single_label")
	task, s := set(t, h)
	s.Examples, s.Features = s.Examples[:2], s.Features[:2]
	result := func(logits ...[]float32) *evaluate.TaskResult {
		predictions, err := s.Predict(task, logits)
		if err != nil {
			t.Fatal(err)
		}
		return &evaluate.TaskResult{Outputs: logits, Predictions: predictions}
	}
	want := result([]float32{0, 1, 1.00001}, []float32{3, 0, 0})
	for _, test := range []struct {
		got                   *evaluate.TaskResult
		same, ties, different int
	}{
		{want, 2, 0, 0},
		{result([]float32{0, 1, 1.00003}, []float32{9, 0, 0}), 2, 0, 0},
		{result([]float32{0, 1.00001, 1}, []float32{3, 0, 0}), 1, 1, 0},
		{result([]float32{0, 1, 1.00001}, []float32{0, 3, 0}), 1, 0, 1},
	} {
		a, err := evaluate.Agree(s, test.got, want, numeric.Engine)
		if err != nil || a.Same != test.same || a.Ties != test.ties || a.Different != test.different || a.OK() != (test.different == 0) {
			t.Errorf("got %+v, error %v; want %+v", a, err, test)
		}
		if len(a.Places) != test.ties+test.different {
			t.Errorf("places %v, want %d", a.Places, test.ties+test.different)
		}
	}
}

// What no engine can run, and a cancelled run, is one sentence.
func TestOutputsRefuses(t *testing.T) {
	h := openHead(t, "single_label")
	run := func(ctx context.Context, c models.Config, s tasks.Sequence) error {
		_, err := evaluate.Outputs(ctx, sessions.New(h.weights, 1), c, []*tasks.Feature{{Sequences: []tasks.Sequence{s}}})
		return err
	}
	long := make([]int32, h.weights.Config.MaxPositionEmbeddings+1)
	for want, s := range map[string]tasks.Sequence{
		"sequence 0 has no tokens":    {},
		"the model takes at most":     {InputIDs: long, TokenTypeIDs: long},
		"token 0 has id 999999, the ": {InputIDs: []int32{999999}, TokenTypeIDs: []int32{0}},
	} {
		if err := run(context.Background(), h.weights.Config, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
	}
	fine := tasks.Sequence{InputIDs: []int32{2, 5, 3}, TokenTypeIDs: []int32{0, 0, 0}}
	other := h.weights.Config
	other.Labels = models.NewLabels("one", "two")
	if err := run(context.Background(), other, fine); err == nil || !strings.Contains(err.Error(), "output logits has shape [1 3], want [1 2]") {
		t.Errorf("other labels: got error %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := run(ctx, h.weights.Config, fine); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got error %v", err)
	}
}

func TestNearest(t *testing.T) {
	embeddings := [][]float32{{1, 0}, {0, 1}, {0.6, 0.8}, {1, 0}}
	got := evaluate.Nearest([]float32{0.8, 0.6}, embeddings, 3)
	want := []int{2, 0, 3}
	for i, n := range got {
		if n.Index != want[i] {
			t.Errorf("place %d is %+v, want sentence %d", i, n, want[i])
		}
	}
	if len(got) != 3 || len(evaluate.Nearest([]float32{1, 0}, embeddings, 9)) != 4 {
		t.Errorf("got %d", len(got))
	}
}
