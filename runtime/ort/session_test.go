//go:build cgo && !windows

package ort_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"goalbert/export"
	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/onnx"
	"goalbert/runtime"
	"goalbert/runtime/ort"
)

// needLibrary skips a test where this machine has no ONNX Runtime.
func needLibrary(t *testing.T) {
	t.Helper()
	if _, err := ort.Find(""); err != nil {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
}

// exported writes a small model of random weights.
func exported(t *testing.T) string {
	t.Helper()
	c, err := models.Preset("albert-tiny")
	if err != nil {
		t.Fatal(err)
	}
	c.VocabSize, c.MaxPositionEmbeddings = 60, 16
	w := models.NewWeights(c)
	w.Initialize(1)
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := export.Write(path, w, export.Options{}); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, path string, o ort.Options) *ort.Session {
	t.Helper()
	s, err := ort.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func inputs(rows, length int) map[string]runtime.Tensor {
	ids, mask := make([]int64, rows*length), make([]int64, rows*length)
	for i := range ids {
		ids[i], mask[i] = int64(5+i%50), 1
	}
	return map[string]runtime.Tensor{
		models.InputIDs:      runtime.NewTensor(ids, rows, length),
		models.AttentionMask: runtime.NewTensor(mask, rows, length),
		models.TokenTypeIDs:  runtime.NewTensor(make([]int64, rows*length), rows, length),
	}
}

func TestRunAnyShape(t *testing.T) {
	needLibrary(t)
	s := open(t, exported(t), ort.Options{IntraOpThreads: 1})
	if want := []string{models.PredictionLogits, models.SOPLogits}; !slices.Equal(s.Outputs(), want) {
		t.Errorf("got outputs %v, want %v", s.Outputs(), want)
	}
	if want := "onnxruntime " + s.Library().Version + " (cpu)"; s.Engine() != want || s.Library().Version == "" {
		t.Errorf("got engine %q, want %q", s.Engine(), want)
	}
	for _, shape := range [][2]int{{1, 1}, {1, 16}, {3, 7}, {8, 2}} {
		out, err := s.Run(context.Background(), inputs(shape[0], shape[1]))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := out[models.PredictionLogits].Shape, []int{shape[0], shape[1], 60}; !slices.Equal(got, want) {
			t.Errorf("logits have shape %v, want %v", got, want)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	needLibrary(t)
	s := open(t, exported(t), ort.Options{})
	for want, change := range map[string]func(map[string]runtime.Tensor){
		`input "attention_mask" is missing`: func(in map[string]runtime.Tensor) { delete(in, models.AttentionMask) },
		`no input "labels"`:                 func(in map[string]runtime.Tensor) { in["labels"] = in[models.InputIDs] },
		`input "input_ids": got []float32, want []int64`: func(in map[string]runtime.Tensor) {
			in[models.InputIDs] = runtime.NewTensor(make([]float32, 12), 3, 4)
		},
		"got []int32, want []float32 or []int64": func(in map[string]runtime.Tensor) {
			in[models.InputIDs] = runtime.Tensor{Shape: []int{3, 4}, Data: make([]int32, 12)}
		},
		"got shape [12], want [? ?]": func(in map[string]runtime.Tensor) {
			in[models.InputIDs] = runtime.NewTensor(make([]int64, 12), 12)
		},
		"got shape [-3 -4], want [? ?] with at least one element": func(in map[string]runtime.Tensor) {
			in[models.InputIDs] = runtime.Tensor{Shape: []int{-3, -4}, Data: make([]int64, 12)}
		},
		"got shape [0 4]": func(in map[string]runtime.Tensor) {
			in[models.InputIDs] = runtime.NewTensor([]int64{}, 0, 4)
		},
		"got 12 elements for shape [3 5], want 15": func(in map[string]runtime.Tensor) {
			in[models.InputIDs] = runtime.Tensor{Shape: []int{3, 5}, Data: make([]int64, 12)}
		},
		"within the inclusive range [-60,59]": func(in map[string]runtime.Tensor) {
			in[models.InputIDs].Data.([]int64)[5] = 60
		},
	} {
		in := inputs(3, 4)
		change(in)
		_, err := s.Run(context.Background(), in)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got error %v, want one line that says %q", err, want)
		}
	}
	if _, err := s.Run(context.Background(), inputs(1, 17)); err == nil {
		t.Error("a sequence of 17 tokens ran in a model of 16 positions")
	}
}

// Sessions are safe for concurrent use, and the answers do not mix.
func TestConcurrentRuns(t *testing.T) {
	needLibrary(t)
	s := open(t, exported(t), ort.Options{})
	want := map[int][]float32{}
	for length := 1; length <= 8; length++ {
		out, err := s.Run(context.Background(), inputs(1, length))
		if err != nil {
			t.Fatal(err)
		}
		want[length], _ = runtime.Values[float32]("", out[models.SOPLogits])
	}
	var wait sync.WaitGroup
	for i := range 32 {
		wait.Go(func() {
			out, err := s.Run(context.Background(), inputs(1, 1+i%8))
			if err != nil {
				t.Error(err)
				return
			}
			if got, _ := runtime.Values[float32]("", out[models.SOPLogits]); !slices.Equal(got, want[1+i%8]) {
				t.Errorf("length %d: got %v, want %v", 1+i%8, got, want[1+i%8])
			}
		})
	}
	wait.Wait()
}

// Threads change who computes, not what: within rounding, because sums may be split differently.
func TestThreads(t *testing.T) {
	needLibrary(t)
	path := exported(t)
	var want []float32
	for _, o := range []ort.Options{{IntraOpThreads: 1}, {IntraOpThreads: 3}, {InterOpThreads: 2},
		{IntraOpThreads: 2, InterOpThreads: 2}, {GraphOptimization: ort.OptimizeNone}, {GraphOptimization: ort.OptimizeBasic}} {
		out, err := open(t, path, o).Run(context.Background(), inputs(5, 9))
		if err != nil {
			t.Fatal(err)
		}
		got, err := runtime.Values[float32]("logits", out[models.PredictionLogits])
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		numeric.Check(t, "prediction_logits", got, want, numeric.Engine)
	}
}

// endless writes a model that adds 1 to its input as often as an int64 can count.
func endless(t *testing.T) string {
	t.Helper()
	body := onnx.NewBuilder("body")
	body.Input("i", onnx.TensorProto_INT64)
	condition, value := body.Input("condition", onnx.TensorProto_BOOL), body.Input("value", onnx.TensorProto_INT64, 1)
	body.Node("Identity", "goes_on", []string{condition})
	body.Node("Add", "next", []string{value, body.Initializer(onnx.NewInt64s("one", nil, []int64{1}))})
	body.Output("goes_on", onnx.TensorProto_BOOL)
	body.Output("next", onnx.TensorProto_INT64, 1)

	b := onnx.NewBuilder("endless")
	count := b.Initializer(onnx.NewInt64s("count", nil, []int64{math.MaxInt64}))
	b.Node("Loop", "y", []string{count, "", b.Input("x", onnx.TensorProto_INT64, 1)},
		&onnx.AttributeProto{Name: "body", Type: onnx.AttributeProto_GRAPH, G: body.Model(18).Graph})
	b.Output("y", onnx.TensorProto_INT64, 1)
	return write(t, b)
}

// A run ends with its context: this one has no other end.
func TestCancelledWhileRunning(t *testing.T) {
	needLibrary(t)
	s := open(t, endless(t), ort.Options{})
	in := map[string]runtime.Tensor{"x": runtime.NewTensor([]int64{0}, 1)}
	for range 2 { // a session outlives a run that was cancelled
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		if _, err := s.Run(ctx, in); err != context.DeadlineExceeded {
			t.Errorf("got error %v, want %v", err, context.DeadlineExceeded)
		}
		cancel()
	}
}

// Close waits for what runs; what comes later is told that the session is closed.
func TestClosedWhileRunning(t *testing.T) {
	needLibrary(t)
	s := open(t, exported(t), ort.Options{})
	want, err := s.Run(context.Background(), inputs(2, 8))
	if err != nil {
		t.Fatal(err)
	}
	var wait, begun sync.WaitGroup
	for range 4 {
		begun.Add(1)
		wait.Go(func() {
			for first := true; ; first = false {
				got, err := s.Run(context.Background(), inputs(2, 8))
				if first {
					begun.Done()
				}
				if err != nil {
					if !strings.Contains(err.Error(), "the session is closed") {
						t.Errorf("got error %v", err)
					}
					return
				}
				if !slices.Equal(got[models.SOPLogits].Data.([]float32), want[models.SOPLogits].Data.([]float32)) {
					t.Errorf("got %v, want %v", got[models.SOPLogits], want[models.SOPLogits])
				}
			}
		})
	}
	begun.Wait()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wait.Wait()
}

func TestCancelledAndClosed(t *testing.T) {
	needLibrary(t)
	s := open(t, exported(t), ort.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Run(ctx, inputs(1, 4)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got error %v", err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if _, err := s.Run(context.Background(), inputs(1, 4)); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("closed: got error %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	needLibrary(t)
	model := exported(t)
	content, err := os.ReadFile(model)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	truncated := filepath.Join(dir, "truncated.onnx")
	if err := os.WriteFile(truncated, content[:len(content)/2], 0o666); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(dir, "outside.onnx") // behind a tensor that our reader does not support
	hostile := &onnx.ModelProto{IrVersion: 8, Graph: &onnx.GraphProto{Name: "hostile", Initializer: []*onnx.TensorProto{
		{Name: "eight", Dims: []int64{1}, DataType: 17, RawData: []byte{1}},
		{Name: "w", Dims: []int64{4}, DataType: 2, DataLocation: onnx.TensorProto_EXTERNAL,
			ExternalData: []*onnx.StringStringEntryProto{{Key: "location", Value: "/etc/passwd"}}},
	}}}
	encoded, err := proto.Marshal(hostile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(outside, encoded, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		path    string
		options ort.Options
		want    string
	}{
		{truncated, ort.Options{}, "truncated, or not an ONNX model"},
		{outside, ort.Options{}, "tensor w: its external data are in \"/etc/passwd\", want a file in the model's directory"},
		{filepath.Join(dir, "none.onnx"), ort.Options{}, "no such file"},
		{dir, ort.Options{}, "is a directory"},
		{model, ort.Options{Provider: "tpu"}, "was built without it and has "},
		{model, ort.Options{ProviderOptions: map[string]string{"device_id": "1"}}, "provider cpu takes no options"},
		{model, ort.Options{NoCPUFallback: true}, "provider cpu cannot run every node: "},
		{model, ort.Options{GraphOptimization: 4}, "no graph optimization 4"},
		{model, ort.Options{WarmUp: [][]int{{2, 3, 4}}}, "warm-up: input \"input_ids\": got shape [2 3 4], want [? ?]"},
		{model, ort.Options{WarmUp: [][]int{{1, 8}, {1, 17}}}, "warm-up: shape [1 17]: "},
		{model, ort.Options{Profile: filepath.Join(dir, "none", "profile.json")}, "profile: "},
		{model, ort.Options{IntraOpThreads: -1}, "threads, want 0 or more"},
		{model, ort.Options{Library: truncated}, "not a shared library"},
	} {
		_, err := ort.Open(test.path, test.options)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s, %+v: got error %v, want one line that says %q", test.path, test.options, err, test.want)
		}
	}
	library, err := ort.Find("")
	if err != nil {
		t.Fatal(err)
	}
	_, err = os.Stat(filepath.Join(filepath.Dir(library.Path), "libonnxruntime_providers_cuda.so"))
	if slices.Contains(library.Providers, "CUDAExecutionProvider") && err == nil {
		return // it may run on CUDA here
	}
	_, err = ort.Open(model, ort.Options{Provider: ort.CUDA})
	if err == nil || !strings.Contains(err.Error(), "provider cuda: ") || !strings.Contains(err.Error(), "mend: ") {
		t.Errorf("CUDA on a library for the CPU: got error %v", err)
	}
}

// A file that was cut off anywhere is refused: every length up to 400 bytes, then in steps.
func TestOpenTruncated(t *testing.T) {
	needLibrary(t)
	content, err := os.ReadFile(exported(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "truncated.onnx")
	for size := 0; size < len(content); size += 1 + size/400*20 {
		if err := os.WriteFile(path, content[:size], 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := ort.Open(path, ort.Options{})
		if err == nil || !strings.Contains(err.Error(), "truncated, or not an ONNX model") {
			t.Errorf("%d of %d bytes: got error %v", size, len(content), err)
		}
	}
}

// small writes a model of one node, Identity, between tensors of those elements and dimensions.
func small(t *testing.T, elements onnx.TensorProto_DataType, dims ...any) string {
	t.Helper()
	b := onnx.NewBuilder("small")
	b.Node("Identity", "y", []string{b.Input("x", elements, dims...)})
	b.Output("y", elements, dims...)
	return write(t, b)
}

func write(t *testing.T, b *onnx.Builder) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.onnx")
	var file bytes.Buffer
	if err := onnx.Write(&file, b.Model(18)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// Models of other kinds: fixed dimensions, int64 results, and elements that are not supported.
func TestSmallModels(t *testing.T) {
	needLibrary(t)
	ctx := context.Background()
	s := open(t, small(t, onnx.TensorProto_INT64, "batch", 3), ort.Options{})
	out, err := s.Run(ctx, map[string]runtime.Tensor{"x": runtime.NewTensor([]int64{1, -2, 3, 4, 5, 1 << 62}, 2, 3)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := runtime.Values[int64]("y", out["y"])
	if err != nil || !slices.Equal(got, []int64{1, -2, 3, 4, 5, 1 << 62}) || !slices.Equal(out["y"].Shape, []int{2, 3}) {
		t.Errorf("got %v, error %v", out, err)
	}
	_, err = s.Run(ctx, map[string]runtime.Tensor{"x": runtime.NewTensor(make([]int64, 4), 2, 2)})
	if want := "got shape [2 2], want [? 3]"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want one that says %q", err, want)
	}
	_, err = ort.Open(small(t, onnx.TensorProto_BOOL, 2), ort.Options{})
	if want := "want a tensor of float32 or int64"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want one that says %q", err, want)
	}
}

// A process looks at several libraries, and runs one of them.
func TestSecondLibrary(t *testing.T) {
	needLibrary(t)
	model := exported(t)
	s := open(t, model, ort.Options{})
	content, err := os.ReadFile(s.Library().Path)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "libonnxruntime.so")
	if err := os.WriteFile(copied, content, 0o666); err != nil {
		t.Fatal(err)
	}
	library, err := ort.Find(copied)
	if err != nil || library.Version != s.Library().Version {
		t.Errorf("got %+v, error %v; want version %s", library, err, s.Library().Version)
	}
	_, err = ort.Open(model, ort.Options{Library: copied})
	if want := "this process already runs " + s.Library().Path; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want one that says %q", err, want)
	}
	link := filepath.Join(t.TempDir(), "libonnxruntime.so")
	if err := os.Symlink(s.Library().Path, link); err != nil {
		t.Fatal(err)
	}
	open(t, model, ort.Options{Library: link}) // another name of the same library
	if _, err := s.Run(context.Background(), inputs(1, 4)); err != nil {
		t.Error(err)
	}
}

// ONNX Runtime fuses what is meant to be fused, and folds no weight into a second copy.
func TestOptimizedGraph(t *testing.T) {
	needLibrary(t)
	optimized := filepath.Join(t.TempDir(), "optimized.onnx")
	model := exported(t)
	open(t, model, ort.Options{OptimizedModel: optimized, GraphOptimization: ort.OptimizeExtended}).Close()
	m, err := onnx.ReadFile(optimized)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, n := range m.Graph.Node {
		counts[n.OpType]++
	}
	// Two layers and the head have a FastGelu; the pooler's Tanh joins its Gemm.
	if counts["FastGelu"] != 3 || counts["Tanh"] != 0 || counts["Pow"] != 0 {
		t.Errorf("operators are %v, want three FastGelu and nothing of what they were made of", counts)
	}
	if counts["LayerNormalization"]+counts["SkipLayerNormalization"]+counts["EmbedLayerNormalization"] != 6 {
		t.Errorf("operators are %v, want six norms", counts)
	}
	sizes := func(path string) (bytes int) {
		m, err := onnx.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range m.Graph.Initializer {
			bytes += len(w.RawData)
		}
		return bytes
	}
	if before, after := sizes(model), sizes(optimized); after > before+before/50 {
		t.Errorf("the optimized graph holds %d bytes of constants, the file %d: a weight was copied", after, before)
	}
}
