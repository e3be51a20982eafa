package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"goalbert/corpus"
	"goalbert/models"
	"goalbert/tasks"
)

// The directory of a run:
//
//	metrics.jsonl  curves.png
//	checkpoints/step-00000200/
//	        config.json  model.safetensors  and the tokenizer's files
//	        trainer/state.json  trainer/optimizer.safetensors
//	model/  the weights after the last step, in the same layout, without trainer/
//
// A checkpoint is written under another name and renamed when it is whole and on the disk.
const (
	CheckpointsDirectory = models.RunCheckpoints
	ModelDirectory       = models.RunModel
	CurvesFile           = "curves.png"

	stateFile     = "trainer/state.json"
	optimizerFile = "trainer/optimizer.safetensors"

	stepPrefix    = "step-"
	partialInfix  = ".partial-" // as models.WriteDirectory and models.WriteFile name what is not whole
	removedSuffix = partialInfix + "removed"
)

// State is what a checkpoint knows besides weights and optimizer: trainer/state.json.
type State struct {
	Step      int               `json:"step"`
	Steps     int               `json:"steps"` // of the whole run
	Position  Position          `json:"position"`
	Tokens    int64             `json:"tokens"`
	Seconds   float64           `json:"seconds"`
	Options   Options           `json:"options,omitzero"`   // of a pre-training
	Data      string            `json:"data"`               // fingerprint of the documents or features
	DevData   string            `json:"dev_data,omitempty"` // the same of what a fine-tuning computes scores on
	KernelSet string            `json:"kernel_set"`
	HeldOut   *Scores           `json:"held_out,omitempty"` // at this step, where it was evaluated
	Dev       tasks.Scores      `json:"dev,omitempty"`      // the same of a fine-tuning
	Best      *Best             `json:"best,omitempty"`     // among the checkpoints up to this one
	Files     map[string]string `json:"files"`              // SHA-256 by path, of all but this one

	Finetuning *FinetuneOptions `json:"finetuning,omitempty"` // of a fine-tuning
	SinceBest  int              `json:"since_best,omitempty"` // evaluations of a fine-tuning since the best one
	BestDev    tasks.Scores     `json:"best_dev,omitempty"`   // scores of the best one
}

// evaluated reports whether the model of this step was.
func (s *State) evaluated() bool { return s.HeldOut != nil || s.Dev != nil }

// Best names the checkpoint with the lowest held-out masked-LM loss, or the best score of a fine-tuning's own metric.
type Best struct {
	Step         int         `json:"step"`
	MaskedLMLoss float64     `json:"masked_lm_loss,omitzero"`
	Score        tasks.Score `json:"score,omitzero"`
}

// Checkpoint is a whole checkpoint on the disk.
type Checkpoint struct {
	Directory string
	State     State
}

func stepDirectory(run string, step int) string {
	return filepath.Join(run, CheckpointsDirectory, fmt.Sprintf("%s%08d", stepPrefix, step))
}

// writeCheckpoint writes engine and tokenizer, and s with the files' SHA-256, as the checkpoint of s.Step.
func writeCheckpoint(run string, e Engine, tokenizer func(string) error, s State) error {
	return models.WriteDirectory(stepDirectory(run, s.Step), func(directory string) error {
		if err := writeModel(directory, e.Weights(), tokenizer); err != nil {
			return err
		}
		if err := os.Mkdir(filepath.Join(directory, "trainer"), 0o777); err != nil {
			return fmt.Errorf("train: write checkpoint: %w", err)
		}
		if err := models.WriteFile(filepath.Join(directory, optimizerFile), e.SaveOptimizer); err != nil {
			return err
		}
		var err error
		if s.Files, err = hashFiles(directory); err != nil {
			return fmt.Errorf("train: write checkpoint: %w", err)
		}
		text, err := json.MarshalIndent(s, "", "  ")
		if err != nil {
			return fmt.Errorf("train: write %s: %w", stateFile, err)
		}
		return models.WriteFile(filepath.Join(directory, stateFile), func(w io.Writer) error {
			_, err := w.Write(append(text, '\n'))
			return err
		})
	})
}

// writeModel writes what other programs load: configuration, weights, tokenizer.
func writeModel(directory string, w *models.Weights, tokenizer func(string) error) error {
	if err := w.WriteFiles(directory); err != nil {
		return err
	}
	return tokenizer(directory)
}

// hashFiles returns the SHA-256 of every file below directory.
func hashFiles(directory string) (map[string]string, error) {
	hashes := map[string]string{}
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(directory, path)
		if err != nil {
			return err
		}
		hashes[filepath.ToSlash(name)], err = corpus.HashFile(path)
		return err
	})
	return hashes, err
}

// removeCheckpoints removes those that are neither among the last keep nor the best. A crash in the middle leaves a
// name that is no checkpoint's.
func removeCheckpoints(run string, keep int, best *Best) error {
	directories, err := checkpointDirectories(run)
	if err != nil {
		return err
	}
	for _, directory := range directories[:max(0, len(directories)-keep)] {
		if best != nil && directory == stepDirectory(run, best.Step) {
			continue
		}
		removed := filepath.Join(filepath.Dir(directory), "."+filepath.Base(directory)+removedSuffix)
		if err := errors.Join(os.Rename(directory, removed), os.RemoveAll(removed)); err != nil {
			return fmt.Errorf("train: remove an old checkpoint: %w", err)
		}
	}
	return nil
}

// checkpointDirectories returns the checkpoints of a run, oldest first. There are none if there is no run.
func checkpointDirectories(run string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(run, CheckpointsDirectory))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("train: read checkpoints: %w", err)
	}
	var directories []string
	for _, e := range entries { // sorted, and steps have leading zeros
		if e.IsDir() && strings.HasPrefix(e.Name(), stepPrefix) {
			directories = append(directories, filepath.Join(run, CheckpointsDirectory, e.Name()))
		}
	}
	return directories, nil
}
