package tokenizer

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// golden is what tools/golden/unigram.py writes: the answers of SentencePiece and of transformers' slow AlbertTokenizer.
type golden struct {
	Texts []struct{ Text, Hex string }
	Raw   goldenAnswers
	Rules []struct {
		Rules struct {
			DoLowerCase *bool `json:"do_lower_case"`
			RemoveSpace *bool `json:"remove_space"`
			KeepAccents *bool `json:"keep_accents"`
		}
		goldenAnswers
	}
	Pair struct {
		IDs          []int32
		TokenTypeIDs []int32 `json:"token_type_ids"`
	}
	Truncated [][5]int
}

type goldenAnswers struct {
	IDs     [][]int32
	Decoded []string
}

const goldenDirectory = "testdata/unigram"

func unigramGolden(t testing.TB) (g golden, texts []string) {
	t.Helper()
	readGolden(t, goldenDirectory+"/golden.json", &g)
	for _, text := range g.Texts {
		b, err := hex.DecodeString(text.Hex)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text.Text+string(b))
	}
	return g, texts
}

func goldenModel(t testing.TB) *Unigram {
	t.Helper()
	u, err := ReadUnigram(goldenDirectory + "/" + ModelFile)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// The hard texts, without ALBERT's rules and with them in all settings.
func TestGoldenTexts(t *testing.T) {
	g, texts := unigramGolden(t)
	u := goldenModel(t)
	compareGolden(t, u, texts, g.Raw)
	for _, setting := range g.Rules {
		rules := DefaultRules()
		for rule, value := range map[*bool]*bool{
			&rules.LowerCase: setting.Rules.DoLowerCase, &rules.RemoveSpace: setting.Rules.RemoveSpace,
			&rules.KeepAccents: setting.Rules.KeepAccents,
		} {
			if value != nil {
				*rule = *value
			}
		}
		t.Run(fmt.Sprintf("%+v", rules), func(t *testing.T) {
			a, err := NewAlbert(u, rules)
			if err != nil {
				t.Fatal(err)
			}
			compareGolden(t, a, texts, setting.goldenAnswers)
		})
	}
}

func compareGolden(t *testing.T, tokenizer interface {
	Encode(string) []int32
	Decode([]int32) string
	AppendTokens([]Token, string) []Token
}, texts []string, want goldenAnswers) {
	if len(want.IDs) != len(texts) || len(want.Decoded) != len(texts) {
		t.Fatalf("%d texts have %d answers", len(texts), len(want.IDs))
	}
	for i, text := range texts {
		ids := tokenizer.Encode(text)
		if !slices.Equal(ids, want.IDs[i]) {
			t.Errorf("Encode(%+q)\n got %v\nwant %v", text, ids, want.IDs[i])
		}
		if got := tokenizer.Decode(want.IDs[i]); got != want.Decoded[i] {
			t.Errorf("Decode(%v)\n got %+q\nwant %+q", want.IDs[i], got, want.Decoded[i])
		}
		tokens := tokenizer.AppendTokens(nil, text)
		if !slices.Equal(idsOf(tokens), ids) {
			t.Errorf("%+q: Encode gives %v, AppendTokens %v", text, ids, tokens)
		}
		if err := checkOffsets(text, tokens); err != nil {
			t.Errorf("%+q: %v", text, err)
		}
	}
}

// Two segments with special tokens, and which of their tokens are left when there are too many.
func TestGoldenPairs(t *testing.T) {
	g, _ := unigramGolden(t)
	a, b := Truncate([]int32{10, 11, 12}, []int32{13, 14, 15, 16}, 8-3)
	ids, types := BuildInputs(SpecialIDs{CLS: 2, SEP: 3}, a, b)
	if !slices.Equal(ids, g.Pair.IDs) || !slices.Equal(types, g.Pair.TokenTypeIDs) {
		t.Errorf("got %v with types %v, want %v with %v", ids, types, g.Pair.IDs, g.Pair.TokenTypeIDs)
	}
	for _, c := range g.Truncated {
		a, b := Truncate(make([]Token, c[0]), make([]Token, c[1]), c[2])
		if len(a) != c[3] || len(b) != c[4] {
			t.Errorf("%d and %d tokens truncated to %d: got %d and %d, want %d and %d", c[0], c[1], c[2], len(a), len(b), c[3], c[4])
		}
	}
	if len(g.Truncated) == 0 {
		t.Error("no cases of truncation")
	}
}

// What each token stands for in the text, as it is written there.
func TestOffsets(t *testing.T) {
	u := goldenModel(t)
	a, err := NewAlbert(u, DefaultRules())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ text, rules, raw string }{
		{
			"the dog",
			"▁the=the|▁dog=dog",
			"▁the=the|▁dog=dog",
		},
		{
			"The  DOG",
			"▁the=The|▁dog=DOG",
			"▁T=T|he=he|▁= |D=D|O=O|G=G",
		},
		{
			" \tthe\u00a0\u3000dog \n",
			"▁the=the|▁dog=dog",
			"▁the=the|▁dog=dog",
		},
		{
			"``the'' dog",
			"▁=|\"=``|th=th|e=e|\"=''|▁dog=dog",
			"▁``=``|th=th|e=e|''=''|▁dog=dog",
		},
		{
			"the\u0301 dogé",
			"▁the=the\u0301|▁dog=dog|e=é",
			"▁=|th=th|é=e\u0301|▁dog=dog|é=é",
		},
		{
			"\u0301the",
			"▁the=the",
			"▁=|\u0301=\u0301|th=th|e=e",
		},
		{
			"½ﬁ",
			"▁1⁄2=½|f=ﬁ|i=ﬁ",
			"▁1⁄2=½|f=ﬁ|i=ﬁ",
		},
		{
			"in 1990, the x1990,30,",
			"▁in=in|▁= |1=1|9=9|9=9|0=0|,=,|▁the=the|▁x=x|1=1|9=9|9=9|0=0|,=,|3=3|0=0|,=,",
			"▁in=in|▁= |1990,=1990,|▁the=the|▁x=x|1990,=1990,|3=3|0,=0,",
		},
		{
			"the [MASK] dog<PAD>",
			"▁the=the|[MASK]=[MASK]|▁dog=dog|<pad>=<PAD>",
			"▁the=the|▁[=[|M=M|A=A|S=S|K=K|]=]|▁dog=dog|<=<|PAD=PAD|>=>",
		},
		{
			"İt 각 the",
			"▁it=İt|▁각=각|▁the=the",
			"▁=|İ=İ|t=t|▁각=각|▁the=the",
		},
		{
			"the\xff\xe2\x82dog\u200bthe",
			"▁the=the|▁dog=dog|▁the=the",
			"▁the=the|<unk>=\xff\xe2\x82|d=d|o=o|g=g|▁the=the",
		},
		{
			"日本語 the日",
			"▁=|<unk>=日本語|▁the=the|<unk>=日",
			"▁=|<unk>=日本語|▁the=the|<unk>=日",
		},
	} {
		for _, one := range []struct {
			name, want string
			tokens     []Token
		}{
			{"ALBERT's rules", test.rules, a.AppendTokens(nil, test.text)},
			{"raw", test.raw, u.AppendTokens(nil, test.text)},
		} {
			var got []string
			for _, k := range one.tokens {
				got = append(got, u.Piece(k.ID)+"="+test.text[k.Start:k.End])
			}
			if strings.Join(got, "|") != one.want {
				t.Errorf("%+q, %s\n got %+q\nwant %+q", test.text, one.name, strings.Join(got, "|"), one.want)
			}
		}
	}
}
