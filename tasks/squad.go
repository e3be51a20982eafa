package tasks

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"unicode/utf8"
)

// squadArticle is an article of a file of SQuAD v1.1 or v2.0. What is bad in one question leaves the others whole, so
// that paragraphs and questions are read one by one.
type squadArticle struct {
	Title      json.RawMessage   `json:"title"`
	Paragraphs []json.RawMessage `json:"paragraphs"`
}

type squadParagraph struct {
	Context json.RawMessage   `json:"context"`
	QAs     []json.RawMessage `json:"qas"`
}

type squadQuestion struct {
	ID           string `json:"id"`
	Question     string `json:"question"`
	IsImpossible bool   `json:"is_impossible"`
	Answers      []struct {
		Text        string `json:"text"`
		AnswerStart int    `json:"answer_start"` // characters of the passage before it
	} `json:"answers"`
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
		if err := squadData(decoder, func(number int, text json.RawMessage) bool {
			return yieldArticle(path, number, text, labelled, noAnswer, yield)
		}); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = errors.New("the file ends too early")
			}
			yield(nil, fmt.Errorf("tasks: %s: byte %d: %w; want the JSON of SQuAD, an object with a list data", path,
				decoder.InputOffset(), err))
		}
	}
}

// squadData calls f with each article of the list data, until it returns false.
func squadData(d *json.Decoder, f func(number int, text json.RawMessage) bool) error {
	if err := expect(d, '{'); err != nil {
		return err
	}
	found := false
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		if key != "data" {
			if err := d.Decode(&json.RawMessage{}); err != nil {
				return err
			}
			continue
		}
		if err := expect(d, '['); err != nil {
			return err
		}
		found = true
		for number := 1; d.More(); number++ {
			var text json.RawMessage
			if err := d.Decode(&text); err != nil {
				return err
			}
			if !f(number, text) {
				return nil
			}
		}
		if err := expect(d, ']'); err != nil {
			return err
		}
	}
	if err := expect(d, '}'); err != nil {
		return err
	}
	if !found {
		return errors.New("no key data")
	}
	return nil
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
		return yield(nil, bad(place, "%s", jsonProblem(err)))
	}
	title, _ := textOfJSON(article.Title) // one that is no text is none
	for i, text := range article.Paragraphs {
		place := fmt.Sprintf("%s, paragraph %d", place, i+1)
		var paragraph squadParagraph
		if err := json.Unmarshal(text, &paragraph); err != nil {
			if !yield(nil, bad(place, "%s", jsonProblem(err))) {
				return false
			}
			continue
		}
		passage, problem := textOfJSON(paragraph.Context)
		positions := runePositions(passage)
		for j, text := range paragraph.QAs {
			place := fmt.Sprintf("%s, question %d", place, j+1)
			e, err := squadExample(place, text, passage, positions, labelled, noAnswer)
			if problem != nil {
				e, err = nil, bad(place, "the context: %s", jsonProblem(problem))
			}
			if err == nil {
				e.Group = title
			}
			if !yield(e, err) {
				return false
			}
		}
	}
	return true
}

// textOfJSON returns a text of JSON; empty where it is not there.
func textOfJSON(value json.RawMessage) (text string, err error) {
	if value != nil {
		err = json.Unmarshal(value, &text)
	}
	return text, err
}

// squadExample returns the example of a question.
func squadExample(place string, text json.RawMessage, passage string, positions []int, labelled, noAnswer bool) (*Example,
	error) {
	var qa squadQuestion
	problem := json.Unmarshal(text, &qa) // what could be read is there all the same
	if qa.ID != "" {
		place += " (" + qa.ID + ")"
	}
	e := &Example{ID: cmp.Or(qa.ID, place), Place: place, Texts: []string{qa.Question, passage}, Labelled: labelled}
	switch {
	case problem != nil:
		return nil, bad(place, "%s", jsonProblem(problem))
	case strings.TrimSpace(qa.Question) == "" || strings.TrimSpace(passage) == "":
		return nil, bad(place, "question or context is empty, want text")
	case !labelled:
	case qa.IsImpossible && !noAnswer:
		return nil, bad(place, "the question has no answer (is_impossible), as in SQuAD v2.0; allow that, or remove it")
	case qa.IsImpossible:
		e.Impossible = true
	case len(qa.Answers) == 0:
		return nil, bad(place, "no answers, want at least one")
	}
	if !labelled || qa.IsImpossible {
		return e, nil
	}
	for _, a := range qa.Answers {
		if a.AnswerStart < 0 || a.AnswerStart >= len(positions) ||
			!strings.HasPrefix(passage[positions[a.AnswerStart]:], a.Text) || a.Text == "" {
			return nil, bad(place, "answer %q does not stand at character %d of the context (answer_start)",
				shortened(a.Text, 40), a.AnswerStart)
		}
		e.Answers = append(e.Answers, Answer{Text: a.Text, Start: positions[a.AnswerStart]})
	}
	return e, nil
}

// runePositions returns the byte at which each character of a text begins: answers are counted in characters.
func runePositions(text string) []int {
	positions := make([]int, 0, utf8.RuneCountInString(text))
	for i := range text {
		positions = append(positions, i)
	}
	return positions
}
