package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"goalbert/evaluate"
)

// filled is the answer for one line.
type filled struct {
	Text  string                 `json:"text"`
	Masks [][]evaluate.Candidate `json:"masks"`
}

func newFillMask() *cobra.Command {
	c := &cobra.Command{
		Use:   "fill-mask MODEL [TEXT...]",
		Short: "The most probable tokens at each [MASK] of a text; without one, of each line of standard input",
		Args:  arguments(cobra.MinimumNArgs(1)),
	}
	asJSON := jsonFlag(c)
	engine := engineFlags(c, "that runs an .onnx: onnxruntime or onnx-go", onnxRuntime)
	top := c.Flags().Int("top", 5, "how many tokens")
	c.RunE = func(c *cobra.Command, args []string) error {
		if *top < 1 {
			return usagef("top is %d, want 1 or more", *top)
		}
		m, err := engine.openModel(c, args[0])
		if err != nil {
			return err
		}
		defer m.session.Close()
		answer := func(text string) error {
			masks, err := evaluate.FillMask(c.Context(), m.session, m.config, m.tokenizer, text, *top)
			if err != nil {
				return err
			}
			result := filled{Text: text, Masks: masks}
			return show(c, *asJSON, result, result.write)
		}
		for _, text := range args[1:] {
			if err := answer(text); err != nil {
				return err
			}
		}
		if len(args) > 1 {
			return nil
		}
		return readLines(c, answer)
	}
	return c
}

func (f filled) write(w io.Writer) {
	fmt.Fprintln(w, f.Text)
	for _, candidates := range f.Masks {
		var list []string
		for _, a := range candidates {
			list = append(list, fmt.Sprintf("%s %.1f %%", strings.ReplaceAll(a.Piece, "▁", "_"), 100*a.Probability))
		}
		fmt.Fprintln(w, "  "+strings.Join(list, ", "))
	}
}
