package tasks

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// load reads examples of one file that is written for it.
func load(t testing.TB, task Task, labelled, skipBad bool, name, text string) (*Set, error) {
	t.Helper()
	return Load(task, labelled, skipBad, write(t, name, text))
}

// Every way to write the same examples.
func TestFormats(t *testing.T) {
	for name, c := range map[string]struct {
		file, text string
		options    Options
	}{
		"TSV with usual names": {"a.tsv", "sentence1\tsentence2\tlabel\n\"Stop\" he said\t, no\tx\nb\t\ty\n", Options{}},
		"TSV by name":          {"a.tsv", "id\tq\ta\tgold\n1\t\"Stop\" he said\t, no\tx\n2\tb\t\ty\n", Options{Text: "q", Pair: "a", Label: []string{"gold"}}},
		"TSV by number":        {"a", "x\t\"Stop\" he said\t, no\n\ny\tb\t\n", Options{Text: "2", Pair: "3", Label: []string{"1"}}},
		"TSV with BOM and CR":  {"a.txt", "\ufefflabel\ttext\ttext_pair\r\nx\t\"Stop\" he said\t, no\r\ny\tb\t", Options{}},
		"a header to skip":     {"a.tsv", "one\ttwo\tthree\nx\t\"Stop\" he said\t, no\ny\tb\t\n", Options{Text: "2", Pair: "3", Label: []string{"1"}, Header: true}},
		"quoted TSV":           {"a.tsv", "text\ttext_pair\tlabel\n\"\"\"Stop\"\" he said\"\t\", no\"\tx\nb\t\ty\n", Options{Format: QuotedTSV}},
		"CSV":                  {"a.csv", "label,text,text_pair\nx,\"\"\"Stop\"\" he said\",\", no\"\ny,b,\n", Options{}},
		"JSON lines":           {"a.jsonl", `{"text": "\"Stop\" he said", "text_pair": ", no", "label": "x"}` + "\n" + `{"label": "y", "text": "b", "text_pair": "", "more": [1]}`, Options{}},
	} {
		task := newTask(t, "classification", c.options)
		set, err := load(t, task, true, false, c.file, c.text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, e := range set.Examples {
			got = append(got, slices.Concat(e.Texts, e.Labels)...)
		}
		if want := []string{`"Stop" he said`, ", no", "x", "b", "", "y"}; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// A cell of CSV may have several lines, and an error says the line where its record begins.
func TestLines(t *testing.T) {
	task := newTask(t, "classification", Options{})
	set, err := load(t, task, true, true, "a.csv", "text,label\n\"a\nb\",x\nc,\"y\"z\nd,y\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Examples) != 2 || set.Examples[0].Texts[0] != "a\nb" || set.Bad != 1 || !strings.Contains(set.FirstBad.Error(), "a.csv:4: column") {
		t.Errorf("%d examples, %d bad, the first: %v", len(set.Examples), set.Bad, set.FirstBad)
	}
}

// Files to predict have no labels; one of which nothing is known is one text a line.
func TestUnlabelled(t *testing.T) {
	for file, text := range map[string]string{
		"a.tsv": "id\tsentence\n1\tgood film\n2\tbad\n", "a.txt": "good film\nbad\n", "a.jsonl": `{"text":"good film"}` + "\n" + `{"text":"bad"}`,
	} {
		for _, name := range []string{"classification", "regression", "similarity"} {
			set, err := load(t, newTask(t, name, Options{}), false, false, file, text)
			if err != nil {
				t.Errorf("%s, %s: %v", name, file, err)
				continue
			}
			e := set.Examples
			if len(e) != 2 || e[0].Texts[0] != "good film" || e[1].Texts[0] != "bad" || e[0].Labelled {
				t.Errorf("%s, %s: %+v", name, file, e)
			}
		}
	}
}

// A table of several columns, none of which is known, is no text a line: nobody can say which of them is meant.
func TestUnlabelledColumns(t *testing.T) {
	for file, text := range map[string]string{
		"a.csv": "id,review\n1,good film\n2,bad\n", "a.tsv": "1\tgood film\n2\tbad\n", "b.jsonl": `{"1":"good film","review":"bad"}`,
	} {
		for _, name := range []string{"classification", "regression", "similarity"} {
			_, err := load(t, newTask(t, name, Options{}), false, false, file, text)
			want := "the first line names no column of the text"
			if file == "b.jsonl" {
				want = "the object has no key of the text"
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s, %s: %v, want %s", name, file, err, want)
			}
		}
	}
	set, err := load(t, newTask(t, "classification", Options{}), false, true, "a.txt", "good film\nbad\tplay\nbad\n")
	if err != nil || len(set.Examples) != 2 || !strings.Contains(set.FirstBad.Error(), "a.txt:2: 2 columns, want 1 as in the first line") {
		t.Errorf("%+v, error %v", set, err)
	}
}

// The published files of QQP have lines without all columns: they are left out and counted, here and in the data sets of
// Hugging Face. In other tables they are errors.
func TestPublishedShortLines(t *testing.T) {
	const text = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n0\t1\t2\tgood\tbad\t1\n1\t3\t4\tgood\n2\t5\t6\tfilm\tplay\t0\n"
	set, err := load(t, newTask(t, "glue/qqp", Options{}), true, false, "train.tsv", text)
	if err != nil || len(set.Examples) != 2 || set.Bad != 1 || !strings.Contains(set.FirstBad.Error(), "train.tsv:3: 4 columns, want 6") {
		t.Errorf("%+v, error %v", set, err)
	}
	_, err = load(t, newTask(t, "classification", Options{Text: "question1", Label: []string{"is_duplicate"}}), true, false, "train.tsv", text)
	if err == nil || !strings.Contains(err.Error(), "train.tsv:3: 4 columns, want 6 as in the header") {
		t.Error(err)
	}
	_, err = load(t, newTask(t, "glue/qqp", Options{}), true, false, "train.tsv", text+"3\t7\t8\ta\tb\t1\tmore\n")
	if err == nil || !strings.Contains(err.Error(), "train.tsv:5: 7 columns, want 6 as in the header") {
		t.Error(err)
	}
}

// Bad files: each error says the file, the line, what is there and what was wanted. Where a line is bad, the others can
// be read; where the file is, nothing can.
func TestBadExamples(t *testing.T) {
	number := Options{Text: "1", Label: []string{"2"}}
	for name, c := range map[string]struct {
		task, file, text string
		options          Options
		want             string
		fatal            bool
	}{
		"too few columns":    {"classification", "a.tsv", "a\tx\nb\n", number, "a.tsv:2: 1 columns, want at least 2", false},
		"not as the header":  {"classification", "a.tsv", "text\tlabel\na\tx\nb\tc\tx\n", Options{}, "a.tsv:3: 3 columns, want 2 as in the header", false},
		"no label":           {"classification", "a.tsv", "text\tlabel\na\tx\nb\t \n", Options{}, "a.tsv:3: the label is empty", false},
		"not UTF-8":          {"classification", "a.tsv", "a\tx\nb\xff\tx\n", number, "a.tsv:2: the line is not UTF-8", false},
		"no such column":     {"classification", "a.tsv", "text\tlabel\na\tx\n", Options{Text: "txt"}, `no column "txt" of the text, but "text", "label"`, true},
		"no usual column":    {"classification", "a.tsv", "good film\t1\n", Options{}, `a.tsv:1: the first line names no column of the text (text, sentence, sentence1, text_a), but "good film", "1"`, true},
		"no number":          {"classification", "a.tsv", "good film\t1\n", Options{Text: "1"}, "no column of the label is given; give its number", true},
		"no such number":     {"classification", "a.tsv", "good film\t1\n", Options{Text: "1", Label: []string{"3"}}, "2 columns, want the label in column 3", true},
		"no file":            {"classification", "", "", Options{}, "no such file", true},
		"an empty file":      {"classification", "a.tsv", "", Options{}, "a.tsv: no example; want at least one", true},
		"a header alone":     {"classification", "a.tsv", "text\tlabel\n", Options{}, "a.tsv: no example; want at least one", true},
		"JSON of no object":  {"classification", "a.jsonl", "{\"text\":\"a\",\"label\":\"x\"}\n[1]\n", Options{}, "a.jsonl:2: not a JSON object: it is a list, want an object", false},
		"JSON that ends":     {"classification", "a.jsonl", "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"b\"", Options{}, "a.jsonl:2: not a JSON object: it ends too early", false},
		"two objects":        {"classification", "a.jsonl", "{\"text\":\"a\",\"label\":\"x\"}\n{} {}\n", Options{}, "a.jsonl:2: more than one JSON object", false},
		"no key":             {"classification", "a.jsonl", "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"b\"}\n", Options{}, "a.jsonl:2: the object has no key of the label (label, labels)", false},
		"text of JSON":       {"classification", "a.jsonl", "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":[],\"label\":\"x\"}\n", Options{}, "a.jsonl:2: the text is [], want text", false},
		"neither 0 nor 1":    {"classification", "a.tsv", "a\t0\t1\nb\t2\t1\n", Options{Text: "1", Label: []string{"2", "3"}}, `a.tsv:2: label "2" is "2", want 0 or 1`, false},
		"NaN":                {"regression", "a.tsv", "a\t1\nb\tNaN\n", number, `a.tsv:2: the value is "NaN", want a finite number`, false},
		"no value":           {"regression", "a.tsv", "a\t1\nb\tgood\n", number, `a.tsv:2: the value is "good", want a finite number`, false},
		"no cosine":          {"similarity", "a.tsv", "a\tb\t1\nc\td\t5\n", Options{Text: "1", Pair: "2", Label: []string{"3"}}, "a.tsv:2: the value is 5, a cosine of 5, want -1 to 1; divide by a larger scale", false},
		"a pair of three":    {"similarity", "a.jsonl", "{\"anchor\":\"a\",\"positive\":\"b\",\"negative\":\"c\"}\n{\"anchor\":\"a\",\"positive\":\"b\"}\n", Options{}, "a.jsonl:2: 2 texts and no value, want 3 and no value", false},
		"a tag":              {"tokens", "a.conll", "Ada B-PER\n\nVarn LOC\n", Options{}, `a.conll:3: tag is "LOC", want O, or B, I, E, S, M, L, U or W and a type`, false},
		"no tag":             {"tokens", "a.conll", "Ada B-PER\n\nVarn\nO O\n", Options{}, "a.conll:3: 1 columns, want the tag in column 2", false},
		"not a tag each":     {"tokens", "a.json", "{\"text\":[\"a\"],\"label\":[\"O\"]}\n{\"text\":[\"a\"],\"label\":[]}\n", Options{}, "a.json:2: 1 words and 0 tags", false},
		"tags of a text":     {"tokens", "a.json", "{\"text\":[\"a\"],\"label\":[\"O\"]}\n{\"text\":\"a\",\"label\":[]}\n", Options{}, "a.json:2: the words are one text, want a list", false},
		"no tag of a number": {"tokens", "a.json", "{\"text\":[\"a\"],\"label\":[0]}\n{\"text\":[\"a\"],\"label\":[7]}\n", Options{Labels: []string{"O", "B-X"}}, "a.json:2: tag 7 is the number of no label, want 0 to 1", true},
		"one choice":         {"multiple-choice", "a.jsonl", "{\"choices\":[\"a\",\"b\"],\"label\":1}\n{\"choices\":[\"a\"],\"label\":0}\n", Options{}, "a.jsonl:2: 1 choices, want at least 2", false},
		"two choices":        {"multiple-choice", "a.jsonl", "{\"choices\":[\"a\",\"b\"],\"label\":1}\n{\"choices\":[\"3\",\"2\",\"1\",\"0\"],\"label\":\"3\"}\n", Options{}, `a.jsonl:2: the right choice is "3", which is choice 0, and the number or letter of choice 3`, false},
		"a letter of two":    {"multiple-choice", "a.jsonl", "{\"choices\":[\"a\",\"b\"],\"label\":1}\n{\"choices\":[\"B\",\"A\"],\"label\":\"A\"}\n", Options{}, `a.jsonl:2: the right choice is "A", which is choice 1, and the number or letter of choice 0`, false},
		"no such choice":     {"multiple-choice", "a.jsonl", "{\"choices\":[\"x\",\"y\"],\"label\":\"B\"}\n{\"choices\":[\"x\",\"y\"],\"label\":2}\n", Options{}, `a.jsonl:2: the right choice is "2", want 0 to 1`, false},
		"no SQuAD":           {"squad", "a.json", "[]", Options{}, "a.json: byte 1: [ instead of {; want the JSON of SQuAD", true},
		"no data":            {"squad", "a.json", "{\"version\":\"1.1\"}", Options{}, "no key data; want the JSON of SQuAD", true},
		"half a file":        {"squad", "a.json", `{"data":[{"title":"A","paragraphs":[`, Options{}, "the file ends too early", true},
		"an article":         {"squad", "a.json", `{"data":[` + article("") + `,{"paragraphs":3}]}`, Options{}, "a.json: article 2: paragraphs is a number, want a list", false},
		"an answer":          {"squad", "a.json", `{"data":[` + article(`,{"id":"q","question":"Who?","answers":[{"text":"Varn","answer_start":1}]}`) + `]}`, Options{}, `article 1, paragraph 1, question 2 (q): answer "Varn" does not stand at character 1 of the context`, false},
		"no answers":         {"squad", "a.json", `{"data":[` + article(`,{"id":"q","question":"Who?","answers":[]}`) + `]}`, Options{}, "question 2 (q): no answers, want at least one", false},
		"impossible":         {"squad", "a.json", `{"data":[` + article(`,{"id":"q","question":"Who?","is_impossible":true}`) + `]}`, Options{}, "question 2 (q): the question has no answer (is_impossible)", false},
	} {
		path := t.TempDir() + "/missing.tsv"
		if c.file != "" {
			path = write(t, c.file, c.text)
		}
		task := newTask(t, c.task, c.options)
		_, err := Load(task, true, false, path)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s", name, err, c.want)
			continue
		}
		set, err := Load(task, true, true, path)
		if c.fatal {
			if isBad := new(BadExample); err == nil || errors.As(err, &isBad) {
				t.Errorf("%s: with bad examples left out: %v", name, err)
			}
		} else if err != nil || set.Bad != 1 || len(set.Examples) != 1 {
			t.Errorf("%s: with bad examples left out: %+v, %v", name, set, err)
		}
	}
}

// article is one of SQuAD, of one paragraph with a question, and more.
func article(more string) string {
	return `{"title":"Varn","paragraphs":[{"context":"Varn é Ada","qas":[
		{"id":"p","question":"What?","answers":[{"text":"Ada","answer_start":7}]}` + more + `]}]}`
}

// A question that cannot be read is left out by itself, in an article of SQuAD and of RACE.
func TestBadQuestionAlone(t *testing.T) {
	const squad = `{"data":[{"title":"Varn","paragraphs":[
		{"context":"Varn é Ada","qas":[
			{"id":"a","question":"What?","answers":[{"text":"Ada","answer_start":7}]},
			{"id":"b","question":"What?","answers":[{"text":"Ada","answer_start":"7"}]},
			{"id":"c","question":"What?","answers":[{"text":"Ada","answer_start":7}]}]},
		{"context":3,"qas":[{"id":"d","question":"What?"},{"id":"e","question":"What?"}]},
		{"context":"Ada","qas":[{"id":"f","question":["What?"]},{"id":"g","question":"Who?","answers":[{"text":"Ada","answer_start":0}]}]}]}]}`
	const race = `{"article":"Ada","questions":["Who?","Who?",["Who?"],"Who?"],"options":[["a","b"],"c",["a","b"],["a","b"]],
		"answers":["A","A","A",1],"id":"1"}`
	for _, c := range []struct {
		task, path string
		bad        int
		ids        string
		want       string
	}{
		{"squad", write(t, "a.json", squad), 4, "a c g", "paragraph 1, question 2 (b): answers.answer_start is text, want a whole number"},
		{"race", tree(t, map[string]string{"high/1.txt": race}), 3, "1", "high/1.txt: question 2: of question, options and answer it is text, want a list"},
	} {
		_, err := Load(newTask(t, c.task, Options{}), true, false, c.path)
		if err == nil || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.task, err, c.want)
		}
		set, err := Load(newTask(t, c.task, Options{}), true, true, c.path)
		if err != nil {
			t.Errorf("%s: %v", c.task, err)
			continue
		}
		var ids []string
		for _, e := range set.Examples {
			ids = append(ids, e.ID[max(0, len(e.ID)-1):])
		}
		if strings.Join(ids, " ") != c.ids || set.Bad != c.bad {
			t.Errorf("%s: %d bad, examples %s, want %d, %s", c.task, set.Bad, ids, c.bad, c.ids)
		}
	}
}

// A file of bad examples alone is an error, also where they are left out.
func TestAllBad(t *testing.T) {
	task := newTask(t, "regression", Options{Text: "1", Label: []string{"2"}})
	_, err := load(t, task, true, true, "a.tsv", "a\tx\nb\ty\n")
	if err == nil || !strings.Contains(err.Error(), "tasks: all 2 examples are bad; the first: /") || !strings.Contains(err.Error(), `a.tsv:1: the value is "x"`) {
		t.Error(err)
	}
}
