package tokenizer

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"google.golang.org/protobuf/encoding/protowire"
)

// variants are the golden model, and others made of its pieces.
func variants(t testing.TB) map[string]*Unigram {
	t.Helper()
	data, err := os.ReadFile(goldenDirectory + "/" + ModelFile)
	if err != nil {
		t.Fatal(err)
	}
	models := make(map[string]*Unigram)
	add := func(name string, change func(*modelProto), trainerFlags ...protowire.Number) {
		m, err := parseModel(data)
		if err != nil {
			t.Fatal(err)
		}
		change(m)
		var flags []byte
		for _, flag := range trainerFlags {
			flags = appendVarint(flags, flag, 1)
		}
		for range trainerFlags[:min(1, len(trainerFlags))] {
			for c := range 256 {
				m.pieces = append(m.pieces, piece{text: fmt.Sprintf("<0x%02X>", c), kind: bytePiece})
			}
		}
		u, err := ParseUnigram(appendString(m.marshal(), fieldTrainerSpec, string(flags)))
		if err != nil {
			t.Fatal(err)
		}
		models[name] = u
	}
	identity := func(m *modelProto) { m.normalizer = normalizerSpec{escapeWhitespaces: true} }
	add("golden", func(*modelProto) {})
	add("bytes", identity, fieldByteFallback)
	add("ties", func(m *modelProto) {
		for i := range m.pieces {
			m.pieces[i].score = -1
		}
	})
	add("over spaces", func(m *modelProto) {
		m.pieces = append(m.pieces, piece{text: "e▁t", score: -3, kind: normalPiece})
		m.normalizer.removeExtraWhitespaces = false
	})
	return models
}

func seedTexts(f *testing.F) {
	_, texts := unigramGolden(f)
	for _, text := range append(texts, mixedLines(50)...) {
		f.Add(text)
	}
}

// Whatever the text: the fast segmentation is the obvious one, offsets are in order, and nothing is lost: what is
// decoded is the normalized text where it has no unknown characters, and the text itself with byte fallback.
func FuzzUnigram(f *testing.F) {
	seedTexts(f)
	models := variants(f)
	f.Fuzz(func(t *testing.T, text string) {
		for name, u := range models {
			tokens := u.AppendTokens(nil, text)
			ids := u.Encode(text)
			if !slices.Equal(idsOf(tokens), ids) {
				t.Errorf("%s: Encode gives %v, AppendTokens %v", name, ids, tokens)
			}
			if err := checkOffsets(text, tokens); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			normalized := u.Normalize(text)
			var want output
			for _, p := range u.segment(normalized) {
				u.emit(&want, &aligned{text: []byte(normalized)}, p)
			}
			if !slices.Equal(ids, want.ids) {
				t.Errorf("%s: got %v, the slow segmentation gives %v", name, ids, want.ids)
			}
			decoded := u.Decode(ids)
			switch original := strings.ReplaceAll(normalized, whitespace, " "); {
			case u.byteFallback:
				if original != strings.ReplaceAll(each(text), whitespace, " ") || decoded != original {
					t.Errorf("%s: %q is decoded to %q", name, text, decoded)
				}
			case slices.Contains(ids, u.unknown):
			case name == "over spaces":
				if decoded != strings.TrimLeft(original, " ") && decoded != strings.TrimPrefix(original, " ") {
					t.Errorf("%s: %q is decoded to %q", name, original, decoded)
				}
			case decoded != strings.TrimPrefix(original, " "):
				t.Errorf("%s: %q is decoded to %q", name, original, decoded)
			}
		}
	})
}

// each returns text with each byte that is no UTF-8 replaced.
func each(text string) string { return string([]rune(text)) }

// applySlowly is the obvious way to do what [Rules.Apply] does, but for Σ inside of words.
func (r Rules) applySlowly(text string) string {
	lower := func(text string) string { return strings.ToLower(strings.ReplaceAll(text, "İ", "i\u0307")) }
	text = each(text)
	if r.LowerCase {
		text = lower(text)
	}
	if r.RemoveSpace {
		text = strings.Join(strings.FieldsFunc(text, isSpace), " ")
	}
	text = strings.ReplaceAll(text, "``", `"`)
	text = strings.ReplaceAll(text, "''", `"`)
	if !r.KeepAccents {
		var b strings.Builder
		for _, c := range norm.NFKD.String(text) {
			if norm.NFKD.PropertiesString(string(c)).CCC() == 0 {
				b.WriteRune(c)
			}
		}
		text = b.String()
		if r.LowerCase {
			text = lower(text)
		}
	}
	return text
}

func FuzzAlbert(f *testing.F) {
	seedTexts(f)
	u := goldenModel(f)
	var tokenizers []*Albert
	for i := range 8 {
		a, err := NewAlbert(u, Rules{LowerCase: i&1 > 0, RemoveSpace: i&2 > 0, KeepAccents: i&4 > 0})
		if err != nil {
			f.Fatal(err)
		}
		tokenizers = append(tokenizers, a)
	}
	// x/text puts U+034F into runs of more than 30 combining characters, and the slow way knows no ς.
	same := strings.NewReplacer("\u034f", "", "ς", "σ").Replace
	f.Fuzz(func(t *testing.T, text string) {
		for _, a := range tokenizers {
			if got, want := a.rules.Apply(text), a.rules.applySlowly(text); same(got) != same(want) {
				t.Errorf("%+v: %+q becomes %+q, want %+q", a.rules, text, got, want)
			}
			tokens := a.AppendTokens(nil, text)
			if ids := a.Encode(text); !slices.Equal(idsOf(tokens), ids) {
				t.Errorf("%+v: Encode gives %v, AppendTokens %v", a.rules, ids, tokens)
			}
			if err := checkOffsets(text, tokens); err != nil {
				t.Errorf("%+v: %v", a.rules, err)
			}
			decoded := a.Decode(idsOf(tokens))
			if !utf8.ValidString(decoded) {
				t.Errorf("%+v: decoded to %q", a.rules, decoded)
			}
			uncovered := func(id int32) bool { return slices.Contains(a.specialIDs, id) } // and what is around special tokens
			if !slices.ContainsFunc(idsOf(tokens), uncovered) {
				want := strings.ReplaceAll(u.Normalize(a.rules.Apply(text)), whitespace, " ")
				if want = strings.TrimFunc(want, isSpace); decoded != want {
					t.Errorf("%+v: %q is decoded to %q, want %q", a.rules, text, decoded, want)
				}
			}
		}
	})
}

// A damaged file is refused, or it is another vocabulary; it is never loaded to fail later.
func FuzzParseUnigram(f *testing.F) {
	m := &modelProto{
		pieces: []piece{
			{"<unk>", 0, unknownPiece}, {"<s>", 0, controlPiece}, {"▁a", -1, normalPiece}, {"b", -2, normalPiece}, {".", 0, userDefinedPiece},
		},
		trainer:    trainerSpec{modelType: 1, vocabSize: 5},
		normalizer: normalizerSpec{addDummyPrefix: true, removeExtraWhitespaces: true, escapeWhitespaces: true},
	}
	f.Add(m.marshal())
	charsmap, err := marshalCharsmap(map[string]string{"x": "b", "é": "e", "y": ""})
	if err != nil {
		f.Fatal(err)
	}
	m.normalizer.precompiledCharsmap = charsmap
	f.Add(m.marshal())
	f.Add(bytes.Repeat([]byte{0x0a, 0x7f}, 100))
	f.Fuzz(func(t *testing.T, data []byte) {
		u, err := ParseUnigram(data)
		if err != nil {
			return
		}
		for _, text := range []string{"a b. xéy ab\xff", strings.Repeat("ab ", 30), ""} {
			tokens := u.AppendTokens(nil, text)
			if err := checkOffsets(text, tokens); err != nil {
				t.Error(err)
			}
			u.Decode(idsOf(tokens))
		}
	})
}

// A file that is cut off anywhere is refused; one with a wrong byte is, or does no harm.
func TestDamagedModel(t *testing.T) {
	data, err := os.ReadFile(goldenDirectory + "/" + ModelFile)
	if err != nil {
		t.Fatal(err)
	}
	// After the normalizer come only fields that decide nothing.
	needed := bytes.Index(data, []byte(nmtNFKC))
	for size := 0; size < needed; size += 1 + size/100 {
		if _, err := ParseUnigram(data[:size]); err == nil {
			t.Errorf("the first %d of %d bytes were loaded", size, len(data))
		}
	}
	random := rand.New(rand.NewPCG(5, 5))
	for range 300 {
		damaged := bytes.Clone(data)
		at := random.IntN(len(damaged))
		damaged[at] ^= byte(1 + random.IntN(255))
		if u, err := ParseUnigram(damaged); err == nil {
			u.Decode(u.Encode("The quick ½ é\u0301 fox\xff"))
		}
	}
}

// With a buffer that has room, encoding allocates nothing.
func TestEncodeAllocatesNothing(t *testing.T) {
	_, texts := unigramGolden(t)
	u := goldenModel(t)
	a, err := NewAlbert(u, DefaultRules())
	if err != nil {
		t.Fatal(err)
	}
	ids, tokens := make([]int32, 0, 10000), make([]Token, 0, 10000)
	for name, encode := range map[string]func(string){
		"raw":              func(text string) { u.AppendEncode(ids, text) },
		"rules":            func(text string) { a.AppendEncode(ids, text) },
		"raw with offsets": func(text string) { u.AppendTokens(tokens, text) },
		"with offsets":     func(text string) { a.AppendTokens(tokens, text) },
	} {
		all := func() {
			for _, text := range texts {
				encode(text)
			}
		}
		all() // makes the buffers
		if got := testing.AllocsPerRun(20, all); got != 0 && !raceDetector {
			t.Errorf("%s: %v allocations for %d texts, want none", name, got, len(texts))
		}
	}
}
