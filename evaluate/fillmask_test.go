package evaluate_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"goalbert/evaluate"
	"goalbert/models"
	"goalbert/runtime"
	sessions "goalbert/runtime/native"
	"goalbert/tokenizer"
)

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
func (w words) AppendEncode(ids []int32, text string) []int32 { return append(ids, w.Encode(text)...) }

func (w words) AppendTokens([]tokenizer.Token, string) []tokenizer.Token { panic("not used") }

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
	logits := runtime.NewTensor(all, shape[0], shape[1], len(s.logits))
	return map[string]runtime.Tensor{models.PredictionLogits: logits}, s.err
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

// On the native model: each mask has the softmax of the logits at its own place.
func TestFillMaskOfAModel(t *testing.T) {
	w := weights(t)
	s := sessions.New(w, 1)
	var pieces words
	for i := range w.Config.VocabSize {
		pieces = append(pieces, fmt.Sprint("piece", i))
	}
	copy(pieces, vocabulary)
	ids := []int64{2, 4, 6, 4, 4, 3} // [CLS] [MASK] b [MASK] [MASK] [SEP]
	n := len(ids)
	out, err := s.Run(context.Background(), map[string]runtime.Tensor{
		models.InputIDs:      runtime.NewTensor(ids, 1, n),
		models.AttentionMask: runtime.NewTensor([]int64{1, 1, 1, 1, 1, 1}, 1, n),
		models.TokenTypeIDs:  runtime.NewTensor(make([]int64, n), 1, n),
	})
	if err != nil {
		t.Fatal(err)
	}
	logits := out[models.PredictionLogits].Data.([]float32)
	got, err := evaluate.FillMask(context.Background(), s, w.Config, pieces, "[MASK] b [MASK] [MASK]", 99)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 {
		t.Fatalf("answers for %d masks, want 3", len(got))
	}
	v := w.Config.VocabSize
	for i, place := range []int{1, 3, 4} {
		sum := 0.0
		for _, x := range logits[place*v : (place+1)*v] {
			sum += math.Exp(float64(x))
		}
		if len(got[i]) != v {
			t.Errorf("mask %d has %d candidates, want all %d", i, len(got[i]), v)
		}
		last := math.Inf(1)
		for _, c := range got[i] {
			want := math.Exp(float64(logits[place*v+int(c.ID)])) / sum
			if math.Abs(c.Probability-want) > 1e-12 || c.Probability > last || c.Piece != pieces[c.ID] {
				t.Errorf("mask %d: got %+v after %v, want probability %v", i, c, last, want)
			}
			last = c.Probability
		}
	}
}

func TestFillMaskRefuses(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	broken := scores{logits: make([]float32, 8), err: errors.New("engine failed")}
	for _, test := range []struct {
		session runtime.Session
		text    string
		want    string
	}{
		{scores{logits: make([]float32, 8)}, "a b", "no [MASK]"},
		{scores{logits: make([]float32, 8)}, "a b c a [MASK]", "has 7 tokens, the model takes at most 6"},
		{scores{logits: make([]float32, 7)}, "[MASK]", "has shape [1 3 7], want [1 3 8]"},
		{scores{logits: []float32{0, 0, nan, 0, 0, 0, 0, 0}}, "[MASK]", "the logits are not finite"},
		{scores{logits: []float32{nan, 0, 0, 0, 0, 0, 0, 0}}, "[MASK]", "the logits are not finite"},
		{scores{logits: []float32{0, 0, 0, 0, 0, 0, 0, inf}}, "[MASK]", "the logits are not finite"},
		{broken, "[MASK]", "engine failed"},
	} {
		_, err := evaluate.FillMask(context.Background(), test.session, fillConfig, vocabulary, test.text, 1)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: got error %v, want one that says %q", test.text, err, test.want)
		}
	}
	small := fillConfig
	small.VocabSize = 7
	for want, refuse := range map[string]func() error{
		"0 candidates for a mask, want 1 or more": func() error {
			_, err := evaluate.FillMask(context.Background(), scores{}, fillConfig, vocabulary, "[MASK]", 0)
			return err
		},
		"token 2 has id 7, the model has ids 0 to 6": func() error {
			_, err := evaluate.FillMask(context.Background(), scores{}, small, vocabulary, "[MASK] c", 1)
			return err
		},
	} {
		if err := refuse(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
	}
}

// The most probable tokens at a mask. The session here gives the same logits at every position.
func ExampleFillMask() {
	session := scores{logits: []float32{-9, -9, -9, -9, -9, 1, 3, 2}}
	answers, err := evaluate.FillMask(context.Background(), session, fillConfig, vocabulary, "a [MASK] c", 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, candidate := range answers[0] {
		fmt.Printf("%s %.2f\n", candidate.Piece, candidate.Probability)
	}
	// Output:
	// b 0.67
	// c 0.24
}
