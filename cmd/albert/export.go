package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"goalbert/export"
	"goalbert/models"
	"goalbert/tokenizer"
)

func newExport() *cobra.Command {
	c := &cobra.Command{
		Use:   "export CHECKPOINT --out MODEL.onnx",
		Short: "Write a checkpoint as one ONNX file, with its configuration and vocabulary beside it",
		Args:  arguments(cobra.ExactArgs(1)),
	}
	asJSON := jsonFlag(c)
	out := c.Flags().String("out", "", "the .onnx file to be written; it replaces one that is there")
	c.MarkFlagRequired("out")
	c.RunE = func(c *cobra.Command, args []string) error {
		w, err := models.ReadCheckpoint(args[0])
		if err != nil {
			return err
		}
		result, err := exportWith(args[0], *out, w)
		if err != nil {
			return err
		}
		return show(c, *asJSON, result, func(w io.Writer) {
			fmt.Fprintf(w, "%s: %s bytes for %s parameters\n", result.File, counted(result.Bytes), counted(result.Parameters))
		})
	}
	return c
}

// exported says what an export wrote.
type exported struct {
	File       string   `json:"file"`
	Bytes      int64    `json:"bytes"`
	Parameters int      `json:"parameters"`
	Beside     []string `json:"beside"` // files that make the folder complete
}

// exportWith writes w to the file out, and beside it what else of the checkpoint is needed to use it.
func exportWith(checkpoint, out string, w *models.Weights) (*exported, error) {
	if err := os.MkdirAll(filepath.Dir(out), 0o777); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	vocabulary, err := fileSum(filepath.Join(checkpoint, tokenizer.ModelFile))
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	if err := export.Write(out, w, export.Options{Version: version, VocabularySHA256: vocabulary}); err != nil {
		return nil, err
	}
	info, err := os.Stat(out)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	result := &exported{File: out, Bytes: info.Size(), Parameters: w.Parameters.Size, Beside: []string{}}
	for _, name := range []string{models.ConfigFile, tokenizer.ModelFile, tokenizer.ConfigFile} {
		copied, err := copyFile(filepath.Join(checkpoint, name), filepath.Join(filepath.Dir(out), name))
		if err != nil {
			return nil, err
		}
		if copied {
			result.Beside = append(result.Beside, name)
		}
	}
	return result, nil
}

// fileSum returns the SHA-256 of a file, empty if there is none.
func fileSum(path string) (string, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), err
}

// copyFile copies a file that is there, unless to is the same one.
func copyFile(from, to string) (bool, error) {
	data, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("export: %w", err)
	}
	if a, b := stat(from), stat(to); a != nil && b != nil && os.SameFile(a, b) {
		return false, nil
	}
	return true, models.WriteFile(to, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

func stat(path string) os.FileInfo {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	return info
}
