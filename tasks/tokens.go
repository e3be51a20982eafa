package tasks

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"goalbert/models"
	"goalbert/tokenizer"
)

// tokens is sentences of words with a tag each: O, or where in an entity of which type a word is.
type tokens struct {
	options Options
	labels  vocabulary
}

func newTokens(o Options) Task { return &tokens{options: o, labels: newVocabulary(o.Labels)} }

func (k *tokens) Name() string { return "tokens" }

var (
	usualWords = []string{"tokens", "words", "text"}
	usualTags  = []string{"ner_tags", "tags", "labels", "label"}
)

func (k *tokens) Read(path string, labelled bool) iter.Seq2[*Example, error] {
	format := k.options.Format
	if format == "" {
		if format = formatOf(path); format != JSONL {
			format = CoNLL
		}
	}
	if format == CoNLL {
		return k.readCoNLL(path, labelled)
	}
	t := table{format: format, columns: []column{{role: "words", name: k.options.Text, usual: usualWords}}}
	if labelled {
		t.columns = append(t.columns, column{role: "tags", name: orEmpty(k.options.Label)[0], usual: usualTags})
	}
	return examples(rows(path, t), k.parse)
}

// parse makes an example of a row of JSON: a list of words, or a text that is cut into words, and a list of tags.
func (k *tokens) parse(r *row) (*Example, error) {
	e := &Example{ID: r.place, Place: r.place}
	if text, ok := r.cells[0].(string); ok {
		if len(r.cells) > 1 {
			return nil, bad(r.place, "the words are one text, want a list with a tag for each")
		}
		e.cutWords(text)
		return e, nil
	}
	var err error
	if e.Words, err = r.texts(0, "words"); err != nil || len(r.cells) == 1 {
		return e, err
	}
	if e.Labels, err = r.texts(1, "tags"); err != nil {
		return nil, err
	}
	e.Labelled = true
	if len(e.Words) != len(e.Labels) {
		return nil, bad(r.place, "%d words and %d tags, want one for each", len(e.Words), len(e.Labels))
	}
	for i := range e.Labels {
		if e.Labels[i], err = k.tag(r.place, e.Labels[i]); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// tag returns the tag that a file means by a name: another name for it, or its number among the labels.
func (k *tokens) tag(place, name string) (string, error) {
	name = k.options.renamed(name)
	if _, _, ok := cutTag(name); ok {
		return name, nil
	}
	id, ok := k.labels.find(name)
	if _, err := strconv.Atoi(name); err == nil && !ok {
		if k.labels.names == nil {
			return "", fmt.Errorf("tasks: %s: tag %s is a number, and the labels are not known; give them, in their order", place,
				name)
		}
		return "", fmt.Errorf("tasks: %s: tag %s is the number of no label, want 0 to %d", place, name, len(k.labels.names)-1)
	}
	if !ok {
		return "", badTag(place, name)
	}
	return k.labels.names[id], nil
}

// texts returns a cell that is a list of texts.
func (r *row) texts(i int, role string) ([]string, error) {
	list, ok := r.cells[i].([]any)
	if !ok {
		return nil, bad(r.place, "the %s are %s, want a list", role, jsonText(r.cells[i]))
	}
	texts := make([]string, len(list))
	for j, item := range list {
		text, err := (&row{r.place, []any{item}}).text(0, role)
		if err != nil {
			return nil, err
		}
		texts[j] = text
	}
	return texts, nil
}

func badTag(place, tag string) error {
	return bad(place, "tag is %q, want O, or B, I, E, S, M, L, U or W and a type, as in B-PER", shortened(tag, 40))
}

// readCoNLL yields sentences of lines of columns between white space: the word in the first, the tag in the last, or
// where the options say. An empty line ends a sentence.
func (k *tokens) readCoNLL(path string, labelled bool) iter.Seq2[*Example, error] {
	return func(yield func(*Example, error) bool) {
		file, err := os.Open(path)
		if err != nil {
			yield(nil, fmt.Errorf("tasks: read examples: %w", err))
			return
		}
		defer file.Close()
		word, tag, err := k.conllColumns()
		if err != nil {
			yield(nil, err)
			return
		}
		reader := bufio.NewReader(file)
		skipByteOrderMark(reader)
		e, problem := &Example{}, error(nil)
		flush := func() bool { // a sentence with a bad line is bad
			done, bad := e, problem
			e, problem = &Example{}, nil
			return len(done.Words) == 0 && bad == nil || bad == nil && yield(done, nil) || bad != nil && yield(nil, bad)
		}
		for line := 1; ; line++ {
			text, err := reader.ReadString('\n')
			if err != nil && err != io.EOF {
				yield(nil, fmt.Errorf("tasks: read %s: %w", path, err))
				return
			}
			columns := strings.Fields(text)
			switch place := fmt.Sprintf("%s:%d", path, line); {
			case len(columns) == 0 || columns[0] == "-DOCSTART-":
				if !flush() {
					return
				}
			default:
				if e.Place == "" {
					e.ID, e.Place, e.Labelled = place, place, labelled
				}
				if err := k.addWord(e, place, text, columns, word, tag); problem == nil {
					problem = err
				}
			}
			if err == io.EOF {
				flush()
				return
			}
		}
	}
}

// conllColumns returns the columns of the word and the tag, counted from 0; −1 is the last.
func (k *tokens) conllColumns() (word, tag int, err error) {
	tag = -1
	for _, c := range []struct {
		name string
		to   *int
	}{{k.options.Text, &word}, {orEmpty(k.options.Label)[0], &tag}} {
		if c.name == "" {
			continue
		}
		n, ok := column{name: c.name}.number()
		if !ok {
			return 0, 0, fmt.Errorf("tasks: column is %q, a CoNLL file has no names; give its number, from 1", c.name)
		}
		*c.to = n
	}
	return word, tag, nil
}

func (k *tokens) addWord(e *Example, place, text string, columns []string, word, tag int) error {
	if !utf8.ValidString(text) {
		return bad(place, "%v", errNotUTF8)
	}
	if word >= len(columns) {
		return bad(place, "%d columns, want the word in column %d", len(columns), word+1)
	}
	e.Words = append(e.Words, columns[word])
	if !e.Labelled {
		return nil
	}
	if tag < 0 {
		tag = max(1, len(columns)-1)
	}
	if tag >= len(columns) {
		return bad(place, "%d columns, want the tag in column %d", len(columns), tag+1)
	}
	name, err := k.tag(place, columns[tag])
	e.Labels = append(e.Labels, name)
	return err
}

// cutWords makes words of a text: between white space, and each mark of punctuation, symbol and Chinese character is
// one of its own, as in the usual corpora of entities.
func (e *Example) cutWords(text string) {
	e.Texts = []string{text}
	begin := -1
	end := func(at int) {
		if begin >= 0 {
			e.Words, e.spans = append(e.Words, text[begin:at]), append(e.spans, [2]int{begin, at})
		}
		begin = -1
	}
	for i, r := range text {
		alone := unicode.IsPunct(r) || unicode.IsSymbol(r) || unicode.Is(unicode.Han, r)
		if alone || unicode.IsSpace(r) {
			end(i)
		}
		if begin < 0 && !unicode.IsSpace(r) {
			begin = i
		}
		if alone {
			end(i + len(string(r)))
		}
	}
	end(len(text))
}

func (k *tokens) Example(texts ...string) (*Example, error) {
	if len(texts) != 1 {
		return nil, fmt.Errorf("tasks: %d texts, task %s wants one", len(texts), k.Name())
	}
	e := &Example{ID: typed, Place: typed}
	e.cutWords(texts[0])
	return e, nil
}

func (k *tokens) Adopt(c models.Config) error {
	if err := checkArchitecture(k, c, models.ForTokenClassification); err != nil {
		return err
	}
	k.labels.adopt(c)
	return nil
}

// Learn finds the tags. Of tags that are given a type of entity must occur, each tag of it need not.
func (k *tokens) Learn(examples []*Example) error {
	given := slices.Clone(k.labels.names)
	if given == nil {
		return k.labels.learn(examples)
	}
	used := map[string]bool{}
	for _, e := range examples {
		for _, tag := range e.Labels {
			if _, err := k.labels.id(e, tag); err != nil {
				return err
			}
			_, entity, _ := cutTag(tag)
			used[entity] = true
		}
	}
	for _, tag := range given {
		if _, entity, ok := cutTag(tag); !ok {
			return badTag("the labels", tag)
		} else if !used[entity] && entity != "" {
			return fmt.Errorf("tasks: entities of type %q have no training example; remove them from the labels, or add "+
				"examples", entity)
		}
	}
	return nil
}

func (k *tokens) Configure(c models.Config) (models.Config, error) {
	if k.labels.names == nil {
		return c, errLabelsUnknown
	}
	if len(k.labels.names) < 2 {
		return c, fmt.Errorf("tasks: all words of the training examples have the tag %q; want entities, too",
			k.labels.names[0])
	}
	c.Architecture, c.Labels, c.ProblemType = models.ForTokenClassification, models.NewLabels(k.labels.names...), ""
	c.TaskParams = k.kept()
	return c, nil
}

// Features encodes each word by itself. The first token of a word has its tag, the others have none; words that are cut
// off are predicted to be O.
func (k *tokens) Features(e *Example, t tokenizer.Tokenizer) ([]*Feature, error) {
	special, most := t.Special(), k.options.maxLength()-2
	f := &Feature{words: []int{-1}}
	ids := []int32{}
	for i, word := range e.Words {
		for j, id := range t.Encode(word) {
			ids = append(ids, id)
			if j > 0 {
				f.words = append(f.words, -1)
			} else {
				f.words = append(f.words, i)
			}
		}
	}
	if f.Truncated = len(ids) > most; f.Truncated {
		if k.options.NoTruncate {
			return nil, k.options.encoder().tooLong(e.Place, len(ids)+2)
		}
		ids, f.words = ids[:most], f.words[:most+1]
	}
	f.words = append(f.words, -1)
	s := Sequence{}
	s.InputIDs, s.TokenTypeIDs = tokenizer.BuildInputs(special, ids, nil)
	f.Sequences = []Sequence{s}
	if !e.Labelled {
		return []*Feature{f}, nil
	}
	f.Labels = make([]int32, len(f.words))
	for i, word := range f.words {
		f.Labels[i] = models.IgnoreIndex
		if word < 0 {
			continue
		}
		id, err := k.labels.id(e, e.Labels[word])
		if err != nil {
			return nil, err
		}
		f.Labels[i] = id
	}
	return []*Feature{f}, nil
}

func (k *tokens) Predict(e *Example, features []*Feature, outputs [][]float32) (*Prediction, error) {
	f, logits, labels := features[0], outputs[0], len(k.labels.names)
	if len(logits) != len(f.words)*labels {
		return nil, fmt.Errorf("tasks: %s: %d logits for %d tokens and %d labels", e.Place, len(logits), len(f.words),
			labels)
	}
	p := &Prediction{Labels: make([]string, len(e.Words))}
	for i := range p.Labels {
		p.Labels[i] = outside
	}
	for i, label := range decideRows(logits, labels) {
		if word := f.words[i]; word >= 0 {
			p.Labels[word] = k.labels.names[label]
		}
	}
	p.Entities = entities(p.Labels)
	for i := range p.Entities {
		entity := &p.Entities[i]
		entity.Text = e.textOf(entity.StartWord, entity.EndWord)
		if e.spans != nil {
			start := utf8.RuneCountInString(e.Texts[0][:e.spans[entity.StartWord][0]])
			end := start + utf8.RuneCountInString(entity.Text)
			entity.Start, entity.End = &start, &end
		}
	}
	return p, nil
}

// textOf returns the text of some words: what they were cut from, or the words with spaces between them, but not
// between two Chinese characters.
func (e *Example) textOf(start, end int) string {
	if e.spans != nil {
		return e.Texts[0][e.spans[start][0]:e.spans[end-1][1]]
	}
	var b strings.Builder
	for i, word := range e.Words[start:end] {
		if i > 0 && !(isHan(word) && isHan(e.Words[start+i-1])) {
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	return b.String()
}

func isHan(word string) bool {
	for _, r := range word {
		if !unicode.Is(unicode.Han, r) {
			return false
		}
	}
	return true
}

// Score gives F1, precision and recall of entities, and the share of words whose tag is right, as seqeval has them.
func (k *tokens) Score(_ context.Context, examples []*Example, predictions []*Prediction) (Scores, error) {
	var m entityCounts
	for i, e := range examples {
		if !e.Labelled {
			return nil, notLabelled(e)
		}
		m.add(e.Labels, predictions[i].Labels)
	}
	return namedScores(ofTags, m.F1(), m.Precision(), m.Recall(), m.Accuracy()).first(k.kept().Metric)
}
