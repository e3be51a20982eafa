package corpus_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"goalbert/corpus"
)

func writeCorpus(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "corpus.txt")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// all collects documents up to the first error.
func all(t *testing.T, paths ...string) ([]corpus.Document, error) {
	t.Helper()
	var documents []corpus.Document
	for d, err := range corpus.Read(paths...) {
		if err != nil {
			return documents, err
		}
		documents = append(documents, d)
	}
	return documents, nil
}

func TestRead(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []corpus.Document
	}{
		"documents":                     {"a\nb\n\nc\n", []corpus.Document{{"a", "b"}, {"c"}}},
		"no line break at the end":      {"a\n\nb", []corpus.Document{{"a"}, {"b"}}},
		"several blank lines":           {"\n\na\n \t\n\n\nb\n\n", []corpus.Document{{"a"}, {"b"}}},
		"Windows line ends and a mark":  {"\ufeffa\r\n\r\nb\r\n", []corpus.Document{{"a"}, {"b"}}},
		"white space around sentences":  {"  a b \n", []corpus.Document{{"a b"}}},
		"U+FFFD is UTF-8":               {"a\ufffd\n", []corpus.Document{{"a\ufffd"}}},
		"an empty file":                 {"", nil},
		"a line longer than the buffer": {strings.Repeat("x", 1<<18), []corpus.Document{{strings.Repeat("x", 1<<18)}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := all(t, writeCorpus(t, test.text))
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %q, %v, want %q", got, err, test.want)
			}
		})
	}
	both, err := all(t, writeCorpus(t, "a\n"), writeCorpus(t, "b\n"))
	if want := []corpus.Document{{"a"}, {"b"}}; err != nil || !reflect.DeepEqual(both, want) {
		t.Errorf("two files: got %q, %v, want %q", both, err, want)
	}
}

func TestReadMisuse(t *testing.T) {
	path := writeCorpus(t, "fine\nbad \xff byte\n")
	if _, err := all(t, path); err == nil || !strings.Contains(err.Error(), path) ||
		!strings.Contains(err.Error(), "line 2: byte 5 of the line (byte 10 of the file) is 0xff") {
		t.Errorf("a line that is not UTF-8: got %v, want an error naming file, line and byte", err)
	}
	if _, err := all(t, filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: got %v, want fs.ErrNotExist", err)
	}
	if _, err := all(t, t.TempDir()); err == nil {
		t.Error("a directory: got no error")
	}
	if _, err := all(t); err == nil {
		t.Error("no files: got no error")
	}
}

// Stopping early ends the reading.
func TestReadStops(t *testing.T) {
	n := 0
	for range corpus.Read(writeCorpus(t, "a\n\nb\n\nc\n")) {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("got %d documents before stopping, want 2", n)
	}
}

// What WriteText writes, Read reads.
func TestWriteTextRoundTrip(t *testing.T) {
	documents := []corpus.Document{{"a b", "c"}, {"  ", ""}, {"line\nbreak"}, {}, {"d"}}
	want := []corpus.Document{{"a b", "c"}, {"line break"}, {"d"}}
	var b strings.Builder
	if err := corpus.WriteText(&b, withoutErrors(documents)); err != nil {
		t.Fatal(err)
	}
	if text := "a b\nc\n\nline break\n\nd\n"; b.String() != text {
		t.Errorf("wrote %q, want %q", b.String(), text)
	}
	got, err := all(t, writeCorpus(t, b.String()))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestWriteTextErrors(t *testing.T) {
	if err := corpus.WriteText(fullDisk{}, withoutErrors([]corpus.Document{{"a"}})); !errors.Is(err, errFull) {
		t.Errorf("a full disk: got %v, want %v", err, errFull)
	}
	if err := corpus.WriteText(&strings.Builder{}, corpus.Read("/does/not/exist")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an error of the source: got %v, want fs.ErrNotExist", err)
	}
}

var errFull = errors.New("no space left on device")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func withoutErrors(documents []corpus.Document) func(yield func(corpus.Document, error) bool) {
	return func(yield func(corpus.Document, error) bool) {
		for d := range slices.Values(documents) {
			if !yield(d, nil) {
				return
			}
		}
	}
}
