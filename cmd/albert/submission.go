package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"strconv"

	"goalbert/models"
	"goalbert/tasks"
)

// How benchmarks take answers.
const (
	squadFormat = "squad" // an object of answers by the ids of questions, as evaluate-v1.1.py and evaluate-v2.0.py read it
	glueFormat  = "glue"  // columns index and prediction between tabs, a line for each of the file
)

// checkSubmission refuses flags that do not go with a format.
func checkSubmission(format, data string, skipBad bool) error {
	switch {
	case format == "":
		return nil
	case format != squadFormat && format != glueFormat:
		return usagef("format is %q, want %s or %s", format, squadFormat, glueFormat)
	case data == "":
		return usagef("--format %s is of a whole file, which --data is missing for", format)
	case skipBad:
		return usagef("--format %s has an answer for each example; --skip-bad leaves some out", format)
	}
	return nil
}

// submit writes the answers to the examples of a file as a benchmark takes them.
func (p *predictor) submit(path, format string) error {
	want := models.ForSequenceClassification
	if format == squadFormat {
		want = models.ForQuestionAnswering
	}
	if c := p.config; c.Architecture != want || c.Architecture.HasLabels() && c.Problem() == models.MultiLabel {
		return usagef("--format %s is for an %s of one answer, the model is an %s", format, want, c.Architecture)
	}
	if format == squadFormat {
		return p.submitSQuAD(path)
	}
	out := bufio.NewWriter(p.command.OutOrStdout())
	fmt.Fprintln(out, "index\tprediction") // bufio keeps the error for Flush
	index := 0
	return p.file(path, func(_ []*tasks.Example, predictions []*tasks.Prediction) error {
		for _, prediction := range predictions {
			answer := prediction.Label
			if prediction.Value != nil {
				answer = strconv.FormatFloat(*prediction.Value, 'f', 3, 64)
			}
			fmt.Fprintf(out, "%d\t%s\n", index, answer)
			index++
		}
		return out.Flush()
	})
}

// submitSQuAD writes the answers when all are there: half an object is none.
func (p *predictor) submitSQuAD(path string) error {
	answers := map[string]string{}
	err := p.file(path, func(examples []*tasks.Example, predictions []*tasks.Prediction) error {
		for i, e := range examples {
			if _, twice := answers[e.ID]; twice {
				return fmt.Errorf("%s: the id %q is that of another question, too; give each its own", e.Place, e.ID)
			}
			answers[e.ID] = *predictions[i].Answer
		}
		return nil
	})
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(p.command.OutOrStdout())
	encoder.SetEscapeHTML(false)
	return encoder.Encode(answers)
}
