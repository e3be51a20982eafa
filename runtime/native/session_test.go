package native_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/runtime"
	"goalbert/runtime/native"
)

const testdata = "../../parity/testdata" // described in tools/golden/README.md

// golden is a checkpoint of transformers, its padded batch, and what PyTorch computes for it in float64.
func golden(t *testing.T, name string) (*native.Session, map[string]runtime.Tensor, map[string]models.SafeTensor) {
	t.Helper()
	dir := filepath.Join(testdata, name)
	s, _, err := native.Open(dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	tensors, err := models.ReadSafetensors(filepath.Join(dir, "golden.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	inputs := map[string]runtime.Tensor{}
	for _, name := range s.Inputs() {
		values, err := tensors[name].Int64s()
		if err != nil {
			t.Fatal(err)
		}
		inputs[name] = runtime.NewTensor(values, tensors[name].Shape...)
	}
	return s, inputs, tensors
}

// Rows that are whole, padded on the right, padded on the left and with a hole, in every golden configuration: logits
// at attended places are PyTorch's, others 0. So are the sentence-order logits of rows whose first place is attended.
func TestRunIsPyTorch(t *testing.T) {
	configurations, err := filepath.Glob(filepath.Join(testdata, "*", models.WeightsFile))
	if err != nil || len(configurations) < 7 {
		t.Fatalf("got %d golden configurations, want 7 or more", len(configurations))
	}
	for _, path := range configurations {
		name := filepath.Base(filepath.Dir(path))
		t.Run(name, func(t *testing.T) {
			s, inputs, tensors := golden(t, name)
			out, err := s.Run(context.Background(), inputs)
			if err != nil {
				t.Fatal(err)
			}
			mask, err := tensors[models.AttentionMask].Int64s()
			if err != nil {
				t.Fatal(err)
			}
			length := inputs[models.AttentionMask].Shape[1]
			check(t, out, tensors, models.PredictionLogits, func(place int) bool { return mask[place] == 1 })
			first := func(row int) bool { return mask[row*length] == 1 }
			sop := out[models.SOPLogits].Data.([]float32)
			for row := range len(sop) / 2 {
				if !first(row) {
					clear(sop[2*row : 2*row+2]) // of another token than PyTorch's, which is hidden
				}
			}
			check(t, out, tensors, models.SOPLogits, first)
		})
	}
}

// check compares an output with PyTorch's in the rows that are compared, and with 0 in the others.
func check(t *testing.T, out map[string]runtime.Tensor, tensors map[string]models.SafeTensor, name string,
	compared func(row int) bool) {
	t.Helper()
	shape := tensors[name].Shape
	if !slices.Equal(out[name].Shape, shape) {
		t.Fatalf("%s has shape %v, want %v", name, out[name].Shape, shape)
	}
	got, err := runtime.Values[float32](name, out[name])
	if err != nil {
		t.Fatal(err)
	}
	want, err := tensors[name].Float32s()
	if err != nil {
		t.Fatal(err)
	}
	columns := shape[len(shape)-1]
	for row := range len(want) / columns {
		if !compared(row) {
			clear(want[row*columns : (row+1)*columns])
		}
	}
	numeric.Check(t, name, got, want, numeric.GoldenFloat32)
}

// What stands at hidden places, and how many of them follow, changes nothing.
func TestHiddenPlacesDoNotMatter(t *testing.T) {
	s, inputs, _ := golden(t, "base")
	want, err := s.Run(context.Background(), inputs)
	if err != nil {
		t.Fatal(err)
	}
	mask := inputs[models.AttentionMask].Data.([]int64)
	rows, length := inputs[models.InputIDs].Shape[0], inputs[models.InputIDs].Shape[1]
	wide := map[string]runtime.Tensor{}
	for name, tensor := range inputs {
		values := make([]int64, rows*(length+2))
		for i, v := range tensor.Data.([]int64) {
			if name != models.AttentionMask && mask[i] == 0 {
				v = -1 // no id at all
			}
			values[i/length*(length+2)+i%length] = v
		}
		wide[name] = runtime.NewTensor(values, rows, length+2)
	}
	got, err := s.Run(context.Background(), wide)
	if err != nil {
		t.Fatal(err)
	}
	v := s.Outputs()[0]
	a, b := want[v].Data.([]float32), got[v].Data.([]float32)
	columns := want[v].Shape[2]
	for row := range rows {
		n := length * columns
		if !slices.Equal(b[row*(length+2)*columns:][:n], a[row*n:][:n]) {
			t.Errorf("row %d differs", row)
		}
	}
	if !slices.Equal(got[models.SOPLogits].Data.([]float32), want[models.SOPLogits].Data.([]float32)) {
		t.Error("the sentence-order logits differ")
	}
}

func TestMaskedLM(t *testing.T) {
	c, err := models.Preset("albert-tiny")
	if err != nil {
		t.Fatal(err)
	}
	c.Architecture, c.VocabSize = models.ForMaskedLM, 30
	w := models.NewWeights(c)
	w.Initialize(1)
	s := native.New(w, 1)
	ids, mask := runtime.NewTensor([]int64{2, 7, 3}, 1, 3), runtime.NewTensor([]int64{1, 1, 1}, 1, 3)
	types := runtime.NewTensor(make([]int64, 3), 1, 3)
	out, err := s.Run(context.Background(),
		map[string]runtime.Tensor{models.InputIDs: ids, models.AttentionMask: mask, models.TokenTypeIDs: types})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Outputs(), []string{models.Logits}) || len(out) != 1 ||
		!slices.Equal(out[models.Logits].Shape, []int{1, 3, 30}) {
		t.Errorf("got outputs %v and %v, want logits of (1, 3, 30)", s.Outputs(), out)
	}
}

// Multiple choice has inputs with an axis more, of any number of choices.
func TestMultipleChoice(t *testing.T) {
	c, err := models.Preset("albert-tiny")
	if err != nil {
		t.Fatal(err)
	}
	c.Architecture, c.VocabSize = models.ForMultipleChoice, 30
	w := models.NewWeights(c)
	w.Initialize(1)
	s := native.New(w, 1)
	run := func(shape ...int) (map[string]runtime.Tensor, error) {
		n := 1
		for _, d := range shape {
			n *= d
		}
		ids, mask := make([]int64, n), make([]int64, n)
		for i := range ids {
			ids[i], mask[i] = int64(5+i%20), 1
		}
		return s.Run(context.Background(), map[string]runtime.Tensor{models.InputIDs: runtime.NewTensor(ids, shape...),
			models.AttentionMask: runtime.NewTensor(mask, shape...), models.TokenTypeIDs: runtime.NewTensor(make([]int64, n), shape...)})
	}
	for _, shape := range [][]int{{1, 1, 3}, {2, 3, 4}, {3, 1, 2}} {
		out, err := run(shape...)
		if err != nil || !slices.Equal(out[models.Logits].Shape, shape[:2]) {
			t.Errorf("inputs %v: got logits of shape %v, error %v; want %v", shape, out[models.Logits].Shape, err, shape[:2])
		}
	}
	if _, err := run(2, 3); err == nil || !strings.Contains(err.Error(), "has shape [2 3], want (batch, choices, sequence)") {
		t.Errorf("got error %v", err)
	}
}

func TestRunRefuses(t *testing.T) {
	type tensors = map[string]runtime.Tensor
	zeros := func(shape ...int) runtime.Tensor {
		n := 1
		for _, d := range shape {
			n *= d
		}
		return runtime.NewTensor(make([]int64, n), shape...)
	}
	for want, change := range map[string]func(tensors){
		"input input_ids is missing":          func(in tensors) { delete(in, models.InputIDs) },
		"input attention_mask is missing":     func(in tensors) { delete(in, models.AttentionMask) },
		"input token_type_ids is missing":     func(in tensors) { delete(in, models.TokenTypeIDs) },
		"the model has no input labels":       func(in tensors) { in["labels"] = in[models.InputIDs] },
		"input input_ids has shape [28]":      func(in tensors) { in[models.InputIDs] = zeros(28) },
		"input input_ids has shape [0 7]":     func(in tensors) { in[models.InputIDs] = zeros(0, 7) },
		"input input_ids has shape [-4 -7]":   func(in tensors) { in[models.InputIDs] = zeros(-4, -7) },
		"want that of input_ids, [4 7]":       func(in tensors) { in[models.TokenTypeIDs] = zeros(7, 4) },
		"attention_mask of row 0 is all zero": func(in tensors) { in[models.AttentionMask] = zeros(4, 7) },
		"attention_mask is 2 at (0, 1)":       func(in tensors) { set(in, models.AttentionMask, 1, 2) },
		"attention_mask is -1 at (0, 1)":      func(in tensors) { set(in, models.AttentionMask, 1, -1) },
		"token (1, 0) has id 97 and type 0":   func(in tensors) { set(in, models.InputIDs, 7, 97) },
		"token (1, 0) has id -1 and type 0":   func(in tensors) { set(in, models.InputIDs, 7, -1) },
		"token (0, 0) has id 2 and type 2":    func(in tensors) { set(in, models.TokenTypeIDs, 0, 2) },
		"input_ids holds 1 elements, want":    func(in tensors) { in[models.InputIDs] = short },
		"input_ids holds []float32, want []int64": func(in tensors) {
			in[models.InputIDs] = runtime.NewTensor(make([]float32, 28), 4, 7)
		},
		"sequences of 17 tokens, the model takes at most 16 (max_position_embeddings)": func(in tensors) {
			for name := range in {
				in[name] = zeros(1, 17)
			}
		},
	} {
		s, inputs, _ := golden(t, "base")
		change(inputs)
		_, err := s.Run(context.Background(), inputs)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "native: ") {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
	}
	s, inputs, _ := golden(t, "base")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Run(ctx, inputs); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got error %v", err)
	}
}

// short has fewer elements than its shape says.
var short = runtime.Tensor{Shape: []int{4, 7}, Data: []int64{1}}

func set(in map[string]runtime.Tensor, name string, at int, value int64) {
	values, _ := runtime.Values[int64](name, in[name])
	values[at] = value
}

// Runs of different sizes at the same time: each gives the bits that it gives alone.
func TestConcurrentRuns(t *testing.T) {
	s, whole, _ := golden(t, "base")
	batches := []map[string]runtime.Tensor{whole}
	for row := range 4 {
		batches = append(batches, rowOf(whole, row))
	}
	var want []map[string]runtime.Tensor
	for _, inputs := range batches {
		out, err := s.Run(context.Background(), inputs)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, out)
	}
	var wait sync.WaitGroup
	for i := range 40 {
		wait.Go(func() {
			got, err := s.Run(context.Background(), batches[i%len(batches)])
			if err != nil {
				t.Error(err)
				return
			}
			for name, tensor := range want[i%len(batches)] {
				if !slices.Equal(got[name].Data.([]float32), tensor.Data.([]float32)) {
					t.Errorf("run %d gave another %s", i, name)
				}
			}
		})
	}
	wait.Wait()
}

// rowOf returns one row of a batch as a batch.
func rowOf(batch map[string]runtime.Tensor, row int) map[string]runtime.Tensor {
	one := map[string]runtime.Tensor{}
	for name, tensor := range batch {
		length := tensor.Shape[1]
		one[name] = runtime.NewTensor(tensor.Data.([]int64)[row*length:(row+1)*length], 1, length)
	}
	return one
}

func TestOpenRefuses(t *testing.T) {
	if _, _, err := native.Open(t.TempDir(), 1); err == nil || !strings.Contains(err.Error(), "config.json") {
		t.Errorf("got error %v, want one that names config.json", err)
	}
}

// One padded row of a checkpoint, by the names of an exported file.
func ExampleSession_Run() {
	session, _, err := native.Open("../../parity/testdata/base", 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer session.Close()
	outputs, err := session.Run(context.Background(), map[string]runtime.Tensor{
		models.InputIDs:      runtime.NewTensor([]int64{2, 17, 4, 3, 0}, 1, 5),
		models.AttentionMask: runtime.NewTensor([]int64{1, 1, 1, 1, 0}, 1, 5),
		models.TokenTypeIDs:  runtime.NewTensor([]int64{0, 0, 0, 0, 0}, 1, 5),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range session.Outputs() {
		fmt.Println(name, outputs[name].Shape)
	}
	// Output:
	// prediction_logits [1 5 97]
	// sop_logits [1 2]
}
