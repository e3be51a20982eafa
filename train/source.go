package train

// source makes the instances of a corpus: which there are in an epoch, in which order, and each of them.
type source struct {
	documents  Documents
	vocabulary *Vocabulary
	segments   Segments
	masking    Masking
	seed       uint64
}

// epoch returns the instances of an epoch in their order. It depends on the seed and the number of the epoch alone:
// documents are cut anew every epoch, and shuffled across each other.
func (s *source) epoch(epoch uint64) []instance {
	var instances []instance
	for i := range s.documents.Len() {
		instances = append(instances, s.segments.cut(s.documents, i, random(s.seed, forSegments, epoch, uint64(i)))...)
	}
	random(s.seed, forOrder, epoch).Shuffle(len(instances), func(i, j int) {
		instances[i], instances[j] = instances[j], instances[i]
	})
	return instances
}

// sequence makes an instance of an epoch, with masks that are new in every epoch.
func (s *source) sequence(epoch uint64, in instance) *Sequence {
	r := random(s.seed, forInstance, epoch, uint64(in.document), uint64(in.ordinal))
	sequence := s.segments.sequence(s.documents, in, s.vocabulary, r)
	s.masking.mask(sequence, s.vocabulary, r)
	return sequence
}

// meanTokens returns the mean length of the first sequences of the first epoch, at most 1024 of them.
func (s *source) meanTokens() float64 {
	instances := s.epoch(0)
	instances = instances[:min(1024, len(instances))]
	tokens := 0
	for _, in := range instances {
		tokens += len(s.sequence(0, in).InputIDs)
	}
	return float64(tokens) / float64(len(instances))
}
