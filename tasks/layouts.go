package tasks

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// layout is a data set whose files are known.
type layout struct {
	task     func(Options) Task
	folders  []string            // below the directory that is given; it may be the folder itself
	files    map[string][]string // the names that the part of a split may have
	text     string
	pair     string
	label    string
	short    bool    // the published files have lines of too few columns, which the field leaves out
	numbered *layout // how the columns are called in a file without a header
	noAnswer bool
	metric   string
	scale    float64
	devShare float64 // of train, where the data set has no dev examples of its own
}

// The splits of a data set.
const (
	Train = "train"
	Dev   = "dev"
	Test  = "test"
)

func glueFiles() map[string][]string {
	return map[string][]string{Train: {"train.tsv"}, Dev: {"dev.tsv"}, Test: {"test.tsv"}}
}

var stsb = layout{
	folders: []string{"STS-B", "stsb", "stsbenchmark"}, text: "sentence1", pair: "sentence2", label: "score",
	files: map[string][]string{
		Train: {"train.tsv", "sts-train.csv"}, Dev: {"dev.tsv", "sts-dev.csv"}, Test: {"test.tsv", "sts-test.csv"},
	},
	numbered: &layout{text: "6", pair: "7", label: "5"}, // the STS benchmark itself
}

// layouts are the nine tasks of GLUE (Wang et al., arXiv:1804.07461) as its files have them, and other data sets whose
// files everyone has in the same form.
var layouts = map[string]layout{
	"glue/cola": {
		task: newClassification, folders: []string{"CoLA"}, text: "sentence", label: "label", metric: "matthews_correlation",
		files:    map[string][]string{Train: {"train.tsv"}, Dev: {"dev.tsv", "val.tsv"}, Test: {"test.tsv"}},
		numbered: &layout{text: "4", label: "2"},
	},
	"glue/sst2": {task: newClassification, folders: []string{"SST-2"}, files: glueFiles(), text: "sentence", label: "label"},
	"glue/mrpc": {
		task: newClassification, folders: []string{"MRPC"}, files: glueFiles(),
		text: "#1 String", pair: "#2 String", label: "Quality",
	},
	"glue/qqp": {
		task: newClassification, folders: []string{"QQP"}, files: glueFiles(),
		text: "question1", pair: "question2", label: "is_duplicate", short: true,
	},
	"glue/stsb": stsb.of(newRegression, 0),
	"glue/mnli": {
		task: newClassification, folders: []string{"MNLI"}, text: "sentence1", pair: "sentence2", label: "gold_label",
		files: map[string][]string{Train: {"train.tsv"}, Dev: {"dev_matched.tsv"}, Test: {"test_matched.tsv"}},
	},
	"glue/mnli-mm": {
		task: newClassification, folders: []string{"MNLI"}, text: "sentence1", pair: "sentence2", label: "gold_label",
		files: map[string][]string{Train: {"train.tsv"}, Dev: {"dev_mismatched.tsv"}, Test: {"test_mismatched.tsv"}},
	},
	"glue/qnli": {
		task: newClassification, folders: []string{"QNLI"}, files: glueFiles(),
		text: "question", pair: "sentence", label: "label",
	},
	"glue/rte": {
		task: newClassification, folders: []string{"RTE"}, files: glueFiles(),
		text: "sentence1", pair: "sentence2", label: "label",
	},
	"glue/wnli": {
		task: newClassification, folders: []string{"WNLI"}, files: glueFiles(),
		text: "sentence1", pair: "sentence2", label: "label",
	},
	"imdb": {
		task:    newIMDB,
		folders: []string{"aclImdb"}, files: map[string][]string{Train: {"train"}, Test: {"test"}}, devShare: 0.1,
	},
	"squad": {
		task:    newQuestionAnswering,
		folders: []string{"squad"}, files: map[string][]string{Train: {"train-v1.1.json"}, Dev: {"dev-v1.1.json"}},
	},
	"squad2": {
		task: newQuestionAnswering, noAnswer: true,
		folders: []string{"squad2"}, files: map[string][]string{Train: {"train-v2.0.json"}, Dev: {"dev-v2.0.json"}},
	},
	"race": {
		task:    newRACE,
		folders: []string{"RACE"}, files: map[string][]string{Train: {"train"}, Dev: {"dev"}, Test: {"test"}},
	},
	"similarity/stsb": stsb.of(newSimilarity, 5),
}

func (l layout) of(task func(Options) Task, scale float64) layout {
	l.task, l.scale = task, scale
	return l
}

// open returns the task of a layout.
func (l layout) open(name string, o Options) Task {
	o.NoAnswer = o.NoAnswer || l.noAnswer
	o.Metric = cmp.Or(o.Metric, l.metric)
	o.Scale = cmp.Or(o.Scale, l.scale)
	switch task := l.task(o).(type) {
	case *classification:
		task.name, task.tables = name, l.tables()
		return task
	case *regression:
		task.name, task.tables = name, l.tables()
		return task
	case *similarity:
		task.name, task.tables = name, l.tables()
		for i, t := range task.tables {
			task.tables[i].columns = slices.Insert(t.columns, negativeText, column{optional: true}) // there is none
		}
		return task
	case *questionAnswering:
		task.name = name
		return task
	case *multipleChoice:
		task.name = name
		return task
	case *imdb:
		return task
	}
	panic("tasks: " + name + " has no task")
}

// tables are the ways to read the files, which quote nothing.
func (l layout) tables() []table {
	t := table{format: TSV, short: l.short, columns: []column{
		{role: "text", name: l.text},
		{role: "second text", name: l.pair, optional: true},
		{role: "label", name: l.label},
	}}
	if l.numbered == nil {
		return []table{t}
	}
	return append([]table{t}, l.numbered.tables()...)
}

// pairTable returns the way to read files that have the columns of a data set, known by the task's name, of pairs of
// sentences and a class; nil of others, whose columns have usual names.
func pairTable(name string) *table {
	l := layouts[name]
	if l.pair == "" || General(name) != "classification" {
		return nil
	}
	return &l.tables()[0]
}

// Files returns the file of a split of a data set whose layout is known by the task's name, below a directory.
func Files(name, dir, split string) (string, error) {
	l, ok := layouts[name]
	if !ok {
		return "", fmt.Errorf("tasks: the files of task %s have no fixed names; give each", name)
	}
	var looked []string
	for _, folder := range append([]string{""}, l.folders...) {
		for _, file := range l.files[split] {
			path := filepath.Join(dir, folder, file)
			if _, err := os.Stat(path); err == nil {
				return path, nil
			}
			looked = append(looked, filepath.Join(folder, file))
		}
	}
	if looked == nil && split == Dev && l.devShare > 0 {
		return "", fmt.Errorf("tasks: the part dev of %s is held out of train; ask for train or test", name)
	}
	if looked == nil {
		return "", fmt.Errorf("tasks: task %s has no part %s", name, split)
	}
	return "", fmt.Errorf("tasks: %s has none of %s, the part %s of %s", dir, strings.Join(looked, ", "), split, name)
}

// DevShare returns the share of the training examples that is held out where a data set, known by the task's name, has no
// dev examples of its own; 0 if it has.
func DevShare(name string) float64 { return layouts[name].devShare }

// imdb is a classification whose texts are files, in a folder for each label (Maas et al. 2011).
type imdb struct{ classification }

func newIMDB(o Options) Task {
	return &imdb{classification{name: "imdb", options: o, labels: newVocabulary(o.Labels)}}
}

// Read yields the texts of the folders neg and pos of a directory; without labels also those of the directory itself.
func (m *imdb) Read(path string, labelled bool) iter.Seq2[*Example, error] {
	return func(yield func(*Example, error) bool) {
		folders := []string{"neg", "pos"}
		if !labelled {
			folders = append(folders, "")
		}
		found := false
		for _, folder := range folders {
			names, err := textsIn(filepath.Join(path, folder))
			if err == nil && len(names) == 0 && labelled {
				err = fmt.Errorf("no file %s/*.txt in it", folder)
			}
			if err != nil {
				yield(nil, fmt.Errorf("tasks: %s: %w; want the folders pos and neg of texts", path, err))
				return
			}
			for _, name := range names {
				found = true
				text, err := os.ReadFile(name)
				e := &Example{ID: name, Place: name, Texts: []string{strings.TrimSpace(string(text))}, Labelled: labelled}
				if labelled {
					e.Labels = []string{m.options.renamed(folder)}
				}
				switch {
				case err != nil:
					yield(nil, fmt.Errorf("tasks: read examples: %w", err))
					return
				case !utf8.Valid(text):
					e, err = nil, bad(name, "the text is not UTF-8; convert the file")
				}
				if !yield(e, err) {
					return
				}
			}
		}
		if !found {
			yield(nil, fmt.Errorf("tasks: %s has no file *.txt; want the folders pos and neg of texts", path))
		}
	}
}

// textsIn returns the files *.txt of a directory, in order.
func textsIn(dir string) ([]string, error) {
	names, err := fs.Glob(os.DirFS(dir), "*.txt")
	for i, name := range names {
		names[i] = filepath.Join(dir, name)
	}
	return names, err
}

func newRACE(o Options) Task {
	m := &multipleChoice{name: "race", options: o}
	m.read = readRACE
	return m
}

// raceArticle is a file of RACE (Lai et al., arXiv:1704.04683), its questions to be read one by one.
type raceArticle struct {
	Article   string            `json:"article"`
	Questions []json.RawMessage `json:"questions"`
	Options   []json.RawMessage `json:"options"`
	Answers   []json.RawMessage `json:"answers"`
}

// readRACE yields the questions of the files below a directory, of its folders middle and high.
func readRACE(dir string, labelled bool) iter.Seq2[*Example, error] {
	return func(yield func(*Example, error) bool) {
		found := false
		for _, folder := range []string{"high", "middle", ""} {
			names, err := textsIn(filepath.Join(dir, folder))
			if err != nil {
				yield(nil, fmt.Errorf("tasks: %s: %w", dir, err))
				return
			}
			for _, name := range names {
				found = true
				text, err := os.ReadFile(name)
				if err != nil {
					yield(nil, fmt.Errorf("tasks: read examples: %w", err))
					return
				}
				if !raceQuestions(name, text, labelled, yield) {
					return
				}
			}
		}
		if !found {
			yield(nil, fmt.Errorf("tasks: %s has no file *.txt; want the folders high and middle of RACE", dir))
		}
	}
}

func raceQuestions(name string, text []byte, labelled bool, yield func(*Example, error) bool) bool {
	var a raceArticle
	if err := json.Unmarshal(text, &a); err != nil {
		return yield(nil, bad(name, "%s; want the JSON of an article", jsonProblem(err)))
	}
	if len(a.Options) != len(a.Questions) || labelled && len(a.Answers) != len(a.Questions) {
		return yield(nil, bad(name, "%d questions, %d options and %d answers, want one of each for every question",
			len(a.Questions), len(a.Options), len(a.Answers)))
	}
	for i := range a.Questions {
		e, err := a.question(fmt.Sprintf("%s: question %d", name, i+1), i, labelled)
		if err == nil {
			e.Group = name
		}
		if !yield(e, err) {
			return false
		}
	}
	return true
}

// question returns the example of a question. Its answer is a letter.
func (a *raceArticle) question(place string, i int, labelled bool) (*Example, error) {
	var question, answer string
	var options []string
	err := json.Unmarshal(a.Questions[i], &question)
	if err == nil {
		err = json.Unmarshal(a.Options[i], &options)
	}
	if err == nil && labelled {
		err = json.Unmarshal(a.Answers[i], &answer)
	}
	if err != nil {
		return nil, bad(place, "of question, options and answer %s", jsonProblem(err))
	}
	e, err := choiceExample(place, a.Article, question, options)
	if err != nil || !labelled {
		return e, err
	}
	if len(answer) != 1 || answer[0] < 'A' || int(answer[0]-'A') >= len(options) {
		return nil, bad(place, "the answer is %q, want a letter from A to %c", shortened(answer, 40), 'A'+len(options)-1)
	}
	e.Labelled, e.Right = true, int(answer[0]-'A')
	return e, nil
}
