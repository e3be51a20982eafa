package evaluate_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"goalbert/evaluate"
	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/native"
	"goalbert/runtime"
	sessions "goalbert/runtime/native"
	"goalbert/tokenizer"
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
	want, err := native.NewEngine(w, native.Options{Threads: 1}).Evaluate(batch())
	if err != nil {
		t.Fatal(err)
	}
	got, err := evaluate.Pretraining(context.Background(), sessions.New(w, 1), w.Config, slices.Values([]*models.Batch{batch()}))
	if err != nil {
		t.Fatal(err)
	}
	numeric.Check(t, "losses", []float64{got.MaskedLM, got.Sentence}, []float64{want.MaskedLM, want.Sentence}, numeric.GoldenFloat32)
	got.MaskedLM, got.Sentence = want.MaskedLM, want.Sentence
	if got != want {
		t.Errorf("counts are %+v, want %+v", got, want)
	}
	if want.MaskedTokens != 3 || want.Sentences != 2 {
		t.Errorf("the engine counted %d tokens and %d sentences, want 3 and 2", want.MaskedTokens, want.Sentences)
	}
}

func TestPretrainingWithoutMaskedTokens(t *testing.T) {
	w := weights(t)
	_, err := evaluate.Pretraining(context.Background(), sessions.New(w, 1), w.Config, func(func(*models.Batch) bool) {})
	if err == nil || !strings.Contains(err.Error(), "no masked token") {
		t.Errorf("got error %v", err)
	}
}

// words is a tokenizer of words: an id for each of them after the five special ones.
type words []string

func (w words) Encode(text string) []int32 {
	var ids []int32
	for _, word := range strings.Fields(text) {
		id, _ := w.ID(word)
		ids = append(ids, id)
	}
	return ids
}
func (w words) Decode(ids []int32) string     { panic("not used") }
func (w words) VocabSize() int                { return len(w) }
func (w words) Piece(id int32) string         { return w[id] }
func (w words) ID(piece string) (int32, bool) { i := slices.Index(w, piece); return int32(i), i >= 0 }
func (w words) StartsWord(int32) bool         { return true }
func (w words) Special() tokenizer.SpecialIDs {
	return tokenizer.SpecialIDs{Pad: 0, Unknown: 1, CLS: 2, SEP: 3, MASK: 4}
}

var vocabulary = words{"<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c"}

// scores is a session whose logits at every position are the same.
type scores struct {
	logits []float32
	err    error
}

func (s scores) Engine() string    { return "scores" }
func (s scores) Inputs() []string  { return nil }
func (s scores) Outputs() []string { return nil }
func (s scores) Close() error      { return nil }
func (s scores) Run(_ context.Context, in map[string]runtime.Tensor) (map[string]runtime.Tensor, error) {
	shape := in[models.InputIDs].Shape
	var all []float32
	for range shape[0] * shape[1] {
		all = append(all, s.logits...)
	}
	return map[string]runtime.Tensor{models.PredictionLogits: runtime.NewTensor(all, shape[0], shape[1], len(s.logits))}, s.err
}

var fillConfig = models.Config{Architecture: models.ForPreTraining, VocabSize: 8, MaxPositionEmbeddings: 6}

func TestFillMask(t *testing.T) {
	session := scores{logits: []float32{0, 0, 0, 0, 0, 1, 3, 1}}
	got, err := evaluate.FillMask(context.Background(), session, fillConfig, vocabulary, "a [MASK] b [MASK]", 3)
	if err != nil {
		t.Fatal(err)
	}
	sum := 5 + 2*math.E + math.Exp(3)
	want := []evaluate.Candidate{{ID: 6, Piece: "b", Probability: math.Exp(3) / sum},
		{ID: 5, Piece: "a", Probability: math.E / sum}, {ID: 7, Piece: "c", Probability: math.E / sum}}
	if len(got) != 2 {
		t.Fatalf("answers for %d masks, want 2", len(got))
	}
	for i, c := range got[1] {
		if c.ID != want[i].ID || c.Piece != want[i].Piece || math.Abs(c.Probability-want[i].Probability) > 1e-12 {
			t.Errorf("candidate %d is %+v, want %+v", i, c, want[i])
		}
	}
}

func TestFillMaskRefuses(t *testing.T) {
	broken := scores{logits: make([]float32, 8), err: errors.New("engine failed")}
	for _, test := range []struct {
		session runtime.Session
		text    string
		want    string
	}{
		{scores{logits: make([]float32, 8)}, "a b", "no [MASK]"},
		{scores{logits: make([]float32, 8)}, "a b c a [MASK]", "has 7 tokens, the model takes at most 6"},
		{scores{logits: make([]float32, 7)}, "[MASK]", "has shape [1 3 7], want [1 3 8]"},
		{broken, "[MASK]", "engine failed"},
	} {
		_, err := evaluate.FillMask(context.Background(), test.session, fillConfig, vocabulary, test.text, 1)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: got error %v, want one that says %q", test.text, err, test.want)
		}
	}
}
