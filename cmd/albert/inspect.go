package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"goalbert/corpus"
	"goalbert/models"
	"goalbert/onnx"
	"goalbert/tokenizer"
)

func newInspect() *cobra.Command {
	return &cobra.Command{
		Use:   "inspect MODEL.onnx|CHECKPOINT|VOCABULARY|SHARDS",
		Short: "What is inside, in text",
		Args:  arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if info := stat(args[0]); info == nil || info.IsDir() {
				return inspectDirectory(c, args[0])
			}
			if slices.Contains([]string{".model", ".txt", ".json"}, filepath.Ext(args[0])) {
				return inspectVocabulary(c.OutOrStdout(), args[0])
			}
			m, err := onnx.ReadGraph(args[0])
			if err != nil {
				return err
			}
			return onnx.WriteText(c.OutOrStdout(), m)
		},
	}
}

// inspectDirectory tells shards and vocabularies from checkpoints, runs and names on the hub.
func inspectDirectory(c *cobra.Command, name string) error {
	out := c.OutOrStdout()
	if corpus.IsShards(name) {
		return inspectShards(out, name)
	}
	if isDirectory(name) {
		if _, err := tokenizer.Find(name); err == nil && stat(filepath.Join(name, models.ConfigFile)) == nil {
			return inspectTokenizer(out, name, 0)
		}
	}
	dir, err := findDirectory(c, name)
	if err != nil {
		return err
	}
	return inspectCheckpoint(c, dir)
}

func inspectShards(out io.Writer, dir string) error {
	m, err := corpus.ReadManifest(dir)
	if err != nil {
		return err
	}
	state := "complete"
	if !m.Complete {
		state = "interrupted: the same albert prepare goes on"
	}
	fmt.Fprintf(out, "%d shards of %d inputs, %s\n", len(m.Shards), len(m.Inputs), state)
	fmt.Fprintf(out, "%s documents, %s sentences, %s tokens, %s of them unknown; %s repeated documents were left out, %s cut\n",
		counted(m.Counts.Documents), counted(m.Counts.Sentences), counted(m.Counts.Tokens), counted(m.Counts.UnknownTokens),
		counted(m.Counts.Repeated), counted(m.Counts.Cut))
	return inspectTokenizer(out, filepath.Join(dir, corpus.TokenizerDirectory), 0)
}

// inspectVocabulary says which tokenizer a single file is.
func inspectVocabulary(out io.Writer, path string) error {
	t, err := tokenizer.OpenFile(path)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "tokenizer: %s\n", describeTokenizer(t, "because of the end of the file's name"))
	return err
}

func inspectCheckpoint(c *cobra.Command, dir string) error {
	w, err := readModel(c, dir, "")
	if err != nil {
		return err
	}
	out := c.OutOrStdout()
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
	return inspectTokenizer(out, dir, w.Config.VocabSize)
}

// inspectTokenizer says which tokenizer the directory has, by which file that is known, and how many of the model's rows
// are without a piece; 0 rows is no model.
func inspectTokenizer(out io.Writer, dir string, rows int) error {
	path, err := tokenizer.Find(dir)
	if errors.Is(err, fs.ErrNotExist) {
		_, err := fmt.Fprintf(out, "tokenizer: none, there is no %s, %s or %s\n",
			tokenizer.ModelFile, tokenizer.VocabFile, tokenizer.JSONFile)
		return err
	}
	if err != nil {
		return err
	}
	t, err := openTokenizer(dir)
	if err != nil {
		return err
	}
	because := map[string]string{
		tokenizer.ModelFile: "because there is a spiece.model (the first choice)",
		tokenizer.VocabFile: "because there is a vocab.txt and no spiece.model",
		tokenizer.JSONFile:  "because there is a tokenizer.json and neither spiece.model nor vocab.txt",
	}
	fmt.Fprintf(out, "tokenizer: %s\n", describeTokenizer(t, because[filepath.Base(path)]))
	if padding := rows - t.VocabSize(); rows > 0 && padding > 0 {
		fmt.Fprintf(out, "the model has %s rows without a piece: padding\n", counted(padding))
	}
	return nil
}

// describeTokenizer says what t is, and why.
func describeTokenizer(t tokenizer.Tokenizer, because string) string {
	because = fmt.Sprintf("of %s pieces, %s", counted(t.VocabSize()), because)
	switch t := t.(type) {
	case *tokenizer.Albert:
		return fmt.Sprintf("SentencePiece unigram %s; ALBERT's rules, lower case %v, keep accents %v",
			because, t.Rules().LowerCase, t.Rules().KeepAccents)
	case *tokenizer.Bert:
		strip := t.Rules().LowerCase
		if t.Rules().StripAccents != nil {
			strip = *t.Rules().StripAccents
		}
		return fmt.Sprintf("WordPiece %s; BERT's rules, lower case %v, strip accents %v, Chinese characters apart %v",
			because, t.Rules().LowerCase, strip, t.Rules().TokenizeChinese)
	case *tokenizer.Pipeline:
		return fmt.Sprintf("%s %s; run as the library tokenizers does", t.Model(), because)
	}
	return because
}
