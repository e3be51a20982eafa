package tasks

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"goalbert/models"
)

// vocabulary is the labels of a task in the order of a model's outputs.
type vocabulary struct {
	names []string // nil before they are known
	ids   map[string]int32
	given bool // by the caller or a model, not found in examples
}

var errLabelsUnknown = errors.New("tasks: the labels are not known; read the training examples first")

func newVocabulary(names []string) vocabulary {
	v := vocabulary{given: names != nil}
	v.set(names)
	return v
}

func (v *vocabulary) set(names []string) {
	v.names, v.ids = names, map[string]int32{}
	for i, name := range names {
		v.ids[name] = int32(i)
	}
}

// adopt takes the labels of a fine-tuned model.
func (v *vocabulary) adopt(c models.Config) {
	v.set(c.Labels.Names())
	v.given = true
}

// find returns the number of a label. Where no label is itself a number, a number from 0 names the label of that place.
func (v *vocabulary) find(name string) (int32, bool) {
	if id, ok := v.ids[name]; ok {
		return id, true
	}
	if id, ok := v.ids["LABEL_"+name]; ok { // transformers' default names, in any order
		return id, true
	}
	n, err := strconv.Atoi(name)
	if err != nil || n < 0 || n >= len(v.names) || slices.ContainsFunc(v.names, isNumber) {
		return 0, false
	}
	return int32(n), true
}

func isNumber(name string) bool {
	_, err := strconv.Atoi(name)
	return err == nil
}

// id is find, whose failure is no bad example that may be left out: a model that does not know a label is wrong there,
// and its scores would be of the others alone.
func (v *vocabulary) id(e *Example, name string) (int32, error) {
	if id, ok := v.find(name); ok {
		return id, nil
	}
	return 0, fmt.Errorf("tasks: %s: label %q is unknown; want one of the model's: %s, or its number, or map the name "+
		"to one of them", e.Place, name, listed(v.names))
}

// learn finds the labels of examples, or checks that they are those that were given.
func (v *vocabulary) learn(examples []*Example) error {
	counts := map[string]int{}
	for _, e := range examples {
		for _, name := range e.Labels {
			counts[name]++
		}
	}
	if !v.given {
		names := slices.SortedFunc(maps.Keys(counts), compareLabels)
		if len(names) == 0 {
			return fmt.Errorf("tasks: the training examples have no labels")
		}
		v.set(names)
		return nil
	}
	used := map[string]bool{}
	for _, e := range examples {
		for _, name := range e.Labels {
			id, err := v.id(e, name)
			if err != nil {
				return err
			}
			used[v.names[id]] = true
		}
	}
	for _, name := range v.names {
		if !used[name] {
			return fmt.Errorf("tasks: label %q has no training example; remove it from the labels, or add examples", name)
		}
	}
	return nil
}

// compareLabels sorts numbers by value, and before names.
func compareLabels(a, b string) int {
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	switch {
	case errX == nil && errY == nil && x != y:
		return x - y
	case errX == nil && errY != nil:
		return -1
	case errX != nil && errY == nil:
		return 1
	}
	return strings.Compare(a, b)
}

// ReadLabels reads a file of labels, one a line, in the order of a model's outputs.
func ReadLabels(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("tasks: read labels: %w", err)
	}
	lines := strings.Split(strings.TrimRight(strings.TrimPrefix(string(text), "\ufeff"), "\r\n"), "\n")
	seen := map[string]int{}
	for i, line := range lines {
		line = strings.TrimSpace(line)
		first, twice := seen[line]
		switch {
		case line == "" && len(lines) == 1:
			return nil, fmt.Errorf("tasks: %s is empty, want one label a line", path)
		case line == "" || strings.ContainsRune(line, 0):
			return nil, fmt.Errorf("tasks: %s:%d: label is %q, want one label a line", path, i+1, line)
		case twice:
			return nil, fmt.Errorf("tasks: %s:%d: label %q is already in line %d; remove one", path, i+1, line, first)
		}
		seen[line], lines[i] = i+1, line
	}
	return lines, nil
}

// checkArchitecture refuses a model that was not fine-tuned for a task of that architecture.
func checkArchitecture(task Task, c models.Config, want models.Architecture) error {
	if c.Architecture != want {
		return fmt.Errorf("tasks: the model is an %s, task %s wants an %s; fine-tune it first",
			c.Architecture, task.Name(), want)
	}
	return nil
}
