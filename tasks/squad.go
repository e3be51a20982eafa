package tasks

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"unicode/utf8"
)

// squadArticle is an article of a file of SQuAD v1.1 or v2.0.
type squadArticle struct {
	Title      string
	Paragraphs []struct {
		Context string
		QAs     []struct {
			ID           string
			Question     string
			IsImpossible bool `json:"is_impossible"`
			Answers      []struct {
				Text        string
				AnswerStart int `json:"answer_start"` // characters of the passage before it
			}
		}
	}
}

// readSQuAD yields the questions of a file, an article at a time.
func readSQuAD(path string, labelled, noAnswer bool) iter.Seq2[*Example, error] {
	return func(yield func(*Example, error) bool) {
		file, err := os.Open(path)
		if err != nil {
			yield(nil, fmt.Errorf("tasks: read examples: %w", err))
			return
		}
		defer file.Close()
		decoder := json.NewDecoder(file)
		if more, err := squadData(decoder, func(number int, text json.RawMessage) bool {
			return yieldArticle(path, number, text, labelled, noAnswer, yield)
		}); err != nil && more {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = errors.New("the file ends too early")
			}
			yield(nil, fmt.Errorf("tasks: %s: byte %d: %w; want the JSON of SQuAD, an object with a list data", path,
				decoder.InputOffset(), err))
		}
	}
}

// squadData calls f with each article of the list data, until it returns false.
func squadData(d *json.Decoder, f func(number int, text json.RawMessage) bool) (more bool, err error) {
	if err := expect(d, '{'); err != nil {
		return true, err
	}
	found := false
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return true, err
		}
		if key != "data" {
			if err := d.Decode(&json.RawMessage{}); err != nil {
				return true, err
			}
			continue
		}
		if err := expect(d, '['); err != nil {
			return true, err
		}
		found = true
		for number := 1; d.More(); number++ {
			var text json.RawMessage
			if err := d.Decode(&text); err != nil {
				return true, err
			}
			if !f(number, text) {
				return false, nil
			}
		}
		if err := expect(d, ']'); err != nil {
			return true, err
		}
	}
	if err := expect(d, '}'); err != nil {
		return true, err
	}
	if !found {
		return true, errors.New("no key data")
	}
	return true, nil
}

func expect(d *json.Decoder, want json.Delim) error {
	token, err := d.Token()
	if err == nil && token != want {
		return fmt.Errorf("%v instead of %v", token, want)
	}
	return err
}

// yieldArticle yields the questions of an article.
func yieldArticle(path string, number int, text json.RawMessage, labelled, noAnswer bool,
	yield func(*Example, error) bool) bool {
	place := fmt.Sprintf("%s: article %d", path, number)
	var article squadArticle
	if err := json.Unmarshal(text, &article); err != nil {
		return yield(nil, bad(place, "%v", err))
	}
	for i, paragraph := range article.Paragraphs {
		positions := runePositions(paragraph.Context)
		for j, qa := range paragraph.QAs {
			e := &Example{ID: qa.ID, Place: place + fmt.Sprintf(", paragraph %d, question %d", i+1, j+1),
				Group: article.Title, Texts: []string{qa.Question, paragraph.Context}, Labelled: labelled}
			if e.ID == "" {
				e.ID = e.Place
			} else {
				e.Place += " (" + e.ID + ")"
			}
			var err error
			switch {
			case strings.TrimSpace(qa.Question) == "" || strings.TrimSpace(paragraph.Context) == "":
				err = bad(e.Place, "question or context is empty, want text")
			case !labelled:
			case qa.IsImpossible && !noAnswer:
				err = bad(e.Place, "the question has no answer (is_impossible), as in SQuAD v2.0; allow that, or remove it")
			case qa.IsImpossible:
				e.Impossible = true
			case len(qa.Answers) == 0:
				err = bad(e.Place, "no answers, want at least one")
			default:
				for _, a := range qa.Answers {
					if a.AnswerStart < 0 || a.AnswerStart >= len(positions) ||
						!strings.HasPrefix(paragraph.Context[positions[a.AnswerStart]:], a.Text) || a.Text == "" {
						err = bad(e.Place, "answer %q does not stand at character %d of the context (answer_start)",
							shortened(a.Text, 40), a.AnswerStart)
						break
					}
					e.Answers = append(e.Answers, Answer{Text: a.Text, Start: positions[a.AnswerStart]})
				}
			}
			if err != nil {
				e = nil
			}
			if !yield(e, err) {
				return false
			}
		}
	}
	return true
}

// runePositions returns the byte at which each character of a text begins: answers are counted in characters.
func runePositions(text string) []int {
	positions := make([]int, 0, utf8.RuneCountInString(text))
	for i := range text {
		positions = append(positions, i)
	}
	return positions
}
