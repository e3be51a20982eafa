package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"goalbert/export"
	"goalbert/models"
	"goalbert/onnx"
	"goalbert/tasks"
	"goalbert/tokenizer"
)

// taskFlags are the flags that choose a task, and say how its examples are read and what a model sees of them.
type taskFlags struct {
	name     string
	labels   string
	labelMap []string
	skipBad  bool
	options  tasks.Options
	given    func(flag string) bool
}

// bindTask adds them, the task under that name. Where a model is used that has been fine-tuned, the task is its own.
func bindTask(f *pflag.FlagSet, name, usage string) *taskFlags {
	t := &taskFlags{given: f.Changed}
	o := &t.options
	f.StringVar(&t.name, name, "", usage)
	f.StringVar(&o.Text, "text-column", "", "name or number of the column, or key, of the text, words or passage; otherwise a usual name (text, sentence, sentence1, ...)")
	f.StringVar(&o.Pair, "pair-column", "", "of the second text; otherwise a usual name (text_pair, sentence2, ...), if there is one")
	f.StringVar(&o.Negative, "negative-column", "", "of the text that is not similar")
	f.StringSliceVar(&o.Label, "label-column", nil, "of the label, tag or value; several are columns of 0 and 1, each a label")
	f.StringVar((*string)(&o.Format), "data-format", "", "tsv, tsv-quoted, csv, jsonl or conll; otherwise by the end of the file's name")
	f.BoolVar(&o.Header, "header", false, "the first line is no example, although columns are given by number")
	f.BoolVar(&o.MultiLabel, "multi-label", false, "labels do not exclude each other; a column has several of them, or none")
	f.StringVar(&o.LabelSeparator, "label-separator", "", "between the labels of one column; a comma if empty")
	f.StringSliceVar(&t.labelMap, "label-map", nil, "old=new,...: what labels of the files are called in place of their own names, as pos=POSITIVE")
	f.StringVar(&o.Metric, "metric", "", "the score that comes first, by which the best checkpoint is chosen; otherwise the task's own")
	f.IntVar(&o.MaxLength, "max-length", 0, "most tokens of a sequence; 0 is the task's usual number, or as many as the model has positions; of a model that was fine-tuned what it was then")
	f.BoolVar(&o.NoTruncate, "no-truncate", false, "refuse examples that are longer, instead of cutting off their ends")
	f.BoolVar(&t.skipBad, "skip-bad", false, "leave out examples that are wrong, and count them, instead of refusing the file")
	f.IntVar(&o.DocStride, "doc-stride", 0, "of questions: tokens from one window of a long passage to the next; 0 is 128, or the model's own, as of the next ones")
	f.IntVar(&o.MaxQueryLength, "max-query-length", 0, "most tokens of a question, or of one with a choice; 0 is 64, or 128")
	f.IntVar(&o.MaxAnswerLength, "max-answer-length", 0, "most tokens of an answer; 0 is 30")
	f.IntVar(&o.NBest, "n-best", 0, "of each end of an answer the candidates that are combined, and the most answers that are listed; 0 is 20")
	f.BoolVar(&o.NoAnswer, "no-answer", false, "a question may have no answer, as in SQuAD v2.0")
	f.Float64Var(&o.NullThreshold, "null-threshold", 0, "by how much the logit of no answer must exceed that of the best one")
	f.Float64Var(&o.Scale, "scale", 0, "what a value of similarity is divided by to be a cosine; 0 is 1")
	return t
}

// taskUsage lists the tasks.
func taskUsage() string { return "one of " + strings.Join(tasks.Names(), ", ") }

// taskOf returns the task that a model was fine-tuned for.
func taskOf(c models.Config) (string, error) {
	switch c.Architecture {
	case models.ForSequenceClassification:
		if c.Problem() == models.Regression {
			return "regression", nil
		}
		return "classification", nil
	case models.ForTokenClassification:
		return "tokens", nil
	case models.ForQuestionAnswering:
		return "question-answering", nil
	case models.ForMultipleChoice:
		return "multiple-choice", nil
	case models.BaseModel:
		return "similarity", nil
	}
	return "", fmt.Errorf("the model is an %s, which answers no task; fine-tune it first with albert finetune",
		c.Architecture)
}

// checkUsed refuses flags that the task does not use.
func (f *taskFlags) checkUsed() error {
	if problem := tasks.Unused(f.name, f.options, f.given); problem != "" {
		return usagef("%s", problem)
	}
	return nil
}

// new returns the task, whose sequences the model of configuration c can take.
func (f *taskFlags) new(c models.Config) (tasks.Task, error) {
	if err := f.checkUsed(); err != nil {
		return nil, err
	}
	o := f.options
	if o.MaxLength < 0 {
		return nil, usagef("max-length is %d, want 1 or more, or 0", o.MaxLength)
	}
	if o.MaxLength > c.MaxPositionEmbeddings {
		return nil, fmt.Errorf("max-length is %d, the model has %d positions (max_position_embeddings); ask for at most as many",
			o.MaxLength, c.MaxPositionEmbeddings)
	}
	if o.MaxLength == 0 {
		o.MaxLength = min(tasks.Defaults(f.name).MaxLength, c.MaxPositionEmbeddings)
	}
	for _, entry := range f.labelMap {
		from, to, ok := strings.Cut(entry, "=")
		if _, twice := o.LabelMap[from]; !ok || from == "" || to == "" || twice {
			return nil, usagef("label-map has %q, want old=new,..., each old name once", entry)
		}
		if o.LabelMap == nil {
			o.LabelMap = map[string]string{}
		}
		o.LabelMap[from] = to
	}
	if f.labels != "" {
		var err error
		if o.Labels, err = tasks.ReadLabels(f.labels); err != nil {
			return nil, err
		}
	}
	return tasks.New(f.name, o)
}

// of returns the task of a model that was fine-tuned for it: the one that was asked for, or the model's own, which of a
// directory of data is the data set that the model was fine-tuned on. Options are the model's, but for flags.
func (f *taskFlags) of(c models.Config, data ...string) (tasks.Task, error) {
	own, err := taskOf(c)
	if err != nil {
		return nil, err
	}
	kept := c.TaskParams
	known := tasks.General(kept.Task) == own // or the architecture is another one since then
	if f.name == "" {
		f.name = own
		if known && len(data) == 1 && isDirectory(data[0]) {
			f.name = kept.Task
		}
	}
	if known && tasks.General(f.name) == own {
		otherData := f.name != kept.Task && f.name != own // whose metric and scale are its own
		f.options = f.options.With(kept, func(option string) bool {
			return f.given(option) || otherData && (option == "metric" || option == "scale")
		})
	}
	if f.name == own && own == "classification" && c.Problem() == models.MultiLabel {
		f.options.MultiLabel = true
	}
	task, err := f.new(c)
	if err != nil {
		return nil, err
	}
	return task, task.Adopt(c)
}

// load reads the examples of files and makes their features, and notes what was left out or cut off.
func (f *taskFlags) load(c *cobra.Command, task tasks.Task, t tokenizer.Tokenizer, labelled bool, paths ...string) (*tasks.Set, error) {
	set, err := tasks.Load(task, labelled, f.skipBad, paths...)
	if err != nil {
		return nil, err
	}
	return set, encode(c, task, t, set, strings.Join(paths, ", "))
}

// encode makes the features of a set, and notes what was left out or cut off.
func encode(c *cobra.Command, task tasks.Task, t tokenizer.Tokenizer, set *tasks.Set, name string) error {
	if err := set.Encode(task, t); err != nil {
		return err
	}
	noteLosses(c, set, len(set.Examples), name)
	return nil
}

// noteLosses notes what was left out of a set of so many examples, or cut off.
func noteLosses(c *cobra.Command, set *tasks.Set, examples int, name string) {
	if set.Bad > 0 {
		note(c, "%s: %s examples were left out; the first: %v", name, counted(set.Bad), set.FirstBad)
	}
	if set.Truncated > 0 {
		note(c, "%s: %s of %s examples are too long for the model; their ends were cut off", name, counted(set.Truncated),
			counted(examples))
	}
}

// files returns the files of a split: those that were given, or of a data set whose layout is known the one in its
// directory.
func (f *taskFlags) files(given []string, directory, split string) ([]string, error) {
	if len(given) > 0 || directory == "" {
		return given, nil
	}
	file, err := tasks.Files(f.name, directory, split)
	return []string{file}, err
}

// openTaskModel opens a model that was fine-tuned. Of an .onnx file its own metadata say for what, if they say anything.
func (o *engineOptions) openTaskModel(c *cobra.Command, name string) (*model, error) {
	m, err := o.openModel(c, name)
	if err != nil || !m.isFile() {
		return m, err
	}
	if m.config, err = configOf(m.path, m.config); err != nil {
		m.session.Close()
		return nil, err
	}
	return m, nil
}

// configOf returns c with the architecture, the labels and what else of the task the metadata of an .onnx file have.
func configOf(path string, c models.Config) (models.Config, error) {
	file, err := onnx.ReadGraph(path)
	if err != nil {
		return c, err
	}
	if a := file.Metadata(export.ArchitectureKey); a != "" {
		c.Architecture, c.Labels, c.ProblemType = models.Architecture(a), models.Labels{}, ""
	}
	if text := file.Metadata(export.LabelsKey); text != "" {
		var names []string
		if err := json.Unmarshal([]byte(text), &names); err != nil {
			return c, fmt.Errorf("%s: metadata %s is %q, want a JSON list of names", path, export.LabelsKey, text)
		}
		c.Labels = models.NewLabels(names...)
	}
	if problem := file.Metadata(export.ProblemTypeKey); problem != "" {
		c.ProblemType = models.ProblemType(problem)
	}
	if text := file.Metadata(export.TaskParamsKey); text != "" {
		if c.TaskParams, err = models.ParseTaskParams([]byte(text)); err != nil {
			return c, fmt.Errorf("%s: metadata %s is %q: %w; export the checkpoint again", path, export.TaskParamsKey, text, err)
		}
	}
	return c, nil
}
