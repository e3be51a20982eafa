package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"goalbert/corpus"
	"goalbert/export"
	"goalbert/models"
	"goalbert/onnx"
	"goalbert/parity"
	"goalbert/runtime/native"
	"goalbert/tokenizer"
)

// specimens are sentences of different lengths, from one word on.
var specimens = []string{
	"Yes.",
	"The weather changed overnight.",
	"She opened the window, looked at the harbour, and counted the boats that had come in.",
	"A function that returns an error should return a value as well, unless the error makes every value meaningless.",
	"Between the station and the old mill the road follows the river for about two miles; it is narrow there, often " +
		"wet, and after heavy rain the carts that carry flour to the market have to wait until the water has gone down.",
}

// sequenceCount is how many sentences of a text are compared.
const sequenceCount = 16

func newParity() *cobra.Command {
	c := &cobra.Command{
		Use:   "parity CHECKPOINT [MODEL.onnx...]",
		Short: "The proof that exported files compute what the checkpoint does: exit code 1 on any mismatch",
		Long: "The proof that exported files compute what the checkpoint does: first every initializer of each file and its\n" +
			"graph, then the outputs of each engine against the native model, on attended positions, for sentences of\n" +
			"different lengths, alone and padded. Without a file the checkpoint is exported for the comparison.",
		Args: arguments(cobra.MinimumNArgs(1)),
	}
	asJSON := jsonFlag(c)
	engine := engineFlags(c, "engines to be compared with native: onnxruntime, onnx-go, or both", onnxRuntime, onnxGo)
	text := c.Flags().String("text", "", "file of sentences to compare with; a few of our own if empty")
	file := c.Flags().String("report", "", "file that gets the report as JSON too")
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := engine.check(); err != nil {
			return err
		}
		w, err := models.ReadCheckpoint(args[0])
		if err != nil {
			return err
		}
		sequences, err := specimenSequences(args[0], w.Config, *text)
		if err != nil {
			return err
		}
		files, cleanUp, err := filesToCompare(args[1:], w)
		if err != nil {
			return err
		}
		defer cleanUp()
		batches := parity.Batches(sequences, w.Config.PadTokenID)
		report := parity.NewReport(args[0], nativeEngine, batches)
		for _, path := range files {
			if err := engine.compare(c, report, w, path, batches); err != nil {
				return err
			}
		}
		if *file != "" {
			err := models.WriteFile(*file, func(w io.Writer) error { return json.NewEncoder(w).Encode(report) })
			if err != nil {
				return err
			}
		}
		if err := show(c, *asJSON, report, func(w io.Writer) { report.WriteText(w) }); err != nil {
			return err
		}
		if !report.OK() {
			return errors.New("parity: the files do not compute what the checkpoint does")
		}
		return nil
	}
	return c
}

// compare adds the findings of one file to the report, compared with the checkpoint as what the file says that it is.
// A file that differs is not run: it would only differ again.
func (o *engineOptions) compare(c *cobra.Command, report *parity.Report, w *models.Weights, path string, batches []parity.Batch) error {
	m, err := onnx.ReadFile(path)
	if err != nil {
		return err
	}
	if a := models.Architecture(m.Metadata(export.ArchitectureKey)); a != "" && a != w.Config.Architecture {
		if w, err = w.As(a); err != nil {
			return fmt.Errorf("parity: %s: %w", path, err)
		}
	}
	findings, err := parity.File(path, m, w)
	if err != nil {
		return err
	}
	report.Findings = append(report.Findings, findings...)
	if !report.OK() {
		return nil
	}
	fitting := make([]parity.Batch, len(batches))
	for i, b := range batches {
		fitting[i] = b.ForArchitecture(w.Config.Architecture)
	}
	reference := native.New(w, threadCount(o.threads))
	report.Widen(parity.ToleranceOf(m))
	for _, name := range o.engines {
		if name == nativeEngine {
			return usagef("native is what the others are compared with; name onnxruntime, onnx-go, or both")
		}
		session, err := o.open(name, path)
		if err != nil {
			return err
		}
		defer session.Close()
		if findings, err = parity.Outputs(c.Context(), reference, session, fitting, parity.ToleranceOf(m)); err != nil {
			return err
		}
		report.Findings = append(report.Findings, findings...)
	}
	return nil
}

// filesToCompare returns the files that were given, or a fresh export.
func filesToCompare(files []string, w *models.Weights) (paths []string, cleanUp func(), err error) {
	if len(files) > 0 {
		return files, func() {}, nil
	}
	dir, err := os.MkdirTemp("", "albert-")
	if err != nil {
		return nil, nil, err
	}
	path := filepath.Join(dir, "model.onnx")
	if err := export.Write(path, w, export.Options{Version: version}); err != nil {
		os.RemoveAll(dir)
		return nil, nil, err
	}
	return []string{path}, func() { os.RemoveAll(dir) }, nil
}

// specimenSequences returns sentences as the model's inputs, cut to what it takes. Without a vocabulary in the
// checkpoint they are random ids of many lengths.
func specimenSequences(checkpoint string, config models.Config, text string) ([]parity.Sequence, error) {
	if _, err := os.Stat(filepath.Join(checkpoint, tokenizer.ModelFile)); errors.Is(err, os.ErrNotExist) && text == "" {
		return randomSequences(config), nil
	}
	t, err := openTokenizer(checkpoint)
	if err != nil {
		return nil, err
	}
	chosen := specimens
	if text != "" {
		if chosen, err = spread(text); err != nil {
			return nil, err
		}
	}
	var sequences []parity.Sequence
	for i, sentence := range chosen {
		ids := t.Encode(sentence)
		ids = ids[:min(len(ids), config.MaxPositionEmbeddings-2)]
		var second []int32
		if half := len(ids) / 2; i%2 == 1 && half > 0 && len(ids)+3 <= config.MaxPositionEmbeddings && config.TypeVocabSize > 1 {
			ids, second = ids[:half], ids[half:] // every other one as a pair, with both token types
		}
		input, types := tokenizer.BuildInputs(t.Special(), ids, second)
		sequences = append(sequences, parity.Sequence{InputIDs: input, TokenTypeIDs: types})
	}
	return sequences, nil
}

// spread returns sentences of a text, evenly spread over it.
func spread(path string) ([]string, error) {
	var all []string
	for s, err := range sentences(corpus.Read(path)) {
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("parity: %s holds no sentences; give one with a sentence a line", path)
	}
	n := min(len(all), sequenceCount)
	chosen := make([]string, n)
	for i := range chosen {
		chosen[i] = strings.TrimSpace(all[i*len(all)/n])
	}
	return chosen, nil
}

func randomSequences(config models.Config) []parity.Sequence {
	random := rand.New(rand.NewPCG(1, 2))
	var sequences []parity.Sequence
	for n := 1; n <= config.MaxPositionEmbeddings; n = n*2 + 1 {
		var s parity.Sequence
		for range n {
			s.InputIDs = append(s.InputIDs, random.Int32N(int32(config.VocabSize)))
			s.TokenTypeIDs = append(s.TokenTypeIDs, random.Int32N(int32(config.TypeVocabSize)))
		}
		sequences = append(sequences, s)
	}
	return sequences
}
