package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"goalbert/evaluate"
	"goalbert/models"
	"goalbert/tasks"
)

// predicted is the answer for an example, as JSON.
type predicted struct {
	ID    string   `json:"id,omitempty"`
	Texts []string `json:"texts,omitempty"`
	Words []string `json:"words,omitempty"`
	*tasks.Prediction
}

func newPredict() *cobra.Command {
	c := &cobra.Command{
		Use:   "predict MODEL [TEXT...]",
		Short: "What a fine-tuned model says of texts, or of each line of standard input: labels, values, entities, answers",
		Long: "What a fine-tuned model says of texts; without one, of each line of standard input. Of the model's configuration,\n" +
			"or the file's metadata, it knows what the answer is:\n\n" +
			"  classification      a sentence, or two with a tab between them: the label and its probability\n" +
			"  regression          the same: the value\n" +
			"  tokens              a sentence: its entities\n" +
			"  question-answering  a question, a tab, a passage: the answer and its probability\n" +
			"  multiple-choice     a passage or question, and after a tab each the choices: the number of the right one, from 0\n" +
			"  similarity          two sentences with a tab between them: their cosine (albert embed writes embeddings)\n\n" +
			"--json writes one object a line, with the probability of every label and, of a question, the next best answers.\n" +
			"--format has what benchmarks take of a whole file (--data): squad, an object of answers by the questions' ids; glue,\n" +
			"columns index and prediction between tabs.",
		Args: arguments(cobra.MinimumNArgs(1)),
	}
	asJSON := c.Flags().Bool("json", false, "print each answer as a JSON object, one a line")
	engine := engineFlags(c, "that runs an .onnx: onnxruntime or onnx-go", onnxRuntime)
	task := bindTask(c.Flags(), "task", "otherwise what the model was fine-tuned for: "+taskUsage())
	data := c.Flags().String("data", "", "a file of examples, which need no labels, in place of texts")
	format := c.Flags().String("format", "", "with --data: squad or glue, as these benchmarks take answers; otherwise lines")
	c.MarkFlagsMutuallyExclusive("json", "format")
	c.RunE = func(c *cobra.Command, args []string) error {
		if *data != "" && len(args) > 1 {
			return usagef("--data and texts are given, want one of them")
		}
		if err := checkSubmission(*format, *data, task.skipBad); err != nil {
			return err
		}
		m, err := engine.openTaskModel(c, args[0])
		if err != nil {
			return err
		}
		defer m.session.Close()
		p := &predictor{taskFlags: task, model: m, command: c, asJSON: *asJSON}
		if p.task, err = task.of(m.config, *data); err != nil {
			return err
		}
		switch {
		case *format != "":
			return p.submit(*data, *format)
		case *data != "":
			return p.file(*data, func(examples []*tasks.Example, predictions []*tasks.Prediction) error {
				return writePredictions(c.OutOrStdout(), examples, predictions, p.asJSON)
			})
		case len(args) > 1:
			return p.lines(args[1:], func(i int) string { return fmt.Sprintf("text %d", i+1) })
		}
		return readChunks(c, func(lines []string, first int) error {
			return p.lines(lines, func(i int) string { return fmt.Sprintf("standard input, line %d", first+i) })
		})
	}
	return c
}

// predictor answers with a model.
type predictor struct {
	*taskFlags
	*model
	command *cobra.Command
	task    tasks.Task
	asJSON  bool
}

// lines answers lines of texts between tabs.
func (p *predictor) lines(lines []string, place func(i int) string) error {
	set := &tasks.Set{}
	for i, line := range lines {
		e, err := p.task.Example(strings.Split(line, "\t")...)
		if err != nil {
			return fmt.Errorf("%s: %w", place(i), err)
		}
		e.ID, e.Place = "", place(i)
		set.Examples = append(set.Examples, e)
	}
	return p.answer(set, fmt.Sprintf("%s to %s", place(0), place(len(lines)-1)))
}

// fileExamples is how many examples of a file are answered at once: enough that those of like lengths can be sorted
// together, and few enough for the memory of their answers.
const fileExamples = 1024

// file answers the examples of a file, as many at a time, and uses their answers.
func (p *predictor) file(path string, use func([]*tasks.Example, []*tasks.Prediction) error) error {
	losses, examples := &tasks.Set{}, 0
	for set, err := range tasks.Parts(p.task, false, p.skipBad, fileExamples, path) {
		if err != nil {
			return err
		}
		if err := cmp.Or(p.checkPairs(set), set.Encode(p.task, p.tokenizer)); err != nil {
			return err
		}
		losses.Bad, losses.FirstBad = losses.Bad+set.Bad, cmp.Or(losses.FirstBad, set.FirstBad)
		losses.Truncated, examples = losses.Truncated+set.Truncated, examples+len(set.Examples)
		r, err := evaluate.Predict(p.command.Context(), p.session, p.config, p.task, set)
		if err != nil {
			return err
		}
		if err := use(set.Examples, r.Predictions); err != nil {
			return err
		}
	}
	noteLosses(p.command, losses, examples, path)
	return nil
}

// checkPairs refuses single sentences of a model that says how similar two are.
func (p *predictor) checkPairs(set *tasks.Set) error {
	for _, e := range set.Examples {
		if p.config.Architecture == models.BaseModel && len(e.Texts) < 2 {
			return fmt.Errorf("%s: one sentence, want two with a tab between them; albert embed writes embeddings", e.Place)
		}
	}
	return nil
}

func (p *predictor) answer(set *tasks.Set, name string) error {
	if err := p.checkPairs(set); err != nil {
		return err
	}
	if err := encode(p.command, p.task, p.tokenizer, set, name); err != nil {
		return err
	}
	r, err := evaluate.Predict(p.command.Context(), p.session, p.config, p.task, set)
	if err != nil {
		return err
	}
	return writePredictions(p.command.OutOrStdout(), set.Examples, r.Predictions, p.asJSON)
}

// writePredictions writes a line for each example.
func writePredictions(w io.Writer, examples []*tasks.Example, predictions []*tasks.Prediction, asJSON bool) error {
	out := bufio.NewWriter(w)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for i, e := range examples {
		var err error
		if asJSON {
			err = encoder.Encode(predicted{e.ID, e.Texts, e.Words, predictions[i]})
		} else {
			_, err = fmt.Fprintln(out, answerText(e, predictions[i]))
		}
		if err != nil {
			return err
		}
	}
	return out.Flush()
}

// answerText writes a prediction in a line.
func answerText(e *tasks.Example, p *tasks.Prediction) string {
	switch {
	case p.Answer != nil:
		probability := ""
		if p.Probability != nil {
			probability = fmt.Sprintf("\t%.4f", *p.Probability)
		}
		return oneLine(*p.Answer) + probability
	case p.Choice != nil:
		return fmt.Sprintf("%d\t%s\t%.4f", *p.Choice, e.Texts[1+*p.Choice], p.Probabilities[fmt.Sprint(*p.Choice)])
	case p.Label != "":
		return fmt.Sprintf("%s\t%.4f", p.Label, p.Probabilities[p.Label])
	case e.Words != nil:
		var found []string
		for _, entity := range p.Entities {
			found = append(found, fmt.Sprintf("%s %q", entity.Type, entity.Text))
		}
		return strings.Join(found, ", ")
	case p.Labels != nil:
		var found []string
		for _, label := range p.Labels {
			found = append(found, fmt.Sprintf("%s %.4f", label, p.Probabilities[label]))
		}
		return strings.Join(found, ", ")
	case p.Value != nil:
		return fmt.Sprintf("%.4f", *p.Value)
	}
	return ""
}

// chunkLines is how many lines of standard input are answered at once, where so many are there already.
const chunkLines = 256

// readChunks calls use for the lines of standard input, several at once where they are there already, and each by itself
// where somebody types. first is the number of the first one, from 1.
func readChunks(c *cobra.Command, use func(lines []string, first int) error) error {
	reader := bufio.NewReaderSize(c.InOrStdin(), 1<<16)
	for number := 1; ; {
		var lines []string
		var readErr error
		for len(lines) < chunkLines && readErr == nil {
			if len(lines) > 0 && !lineBuffered(reader) {
				break
			}
			var line string
			line, readErr = reader.ReadString('\n')
			if line != "" {
				lines = append(lines, strings.TrimRight(line, "\r\n"))
			}
			if len(line) > maxLine {
				return fmt.Errorf("standard input, line %d: more than %s bytes; divide it", number+len(lines)-1,
					counted(maxLine))
			}
		}
		if readErr != nil && readErr != io.EOF {
			return fmt.Errorf("standard input, line %d: %w", number+len(lines), readErr)
		}
		if err := c.Context().Err(); err != nil {
			return err
		}
		if len(lines) > 0 {
			if err := use(lines, number); err != nil {
				return err
			}
		}
		if readErr == io.EOF {
			return nil
		}
		number += len(lines)
	}
}

// lineBuffered reports whether a whole line can be read without waiting.
func lineBuffered(r *bufio.Reader) bool {
	there, err := r.Peek(r.Buffered())
	return err == nil && strings.Contains(string(there), "\n")
}
