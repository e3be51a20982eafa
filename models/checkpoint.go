package models

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// WeightsFile is the name of the weights in a checkpoint directory.
const WeightsFile = "model.safetensors"

// ReadCheckpoint loads the configuration and the weights of a checkpoint directory in the Hugging Face layout, of one file
// or of shards, with the names of transformers or of Google's code. Every parameter must be there and nothing else; see
// [ReadModel] for checkpoints of others, and [ReadAs] for another architecture than the checkpoint's.
func ReadCheckpoint(dir string) (*Weights, error) {
	c, err := ReadConfig(dir)
	if err != nil {
		return nil, err
	}
	tensors, path, files, err := openTensors(dir)
	if err != nil {
		return nil, err
	}
	defer files.Close()
	w := NewWeights(c)
	if err := w.set(tensors); err != nil {
		return nil, fmt.Errorf("models: read %s: %w", path, err)
	}
	return w, nil
}

// WriteFiles writes the configuration and the weights of w into an existing directory. It is meant for the temporary
// directory of [WriteDirectory].
func (w *Weights) WriteFiles(dir string) error {
	if err := w.WriteConfig(dir); err != nil {
		return err
	}
	return WriteFile(filepath.Join(dir, WeightsFile), func(out io.Writer) error {
		return WriteSafetensors(out, w.Tensors())
	})
}

// WriteConfig writes the configuration of w into an existing directory.
func (w *Weights) WriteConfig(dir string) error {
	text, err := json.MarshalIndent(w.Config, "", "  ")
	if err != nil {
		return fmt.Errorf("models: write %s: %w", ConfigFile, err)
	}
	return WriteFile(filepath.Join(dir, ConfigFile), func(out io.Writer) error {
		_, err := out.Write(append(text, '\n'))
		return err
	})
}

// WriteDirectory makes dir appear whole or not at all: write fills a temporary directory beside it, whose files are
// synced to the disk before it is renamed. It is an error if dir exists.
func WriteDirectory(dir string, write func(temporary string) error) (err error) {
	dir = filepath.Clean(dir)
	if _, err := os.Lstat(dir); err == nil {
		return fmt.Errorf("models: write %s: it exists already; remove it or choose another name", dir)
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return fmt.Errorf("models: write %s: %w", dir, err)
	}
	temporary, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+".partial-")
	if err != nil {
		return fmt.Errorf("models: write %s: %w", dir, err)
	}
	defer func() {
		if err != nil {
			os.RemoveAll(temporary)
		}
	}()
	if err := os.Chmod(temporary, 0o755); err != nil {
		return fmt.Errorf("models: write %s: %w", dir, err)
	}
	if err := write(temporary); err != nil {
		return err
	}
	if err := syncTree(temporary); err != nil {
		return fmt.Errorf("models: write %s: %w", dir, err)
	}
	if err := os.Rename(temporary, dir); err != nil {
		return fmt.Errorf("models: write %s: %w", dir, err)
	}
	return syncPath(parent)
}

// syncTree syncs every file and directory below dir, and dir.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return syncPath(path)
	})
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
