package tokenizer_test

import (
	"os"
	"slices"
	"testing"

	"goalbert/tokenizer"
)

const realVocabulary = "../../shared/data/albert-vocab-en"

func openReal(t testing.TB) *tokenizer.Albert {
	t.Helper()
	if _, err := os.Stat(realVocabulary); err != nil {
		t.Skipf("no %s here", realVocabulary)
	}
	a, err := tokenizer.OpenAlbert(realVocabulary + "/" + tokenizer.ModelFile)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The ids are those of transformers' own tests of AlbertTokenizer on this vocabulary.
func TestEncodeReleasedVocabulary(t *testing.T) {
	a := openReal(t)
	if got := a.VocabSize(); got != 30000 {
		t.Errorf("vocabulary has %d pieces, want 30000", got)
	}
	if got := a.Piece(29999); got != "▁eloquent" {
		t.Errorf("last piece is %q, want ▁eloquent", got)
	}
	for _, test := range []struct {
		text string
		ids  []int32
	}{
		{"", nil},
		{" \t\n", nil},
		{"This is a test", []int32{48, 25, 21, 1289}},
		{
			"BERT is designed to pre-train deep bidirectional representations from unlabeled text by jointly " +
				"conditioning on both left and right context in all layers.",
			[]int32{
				11502, 25, 1006, 20, 782, 8, 11809, 855, 1732, 19393, 18667, 37, 367, 21018, 69, 1854, 34, 11860, 19124, 27,
				156, 225, 17, 193, 4141, 19, 65, 9124, 9,
			},
		},
		{"The quick brown fox jumps over the lazy dog.", []int32{14, 2231, 886, 2385, 17659, 84, 14, 16792, 1952, 9}},
		{
			"Transformers (formerly known as pytorch-transformers and pytorch-pretrained-bert) provides general-purpose " +
				"architectures (BERT, GPT-2, RoBERTa, XLM, DistilBert, XLNet...) for Natural Language Understanding (NLU) and " +
				"Natural Language Generation (NLG) with over 32+ pretrained models in 100+ languages and deep " +
				"interoperability between Jax, PyTorch and TensorFlow.",
			[]int32{
				21970, 13, 5, 6092, 167, 28, 7103, 2153, 673, 8, 7028, 12051, 18, 17, 7103, 2153, 673, 8, 3515, 18684, 8, 4461,
				6, 1927, 297, 8, 12060, 2607, 18, 13, 5, 4461, 15, 10538, 38, 8, 135, 15, 822, 58, 15, 993, 10363, 15, 1460,
				8005, 4461, 15, 993, 255, 2328, 9, 9, 9, 6, 26, 1112, 816, 3260, 13, 5, 103, 2377, 6, 17, 1112, 816, 2782, 13,
				5, 103, 10641, 6, 29, 84, 2512, 2430, 782, 18684, 2761, 19, 808, 2430, 2556, 17, 855, 1480, 9477, 4091, 128,
				11712, 15, 7103, 2153, 673, 17, 24883, 9990, 9,
			},
		},
	} {
		if got := a.Encode(test.text); !slices.Equal(got, test.ids) {
			t.Errorf("Encode(%q)\n got %v\nwant %v", test.text, got, test.ids)
		}
	}
	keeping, err := tokenizer.NewAlbert(a.Unigram(), tokenizer.Rules{LowerCase: true, RemoveSpace: true, KeepAccents: true})
	if err != nil {
		t.Fatal(err)
	}
	want := []int32{31, 23, 386, 19, 561, 3050, 15, 17, 48, 25, 8256, 18, 1, 9}
	if got := keeping.Encode("I was born in 92000, and this is falsé."); !slices.Equal(got, want) {
		t.Errorf("with keep_accents\n got %v\nwant %v", got, want)
	}
}
