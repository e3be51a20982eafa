package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"goalbert/export"
	"goalbert/models"
	"goalbert/tasks"
)

func newExport() *cobra.Command {
	c := &cobra.Command{
		Use:   "export CHECKPOINT --out MODEL.onnx",
		Short: "Write a checkpoint as one ONNX file, with its configuration and vocabulary beside it",
		Long: "Write a checkpoint as one ONNX file, with its configuration and vocabulary beside it.\n\n" +
			"A file larger than protobuf allows, or one for an engine that maps weights into memory, has a second one with\n" +
			"the weights' data beside it: MODEL.onnx.data, which is to be moved with it. An export replaces MODEL.onnx and\n" +
			"removes a MODEL.onnx.data that it does not write. Files of one folder share its configuration and vocabulary: an\n" +
			"export that would give another file there other ones is refused.\n\n" +
			"Precision int8 rounds activations too, and a matrix that cannot bear it can spoil every answer. With\n" +
			"--calibrate the file is compared with fp32 in ONNX Runtime: one half of the data says which matrices stay float32,\n" +
			"and the score on the other half must not be more than --max-drop points below that of fp32, with 95 % confidence.\n" +
			"Otherwise nothing is written and the exit code is 1. --max-drop without --calibrate measures the agreement with\n" +
			"fp32 on random pieces of the vocabulary. With neither nothing is measured, which a note and the metadata say.",
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
		if filepath.Ext(*out) != ".onnx" {
			return usagef("out is %q, want the name of an .onnx file", *out)
		}
		checkpoint, err := findDirectory(c, args[0])
		if err != nil {
			return err
		}
		if err := checkOut(checkpoint, *out); err != nil {
			return err
		}
		w, err := readModel(c, checkpoint, architecture)
		if err != nil {
			return err
		}
		if err := checkFolder(checkpoint, *out, w); err != nil {
			return err
		}
		found, err := calibration.runIfAsked(checkpoint, w, &o)
		if err != nil {
			return err
		}
		if found != nil {
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
