package tasks

import (
	"os"
	"path/filepath"
	"testing"
)

// Whatever is in a file, it gives examples that can be encoded, or errors.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"text\tlabel\na\tx\nb\ty\n", "a,\"b\"\n1,2\n", "{\"text\":\"a\",\"label\":1}\n", "{\"text\":[\"a\"],\"label\":[\"O\"]}",
		"Ada B-PER\n\nof O\n", `{"choices":["a","b"],"label":"B"}`, `{"data":[` + article("") + `]}`, "1\t2\t3\n4\t5\t6",
		"\ufeffsentence1\tsentence2\tscore\na\tb\t0.5\n",
	} {
		f.Add(seed)
	}
	tok := wordPieces(f)
	path := filepath.Join(f.TempDir(), "examples")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"classification", "regression", "tokens", "multiple-choice", "similarity", "squad2"} {
			for _, o := range []Options{{}, {Format: CSV}, {Format: JSONL, MultiLabel: true}, {Text: "1", Pair: "2", Label: []string{"3"}},
				{Text: "1", Label: []string{"2", "3"}}} {
				if o.checkFormat(name) != nil {
					continue
				}
				task := newTask(t, name, o)
				for _, labelled := range []bool{true, false} {
					set, err := Load(task, labelled, true, path)
					if err != nil || labelled && task.Learn(set.Examples) != nil {
						continue
					}
					if err := set.Encode(task, tok); err != nil {
						continue
					}
					if b := Pack(set.Features); b.Tokens() != len(b.PositionIDs) || b.Sequences() < len(set.Features) {
						t.Errorf("%s of %q: %d tokens, %d sequences", name, text, b.Tokens(), b.Sequences())
					}
				}
			}
		}
	})
}
