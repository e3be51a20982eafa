package corpus_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"goalbert/corpus"
)

// pack returns text compressed as the extension of a name says.
func pack(t *testing.T, name, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	switch filepath.Ext(name) {
	case ".gz":
		w = gzip.NewWriter(&out)
	case ".zst":
		var err error
		if w, err = zstd.NewWriter(&out); err != nil {
			t.Fatal(err)
		}
	default:
		return []byte(text)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// writeFiles writes files below a new directory, compressed by their names.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, pack(t, name, text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A directory is its text files, in order; a link to a file is one, hidden and other files are none.
func TestFiles(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"b.txt": "x", "a/z.md": "x", "a/y.jsonl.gz": "", "c.TXT.zst": "x", "a/.hidden/x.txt": "x", ".x.txt": "x",
		"picture.png": "x", "README": "x", "a/archive.gz": "x",
	})
	if err := os.Symlink(filepath.Join(dir, "picture.png"), filepath.Join(dir, "link.txt")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, filepath.Join(dir, "a", "around.txt")); err != nil {
		t.Fatal(err)
	}
	png := filepath.Join(dir, "picture.png")
	got, err := corpus.Files(png, dir, png)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{png}
	for _, name := range []string{"a/y.jsonl.gz", "a/z.md", "b.txt", "c.TXT.zst", "link.txt"} {
		want = append(want, filepath.Join(dir, filepath.FromSlash(name)))
	}
	if want = append(want, png); !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if got, err := corpus.Files(link); err != nil || len(got) != 5 {
		t.Errorf("a link to a directory: got %q, %v, want its 5 files", got, err)
	}
	if _, err := corpus.Files(filepath.Join(dir, "a", ".hidden"), t.TempDir()); err == nil ||
		!strings.Contains(err.Error(), "no text files") {
		t.Errorf("a directory without text files: got %v", err)
	}
}

// However text is packed, the documents are the same.
func TestReadPacked(t *testing.T) {
	lines := "One here.\nTwo.\n\nThree.\n"
	records := `{"text": "One here.\nTwo.\n"}` + "\n\n" + `{"id": 7, "text": "\n\nThree."}` + "\n" + `{"text": " "}`
	want := []corpus.Document{{"One here.", "Two."}, {"Three."}}
	for _, name := range []string{"a.txt", "a.txt.gz", "a.zst", "a", "a.jsonl", "a.ndjson.zst", "a.JSONL.GZ"} {
		text := lines
		if strings.Contains(strings.ToLower(name), "json") {
			text = records
		}
		path := filepath.Join(writeFiles(t, map[string]string{strings.ToLower(name): text}), strings.ToLower(name))
		got, err := all(t, path)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestReadPackedMisuse(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"plain.gz": "", "bad.jsonl": "{\"text\": \"fine\"}\n{\"text\": 3}", "array.jsonl": "[1]",
		"nofield.jsonl": "{\"body\": \"x\"}", "latin.txt.gz": "fine\n\xe9t\xe9\n", "long.txt": strings.Repeat("x", 17<<20),
		"null.jsonl": `{"text": null}`,
	})
	zipped := pack(t, "a.zst", strings.Repeat("A line of text.\n", 100000))
	whole := pack(t, "a.gz", strings.Repeat("A line of text.\n", 100000))
	for name, data := range map[string][]byte{
		"plain.gz": []byte("no gzip"), "plain.zst": []byte("no zstd at all"), "short.gz": whole[:len(whole)-9],
		"short.zst": zipped[:len(zipped)-9], "head.gz": whole[:5], "a.txt.xz": []byte("x"), "a.bz2": []byte("x"),
		"unnamed": []byte("\xfd7zXZ\x00\x00"), "gzip.txt": whole, "object.txt": []byte("\n{\"text\": \"a\"}\n{\"text\": \"b\"}\n"),
		"a.json": []byte("[\n1]"), "utf16.txt": []byte("\xff\xfea\x00"), "image.gz": pack(t, "a.gz", "\x00\x01"),
		"sum.gz": append(bytes.Clone(whole[:len(whole)-8]), make([]byte, 8)...),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"plain.gz": "not gzip", "plain.zst": "line 1", "short.gz": "the archive is cut short", "short.zst": "the archive is cut short", "head.gz": "the archive is cut short", "sum.gz": "checksum",
		"bad.jsonl": `line 2: field "text" is 3, want a string`, "array.jsonl": "line 1: want a JSON object",
		"nofield.jsonl": `line 1: the record has no field "text"`, "null.jsonl": "is null, want a string",
		"a.txt.xz": "it is xz", "a.bz2": "it is bzip2", "unnamed": "it is xz", "gzip.txt": "it is gzip, but is not called .gz",
		"object.txt": "it is JSON lines, but is not called .jsonl", "a.json": "it is JSON that is not JSON lines",
		"utf16.txt": "it is binary, or UTF-16", "image.gz": "it is binary",
		"latin.txt.gz": "line 2: byte 1 of the line (byte 6 of the file) is 0xe9", "long.txt": "line 1 is longer than",
	} {
		path := filepath.Join(dir, name)
		if _, err := all(t, path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error that names the file and says %q", name, err, want)
		} else if strings.Contains(err.Error(), "Go value") || strings.Contains(err.Error(), "json.") {
			t.Errorf("%s: %v: of use to programmers alone", name, err)
		}
	}
}

// Documents of one file have bounded size.
func TestReadBoundsDocuments(t *testing.T) {
	line := strings.Repeat("word ", 2000) + "end.\n"
	path := writeCorpus(t, strings.Repeat(line, 2000))
	got, err := all(t, path)
	if err != nil {
		t.Fatal(err)
	}
	sentences := 0
	for _, d := range got {
		size := 0
		for _, s := range d {
			size += len(s)
		}
		if size > 9<<20 {
			t.Errorf("a document has %d bytes", size)
		}
		sentences += len(d)
	}
	if len(got) != 3 || sentences != 2000 {
		t.Errorf("got %d documents of %d sentences, want 3 of 2000", len(got), sentences)
	}
}

const book = `# The Title

## By Somebody

-----

It was cold. Mr. Grey
said "No." Then he left.

> A quotation here.
> It has two lines.

## Second chapter

- an item of a list
- Another item. With two sentences.

` + "```" + `
code := "is no sentence."
` + "```" + `
The end is near.
***
C# is a language.

### C#
`

// What a document is can be chosen; sentences never reach over paragraphs.
func TestReadProse(t *testing.T) {
	first := corpus.Document{"The Title", "By Somebody", "It was cold.", "Mr. Grey said \"No.\"", "Then he left.",
		"A quotation here.", "It has two lines."}
	second := corpus.Document{"Second chapter", "an item of a list", "Another item.", "With two sentences.", "The end is near.",
		"C# is a language."}
	third := corpus.Document{"C#"}
	path := writeCorpus(t, book)
	for division, want := range map[corpus.Division][]corpus.Document{
		corpus.ByFile:      {slices.Concat(first, second, third)},
		corpus.ByHeading:   {first, second, third},
		corpus.ByParagraph: {first[:5], first[5:], second[:2], second[2:4], second[4:5], second[5:], third},
	} {
		o := corpus.DefaultTextOptions()
		o.Format, o.Documents = corpus.Prose, division
		var got []corpus.Document
		for d, err := range corpus.ReadText(o, path) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, d)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("by %s: got\n%q\nwant\n%q", division, got, want)
		}
	}
	for _, o := range []corpus.TextOptions{
		{Format: "words", Documents: corpus.ByFile, TextField: "text"},
		{Format: corpus.Prose, Documents: "line", TextField: "text"},
		{Format: corpus.Lines, Documents: corpus.ByFile},
	} {
		for _, err := range corpus.ReadText(o, path) {
			if err == nil {
				t.Errorf("options %+v: got no error", o)
			}
		}
	}
}

// Only what CommonMark calls a fenced block of code is left out; text after a mark that is never closed stays.
func TestReadFences(t *testing.T) {
	o := corpus.DefaultTextOptions()
	o.Format = corpus.Prose
	for _, c := range []struct{ name, text, want string }{
		{"a.md", "One.\n```go\ncode\n```\nTwo.", "One.|Two."},
		{"a.md", "One.\n````\ncode\n```\ncode\n~~~~\n``` no\n`````\nTwo.", "One.|Two."},
		{"a.md", "One.\n~~~ a `b`\ncode\n```\n~~~\nTwo.", "One.|Two."},
		{"a.md", "```a``` is code.\n\nTwo.", "```a``` is code.|Two."},
		{"a.md", "``\n\nTwo.", "``|Two."},
		{"a.md", "One.\n\n~~~\n\nTwo.\n\n```\ncode\n```\n\nThree.", "One.|Two.|Three."},
		{"a.md", "One.\n```\n\nTwo.\n~~~~\n\nThree.\n~~~\n", "One.|Two.|Three."},
		{"a.txt", "One.\n~~~\nTwo.\n\n~~~\n\nThree.", "One.|Two.|Three."},
		{"a.text.gz", "One.\n\n~~~ \n\nTwo.\n\n```\ncode\n```", "One.|Two."},
		{"a.jsonl", `{"text": "One.\n\n~~~\nTwo."}` + "\n" + `{"text": "~~~\ncode\n~~~\nThree."}`, "One.|Two.|Three."},
		{"a.md", "```\n" + strings.Repeat(strings.Repeat("a ", 500)+"end.\n\n", 9000) + "```\n", strings.TrimSuffix(strings.Repeat(strings.Repeat("a ", 500)+"end.|", 9000), "|")},
	} {
		path := filepath.Join(writeFiles(t, map[string]string{c.name: c.text}), c.name)
		var got []string
		for d, err := range corpus.ReadText(o, path) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, d...)
		}
		if got := strings.Join(got, "|"); got != c.want {
			t.Errorf("%s of %.80q: got %.200q, want %.200q", c.name, c.text, got, c.want)
		}
	}
}
