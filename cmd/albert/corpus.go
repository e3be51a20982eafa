package main

import (
	"fmt"
	"io"
	"iter"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"goalbert/corpus"
	"goalbert/models"
)

func newCorpus() *cobra.Command {
	return parent("corpus", "Text to train on", newCorpusGodoc())
}

func newCorpusGodoc() *cobra.Command {
	c := &cobra.Command{
		Use:   "godoc --out FILE",
		Short: "Real English on every machine with Go: the prose of the toolchain's doc comments, a sentence a line",
		Args:  arguments(cobra.NoArgs),
	}
	asJSON := jsonFlag(c)
	out := c.Flags().String("out", "", "the file to be written")
	goroot := c.Flags().String("goroot", "", "the toolchain; the one of the go command if empty")
	c.MarkFlagRequired("out")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *goroot == "" {
			found, err := exec.CommandContext(c.Context(), "go", "env", "GOROOT").Output()
			if err != nil {
				return fmt.Errorf("corpus: ask the go command for its GOROOT: %w; name a toolchain with --goroot", err)
			}
			*goroot = strings.TrimSpace(string(found))
		}
		var counts corpusCounts
		err := models.WriteFile(*out, func(w io.Writer) error {
			return corpus.WriteText(w, counts.of(corpus.Godoc(c.Context(), *goroot)))
		})
		if err != nil {
			return err
		}
		return show(c, *asJSON, counts, func(w io.Writer) {
			fmt.Fprintf(w, "%s: %s documents, %s sentences, %s words, %s bytes\n", *out, counted(counts.Documents),
				counted(counts.Sentences), counted(counts.Words), counted(counts.Bytes))
		})
	}
	return c
}

// corpusCounts say how large a corpus is.
type corpusCounts struct {
	Documents int `json:"documents"`
	Sentences int `json:"sentences"`
	Words     int `json:"words"`
	Bytes     int `json:"bytes"`
}

// of counts documents as they pass.
func (c *corpusCounts) of(documents iter.Seq2[corpus.Document, error]) iter.Seq2[corpus.Document, error] {
	return func(yield func(corpus.Document, error) bool) {
		for d, err := range documents {
			if err == nil {
				c.Documents++
				c.Sentences += len(d)
				for _, s := range d {
					c.Words += len(strings.Fields(s))
					c.Bytes += len(s) + 1
				}
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

// sentences are those of all documents.
func sentences(documents iter.Seq2[corpus.Document, error]) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for d, err := range documents {
			if err != nil {
				yield("", err)
				return
			}
			for _, s := range d {
				if !yield(s, nil) {
					return
				}
			}
		}
	}
}
