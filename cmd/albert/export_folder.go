package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"goalbert/corpus"
	"goalbert/export"
	"goalbert/models"
	"goalbert/onnx"
	"goalbert/tokenizer"
)

// vocabularyFiles are those that decide a folder's tokenizer, in the order in which they are chosen.
var vocabularyFiles = []string{tokenizer.ModelFile, tokenizer.VocabFile, tokenizer.JSONFile}

// checkOut refuses to write an exported file, or its data, in the place of a file of the checkpoint.
func checkOut(checkpoint, out string) error {
	files, err := os.ReadDir(checkpoint)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	for _, f := range files {
		path := filepath.Join(checkpoint, f.Name())
		for _, written := range []string{out, export.DataFile(out)} {
			if sameFile(path, written) && filepath.Base(path) != filepath.Base(written) {
				return fmt.Errorf("export: %s is the checkpoint's %s, which would be overwritten; choose another name", written, path)
			}
		}
	}
	return nil
}

// beside is a file that an exported one needs in its folder.
type beside struct {
	name, source string
	data         []byte // nil where the checkpoint has none
}

// besideOf are those of a checkpoint that is exported as w: the configuration, written anew where the checkpoint's says another
// thing, as it does of another architecture or with the names of Google's code, and the tokenizer's files.
func besideOf(checkpoint string, w *models.Weights) ([]beside, error) {
	var all []beside
	for _, name := range slices.Concat([]string{models.ConfigFile}, vocabularyFiles, []string{tokenizer.ConfigFile}) {
		b := beside{name: name, source: filepath.Join(checkpoint, name)}
		var err error
		if b.data, err = os.ReadFile(b.source); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("export: %w", err)
		}
		all = append(all, b)
	}
	config := &all[0]
	there, err := models.ParseConfig(config.data)
	if err != nil {
		return nil, fmt.Errorf("export: %s: %w", config.source, err)
	}
	if there != w.Config {
		if config.data, err = json.MarshalIndent(w.Config, "", "  "); err != nil {
			return nil, fmt.Errorf("export: %s: %w", models.ConfigFile, err)
		}
		config.data = append(config.data, '\n')
	}
	return all, nil
}

// checkFolder refuses to write what would leave another model of the folder of out with a configuration or a vocabulary that is
// not its own, for there is one of each in a folder, or the exported file itself with a vocabulary that lies there.
func checkFolder(checkpoint, out string, w *models.Weights) error {
	there, err := models.ReadConfig(checkpoint)
	if err != nil {
		return err
	}
	folder := filepath.Dir(out)
	config := filepath.Join(folder, models.ConfigFile)
	if sameFile(filepath.Join(checkpoint, models.ConfigFile), config) {
		if there.Architecture != w.Config.Architecture {
			return fmt.Errorf("export: %s is that of the checkpoint, an %s; choose another folder for the file of an %s",
				config, there.Architecture, w.Config.Architecture)
		}
	}
	if sameFile(checkpoint, folder) {
		return nil
	}
	all, err := besideOf(checkpoint, w)
	if err != nil {
		return err
	}
	other := otherModel(folder, out)
	_, err = tokenizer.Find(folder)
	hasVocabulary := err == nil
	chosen := slices.IndexFunc(vocabularyFiles, func(name string) bool {
		return slices.ContainsFunc(all, func(b beside) bool { return b.name == name && b.data != nil })
	})
	for _, b := range all {
		path := filepath.Join(folder, b.name)
		data, err := os.ReadFile(path)
		missing := errors.Is(err, fs.ErrNotExist)
		if err != nil && !missing {
			return fmt.Errorf("export: %w", err)
		}
		rank := slices.Index(vocabularyFiles, b.name)
		switch {
		case !missing && b.data == nil && (chosen < 0 || rank < chosen): // a file behind the chosen one is not read
			return fmt.Errorf("export: %s is not of the checkpoint %s, and would be taken for its own; choose another folder, or remove it", path, checkpoint)
		case sameFile(b.source, path), other == "" || b.data == nil || missing && (b.name == models.ConfigFile || !hasVocabulary) || !missing && b.holds(data):
			continue
		case missing:
			return fmt.Errorf("export: %s has no %s, and would be read with that of %s; choose another folder, as %s",
				other, b.name, checkpoint, filepath.Join(folder, "NAME", filepath.Base(out)))
		}
		return fmt.Errorf("export: %s is that of %s too, and %s has another; choose another folder, as %s",
			path, other, checkpoint, filepath.Join(folder, "NAME", filepath.Base(out)))
	}
	return nil
}

// holds reports whether data, that lie there already, say the same.
func (b beside) holds(data []byte) bool {
	if bytes.Equal(data, b.data) {
		return true
	}
	if b.name != models.ConfigFile {
		return false
	}
	there, err := models.ParseConfig(data)
	if err != nil {
		return false
	}
	written, err := models.ParseConfig(b.data)
	return err == nil && there == written
}

// otherModel returns a model of the folder other than the file out: another .onnx file, or weights; empty without one.
func otherModel(folder, out string) string {
	files, err := os.ReadDir(folder)
	if err != nil {
		return "" // the folder is not there yet
	}
	for _, f := range files {
		isModel := filepath.Ext(f.Name()) == ".onnx" || f.Name() == models.WeightsFile || f.Name() == models.IndexFile
		if path := filepath.Join(folder, f.Name()); isModel && !sameFile(path, out) {
			return path
		}
	}
	return ""
}

// completeFolder puts what a file needs to be used into its folder, and returns the names of what it wrote.
func completeFolder(checkpoint, folder string, w *models.Weights) ([]string, error) {
	all, err := besideOf(checkpoint, w)
	if err != nil {
		return nil, err
	}
	written := []string{}
	for _, b := range all {
		to := filepath.Join(folder, b.name)
		if b.data == nil || sameFile(b.source, to) {
			continue
		}
		err := models.WriteFile(to, func(w io.Writer) error {
			_, err := w.Write(b.data)
			return err
		})
		if err != nil {
			return nil, err
		}
		written = append(written, b.name)
	}
	return written, nil
}

// vocabularySum returns the SHA-256 of a folder's vocabulary, the file that decides its tokenizer; empty without one.
func vocabularySum(folder string) (string, error) {
	path, err := tokenizer.Find(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return corpus.HashFile(path)
}

// checkVocabulary refuses an .onnx file beside which lies another vocabulary than that of its checkpoint: its pieces would have
// other numbers, and every answer would be wrong. A file that names none is not ours.
func checkVocabulary(file string) error {
	m, err := onnx.ReadGraph(file)
	if m == nil {
		return err
	}
	want := m.Metadata(export.VocabularySHA256Key)
	if want == "" {
		return nil
	}
	path, err := tokenizer.Find(filepath.Dir(file))
	if err != nil {
		return fmt.Errorf("open model: %w", err)
	}
	sum, err := corpus.HashFile(path)
	if err != nil {
		return fmt.Errorf("open model: %w", err)
	}
	if sum != want {
		return fmt.Errorf("open model: %s was exported with another vocabulary than %s (SHA-256 %.12s..., want %.12s...); export the checkpoint again, into a folder of its own",
			file, path, sum, want)
	}
	return nil
}
