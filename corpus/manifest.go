package corpus

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"goalbert/tokenizer"
)

// A directory of shards:
//
//	manifest.json  shard-00000.parquet  shard-00001.parquet ...
//	tokenizer/  the vocabulary that made the ids
const (
	ManifestFile       = "manifest.json"
	TokenizerDirectory = "tokenizer"

	manifestFormat = "goalbert shards 1"
)

// Manifest says what a directory of shards is made of: manifest.json. It is written anew with every shard.
type Manifest struct {
	Format    string         `json:"format"`
	Complete  bool           `json:"complete"`
	Tokenizer string         `json:"tokenizer"` // SHA-256 of its files
	Options   PrepareOptions `json:"options"`
	Counts    Counts         `json:"counts"` // of the shards
	Next      position       `json:"next"`   // where the next shard begins
	Shards    []Shard        `json:"shards"`
	Inputs    []Input        `json:"inputs"`
}

// Shard is a whole file of a directory of shards.
type Shard struct {
	File   string `json:"file"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Input is a file that was read.
type Input struct {
	Path     string    `json:"path"`
	Bytes    int64     `json:"bytes"`
	Modified time.Time `json:"modified"`
}

// Counts say what a corpus has.
type Counts struct {
	Documents       int64     `json:"documents"`
	Sentences       int64     `json:"sentences"`
	Tokens          int64     `json:"tokens"`
	UnknownTokens   int64     `json:"unknown_tokens"`
	Repeated        int64     `json:"repeated_documents"` // left out
	Cut             int64     `json:"cut_documents"`      // ended because they were too long, and go on in the next
	CodeLines       int64     `json:"code_lines"`         // of fenced blocks in prose, left out
	SentenceLengths Histogram `json:"sentence_lengths"`   // in tokens
}

// Histogram counts lengths: the i-th number is of those in [2^i, 2^(i+1)).
type Histogram []int64

func (h *Histogram) add(length int) {
	bin := bits.Len(uint(length)) - 1
	for len(*h) <= bin {
		*h = append(*h, 0)
	}
	(*h)[bin]++
}

// Bins yields the smallest length that each number counts, and the number.
func (h Histogram) Bins() iter.Seq2[int, int64] {
	return func(yield func(int, int64) bool) {
		for i, n := range h {
			if !yield(1<<i, n) {
				return
			}
		}
	}
}

// ReadManifest reads the manifest of a directory of shards, complete or not.
func ReadManifest(directory string) (*Manifest, error) {
	path := filepath.Join(directory, ManifestFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("corpus: read shards: %w", err)
	}
	m := &Manifest{}
	if err := json.Unmarshal(data, m); err != nil {
		if of, another := errors.AsType[*json.UnmarshalTypeError](err); another {
			return nil, fmt.Errorf("corpus: read %s: it is damaged: a %s stands at byte %d (%s), where something else is wanted; "+
				"prepare the corpus anew", path, of.Value, of.Offset, of.Field)
		}
		return nil, fmt.Errorf("corpus: read %s: it is damaged: %w; prepare the corpus anew", path, err)
	}
	if m.Format != manifestFormat {
		return nil, fmt.Errorf("corpus: read %s: its format is %q, want %q; prepare the corpus anew with this program",
			path, m.Format, manifestFormat)
	}
	return m, nil
}

// IsShards says whether path is a directory of shards, of any version, damaged or not: its manifest begins as ours does.
func IsShards(path string) bool {
	f, err := os.Open(filepath.Join(path, ManifestFile))
	if err != nil {
		return false
	}
	defer f.Close()
	const beginning = "{\n  \"format\": \"goalbert shards "
	got := make([]byte, len(beginning))
	_, err = io.ReadFull(f, got)
	return err == nil && string(got) == beginning
}

func (m *Manifest) write(directory string) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("corpus: write %s: %w", ManifestFile, err)
	}
	f, err := createFile(filepath.Join(directory, ManifestFile))
	if err != nil {
		return err
	}
	if _, err := f.Write(append(data, '\n')); err != nil {
		f.abort()
		return fmt.Errorf("corpus: write %s: %w", f.path, err)
	}
	return f.commit()
}

// verify compares the finished shards with their SHA-256.
func (m *Manifest) verify(directory string) error {
	for _, s := range m.Shards {
		path := filepath.Join(directory, s.File)
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("corpus: read shards: %w", err)
		}
		if info.Size() != s.Bytes {
			return fmt.Errorf("corpus: %s is damaged: it has %d bytes, want %d; prepare the corpus anew", path,
				info.Size(), s.Bytes)
		}
		got, err := HashFile(path)
		if err != nil {
			return fmt.Errorf("corpus: read shards: %w", err)
		}
		if got != s.SHA256 {
			return fmt.Errorf("corpus: %s is damaged: its SHA-256 begins with %.16s, want %.16s; prepare the corpus anew",
				path, got, s.SHA256)
		}
	}
	return nil
}

// resumable reports why work that was begun cannot go on with other options, another tokenizer or other inputs. What
// was not read yet may have changed.
func (m *Manifest) resumable(directory string, now *Manifest) error {
	if name, a, b := DifferentField(now.Options, m.Options); name != "" {
		return fmt.Errorf("corpus: prepare %s: %s is %s, it was begun with %s; give the same options or another directory",
			directory, name, a, b)
	}
	if m.Tokenizer != now.Tokenizer {
		return fmt.Errorf("corpus: prepare %s: it was begun with another tokenizer; give %s or another directory",
			directory, filepath.Join(directory, TokenizerDirectory))
	}
	read := m.Next.File
	if m.Next.Documents > 0 {
		read++
	}
	if m.Complete && len(now.Inputs) != len(m.Inputs) || len(now.Inputs) < read {
		return fmt.Errorf("corpus: prepare %s: got %d files, it was begun with %d; give the same ones or another directory",
			directory, len(now.Inputs), len(m.Inputs))
	}
	for i, was := range m.Inputs[:read] {
		if is := now.Inputs[i]; is.Path != was.Path || is.Bytes != was.Bytes || !is.Modified.Equal(was.Modified) {
			return fmt.Errorf("corpus: prepare %s: input %d is %s of %d bytes and %v, it was begun with %s of %d bytes and %v; "+
				"give the same files or another directory", directory, i+1, is.Path, is.Bytes, is.Modified, was.Path, was.Bytes,
				was.Modified)
		}
	}
	return nil
}

// DifferentField returns the first JSON field in which two values of one type differ, and both as JSON; name is empty
// where there is none. A field that only has holds is none.
func DifferentField(asked, has any) (name, a, b string) {
	x, y := jsonFields(asked), jsonFields(has)
	for _, name := range slices.Sorted(maps.Keys(x)) {
		if a, b := string(x[name]), string(y[name]); a != b {
			return name, a, b
		}
	}
	return "", "", ""
}

func jsonFields(v any) map[string]json.RawMessage {
	var fields map[string]json.RawMessage
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &fields)
	}
	if err != nil {
		panic(fmt.Sprintf("corpus: %T has no JSON: %v", v, err))
	}
	return fields
}

// statInputs returns what is known of files before they are read.
func statInputs(files []string) ([]Input, error) {
	inputs := make([]Input, len(files))
	for i, path := range files {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("corpus: read: %w", err)
		}
		inputs[i] = Input{Path: path, Bytes: info.Size(), Modified: info.ModTime().UTC()}
	}
	return inputs, nil
}

// hashTokenizer returns the SHA-256 of the files of a tokenizer.
func hashTokenizer(t tokenizer.Tokenizer) (string, error) {
	directory, err := os.MkdirTemp("", "albert-tokenizer-")
	if err != nil {
		return "", fmt.Errorf("corpus: %w", err)
	}
	defer os.RemoveAll(directory)
	if err := tokenizer.Save(t, directory); err != nil {
		return "", err
	}
	h := sha256.New()
	err = filepath.WalkDir(directory, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n", strings.TrimPrefix(path, directory), len(data))
		h.Write(data)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("corpus: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// saveTokenizer writes the files of a tokenizer below a directory of shards, instead of those that are there.
func saveTokenizer(t tokenizer.Tokenizer, directory string) error {
	path := filepath.Join(directory, TokenizerDirectory)
	if err := cmp.Or(os.RemoveAll(path), os.Mkdir(path, 0o777)); err != nil {
		return fmt.Errorf("corpus: prepare: %w", err)
	}
	return tokenizer.Save(t, path)
}
