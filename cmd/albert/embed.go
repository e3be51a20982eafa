package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"goalbert/evaluate"
	"goalbert/models"
	"goalbert/runtime/native"
	"goalbert/tasks"
)

// embedded is a text and its embedding, as JSON.
type embedded struct {
	Text      string    `json:"text"`
	Embedding []float32 `json:"embedding"`
}

func newEmbed() *cobra.Command {
	c := &cobra.Command{
		Use:   "embed MODEL [TEXT...] [--out VECTORS.npy]",
		Short: "Embeddings of texts, means of hidden states of length 1; without one, of each line of standard input",
		Args:  arguments(cobra.MinimumNArgs(1)),
	}
	engine := engineFlags(c, "that runs an .onnx: onnxruntime or onnx-go", onnxRuntime)
	out := c.Flags().String("out", "", "a file .npy (texts, H) of float32 for NumPy; otherwise JSON lines on standard output")
	length := maxLengthFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if *out != "" && filepath.Ext(*out) != ".npy" {
			return usagef("out is %q, want a name that ends in .npy", *out)
		}
		e, err := openEmbedder(c, args[0], engine, *length)
		if err != nil {
			return err
		}
		defer e.model.session.Close()
		var all [][]float32
		use := func(texts []string, _ int) error {
			embeddings, err := e.embed(texts)
			if err != nil || *out == "" {
				return writeEmbeddings(c.OutOrStdout(), texts, embeddings, err)
			}
			all = append(all, embeddings...)
			return nil
		}
		if len(args) > 1 {
			err = use(args[1:], 1)
		} else {
			err = readChunks(c, use)
		}
		e.tell()
		if err != nil || *out == "" {
			return err
		}
		return models.WriteFile(*out, func(w io.Writer) error { return writeNumPy(w, all, e.model.config.HiddenSize) })
	}
	return c
}

func maxLengthFlag(c *cobra.Command) *int {
	return c.Flags().Int("max-length", 0, "most tokens of a text; 0 is what the model was fine-tuned with for similarity, or as many as it has positions, at most 512")
}

// embedder makes embeddings with a model.
type embedder struct {
	model     *model
	task      tasks.Task
	command   *cobra.Command
	truncated int
}

// openEmbedder opens a model for its hidden states. Any checkpoint has them, whatever its heads; a file has them as an
// output if it was exported for that.
func openEmbedder(c *cobra.Command, name string, o *engineOptions, length int) (*embedder, error) {
	m, err := o.locate(c, name)
	if err != nil {
		return nil, err
	}
	if m.isFile() {
		if m.config, err = configOf(m.path, m.config); err != nil {
			return nil, err
		}
		if m.config.Architecture != models.BaseModel {
			return nil, fmt.Errorf("%s is an %s, whose outputs are no embeddings; export its checkpoint with "+
				"--task %s --sentence-embedding", m.path, m.config.Architecture, models.BaseModel.Task())
		}
	}
	m.config.Architecture, m.config.Labels, m.config.ProblemType = models.BaseModel, models.Labels{}, ""
	flags := &taskFlags{
		name: "similarity", options: tasks.Options{MaxLength: length},
		given: func(flag string) bool { return flag == "max-length" && length != 0 },
	}
	if length == 0 {
		flags.options.MaxLength = min(512, m.config.MaxPositionEmbeddings)
	}
	task, err := flags.of(m.config)
	if err != nil {
		return nil, err
	}
	if m.isFile() {
		m.session, err = o.open(o.engines[0], m.path)
		return &embedder{model: m, task: task, command: c}, err
	}
	w, loaded, err := models.ReadAs(m.path, m.config, 0)
	if err != nil {
		return nil, err
	}
	loaded.New, loaded.Dropped = nil, loaded.Surplus // a pooler is not used, and other heads are not expected to be
	tellLoaded(c, m.path, loaded)
	m.session = native.New(w, threadCount(o.threads))
	return &embedder{model: m, task: task, command: c}, nil
}

func (e *embedder) embed(texts []string) ([][]float32, error) {
	m := e.model
	embeddings, truncated, err := evaluate.Embed(e.command.Context(), m.session, m.config, e.task, m.tokenizer, texts)
	e.truncated += truncated
	return embeddings, err
}

// tell notes how many texts were too long.
func (e *embedder) tell() {
	if e.truncated > 0 {
		note(e.command, "%s texts are too long for the model; their ends were cut off", counted(e.truncated))
	}
}

// writeEmbeddings writes a JSON object a line, unless there was an error before.
func writeEmbeddings(w io.Writer, texts []string, embeddings [][]float32, err error) error {
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for i, text := range texts {
		if err := encoder.Encode(embedded{text, embeddings[i]}); err != nil {
			return err
		}
	}
	return out.Flush()
}

// writeNumPy writes rows as a NumPy array (rows, columns) of little-endian float32: format 1.0 of
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
func writeNumPy(w io.Writer, rows [][]float32, columns int) error {
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", len(rows), columns)
	const before, alignment = 10, 64 // magic, version and length; what all of that and the header are padded to
	header += strings.Repeat(" ", alignment-1-(before+len(header))%alignment) + "\n"
	out := bufio.NewWriter(w)
	out.WriteString("\x93NUMPY\x01\x00")
	binary.Write(out, binary.LittleEndian, uint16(len(header)))
	out.WriteString(header)
	for _, row := range rows {
		binary.Write(out, binary.LittleEndian, row)
	}
	return out.Flush() // which returns the first error of all
}
