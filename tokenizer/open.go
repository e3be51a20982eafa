package tokenizer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// files are the names of vocabularies in a checkpoint directory. Where there are several the first is used: the weights
// of a model with a spiece.model were trained with that, and a tokenizer.json is made from the others.
var files = []string{ModelFile, VocabFile, JSONFile}

// Find returns the file that the tokenizer of a checkpoint directory is read from.
func Find(dir string) (path string, err error) {
	for _, name := range files {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("tokenizer: open %s: %w", dir, err)
		}
	}
	return "", fmt.Errorf("tokenizer: open %s: no vocabulary there, looked for %s; "+
		"train one with \"albert tokenizer train\" or copy the model's own: %w",
		dir, strings.Join(files, ", "), fs.ErrNotExist)
}

// Open reads the tokenizer of a checkpoint directory.
func Open(dir string) (Tokenizer, error) {
	path, err := Find(dir)
	if err != nil {
		return nil, err
	}
	return OpenFile(path)
}

// OpenFile reads the tokenizer of one file, by the end of its name: .txt is WordPiece, .json the library tokenizers',
// anything else SentencePiece.
func OpenFile(path string) (Tokenizer, error) {
	switch filepath.Ext(path) {
	case ".txt":
		return opened(OpenBert(path))
	case ".json":
		return opened(OpenPipeline(path))
	}
	return opened(OpenAlbert(path))
}

// opened makes no tokenizer of a failure.
func opened[T Tokenizer](t T, err error) (Tokenizer, error) {
	if err != nil {
		return nil, err
	}
	return t, nil
}
