package train

import "goalbert/models"

// Sequence is one training instance: [CLS] A [SEP] B [SEP], or [CLS] A [SEP], with some tokens hidden.
type Sequence struct {
	InputIDs        []int32 // (S)
	TokenTypeIDs    []int32 // (S): 0 up to the first [SEP], 1 after it
	MaskedPositions []int32 // ascending
	MaskedLabels    []int32 // the tokens that stood there
	SentenceLabel   int32   // 0 in order, 1 swapped or random, models.IgnoreIndex without that objective

	segments [][2]int // where A and B lie in InputIDs
}

// newBatch lays sequences one after the other. They are those of an optimizer step from its sequence number first on.
func newBatch(sequences []*Sequence, step uint64, first int) *models.Batch {
	b := &models.Batch{Offsets: []int{0}, Step: step, FirstSequence: first}
	for _, s := range sequences {
		begin := int32(len(b.InputIDs))
		b.InputIDs = append(b.InputIDs, s.InputIDs...)
		b.TokenTypeIDs = append(b.TokenTypeIDs, s.TokenTypeIDs...)
		for i := range s.InputIDs {
			b.PositionIDs = append(b.PositionIDs, int32(i))
		}
		for _, t := range s.MaskedPositions {
			b.MaskedPositions = append(b.MaskedPositions, begin+t)
		}
		b.MaskedLabels = append(b.MaskedLabels, s.MaskedLabels...)
		if s.SentenceLabel != models.IgnoreIndex {
			b.SentenceLabels = append(b.SentenceLabels, s.SentenceLabel)
		}
		b.Offsets = append(b.Offsets, len(b.InputIDs))
	}
	return b
}

// newBatches divides the sequences from to to of one optimizer step into micro-batches of at most size.
func newBatches(sequences []*Sequence, from, to, size int, step uint64) []*models.Batch {
	var batches []*models.Batch
	for first := from; first < to; first += size {
		batches = append(batches, newBatch(sequences[first:min(first+size, to)], step, first))
	}
	return batches
}

// denominators returns those of the losses of an optimizer step, at least 1 so that a step without masked tokens has a
// loss of 0.
func denominators(sequences []*Sequence) models.Denominators {
	var d models.Denominators
	for _, s := range sequences {
		d.MaskedTokens += float64(len(s.MaskedLabels))
		if s.SentenceLabel != models.IgnoreIndex {
			d.Sentences++
		}
	}
	d.MaskedTokens, d.Sentences = max(1, d.MaskedTokens), max(1, d.Sentences)
	return d
}
