package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	goruntime "runtime"
	"time"

	"goalbert/evaluate"
	"goalbert/export"
	"goalbert/models"
	"goalbert/native/kernel"
	"goalbert/runtime"
	"goalbert/runtime/native"
	"goalbert/runtime/ort"
)

// job is what one of our own processes measures.
type job struct {
	Kind      kind
	Threads   int
	Precision kernel.Precision
	Shape     shape // of a product
	workload
	Recompute   bool
	Text, Model string // files
}

// kind is what a job measures.
type kind string

const (
	limitKind       kind = "limit"       // GFLOP/s of multiply-adds from registers
	productKind     kind = "product"     // GFLOP/s of a product as the engine does it
	gemmKind        kind = "gemm"        // GFLOP/s of a product of which nothing is packed beforehand
	stepKind        kind = "step"        // tokens/s of optimizer steps
	activationsKind kind = "activations" // bytes that a step keeps for each batch
	forwardKind     kind = "forward"     // tokens/s of forward passes of the native model
	onnxRuntimeKind kind = "onnxruntime" // tokens/s of forward passes of the exported model
)

// workload is a model and its batches: as many sequences each, all of one length or of those in a file.
type workload struct {
	Fields      fields
	Sequences   int
	Length      int
	LengthsFile string
}

// fields are a configuration as all its fields: as JSON it would be a config.json, which is not read in part.
type fields models.Config

func (w workload) config() models.Config { return models.Config(w.Fields) }

// batches returns the batches that are taken in turn, and the index of the one with the most tokens.
func (w workload) batches() (batches []*models.Batch, largest int, err error) {
	lengths := [][]int{equalLengths(w.Sequences, w.Length)}
	if w.LengthsFile != "" {
		all, err := readLengthsFile(w.LengthsFile)
		if err != nil {
			return nil, 0, err
		}
		if lengths = inBatches(all, w.Sequences); lengths == nil {
			return nil, 0, fmt.Errorf("read %s: %d lengths, want at least %d", w.LengthsFile, len(all), w.Sequences)
		}
	}
	random := rand.New(rand.NewPCG(1, 1))
	for i, l := range lengths {
		batches = append(batches, newBatch(w.config(), l, random))
		if batches[i].Tokens() > batches[largest].Tokens() {
			largest = i
		}
	}
	return batches, largest, nil
}

// runChild is the process that does a job, given as JSON.
func runChild(text string, in io.Reader, out io.Writer) error {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	name, measure, err := j.prepare()
	if err != nil {
		return err
	}
	return serve(name, measure, in, out)
}

// prepare returns a function that measures, after a first measurement.
func (j job) prepare() (name string, measure func() (float64, error), err error) {
	switch j.Kind {
	case limitKind:
		return "limit", func() (float64, error) {
			best := 0.0
			for begin := time.Now(); time.Since(begin) < shortly; {
				best = max(best, kernel.Limit(j.Precision, j.Threads))
			}
			return best, nil
		}, nil
	case productKind:
		name, measure = "packed weights", j.products(newProduct(j.Shape, j.Precision, j.Threads))
	case gemmKind:
		name, measure = "Gemm", j.products(newGemm(j.Shape))
	case stepKind:
		name = "native"
		measure, err = j.steps()
	case activationsKind:
		name = "native"
		measure, err = j.activations()
	case forwardKind, onnxRuntimeKind:
		name, measure, err = j.forward()
	case encodeKind, spmEncodeKind, loadKind, spmLoadKind, vocabularyKind, spmTrainKind:
		name, measure, err = j.prepareText()
	default:
		err = fmt.Errorf("no job %q", j.Kind)
	}
	if err == nil && j.Kind != activationsKind {
		_, err = measure()
	}
	return name, measure, err
}

// shortly is how long limits and products are measured, to take the best; measured is the least for steps, to take the
// mean.
const (
	shortly  = time.Second / 3
	measured = time.Second / 2
)

func (j job) products(multiply func()) func() (float64, error) {
	flops := 2 * float64(j.Shape.M) * float64(j.Shape.N) * float64(j.Shape.K)
	return func() (float64, error) {
		best := time.Hour
		for begin := time.Now(); time.Since(begin) < shortly; {
			start := time.Now()
			multiply()
			best = min(best, time.Since(start))
		}
		return flops / best.Seconds() / 1e9, nil
	}
}

// tokensPerSecond repeats pass, which returns the tokens of a batch.
func tokensPerSecond(pass func() (tokens int, err error)) (float64, error) {
	begin, tokens := time.Now(), 0
	for time.Since(begin) < measured {
		n, err := pass()
		if err != nil {
			return 0, err
		}
		tokens += n
	}
	return float64(tokens) / time.Since(begin).Seconds(), nil
}

// steps has taken one on the largest batch, so that memory grows no more.
func (j job) steps() (measure func() (float64, error), err error) {
	batches, largest, err := j.batches()
	if err != nil {
		return nil, err
	}
	e, err := newEngine(j.config(), j.Precision, j.Threads, j.Recompute)
	if err != nil {
		return nil, err
	}
	next := largest
	return func() (float64, error) {
		return tokensPerSecond(func() (int, error) {
			b := batches[next%len(batches)]
			next++
			return b.Tokens(), step(e, b)
		})
	}, nil
}

// activations measures how much the heap grows from steps of one token to steps of the batch: what is kept of the
// forward pass, and the scratch memory of both.
func (j job) activations() (measure func() (float64, error), err error) {
	batches, largest, err := j.batches()
	if err != nil {
		return nil, err
	}
	smallest := newBatch(j.config(), []int{1}, rand.New(rand.NewPCG(1, 1)))
	return func() (float64, error) {
		e, err := newEngine(j.config(), j.Precision, j.Threads, j.Recompute)
		if err != nil {
			return 0, err
		}
		heap := func(b *models.Batch) (bytes float64, err error) {
			for range 2 { // the second takes its memory from one slab
				if err := step(e, b); err != nil {
					return 0, err
				}
			}
			goruntime.GC() // it ages what lies in a sync.Pool,
			goruntime.GC() // and this one frees it
			var now goruntime.MemStats
			goruntime.ReadMemStats(&now)
			return float64(now.HeapAlloc), nil
		}
		before, err := heap(smallest)
		if err != nil {
			return 0, err
		}
		after, err := heap(batches[largest])
		goruntime.KeepAlive(e)
		return after - before, err
	}, nil
}

// forward runs the model natively, or in ONNX Runtime as export writes it. Both return all outputs at all positions.
func (j job) forward() (name string, measure func() (float64, error), err error) {
	batches, _, err := j.batches()
	if err != nil {
		return "", nil, err
	}
	w := models.NewWeights(j.config())
	w.Initialize(1)
	var session runtime.Session = native.New(w, j.Threads)
	if j.Kind == onnxRuntimeKind {
		if session, err = openExported(w, j.Threads); err != nil {
			return "", nil, err
		}
	}
	inputs := evaluate.Pad(batches[0], j.config().PadTokenID).Inputs
	return session.Engine(), func() (float64, error) {
		return tokensPerSecond(func() (int, error) {
			_, err := session.Run(context.Background(), inputs)
			return batches[0].Tokens(), err
		})
	}, nil
}

// openExported opens w in ONNX Runtime, as a file that is gone afterwards.
func openExported(w *models.Weights, threads int) (runtime.Session, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.onnx")
	if err := export.Write(path, w, export.Options{}); err != nil {
		return nil, err
	}
	return ort.Open(path, ort.Options{IntraOpThreads: threads})
}

func randomMatrix(n int) []float32 {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	x := make([]float32, n)
	for i := range x {
		x[i] = random.Float32() - 0.5
	}
	return x
}
