package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"goalbert/evaluate"
)

// similar is the answer for one query.
type similar struct {
	Query   string    `json:"query"`
	Nearest []nearest `json:"nearest"`
}

type nearest struct {
	Line   int     `json:"line"` // of the file, from 1
	Cosine float64 `json:"cosine"`
	Text   string  `json:"text"`
}

func newSimilar() *cobra.Command {
	c := &cobra.Command{
		Use:   "similar MODEL FILE [--query TEXT]...",
		Short: "The sentences of a file, one a line, that are nearest to a query; without one, to each line of standard input",
		Args:  arguments(cobra.ExactArgs(2)),
	}
	asJSON := jsonFlag(c)
	engine := engineFlags(c, "that runs an .onnx: onnxruntime or onnx-go", onnxRuntime)
	queries := c.Flags().StringArray("query", nil, "what is looked for; may be given several times")
	top := c.Flags().Int("top", 5, "how many sentences")
	length := maxLengthFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if *top < 1 {
			return usagef("top is %d, want 1 or more", *top)
		}
		texts, numbers, err := readTexts(args[1])
		if err != nil {
			return err
		}
		e, err := openEmbedder(c, args[0], engine, *length)
		if err != nil {
			return err
		}
		defer e.model.session.Close()
		shown := watch(c, e.model.session, len(texts))
		e.model.session = shown
		embeddings, err := e.embed(texts)
		shown.end()
		e.model.session = shown.Session
		if err != nil {
			return err
		}
		e.tell()
		answer := func(queries []string, _ int) error {
			of, err := e.embed(queries)
			if err != nil {
				return err
			}
			for i, query := range queries {
				result := similar{Query: query}
				for _, n := range evaluate.Nearest(of[i], embeddings, *top) {
					result.Nearest = append(result.Nearest, nearest{numbers[n.Index], n.Cosine, texts[n.Index]})
				}
				if err := showLine(c, *asJSON, result, result.write); err != nil {
					return err
				}
			}
			return nil
		}
		if len(*queries) > 0 {
			return answer(*queries, 1)
		}
		return readChunks(c, answer)
	}
	return c
}

func (s similar) write(w io.Writer) {
	fmt.Fprintln(w, s.Query)
	for _, n := range s.Nearest {
		fmt.Fprintf(w, "  %.4f  %s\n", n.Cosine, n.Text)
	}
}

// readTexts reads the lines of a file that are not empty, and the numbers that they have there.
func readTexts(path string) (texts []string, numbers []int, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxLine)
	number := 1
	for ; lines.Scan(); number++ {
		if text := strings.TrimSpace(lines.Text()); text != "" {
			texts, numbers = append(texts, text), append(numbers, number)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, nil, fmt.Errorf("read %s: line %d: %w", path, number, err)
	}
	if len(texts) == 0 {
		return nil, nil, fmt.Errorf("%s has no sentence; want one a line", path)
	}
	return texts, numbers, nil
}
