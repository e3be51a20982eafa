package train

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"goalbert/corpus"
	"goalbert/models"
)

// FindCheckpoint returns the newest checkpoint of a run's directory, every file of it checked, or nil if there is
// none. A damaged one is an error that names the file, and the older checkpoint that is whole.
func FindCheckpoint(run string) (*Checkpoint, error) {
	directories, err := checkpointDirectories(run)
	if err != nil || len(directories) == 0 {
		return nil, err
	}
	newest := directories[len(directories)-1]
	checkpoint, err := readCheckpoint(newest)
	if err == nil {
		return checkpoint, nil
	}
	for _, older := range slices.Backward(directories[:len(directories)-1]) {
		if _, damaged := readCheckpoint(older); damaged == nil {
			return nil, fmt.Errorf("%w; remove %s to resume from %s, which is whole", err, newest, filepath.Base(older))
		}
	}
	return nil, fmt.Errorf("%w; no other checkpoint is whole: start the run again in another directory", err)
}

// readCheckpoint reads the state of a checkpoint and compares every file with its SHA-256.
func readCheckpoint(directory string) (*Checkpoint, error) {
	text, err := os.ReadFile(filepath.Join(directory, stateFile))
	if err != nil {
		return nil, fmt.Errorf("train: resume: %w", err)
	}
	c := &Checkpoint{Directory: directory}
	if err := json.Unmarshal(text, &c.State); err != nil {
		return nil, fmt.Errorf("train: resume: %s is damaged: %w", filepath.Join(directory, stateFile), err)
	}
	if c.State.Options.Precision == "" { // it is older than the option
		c.State.Options.Precision = defaultPrecision
	}
	if want := stepDirectory("", c.State.Step); filepath.Base(directory) != filepath.Base(want) {
		return nil, fmt.Errorf("train: resume: %s is damaged: it is of step %d",
			filepath.Join(directory, stateFile), c.State.Step)
	}
	for _, name := range slices.Sorted(maps.Keys(c.State.Files)) {
		path := filepath.Join(directory, filepath.FromSlash(name))
		got, err := corpus.HashFile(path)
		if err != nil {
			return nil, fmt.Errorf("train: resume: %w", err)
		}
		if want := c.State.Files[name]; got != want {
			return nil, fmt.Errorf("train: resume: %s is damaged: its SHA-256 begins with %.16s, want %.16s", path, got, want)
		}
	}
	return c, nil
}

// ReadWeights reads the weights of c, which must be of a model with that configuration.
func (c *Checkpoint) ReadWeights(config models.Config) (*models.Weights, error) {
	w, err := models.ReadCheckpoint(c.Directory)
	if err != nil {
		return nil, err
	}
	if err := sameTask(config.TaskParams, w.Config.TaskParams); err != nil {
		return nil, err
	}
	return w, sameFields(config, w.Config, "resume with the same configuration or start another run")
}

// sameTask reports the first thing in which a task, its metric and how outputs are decoded differ: scores of one could not
// be compared with those of the other.
func sameTask(now, made models.TaskParams) error {
	if made.Texts == 0 { // it is older than this, or trained on either number
		now.Texts = 0
	}
	name, a, b := corpus.DifferentField(now, made)
	if name == "" { // what only the checkpoint has
		name, b, a = corpus.DifferentField(made, now)
	}
	if name == "" {
		return nil
	}
	return fmt.Errorf("train: resume: %s is %s, the checkpoint was made with %s; %s", name, cmp.Or(a, "not given"),
		cmp.Or(b, "none"), sameOptionsAdvice)
}

// removePartial removes what a crash left half-written or half-removed in a run's directory.
func removePartial(run string) error {
	for _, directory := range []string{run, filepath.Join(run, CheckpointsDirectory)} {
		entries, err := os.ReadDir(directory)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("train: resume: %w", err)
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") && strings.Contains(e.Name(), partialInfix) {
				if err := os.RemoveAll(filepath.Join(directory, e.Name())); err != nil {
					return fmt.Errorf("train: resume: %w", err)
				}
			}
		}
	}
	return nil
}
