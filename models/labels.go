package models

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Labels are the names of a classifier's classes, in the order of its outputs. The zero value is transformers' default
// of two, LABEL_0 and LABEL_1. They can be compared, and so can a Config.
type Labels struct{ joined string } // each name with a NUL after it

// mostLabels bounds what a damaged file can ask for.
const mostLabels = 1 << 20

// NewLabels returns the labels of those names.
func NewLabels(names ...string) Labels {
	l := Labels{strings.Join(names, "\x00") + "\x00"}
	if l == defaultLabels(2) {
		return Labels{}
	}
	return l
}

// defaultLabels are LABEL_0 to LABEL_n-1.
func defaultLabels(n int) Labels {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "LABEL_%d\x00", i)
	}
	return Labels{b.String()}
}

// Names returns the names in order.
func (l Labels) Names() []string {
	if l == (Labels{}) {
		l = defaultLabels(2)
	}
	return strings.Split(strings.TrimSuffix(l.joined, "\x00"), "\x00")
}

// Len returns how many there are.
func (l Labels) Len() int {
	if l == (Labels{}) {
		return 2
	}
	return strings.Count(l.joined, "\x00")
}

// unnamed reports whether the labels are numbers alone, or LABEL_ with a number, which says nothing of what they mean.
func (l Labels) unnamed() bool {
	for _, name := range l.Names() {
		if _, err := strconv.Atoi(strings.TrimPrefix(name, "LABEL_")); err != nil {
			return false
		}
	}
	return true
}

// parseLabels reads the keys id2label, label2id and num_labels, of which any may be absent. transformers believes
// id2label alone; where the others contradict it a reader may be misled, so that is an error here.
func parseLabels(raw map[string]json.RawMessage) (Labels, error) {
	count, names, ids := 0, map[string]string{}, map[string]int{}
	for _, key := range []struct {
		name   string
		target any
		want   string
	}{
		{"num_labels", &count, "a whole number"},
		{"id2label", &names, "an object of names by number"},
		{"label2id", &ids, "an object of numbers by name"},
	} {
		if value, there := raw[key.name]; there && string(value) != "null" {
			if err := json.Unmarshal(value, key.target); err != nil {
				return Labels{}, fmt.Errorf("%s is %s, want %s", key.name, value, key.want)
			}
		}
	}
	_, counted := raw["num_labels"]
	if counted && (count < 1 || count > mostLabels) {
		return Labels{}, fmt.Errorf("num_labels is %d, want 1 to %d", count, mostLabels)
	}
	if len(names) == 0 {
		if len(ids) > 0 {
			return Labels{}, fmt.Errorf("label2id is there without id2label; add id2label, or remove it")
		}
		if !counted || count == 2 {
			return Labels{}, nil
		}
		return defaultLabels(count), nil
	}
	if counted && count != len(names) {
		return Labels{}, fmt.Errorf("num_labels is %d and id2label has %d names; remove one of them", count, len(names))
	}
	ordered := make([]string, len(names))
	for i := range ordered {
		name, there := names[strconv.Itoa(i)]
		if !there || strings.Contains(name, "\x00") {
			return Labels{}, fmt.Errorf("id2label has %d names and none for %d; want one for each number from 0", len(names), i)
		}
		ordered[i] = name
	}
	for name, id := range ids {
		if id < 0 || id >= len(ordered) || ordered[id] != name {
			return Labels{}, fmt.Errorf("label2id has %q as %d, which id2label has not; make them agree", name, id)
		}
	}
	return NewLabels(ordered...), nil
}

// add puts the labels into the object of a config.json.
func (l Labels) add(object map[string]any) {
	names, ids := map[string]string{}, map[string]int{}
	for i, name := range l.Names() {
		names[strconv.Itoa(i)], ids[name] = name, i
	}
	object["id2label"], object["label2id"] = names, ids
}
