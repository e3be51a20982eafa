package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"goalbert/models"
	"goalbert/onnx"
	"goalbert/tokenizer"
)

func newInspect() *cobra.Command {
	return &cobra.Command{
		Use:   "inspect MODEL.onnx|CHECKPOINT",
		Short: "What is inside, in text",
		Args:  arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			info, err := os.Stat(args[0])
			if err != nil {
				return fmt.Errorf("inspect: %w", err)
			}
			if info.IsDir() {
				return inspectCheckpoint(c.OutOrStdout(), args[0])
			}
			m, err := onnx.ReadFile(args[0])
			if err != nil {
				return err
			}
			return onnx.WriteText(c.OutOrStdout(), m)
		},
	}
}

func inspectCheckpoint(out io.Writer, dir string) error {
	w, err := models.ReadCheckpoint(dir)
	if err != nil {
		return err
	}
	config, err := w.Config.MarshalJSON()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s\n\n", config)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, p := range w.Parameters.Order {
		decayed := ""
		if p.Decayed {
			decayed = "decayed"
		}
		fmt.Fprintf(table, "%s\t%v\t%s\t%s\n", p.Name, p.Shape, counted(p.Size()), decayed)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s parameters in %d tensors\n\n", counted(w.Parameters.Size), len(w.Parameters.Order))
	return inspectTokenizer(out, dir)
}

// inspectTokenizer says which tokenizer the directory has, and by which file that is known.
func inspectTokenizer(out io.Writer, dir string) error {
	path := filepath.Join(dir, tokenizer.ModelFile)
	if _, err := os.Stat(path); err != nil {
		_, err := fmt.Fprintf(out, "tokenizer: none, there is no %s\n", tokenizer.ModelFile)
		return err
	}
	t, err := openTokenizer(dir)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("tokenizer: SentencePiece unigram of %s pieces, because there is a %s", counted(t.VocabSize()), tokenizer.ModelFile)
	if a, ok := t.(*tokenizer.Albert); ok {
		text += fmt.Sprintf("; ALBERT's rules, lower case %v, keep accents %v", a.Rules().LowerCase, a.Rules().KeepAccents)
	}
	_, err = fmt.Fprintln(out, text)
	return err
}
