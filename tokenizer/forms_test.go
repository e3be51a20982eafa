package tokenizer

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// forms are ours and the library's of the same name.
var forms = map[norm.Form]form{norm.NFC: formNFC, norm.NFD: formNFD, norm.NFKC: formNFKC, norm.NFKD: formNFKD}

// The oracle is x/text: every character, on its own and among marks; with -short few of those after
// the punctuation of Chinese.
func TestFormsAgreeWithNorm(t *testing.T) {
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) || testing.Short() && r > 0x3000 && r%64 != 0 {
			continue
		}
		compareForms(t, string(r))
		if p := norm.NFKC.PropertiesString(string(r)); !p.BoundaryBefore() || p.Decomposition() != nil {
			compareForms(t, "x\u0301"+string(r)+"\u0323"+string(r)+"\u1161a"+string(r)+"\u0338")
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	alphabet := []rune("aeuox가각\u1100\u1161\u11a8ﬁÅ\u212b½ｆ 天\u09be\u09c7\u09d7" +
		"\u0300\u0301\u0308\u0323\u0327\u0338\u0344\u0345\u093c")
	for range 20000 {
		text := make([]rune, random.IntN(12))
		for i := range text {
			text[i] = alphabet[random.IntN(len(alphabet))]
		}
		compareForms(t, string(text))
	}
}

func compareForms(t *testing.T, text string) {
	t.Helper()
	for library, ours := range forms {
		if got, want := textOf(ours.append(nil, appendAligned(nil, text, 0))), library.String(text); got != want {
			t.Errorf("form %d of %+q is %+q, want %+q", library, text, got, want)
		}
	}
}

// Unicode has no limit to the marks on a letter; x/text puts U+034F after thirty.
func TestFormsWithManyMarks(t *testing.T) {
	marks := strings.Repeat("\u0301\u0323", 50)
	got := textOf(formNFC.append(nil, appendAligned(nil, "a"+marks, 0)))
	if want := "\u1ea1" + strings.Repeat("\u0323", 49) + strings.Repeat("\u0301", 50); got != want {
		t.Errorf("got %+q, want %+q", got, want)
	}
}

// A character is aligned with all that it is composed of, or with what it is part of.
func TestFormsAlign(t *testing.T) {
	for _, test := range []struct {
		form form
		text string
		want []alignedRune
	}{
		{formNFC, "xe\u0301y", []alignedRune{{'x', 5, 6}, {'é', 6, 9}, {'y', 9, 10}}},
		{formNFD, "xé", []alignedRune{{'x', 5, 6}, {'e', 6, 8}, {'\u0301', 6, 8}}},
		{formNFKD, "ﬁ", []alignedRune{{'f', 5, 8}, {'i', 5, 8}}},
		{formNFC, "a\u0301\u0323", []alignedRune{{'ạ', 5, 8}, {'\u0301', 8, 10}}},
	} {
		got := test.form.append(nil, appendAligned(nil, test.text, 5))
		if len(got) != len(test.want) {
			t.Fatalf("%q: got %v, want %v", test.text, got, test.want)
		}
		for i := range got {
			if got[i] != test.want[i] {
				t.Errorf("%q: got %v, want %v", test.text, got, test.want)
				break
			}
		}
	}
}
