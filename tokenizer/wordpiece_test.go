package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// readGolden reads a file that tools/golden/wordpiece.py wrote.
func readGolden(t testing.TB, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

const bertVocabulary = "testdata/wordpiece/vocab.txt"

// bertWith opens the golden vocabulary with rules as tokenizer_config.json has them.
func bertWith(t testing.TB, config string) *Bert {
	t.Helper()
	vocab, err := os.ReadFile(bertVocabulary)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, VocabFile), string(vocab))
	write(t, filepath.Join(dir, ConfigFile), config)
	b, err := OpenBert(filepath.Join(dir, VocabFile))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The oracle is the slow BertTokenizer of transformers, with each choice of rules.
func TestBertAgreesWithTransformers(t *testing.T) {
	var golden []struct {
		Rules   json.RawMessage
		Texts   []string
		IDs     [][]int32
		Decoded []string
	}
	readGolden(t, "testdata/wordpiece/golden.json", &golden)
	if len(golden) != 5 {
		t.Fatalf("golden.json has %d choices of rules, want 5", len(golden))
	}
	for _, g := range golden {
		b := bertWith(t, string(g.Rules))
		for i, text := range g.Texts {
			if got := b.Encode(text); !slices.Equal(got, g.IDs[i]) {
				t.Errorf("%s: Encode(%q)\n got %q\nwant %q", g.Rules, text, piecesOf(b, got), piecesOf(b, g.IDs[i]))
			}
			if got := b.Decode(g.IDs[i]); got != g.Decoded[i] {
				t.Errorf("%s: Decode of %q\n got %q\nwant %q", g.Rules, text, got, g.Decoded[i])
			}
			checkTokens(t, b, text)
		}
	}
}

func piecesOf(t Tokenizer, ids []int32) []string {
	pieces := make([]string, len(ids))
	for i, id := range ids {
		pieces[i] = t.Piece(id)
	}
	return pieces
}

// checkTokens fails where tokens are not those of AppendEncode, leave the text, go back, or cut a character.
func checkTokens(t testing.TB, k Tokenizer, text string) {
	t.Helper()
	ids := k.AppendEncode([]int32{-7}, text)
	tokens := k.AppendTokens([]Token{{ID: -7}}, text)
	if len(tokens) != len(ids) || ids[0] != -7 || tokens[0].ID != -7 {
		t.Fatalf("%q: %d tokens, %d ids behind what was there", text, len(tokens), len(ids))
	}
	start, end := 0, 0
	for i, token := range tokens[1:] {
		if token.ID != ids[i+1] || token.ID < 0 || int(token.ID) >= k.VocabSize() {
			t.Fatalf("%q: token %d has id %d, want %d in [0, %d)", text, i, token.ID, ids[i+1], k.VocabSize())
		}
		if token.Start < start || token.End < end || token.End < token.Start || token.End > len(text) {
			t.Fatalf("%q: token %d is bytes [%d, %d) of %d, after [%d, %d)",
				text, i, token.Start, token.End, len(text), start, end)
		}
		start, end = token.Start, token.End
		for _, at := range []int{start, end} {
			if utf8.ValidString(text) && at < len(text) && !utf8.RuneStart(text[at]) {
				t.Fatalf("%q: token %d is bytes [%d, %d), which cuts a character", text, i, token.Start, token.End)
			}
		}
	}
}

// The places are written out by hand.
func TestBertTokensPlaces(t *testing.T) {
	b := bertWith(t, "{}")
	text := "Quick  foxes, [MASK]cafe\u0301 \u8c48天!"
	want := []string{"Quick", "fox", "es", ",", "[MASK]", "caf", "e\u0301", "\u8c48", "天", "!"}
	var got []string
	for _, token := range b.AppendTokens(nil, text) {
		got = append(got, text[token.Start:token.End])
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBertStartsWord(t *testing.T) {
	b := bertWith(t, "{}")
	for piece, want := range map[string]bool{"the": true, "##ing": false, "!": true, "[MASK]": true, "#": true} {
		id, ok := b.ID(piece)
		if !ok || b.StartsWord(id) != want {
			t.Errorf("StartsWord(%q) is %v (in the vocabulary: %v), want %v", piece, b.StartsWord(id), ok, want)
		}
	}
	if b.StartsWord(-1) || b.StartsWord(int32(b.VocabSize())) {
		t.Error("an id outside the vocabulary starts a word")
	}
}

// Text longer than one chunk is encoded as its lines are, and without allocating once there is room.
func TestBertLongText(t *testing.T) {
	b := bertWith(t, "{}")
	line := "The quick brown foxes were running, naïve café 今天 [MASK] unwanted.\n"
	text := strings.Repeat(line, 1000)
	var want []int32
	for range 1000 {
		want = b.AppendEncode(want, line)
	}
	ids := b.Encode(text)
	if !slices.Equal(ids, want) {
		t.Errorf("got %d ids, want %d", len(ids), len(want))
	}
	if n := testing.AllocsPerRun(20, func() { ids = b.AppendEncode(ids[:0], text) }); n > 0 && !raceDetector {
		t.Errorf("AppendEncode allocates %v times", n)
	}
	if got := b.Encode(strings.Repeat("a", 5000) + " the"); len(got) != 2 || got[0] != b.special.Unknown {
		t.Errorf("a word of 5,000 characters and \"the\": got %q", piecesOf(b, got))
	}
}

// What is saved is read as what it was, and the vocabulary byte for byte.
func TestBertSave(t *testing.T) {
	no := false
	for _, rules := range []BasicRules{DefaultBasicRules(), {LowerCase: false, StripAccents: &no}} {
		vocab, err := os.ReadFile(bertVocabulary)
		if err != nil {
			t.Fatal(err)
		}
		b, err := NewBert(vocab, rules)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := Save(b, dir); err != nil {
			t.Fatal(err)
		}
		again, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		got := again.(*Bert).Rules()
		if got.LowerCase != rules.LowerCase || got.TokenizeChinese != rules.TokenizeChinese ||
			got.stripsAccents() != rules.stripsAccents() {
			t.Errorf("got rules %+v, want %+v", got, rules)
		}
		if written, err := os.ReadFile(filepath.Join(dir, VocabFile)); err != nil || !slices.Equal(written, vocab) {
			t.Errorf("the vocabulary that was written differs (error %v)", err)
		}
	}
}

// Line ends are Python's.
func TestVocabLines(t *testing.T) {
	const special = "[PAD]\n[UNK]\r\n[CLS]\r[SEP]\n[MASK]\n"
	for _, end := range []string{"", "a", "a\n", "a\r\n", "\n", "a\n\n"} {
		b, err := NewBert([]byte(special+end), DefaultBasicRules())
		if err != nil {
			t.Fatalf("%q: %v", end, err)
		}
		want := []int{5, 6, 6, 6, 6, 7}[slices.Index([]string{"", "a", "a\n", "a\r\n", "\n", "a\n\n"}, end)]
		if b.VocabSize() != want {
			t.Errorf("a vocabulary that ends with %q has %d pieces, want %d", end, b.VocabSize(), want)
		}
	}
}

func TestBadVocabularies(t *testing.T) {
	const special = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n"
	for _, test := range []struct{ vocab, config, want string }{
		{"", "{}", "the file is empty, want a text file with a piece a line"},
		{"the\n", "{}", "no piece [UNK]"},
		{"[UNK]\nthe\n", "{}", "no piece [PAD]"},
		{special + "\xff\n", "{}", "not UTF-8"},
		{special + "a\nb\na\n", "{}", `ids 5 and 7 are both "a"`},
		{special + strings.Repeat("a", 70000) + "\n", "{}", "at most 65536 bytes"},
		{special + "a\x00b\n", "{}", "zero byte"},
		{special, "{", "not valid JSON"},
		{special, `{"do_lower_case": 1}`, "not valid JSON"},
		{special, `{"do_basic_tokenize": false}`, "do_basic_tokenize is false"},
		{special, `{"never_split": ["x"]}`, "never_split"},
		{special, `{"mask_token": {"content": "<mask>"}}`, `"<mask>", which is not supported; want [MASK]`},
		{special, `{"added_tokens_decoder": {"5": {"content": "<e>"}}}`, `added token 5, "<e>"`},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, VocabFile), test.vocab)
		write(t, filepath.Join(dir, ConfigFile), test.config)
		_, err := Open(dir)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("vocabulary %.40q, %s: got error %v, want one with %q and the file",
				test.vocab, test.config, err, test.want)
		}
	}
}

// spiece.model goes before vocab.txt, and that before tokenizer.json.
func TestOpenChooses(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "spiece.model, vocab.txt, tokenizer.json") {
		t.Errorf("an empty directory: got error %v, want one with the names that were looked for", err)
	}
	albert := train(t, trainingText(200), DefaultTrainOptions(60))
	for _, step := range []struct {
		write func()
		file  string
		right func(Tokenizer) bool
	}{
		{func() { copyFile(t, "testdata/json/wordpiece.json", dir, JSONFile) }, JSONFile, is[*Pipeline]},
		{func() { copyFile(t, bertVocabulary, dir, VocabFile) }, VocabFile, is[*Bert]},
		{func() { write(t, filepath.Join(dir, ModelFile), string(albert.unigram.data)) }, ModelFile, is[*Albert]},
	} {
		step.write()
		path, err := Find(dir)
		if err != nil || filepath.Base(path) != step.file {
			t.Errorf("Find: got %s (error %v), want %s", path, err, step.file)
		}
		k, err := Open(dir)
		if err != nil || !step.right(k) {
			t.Errorf("Open: got a %T (error %v) with %s there", k, err, step.file)
		}
	}
	// Any of them can be asked for.
	if k, err := OpenFile(filepath.Join(dir, JSONFile)); err != nil || !is[*Pipeline](k) {
		t.Errorf("OpenFile of a tokenizer.json: got a %T (error %v)", k, err)
	}
}

func is[T Tokenizer](k Tokenizer) bool {
	_, ok := k.(T)
	return ok
}

func copyFile(t testing.TB, from, dir, name string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, name), string(data))
}

func FuzzBert(f *testing.F) {
	var golden []struct{ Texts []string }
	readGolden(f, "testdata/wordpiece/golden.json", &golden)
	for _, text := range golden[0].Texts {
		f.Add(text, true, true, false)
	}
	f.Add("bad \xff\xfe bytes \xe2\x82", false, false, true)
	vocab, err := os.ReadFile(bertVocabulary)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string, lower, chinese, strip bool) {
		b, err := NewBert(vocab, BasicRules{LowerCase: lower, TokenizeChinese: chinese, StripAccents: &strip})
		if err != nil {
			t.Fatal(err)
		}
		checkTokens(t, b, text)
		if ids := b.Encode(text); !slices.Contains(ids, b.special.Unknown) {
			if got, want := b.Decode(ids), wordsOf(b, text); got != want {
				t.Fatalf("%q is decoded as %q, want its words, %q", text, got, want)
			}
		}
	})
}

// wordsOf returns the words of text with spaces between them.
func wordsOf(b *Bert, text string) string {
	var all []string
	var w basicWords
	for text != "" {
		at, token := firstToken(text, bertSpecialTokens)
		w.split(b.rules, bertSpecialTokens, text[:at], 0)
		for _, span := range w.words {
			all = append(all, textOf(w.text[span.start:span.end]))
		}
		if token != "" {
			all = append(all, token)
		}
		text = text[at+len(token):]
	}
	return strings.Join(all, " ")
}

func FuzzVocabulary(f *testing.F) {
	f.Add([]byte("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\n##\n\n"), "ab ## b")
	f.Fuzz(func(t *testing.T, vocab []byte, text string) {
		if b, err := NewBert(vocab, DefaultBasicRules()); err == nil {
			checkTokens(t, b, text)
			b.Decode(b.Encode(text))
		}
	})
}
