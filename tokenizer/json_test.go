package tokenizer

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func openPipeline(t testing.TB, name string) *Pipeline {
	t.Helper()
	p, err := OpenPipeline("testdata/json/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// pipelineGolden is what the library tokenizers makes of a text; offsets are bytes, and are left out where ours differ.
type pipelineGolden struct {
	Text    string
	IDs     []int32
	Decoded string
	Offsets [][2]int
}

// The oracle is the library tokenizers.
func TestPipelineAgreesWithTokenizers(t *testing.T) {
	var golden map[string][]pipelineGolden
	readGolden(t, "testdata/json/golden.json", &golden)
	if len(golden) != 8 {
		t.Fatalf("golden.json has %d tokenizers, want 8", len(golden))
	}
	for name, cases := range golden {
		t.Run(name, func(t *testing.T) {
			p := openPipeline(t, name)
			for _, c := range cases {
				if got := p.Encode(c.Text); !slices.Equal(got, c.IDs) {
					t.Errorf("Encode(%q)\n got %q\nwant %q", c.Text, piecesOf(p, got), piecesOf(p, c.IDs))
				}
				if got := p.Decode(c.IDs); got != c.Decoded {
					t.Errorf("Decode of %q\n got %q\nwant %q", c.Text, got, c.Decoded)
				}
				checkTokens(t, p, c.Text)
				tokens := p.AppendTokens(nil, c.Text)
				for i, o := range c.Offsets {
					// The library counts white space in, and gives a ▁ that it puts in front the place of the next character.
					start, end := trimSpace(c.Text, o[0], o[1])
					if p.Piece(c.IDs[i]) == whitespace && i+1 < len(c.Offsets) && c.Offsets[i+1][0] == o[0] {
						end = start
					}
					o = [2]int{start, end}
					if i < len(tokens) && (tokens[i].Start != o[0] || tokens[i].End != o[1]) {
						t.Errorf("%q: token %d, %q, is bytes [%d, %d), want [%d, %d)", c.Text, i, p.Piece(tokens[i].ID),
							tokens[i].Start, tokens[i].End, o[0], o[1])
					}
				}
			}
		})
	}
}

func TestPipelineSpecialTokens(t *testing.T) {
	for name, want := range map[string]SpecialIDs{
		"unigram": {Pad: 0, Unknown: 1, CLS: 2, SEP: 3, MASK: 4}, "wordpiece": {Pad: 0, Unknown: 1, CLS: 2, SEP: 3, MASK: 4},
	} {
		p := openPipeline(t, name)
		if p.Special() != want {
			t.Errorf("%s: special tokens are %+v, want %+v", name, p.Special(), want)
		}
	}
	p := openPipeline(t, "wordpiece")
	for piece, want := range map[string]bool{"the": true, "##s": false} {
		if id, ok := p.ID(piece); !ok || p.StartsWord(id) != want {
			t.Errorf("StartsWord(%q) is not %v (in the vocabulary: %v)", piece, want, ok)
		}
	}
}

func TestPipelineSave(t *testing.T) {
	dir := t.TempDir()
	if err := Save(openPipeline(t, "unigram"), dir); err != nil {
		t.Fatal(err)
	}
	want, _ := os.ReadFile("testdata/json/unigram.json")
	if got, err := os.ReadFile(filepath.Join(dir, JSONFile)); err != nil || !slices.Equal(got, want) {
		t.Errorf("the file that was written differs (error %v)", err)
	}
}

// wordPieceModel is the JSON of a model.
func wordPieceModel(unknown, vocab string) string {
	return fmt.Sprintf(`{"type":"WordPiece","unk_token":%q,"continuing_subword_prefix":"#","max_input_chars_per_word":9,`+
		`"vocab":%s}`, unknown, vocab)
}

// Each unsupported part is named, and so is what is wrong with a damaged file.
func TestBadPipelines(t *testing.T) {
	for _, test := range []struct{ key, value, want string }{
		{"version", `"2.0"`, `version is "2.0"`},
		{"normalizer", `{"type":"Prepend","prepend":"x"}`, `normalizer: Prepend: not supported`},
		{
			"normalizer", `{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"ByteLevel"}]}`,
			`part 1: ByteLevel: not supported`,
		},
		{"normalizer", `{"lowercase":true}`, "it has no type"},
		{"normalizer", `{"type":"Replace","pattern":{"Regex":"\\s+"},"content":" "}`, "the pattern is not supported"},
		{"normalizer", `{"type":"Replace","pattern":{"Regex":"(?i)x"},"content":" "}`, "the pattern is not supported"},
		{"normalizer", `{"type":"Replace","pattern":{"Regex":"x*"},"content":" "}`, "matches the empty text"},
		{"normalizer", `{"type":"Replace","pattern":{"String":""},"content":" "}`, "matches the empty text"},
		{"normalizer", `{"type":"Replace","pattern":{"Regex":"x{3,2}"},"content":" "}`, "Replace: error parsing regexp"},
		{"normalizer", `{"type":"Precompiled","precompiled_charsmap":"%"}`, "Precompiled: illegal base64"},
		{"normalizer", `{"type":"Precompiled","precompiled_charsmap":"AAAA"}`, "precompiled_charsmap has 3 bytes"},
		{"normalizer", `{"type":"BertNormalizer"}`, "BertNormalizer: want clean_text"},
		{"pre_tokenizer", `{"type":"ByteLevel"}`, `pre_tokenizer: ByteLevel: not supported`},
		{"pre_tokenizer", `{"type":"Metaspace","replacement":"ab"}`, `replacement is "ab"`},
		{"pre_tokenizer", `{"type":"Metaspace","replacement":"_","prepend_scheme":"last"}`, `prepend_scheme is "last"`},
		{"pre_tokenizer", `{"type":"Metaspace","replacement":"_","add_prefix_space":false}`, "add_prefix_space"},
		{"post_processor", `{"type":"RobertaProcessing"}`, `post_processor: RobertaProcessing: not supported`},
		{
			"post_processor", `{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":0}}],"pair":[]}`,
			`"$A:0"`,
		},
		{"post_processor", `{"type":"BertProcessing"}`, "want sep and cls"},
		{"decoder", `{"type":"ByteFallback"}`, `decoder: ByteFallback: not supported`},
		{"model", `{"type":"BPE"}`, `model: "BPE" is not supported, want Unigram or WordPiece`},
		{"model", `null`, `model: "" is not supported`},
		{"model", `{"type":"Unigram","unk_id":null,"vocab":[["a",0]]}`, "want unk_id from 0 to 0"},
		{"model", `{"type":"Unigram","unk_id":0,"vocab":[["a","b"]]}`, "piece 0"},
		{"model", `{"type":"Unigram","unk_id":0,"vocab":[["",0]]}`, "want 1 to 65536 bytes"},
		{"model", `{"type":"WordPiece","vocab":{}}`, "want unk_token"},
		{"model", wordPieceModel("a", `{"a":1}`), `"a" has id 1`},
		{"model", wordPieceModel("b", `{"a":0}`), "no piece b"},
		{"model", `{"type":"Unigram","unk_id":0,"vocab":[["a",0]]}`, "added_tokens"},
		{"added_tokens", `[{"id":9999,"content":"x"}]`, `"x" has id 9999`},
		{"added_tokens", `[{"id":3,"content":""}]`, `token 3 is ""`},
		{"added_tokens", `[]`, ""},
	} {
		var file map[string]json.RawMessage
		readGolden(t, "testdata/json/unigram.json", &file)
		file[test.key] = json.RawMessage(test.value)
		data, err := json.Marshal(file)
		if err != nil {
			t.Fatal(err)
		}
		_, err = ParsePipeline(data)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s %s: got error %v, want one with %q", test.key, test.value, err, test.want)
		}
	}
	data, _ := os.ReadFile("testdata/json/unigram.json")
	for _, n := range []int{0, 1, len(data) / 2, len(data) - 3} {
		if _, err := ParsePipeline(data[:n]); err == nil {
			t.Errorf("a file cut off at byte %d of %d is read", n, len(data))
		}
	}
}

// Two ways to the same ids: the vocabulary and tokenizer.json of one model.
func TestPipelineAgreesWithBert(t *testing.T) {
	const path = "../../shared/data/tokenizer-fixtures/bert-base-uncased.tokenizer.json"
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no %s here", path)
	}
	p, err := OpenPipeline(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewBert([]byte(strings.Join(p.pieces, "\n")), DefaultBasicRules())
	if err != nil {
		t.Fatal(err)
	}
	const book = "../../shared/data/books/Kenneth Grahame"
	files, err := filepath.Glob(filepath.Join(book, "*.md"))
	if err != nil || len(files) == 0 {
		t.Skipf("no %s here", book)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if got, want := p.Encode(line), b.Encode(line); !slices.Equal(got, want) {
				t.Errorf("%q: by tokenizer.json %v, by vocab.txt %v", line, got, want)
			}
		}
	}
}

func FuzzPipeline(f *testing.F) {
	var pipelines []*Pipeline
	var golden map[string][]pipelineGolden
	readGolden(f, "testdata/json/golden.json", &golden)
	for name := range golden {
		pipelines = append(pipelines, openPipeline(f, name))
	}
	for _, c := range golden["unigram"] {
		f.Add(c.Text)
	}
	f.Add("bad \xff\xfe bytes \xe2\x82")
	f.Fuzz(func(t *testing.T, text string) {
		for _, p := range pipelines {
			checkTokens(t, p, text)
			p.Decode(p.Encode(text))
		}
	})
}

func FuzzParsePipeline(f *testing.F) {
	files, err := filepath.Glob("testdata/json/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if filepath.Base(file) != "golden.json" {
			f.Add(data, "The quick [MASK] brown\u0301 foxes 天")
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		if p, err := ParsePipeline(data); err == nil {
			checkTokens(t, p, text)
			p.Decode(p.Encode(text))
		}
	})
}
