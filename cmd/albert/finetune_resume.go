package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"goalbert/models"
)

// flagsFile is the file of a run that has the flags it was started with, so that it can be resumed without them.
const flagsFile = "finetune.json"

// notSaved lists flags that are of one call of the program alone.
var notSaved = []string{"resume", "json", "out", "threads", "recompute"}

// saveFlags writes the flags that are given into the directory of a run.
func saveFlags(f *pflag.FlagSet, directory string) error {
	given := map[string][]string{}
	f.VisitAll(func(flag *pflag.Flag) {
		if !flag.Changed || slices.Contains(notSaved, flag.Name) {
			return
		}
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			given[flag.Name] = list.GetSlice()
		} else {
			given[flag.Name] = []string{flag.Value.String()}
		}
	})
	text, err := json.MarshalIndent(given, "", "  ")
	if err != nil {
		return fmt.Errorf("finetune: write %s: %w", flagsFile, err)
	}
	return models.WriteFile(filepath.Join(directory, flagsFile), func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

// restoreFlags sets the flags that a run was started with, but for those that are given now.
func restoreFlags(f *pflag.FlagSet, directory string) error {
	path := filepath.Join(directory, flagsFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("finetune: %s holds no run of albert finetune: there is no %s; give the --out of one, "+
			"or leave --resume out", directory, flagsFile)
	}
	if err != nil {
		return fmt.Errorf("finetune: %w", err)
	}
	var given map[string][]string
	if err := json.Unmarshal(text, &given); err != nil {
		return fmt.Errorf("finetune: read %s: %w; start the run again in a new directory", path, err)
	}
	for name, values := range given {
		flag := f.Lookup(name)
		if flag == nil {
			return fmt.Errorf("finetune: read %s: there is no flag --%s in this version; remove it from the file", path, name)
		}
		if flag.Changed {
			continue
		}
		for _, value := range values {
			if list, ok := flag.Value.(pflag.SliceValue); ok {
				err = list.Append(value)
			} else {
				err = f.Set(name, value)
			}
			if err != nil {
				return fmt.Errorf("finetune: read %s: --%s: %w", path, name, err)
			}
		}
		flag.Changed = true
	}
	return nil
}
