package native

import (
	"fmt"
	"math"

	"goalbert/models"
)

// checkTask reports the first label or target of b that a head of configuration c cannot be trained on. A batch may have
// none.
func checkTask(c *models.Config, b *models.Batch) error {
	group, classes := b.GroupSize(), c.Labels.Len()
	grouped := c.Architecture == models.ForMultipleChoice || c.Architecture == models.BaseModel
	switch {
	case b.Group < 0 || b.Sequences()%group != 0:
		return fmt.Errorf("native: batch: %d sequences in groups of %d, want whole groups", b.Sequences(), b.Group)
	case group > 1 && !grouped:
		return fmt.Errorf("native: batch: groups of %d sequences, an %s takes each sequence for itself; leave Group 0",
			group, c.Architecture)
	}
	var err error
	weighed := false
	switch c.Architecture {
	case models.ForSequenceClassification:
		if c.Problem() == models.SingleLabel {
			weighed = true
			err = checkKind(c, b, true, b.Sequences(), classes)
		} else {
			err = checkKind(c, b, false, b.Sequences()*classes, 0)
		}
	case models.ForTokenClassification:
		weighed = true
		err = checkKind(c, b, true, b.Tokens(), classes)
	case models.ForQuestionAnswering:
		err = checkKind(c, b, true, 2*b.Sequences(), math.MaxInt32)
	case models.ForMultipleChoice:
		err = checkKind(c, b, true, b.Sequences()/group, group)
	case models.BaseModel:
		if b.Targets != nil && group != 2 {
			return fmt.Errorf("native: batch: cosines to learn for groups of %d sequences, want pairs", group)
		}
		err = checkKind(c, b, false, b.Sequences()/group, 0)
	default:
		err = checkKind(c, b, true, 0, 0)
	}
	if err != nil {
		return err
	}
	return checkWeights(c, b, weighed, classes)
}

// checkKind checks labels, or targets, of which there must be count, or none.
func checkKind(c *models.Config, b *models.Batch, labels bool, count, limit int) error {
	has, other := "labels", "targets"
	left := len(b.Targets)
	if !labels {
		has, other, left = other, has, len(b.Labels)
	}
	if left > 0 {
		return fmt.Errorf("native: batch: %d %s, want %d %s; that is what an %s %sis trained on",
			left, other, count, has, c.Architecture, problemWords(c))
	}
	if labels {
		if b.Labels == nil {
			return nil
		}
		return checkLabels("label", b.Labels, count, limit)
	}
	if b.Targets != nil && len(b.Targets) != count {
		return fmt.Errorf("native: batch: %d targets, want %d", len(b.Targets), count)
	}
	probability := c.Architecture == models.ForSequenceClassification && c.Problem() == models.MultiLabel
	for i, v := range b.Targets {
		if probability && !(v >= 0 && v <= 1) {
			return fmt.Errorf("native: batch: target %v at index %d, want 0 to 1", v, i)
		}
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("native: batch: target %v at index %d, want a number", v, i)
		}
	}
	return nil
}

// problemWords says, in the midst of a sentence, what a classifier's labels are to each other.
func problemWords(c *models.Config) string {
	if c.Architecture != models.ForSequenceClassification {
		return ""
	}
	return fmt.Sprintf("for %s ", c.Problem())
}

// checkWeights checks the weights of the classes, which only a cross-entropy of classes has.
func checkWeights(c *models.Config, b *models.Batch, weighed bool, classes int) error {
	if b.LabelWeights == nil {
		return nil
	}
	if !weighed {
		return fmt.Errorf("native: batch: %d label weights, an %s %shas no classes to weigh",
			len(b.LabelWeights), c.Architecture, problemWords(c))
	}
	if len(b.LabelWeights) != classes {
		return fmt.Errorf("native: batch: %d label weights, want one for each of %d labels", len(b.LabelWeights), classes)
	}
	for i, v := range b.LabelWeights {
		if !(v >= 0) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("native: batch: weight %v of label %d, want a number from 0", v, i)
		}
	}
	return nil
}
