package evaluate_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"goalbert/evaluate"
	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/native"
	"goalbert/runtime"
	sessions "goalbert/runtime/native"
)

func weights(t *testing.T) *models.Weights {
	t.Helper()
	c, err := models.Preset("albert-tiny")
	if err != nil {
		t.Fatal(err)
	}
	c.VocabSize, c.MaxPositionEmbeddings, c.InitializerRange = 40, 16, 0.3
	w := models.NewWeights(c)
	w.Initialize(1)
	return w
}

// batch has sequences of three lengths, with masked tokens in two of them and one sentence label to be ignored.
func batch() *models.Batch {
	b := &models.Batch{Offsets: []int{0}}
	for _, length := range []int{5, 2, 9} {
		for i := range length {
			b.InputIDs = append(b.InputIDs, int32(5+(7*i+length)%30))
			b.TokenTypeIDs = append(b.TokenTypeIDs, int32(2*i/length))
			b.PositionIDs = append(b.PositionIDs, int32(i))
		}
		b.Offsets = append(b.Offsets, len(b.InputIDs))
	}
	b.MaskedPositions, b.MaskedLabels = []int32{1, 4, 8, 15}, []int32{9, 12, models.IgnoreIndex, 30}
	b.SentenceLabels = []int32{1, models.IgnoreIndex, 0}
	return b
}

func TestPad(t *testing.T) {
	p := evaluate.Pad(batch(), 3)
	ids, err := runtime.Values[int64]("ids", p.Inputs[models.InputIDs])
	if err != nil {
		t.Fatal(err)
	}
	mask, err := runtime.Values[int64]("mask", p.Inputs[models.AttentionMask])
	if err != nil {
		t.Fatal(err)
	}
	if p.Length != 9 || !slices.Equal(p.Inputs[models.InputIDs].Shape, []int{3, 9}) {
		t.Fatalf("length %d, shape %v; want 9 and [3 9]", p.Length, p.Inputs[models.InputIDs].Shape)
	}
	for row, id := range batch().InputIDs {
		if ids[p.Places[row]] != int64(id) || mask[p.Places[row]] != 1 {
			t.Errorf("token %d is not at its place %d", row, p.Places[row])
		}
	}
	padding := 0
	for i, m := range mask {
		if m == 0 {
			padding++
			if ids[i] != 3 {
				t.Errorf("place %d is hidden and holds %d, want the pad, 3", i, ids[i])
			}
		}
	}
	if padding != 27-16 {
		t.Errorf("%d places are padding, want 11", padding)
	}
}

// On a session, padded, the losses are those that the training engine computes without padding.
func TestPretrainingIsTheEnginesEvaluate(t *testing.T) {
	w := weights(t)
	engine, err := native.NewEngine(w, native.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	want, err := engine.Evaluate(batch())
	if err != nil {
		t.Fatal(err)
	}
	got, err := pretraining(sessions.New(w, 1), w.Config, batch())
	if err != nil {
		t.Fatal(err)
	}
	numeric.Check(t, "losses", []float64{got.MaskedLM, got.Sentence}, []float64{want.MaskedLM, want.Sentence},
		numeric.GoldenFloat32)
	got.MaskedLM, got.Sentence = want.MaskedLM, want.Sentence
	if got != want {
		t.Errorf("counts are %+v, want %+v", got, want)
	}
	if want.MaskedTokens != 3 || want.Sentences != 2 {
		t.Errorf("the engine counted %d tokens and %d sentences, want 3 and 2", want.MaskedTokens, want.Sentences)
	}
}

func pretraining(s runtime.Session, c models.Config, batches ...*models.Batch) (models.Losses, error) {
	return evaluate.Pretraining(context.Background(), s, c, slices.Values(batches))
}

// Losses are sums: those of two batches are the losses of both.
func TestPretrainingAddsUp(t *testing.T) {
	w := weights(t)
	s := sessions.New(w, 1)
	one, err := pretraining(s, w.Config, batch())
	if err != nil {
		t.Fatal(err)
	}
	two, err := pretraining(s, w.Config, batch(), batch())
	if err != nil {
		t.Fatal(err)
	}
	one.Add(one)
	if two != one {
		t.Errorf("twice the batch has %+v, want %+v", two, one)
	}
}

// A model without a sentence head has no sentence loss, whatever the labels; nor has a batch without labels.
func TestPretrainingWithoutSentences(t *testing.T) {
	w := weights(t)
	unlabelled := batch()
	unlabelled.SentenceLabels = nil
	c := w.Config
	c.Architecture = models.ForMaskedLM
	plain := models.NewWeights(c)
	plain.Initialize(1)
	for _, test := range []struct {
		weights *models.Weights
		batch   *models.Batch
	}{{w, unlabelled}, {plain, batch()}} {
		got, err := pretraining(sessions.New(test.weights, 1), test.weights.Config, test.batch)
		if err != nil || got.Sentences != 0 || got.Sentence != 0 || got.MaskedTokens != 3 {
			t.Errorf("got %+v, error %v; want 3 masked tokens and no sentence", got, err)
		}
	}
}

// Batches that the model cannot run are one sentence, whatever the engine would have said.
func TestPretrainingRefuses(t *testing.T) {
	w := weights(t)
	for want, change := range map[string]func(*models.Batch){
		"sequence 2 has 17 tokens, the model takes at most 16 (max_position_embeddings)": func(b *models.Batch) {
			for i := range 8 {
				b.InputIDs, b.TokenTypeIDs = append(b.InputIDs, 5), append(b.TokenTypeIDs, 0)
				b.PositionIDs = append(b.PositionIDs, int32(9+i))
			}
			b.Offsets[3] += 8
		},
		"sequence 1 has no tokens":                     func(b *models.Batch) { b.Offsets[1] = b.Offsets[2] },
		"token 4 has id 40, the model has ids 0 to 39": func(b *models.Batch) { b.InputIDs[4] = 40 },
		"token 0 has id -100":                          func(b *models.Batch) { b.InputIDs[0] = models.IgnoreIndex },
		"masked label 1 is id 40":                      func(b *models.Batch) { b.MaskedLabels[1] = 40 },
		"masked label 0 is id -1":                      func(b *models.Batch) { b.MaskedLabels[0] = -1 },
	} {
		b := batch()
		change(b)
		_, err := pretraining(sessions.New(w, 1), w.Config, b)
		if err == nil || !strings.Contains(err.Error(), "evaluate: native: "+want) {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
	}
}

// What an engine does wrong is an error that names it.
func TestPretrainingOnABrokenEngine(t *testing.T) {
	c := weights(t).Config
	masked := scores{logits: make([]float32, 40)}
	for want, s := range map[string]runtime.Session{
		"the model has no output sop_logits":                         masked,
		"output prediction_logits has shape [3 9 39], want [3 9 40]": scores{logits: make([]float32, 39)},
		"engine failed": scores{logits: make([]float32, 40), err: errors.New("engine failed")},
	} {
		if _, err := pretraining(s, c, batch()); err == nil || !strings.Contains(err.Error(), "evaluate: scores: "+want) {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
	}
	w := weights(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := evaluate.Pretraining(ctx, sessions.New(w, 1), w.Config, slices.Values([]*models.Batch{batch()}))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got error %v", err)
	}
}

func TestPretrainingWithoutMaskedTokens(t *testing.T) {
	w := weights(t)
	_, err := evaluate.Pretraining(context.Background(), sessions.New(w, 1), w.Config, func(func(*models.Batch) bool) {})
	if err == nil || !strings.Contains(err.Error(), "no masked token") {
		t.Errorf("got error %v", err)
	}
}
