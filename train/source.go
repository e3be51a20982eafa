package train

import "slices"

// source makes the instances of a corpus: which there are in an epoch, in which order, and each of them.
//
// An epoch goes through the corpus in windows, each of some blocks chosen at random. Documents of a window are cut into
// instances, which are shuffled among each other, and random second segments come from the same window. So memory does
// not depend on the size of the corpus; one that fits in a window is shuffled as a whole.
type source struct {
	part       *part
	vocabulary *Vocabulary
	segments   Segments
	masking    Masking
	seed       uint64
}

func newSource(p *part, v *Vocabulary, o *Options) *source {
	return &source{part: p, vocabulary: v, segments: o.Segments, masking: o.Masking, seed: o.Seed}
}

// windowBlocks is how many blocks are in memory at once: with 1 Mi tokens a block, 64 MiB of tokens.
const windowBlocks = 16

// window is documents in memory, and the instances that they are cut into, in the order of the epoch.
type window struct {
	documents *excerpt
	instances []instance
}

// windows returns the number of windows of every epoch.
func (s *source) windows() int { return max(1, (s.part.blocks.Len()+windowBlocks-1)/windowBlocks) }

// window reads a window of an epoch. It depends on the seed and on both numbers alone: documents are cut anew every
// epoch.
func (s *source) window(epoch uint64, number int) (*window, error) {
	n, windows := s.part.blocks.Len(), s.windows()
	blocks := random(s.seed, forWindows, epoch).Perm(n)[number*n/windows : (number+1)*n/windows]
	slices.Sort(blocks)
	documents, err := s.part.read(blocks)
	if err != nil {
		return nil, err
	}
	w := &window{documents: documents}
	for i, place := range documents.documents {
		r := random(s.seed, forSegments, epoch, uint64(place.number))
		w.instances = append(w.instances, s.segments.cut(documents, i, r)...)
	}
	random(s.seed, forOrder, epoch+uint64(number)<<32).Shuffle(len(w.instances), func(i, j int) {
		w.instances[i], w.instances[j] = w.instances[j], w.instances[i]
	})
	return w, nil
}

// sequence makes an instance of an epoch, with masks that are new in every epoch.
func (s *source) sequence(epoch uint64, w *window, in instance) *Sequence {
	r := random(s.seed, forInstance, epoch, uint64(w.documents.documents[in.document].number), uint64(in.ordinal))
	sequence := s.segments.sequence(w.documents, in, s.vocabulary, r)
	s.masking.mask(sequence, s.vocabulary, r)
	return sequence
}

// first returns the first sequences of the first epoch, at most limit of them.
func (s *source) first(limit int) ([]*Sequence, error) {
	var sequences []*Sequence
	for number := 0; number < s.windows() && len(sequences) < limit; number++ {
		w, err := s.window(0, number)
		if err != nil {
			return nil, err
		}
		for _, in := range w.instances[:min(limit-len(sequences), len(w.instances))] {
			sequences = append(sequences, s.sequence(0, w, in))
		}
	}
	return sequences, nil
}

// meanTokens returns the mean length of the first sequences.
func (s *source) meanTokens() (float64, error) {
	sequences, err := s.first(1024)
	if err != nil {
		return 0, err
	}
	tokens := 0
	for _, sequence := range sequences {
		tokens += len(sequence.InputIDs)
	}
	return float64(tokens) / float64(len(sequences)), nil
}
