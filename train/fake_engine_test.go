package train

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"goalbert/corpus"
	"goalbert/models"
	"goalbert/tokenizer"
)

// fakeEngine is a state machine whose weights are a hash of everything that it ever saw: two runs end with the same
// weights only if they fed it the same batches with the same hyper-parameters in the same order. Its losses fall from
// step to step.
type fakeEngine struct {
	weights *models.Weights
	pending uint64 // hash of what was accumulated
	moments uint64 // the optimizer's state
	steps   uint64

	kernelSet string
	loss      func(step uint64) float64    // of a masked token
	called    func(method string)          // before each call
	saveError func(written int) error      // what writing the optimizer meets
	gradNorm  func(step uint64) float64    // 1 if nil
	heldOut   func(step uint64) float64    // loss of a held-out token; that of loss if nil
	seen      map[uint64]([]*models.Batch) // micro-batches by step
}

func tinyConfig() models.Config {
	c, err := models.Preset("albert-tiny")
	if err != nil {
		panic(err)
	}
	c.VocabSize, c.EmbeddingSize, c.HiddenSize, c.IntermediateSize, c.NumAttentionHeads = testVocabSize, 2, 2, 2, 1
	c.MaxPositionEmbeddings = 64
	return c
}

func newFakeEngine() *fakeEngine {
	e := &fakeEngine{
		weights: models.NewWeights(tinyConfig()), kernelSet: "fake", called: func(string) {},
		loss: func(step uint64) float64 { return 5 / (1 + float64(step)/10) },
		seen: map[uint64][]*models.Batch{},
	}
	e.weights.Initialize(1)
	return e
}

func (e *fakeEngine) losses(b *models.Batch, loss float64) models.Losses {
	n := len(b.MaskedLabels)
	if b.Labels != nil {
		return models.Losses{
			Task: loss * b.LabelDenominator(e.weights.Config.Architecture), Labels: len(b.Labels), LabelsCorrect: len(b.Labels) / 2,
		}
	}
	return models.Losses{
		MaskedLM: loss * float64(n), MaskedTokens: n, MaskedCorrect: n / 4,
		Sentence: 0.6 * float64(len(b.SentenceLabels)), Sentences: len(b.SentenceLabels),
		SentenceCorrect: len(b.SentenceLabels) / 2,
	}
}

func (e *fakeEngine) Accumulate(b *models.Batch, d models.Denominators) (models.Losses, error) {
	e.called("Accumulate")
	e.seen[b.Step] = append(e.seen[b.Step], b)
	h := fnv.New64a()
	fmt.Fprintln(h, e.pending, *b, d)
	e.pending = h.Sum64()
	return e.losses(b, e.loss(e.steps)), nil
}

func (e *fakeEngine) AllReduce(f func([]float32) error) error {
	gradient := []float32{1}
	err := f(gradient)
	if gradient[0] == 0 {
		e.pending = 0
	}
	return err
}

func (e *fakeEngine) Step(hyper models.Hyperparameters) (float64, error) {
	e.called("Step")
	if e.gradNorm != nil {
		if norm := e.gradNorm(e.steps); !finite(norm) {
			return norm, errors.New("fake: gradient is not finite")
		}
	}
	h := fnv.New64a()
	fmt.Fprintln(h, e.pending, e.moments, e.steps, hyper)
	for i, w := range e.weights.Data {
		fmt.Fprintln(h, i, math.Float32bits(w))
		e.weights.Data[i] = float32(h.Sum64()>>40) / (1 << 24)
	}
	e.pending, e.moments = 0, h.Sum64()
	e.steps++
	return 1, nil
}

func (e *fakeEngine) Evaluate(b *models.Batch) (models.Losses, error) {
	e.called("Evaluate")
	if e.heldOut != nil {
		return e.losses(b, e.heldOut(e.steps)), nil
	}
	return e.losses(b, e.loss(e.steps)), nil
}

func (e *fakeEngine) Weights() *models.Weights {
	e.called("Weights")
	return e.weights
}

func (e *fakeEngine) KernelSet() string { return e.kernelSet }

func (e *fakeEngine) SaveOptimizer(w io.Writer) error {
	e.called("SaveOptimizer")
	var state [16]byte
	binary.LittleEndian.PutUint64(state[:], e.moments)
	binary.LittleEndian.PutUint64(state[8:], e.steps)
	for i := 0; i < len(state); i += 4 {
		if e.saveError != nil {
			if err := e.saveError(i); err != nil {
				return err
			}
		}
		if _, err := w.Write(state[i : i+4]); err != nil {
			return err
		}
		e.called("SaveOptimizer")
	}
	return nil
}

func (e *fakeEngine) LoadOptimizer(path string) error {
	state, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if len(state) != 16 {
		return fmt.Errorf("fake: read %s: %d bytes, want 16", path, len(state))
	}
	e.moments = binary.LittleEndian.Uint64(state)
	e.steps = binary.LittleEndian.Uint64(state[8:])
	return nil
}

const testVocabSize = 50

// testVocabulary has the special pieces 0 to 4; of the others two in three begin a word.
func testVocabulary() *Vocabulary {
	v := &Vocabulary{
		Special: tokenizer.SpecialIDs{Pad: 0, Unknown: 1, CLS: 2, SEP: 3, MASK: 4}, StartsWord: make([]bool, testVocabSize),
	}
	for i := range v.StartsWord {
		v.StartsWord[i] = i < 5 || i%3 != 0
	}
	return v
}

// memory is documents of sentences.
type memory [][][]int32

func (m memory) Len() int                         { return len(m) }
func (m memory) Sentences(document int) int       { return len(m[document]) }
func (m memory) Sentence(document, i int) []int32 { return m[document][i] }

// blocks returns the documents in blocks of so many tokens.
func (m memory) blocks(tokens int) corpus.Blocks {
	t := &corpus.Tokens{SentenceStarts: []int{0}, DocumentStarts: []int{0}}
	for _, document := range m {
		for _, sentence := range document {
			t.IDs = append(t.IDs, sentence...)
			t.SentenceStarts = append(t.SentenceStarts, len(t.IDs))
		}
		t.DocumentStarts = append(t.DocumentStarts, len(t.SentenceStarts)-1)
	}
	return t.Blocks(tokens)
}

// testDocuments are random, without special pieces.
func testDocuments(count int) memory {
	r := random(7, 0)
	documents := make(memory, count)
	for i := range documents {
		documents[i] = make([][]int32, 1+r.IntN(12))
		for j := range documents[i] {
			sentence := make([]int32, 1+r.IntN(20))
			for k := range sentence {
				sentence[k] = int32(5 + r.IntN(testVocabSize-5))
			}
			documents[i][j] = sentence
		}
	}
	return documents
}

func testData(t *testing.T) *Data {
	return &Data{
		Corpus: testDocuments(60).blocks(1 << 20), Vocabulary: testVocabulary(),
		WriteTokenizer: func(directory string) error {
			return os.WriteFile(filepath.Join(directory, "spiece.model"), []byte("pieces"), 0o666)
		},
	}
}

// testOptions make 12 steps of 5 sequences in micro-batches of 2: more than one epoch.
func testOptions(t *testing.T) Options {
	o, err := Defaults(models.AdamW)
	if err != nil {
		t.Fatal(err)
	}
	o.Directory = filepath.Join(t.TempDir(), "run")
	o.Seed, o.SequenceLength, o.BatchSequences, o.MicroBatchSequences, o.Steps = 11, 32, 20, 8, 12
	o.HeldOut, o.HeldOutSequences = 0.1, 10
	o.EvaluateEvery, o.CheckpointEvery = 4, 3
	return o
}

// recorder remembers what an observer is told; onStep is called after each step.
type recorder struct {
	plans  []Plan
	steps  []Metrics
	notes  []string
	saved  []string
	onStep func(Metrics)
}

func (r *recorder) Begin(p Plan)   { r.plans = append(r.plans, p) }
func (r *recorder) Note(s string)  { r.notes = append(r.notes, s) }
func (r *recorder) Saved(d string) { r.saved = append(r.saved, d) }
func (r *recorder) Step(m Metrics) {
	r.steps = append(r.steps, m)
	if r.onStep != nil {
		r.onStep(m)
	}
}

// resumeRun goes on with the run in o.Directory as the command does: with the weights of its newest checkpoint.
func resumeRun(ctx context.Context, e *fakeEngine, data *Data, o Options, observer Observer) (*Result, error) {
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
	return Pretrain(ctx, e, data, o, observer)
}

func readFile(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// uninterrupted returns the bytes of the model that a run with those options ends with.
func uninterrupted(t *testing.T, o Options) string {
	t.Helper()
	o.Directory = filepath.Join(t.TempDir(), "uninterrupted")
	result, err := Pretrain(context.Background(), newFakeEngine(), testData(t), o, &recorder{})
	if err != nil {
		t.Fatal(err)
	}
	return readFile(t, result.Model, models.WeightsFile)
}
