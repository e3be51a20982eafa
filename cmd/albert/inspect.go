package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	path, err := tokenizer.Find(dir)
	if errors.Is(err, fs.ErrNotExist) {
		_, err := fmt.Fprintf(out, "tokenizer: none, there is no %s, %s or %s\n",
			tokenizer.ModelFile, tokenizer.VocabFile, tokenizer.JSONFile)
		return err
	}
	if err != nil {
		return err
	}
	t, err := tokenizer.OpenFile(path)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "tokenizer: %s\n", describeTokenizer(t, filepath.Base(path)))
	return err
}

// describeTokenizer says what t is, because of the file that it was read from.
func describeTokenizer(t tokenizer.Tokenizer, file string) string {
	because := fmt.Sprintf("of %s pieces, because there is a %s", counted(t.VocabSize()), file)
	switch t := t.(type) {
	case *tokenizer.Albert:
		return fmt.Sprintf("SentencePiece unigram %s (the first choice); ALBERT's rules, lower case %v, keep accents %v",
			because, t.Rules().LowerCase, t.Rules().KeepAccents)
	case *tokenizer.Bert:
		strip := t.Rules().LowerCase
		if t.Rules().StripAccents != nil {
			strip = *t.Rules().StripAccents
		}
		return fmt.Sprintf("WordPiece %s and no %s; BERT's rules, lower case %v, strip accents %v, Chinese characters "+
			"apart %v", because, tokenizer.ModelFile, t.Rules().LowerCase, strip, t.Rules().TokenizeChinese)
	case *tokenizer.Pipeline:
		return fmt.Sprintf("%s %s and neither %s nor %s; run as the library tokenizers does",
			t.Model(), because, tokenizer.ModelFile, tokenizer.VocabFile)
	}
	return because
}
