package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"goalbert/export"
	"goalbert/models"
	"goalbert/tasks"
	"goalbert/tokenizer"
)

func newExport() *cobra.Command {
	c := &cobra.Command{
		Use:   "export CHECKPOINT --out MODEL.onnx",
		Short: "Write a checkpoint as one ONNX file, with its configuration and vocabulary beside it",
		Long: "Write a checkpoint as one ONNX file, with its configuration and vocabulary beside it.\n\n" +
			"A file larger than protobuf allows, or one for an engine that maps weights into memory, has a second one with\n" +
			"the weights' data beside it: MODEL.onnx.data, which is to be moved with it. An export replaces MODEL.onnx and\n" +
			"removes a MODEL.onnx.data that it does not write.\n\n" +
			"Precision int8 rounds activations too, and a matrix that cannot bear it can spoil every answer. With --calibrate or\n" +
			"--max-drop the file is compared with fp32 in ONNX Runtime: one half of the data says which matrices stay float32,\n" +
			"and the score on the other half must not be more than --max-drop points below that of fp32, with 95 % confidence.\n" +
			"Otherwise nothing is written and the exit code is 1.",
		Args: arguments(cobra.ExactArgs(1)),
	}
	asJSON := jsonFlag(c)
	out := c.Flags().String("out", "", "the .onnx file to be written; it replaces one that is there")
	embedding := c.Flags().Bool("sentence-embedding", false, "of task feature-extraction: the mean of the hidden states, normalized, as one more output")
	form := c.Flags().String("layers", string(export.Unrolled), "how the layers are written down: unrolled, loop (a Loop over the shared layer) or function (called by each use)")
	number := c.Flags().String("precision", string(export.FP32), "of weights and products: fp32, fp16, int8 (activations are rounded in the run; layers unrolled or loop; for the CPU) or int4 (weights alone; layers unrolled; for ONNX Runtime); inputs are int64 and outputs float32 in all")
	fuse := c.Flags().String("fuse", "", "ort: attention, residuals with their norms and gelu are ONNX Runtime's own operators, one kernel each on a GPU; of precision fp32 and fp16, layers unrolled")
	target := c.Flags().String("target", "", "of precision int8: vnni, for processors that have it (albert doctor says so), which allows weights of eight bits; otherwise they have seven, which no processor adds wrong")
	keep := c.Flags().StringSlice("keep", nil, "of precision int8 and int4: matrices that stay float32, by their names in the checkpoint")
	external := c.Flags().Bool("external-data", false, "put the data of the weights into a second file, MODEL.onnx.data")
	threshold := c.Flags().Int64("external-threshold", export.DefaultExternalThreshold, "bytes of weights from which on --external-data is set in any case")
	calibration := bindCalibration(c)
	c.MarkFlagRequired("out")
	c.RunE = func(c *cobra.Command, args []string) error {
		layers, err := export.ParseLayers(*form)
		if err != nil {
			return usagef("%v", err)
		}
		precision, err := export.ParsePrecision(*number)
		if err != nil {
			return usagef("%v", err)
		}
		o := export.Options{Layers: layers, Precision: precision, Fuse: export.Fuse(*fuse), Embedding: *embedding, Target: export.Target(*target), Keep: *keep,
			External: export.External{Always: *external, Threshold: *threshold}}
		if err := o.Check(); err != nil {
			return usagef("%v", err)
		}
		if *threshold < 1 {
			return usagef("external-threshold is %d, want 1 or more bytes", *threshold)
		}
		if err := calibration.check(o); err != nil {
			return err
		}
		architecture, err := architectureOf(calibration.name, calibration.asked())
		if err != nil {
			return err
		}
		checkpoint, err := findDirectory(c, args[0])
		if err != nil {
			return err
		}
		w, err := readModel(c, checkpoint, architecture)
		if err != nil {
			return err
		}
		var found *calibrated
		if calibration.asked() {
			if err := checkFolder(checkpoint, filepath.Dir(*out), w); err != nil {
				return err
			}
			if found, err = calibration.run(checkpoint, w, &o); err != nil {
				return err
			}
			if err := found.refusal(); err != nil && (found.NothingIn || !calibration.anyway) {
				return cmp.Or(show(c, *asJSON, found, found.write), err)
			}
		}
		result, err := exportWith(checkpoint, *out, w, o)
		if err != nil {
			return err
		}
		result.Calibration = found
		return show(c, *asJSON, result, func(w io.Writer) {
			if found != nil {
				found.write(w)
			}
			files := result.File
			if result.Data != "" {
				files += " and " + result.Data
			}
			fmt.Fprintf(w, "%s: %s, %s bytes for %s parameters\n", files, result.Task, counted(result.Bytes), counted(result.Parameters))
		})
	}
	return c
}

// exported says what an export wrote.
type exported struct {
	File       string      `json:"file"`
	Task       models.Task `json:"task"`
	Data       string      `json:"data,omitempty"` // the second file, with the weights' data, where there is one
	Bytes      int64       `json:"bytes"`          // of both
	Parameters int         `json:"parameters"`
	Beside     []string    `json:"beside"` // files that make the folder complete

	Calibration *calibrated `json:"calibration,omitempty"`
}

// architectureOf returns the architecture of a task, which is a file's, or where a calibration is asked for one that examples
// are read by; empty is the checkpoint's own.
func architectureOf(name string, calibrated bool) (models.Architecture, error) {
	if name == "" || calibrated && slices.Contains(tasks.Names(), name) {
		return "", nil
	}
	architecture, err := models.ParseTask(name)
	if err != nil {
		return "", usagef("%v", err)
	}
	return architecture, nil
}

// exportWith writes w to the file out, and beside it what else of the checkpoint is needed to use it.
func exportWith(checkpoint, out string, w *models.Weights, o export.Options) (*exported, error) {
	if err := os.MkdirAll(filepath.Dir(out), 0o777); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	vocabulary, err := vocabularySum(checkpoint)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	if err := checkFolder(checkpoint, filepath.Dir(out), w); err != nil {
		return nil, err
	}
	o.Version, o.VocabularySHA256 = version, vocabulary
	if err := export.Write(out, w, o); err != nil {
		return nil, err
	}
	info, err := os.Stat(out)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	result := &exported{File: out, Task: w.Config.Architecture.Task(), Bytes: info.Size(), Parameters: w.Parameters.Size}
	if data := stat(export.DataFile(out)); data != nil {
		result.Data, result.Bytes = export.DataFile(out), result.Bytes+data.Size()
	}
	if result.Beside, err = completeFolder(checkpoint, filepath.Dir(out), w); err != nil {
		return nil, err
	}
	return result, nil
}

// checkFolder refuses to write into the checkpoint what is no longer the checkpoint's architecture: there is one
// configuration in a folder.
func checkFolder(checkpoint, folder string, w *models.Weights) error {
	there, err := models.ReadConfig(checkpoint)
	if err != nil {
		return err
	}
	config := filepath.Join(folder, models.ConfigFile)
	if there.Architecture != w.Config.Architecture && sameFile(filepath.Join(checkpoint, models.ConfigFile), config) {
		return fmt.Errorf("export: %s is that of the checkpoint, an %s; choose another folder for the file of an %s",
			config, there.Architecture, w.Config.Architecture)
	}
	return nil
}

// completeFolder puts what a file needs to be used into its folder: the configuration, which is written anew where the
// checkpoint's says another thing, as it does of another architecture or with the names of Google's code, and the tokenizer.
func completeFolder(checkpoint, folder string, w *models.Weights) ([]string, error) {
	beside := []string{}
	config := filepath.Join(checkpoint, models.ConfigFile)
	text, err := os.ReadFile(config)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	there, err := models.ParseConfig(text)
	if err != nil {
		return nil, fmt.Errorf("export: %s: %w", config, err)
	}
	if there != w.Config && !sameFile(config, filepath.Join(folder, models.ConfigFile)) {
		if err := w.WriteConfig(folder); err != nil {
			return nil, err
		}
		beside = append(beside, models.ConfigFile)
	}
	for _, name := range []string{models.ConfigFile, tokenizer.ModelFile, tokenizer.VocabFile, tokenizer.JSONFile, tokenizer.ConfigFile} {
		if slices.Contains(beside, name) {
			continue
		}
		copied, err := copyFile(filepath.Join(checkpoint, name), filepath.Join(folder, name))
		if err != nil {
			return nil, err
		}
		if copied {
			beside = append(beside, name)
		}
	}
	return beside, nil
}

// vocabularySum returns the SHA-256 of the checkpoint's vocabulary, the file that decides its tokenizer; empty without one.
func vocabularySum(checkpoint string) (string, error) {
	path, err := tokenizer.Find(checkpoint)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(path)
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
	if sameFile(from, to) {
		return false, nil
	}
	return true, models.WriteFile(to, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

func sameFile(a, b string) bool {
	x, y := stat(a), stat(b)
	return x != nil && y != nil && os.SameFile(x, y)
}

func stat(path string) os.FileInfo {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	return info
}
