package tasks

import (
	"fmt"
	"slices"
	"strings"
)

// General returns the name of the task that a data set's is one of: of "squad2" question-answering. A name of another kind
// is its own.
func General(name string) string {
	l, ok := layouts[name]
	if !ok {
		return name
	}
	switch l.open(name, Options{}).(type) {
	case *regression:
		return "regression"
	case *similarity:
		return "similarity"
	case *questionAnswering:
		return "question-answering"
	case *multipleChoice:
		return "multiple-choice"
	}
	return "classification"
}

// usedBy lists the options that only some tasks have, under the names of the command's flags, and the general tasks that
// have them.
var usedBy = map[string][]string{
	"text-column":       {"classification", "regression", "tokens", "multiple-choice", "similarity"},
	"pair-column":       {"classification", "regression", "multiple-choice", "similarity"},
	"negative-column":   {"similarity"},
	"label-column":      {"classification", "regression", "tokens", "multiple-choice", "similarity"},
	"data-format":       {"classification", "regression", "tokens", "similarity"},
	"header":            {"classification", "regression", "similarity"},
	"multi-label":       {"classification"},
	"label-separator":   {"classification"},
	"labels":            {"classification", "tokens"},
	"label-map":         {"classification", "tokens"},
	"label-weights":     {"classification", "tokens"},
	"doc-stride":        {"question-answering"},
	"max-query-length":  {"question-answering", "multiple-choice"},
	"max-answer-length": {"question-answering"},
	"n-best":            {"question-answering"},
	"no-answer":         {"question-answering"},
	"null-threshold":    {"question-answering"},
	"scale":             {"similarity"},
}

// ofFiles are those that say how a file is read, which of a data set whose files are known is known.
var ofFiles = []string{
	"text-column", "pair-column", "negative-column", "label-column", "data-format", "header", "multi-label", "label-separator",
}

// Unused says in a sentence which of the options that are given a task does not use; it is empty where it uses all. o is
// what they are.
func Unused(name string, o Options, given func(option string) bool) string {
	general := General(name)
	for _, option := range slices.Sorted(func(yield func(string) bool) {
		for option := range usedBy {
			if given(option) && !yield(option) {
				return
			}
		}
	}) {
		switch {
		case !slices.Contains(usedBy[option], general):
			return fmt.Sprintf("--%s is not for task %s, but for %s; leave it out", option, name, strings.Join(usedBy[option], ", "))
		case general != name && slices.Contains(ofFiles, option):
			return fmt.Sprintf("--%s is not for task %s, whose files are known; leave it out, or name task %s", option, name, general)
		case option == "label-separator" && !o.MultiLabel:
			return "--label-separator is between several labels of an example; add --multi-label, or leave it out"
		case option == "null-threshold" && !o.NoAnswer && !layouts[name].noAnswer:
			return "--null-threshold is for questions that may have no answer; add --no-answer, or leave it out"
		}
	}
	return ""
}
