package train

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"slices"

	"goalbert/models"
)

// split divides documents into those to train on and those to evaluate on: fraction of them, at least one, chosen by
// the seed. Held-out sentences that occur in training are dropped, their number is returned. With a fraction of 0
// everything is trained on.
func split(d Documents, fraction float64, seed uint64) (training, heldOut *excerpt, dropped int, err error) {
	training, heldOut = &excerpt{of: d}, &excerpt{of: d, sentences: [][]int32{}}
	count := 0
	if fraction > 0 {
		count = max(1, int(math.Round(fraction*float64(d.Len()))))
	}
	if count >= d.Len() {
		return nil, nil, 0, fmt.Errorf("train: holding out %v of %d documents leaves nothing to train on; "+
			"separate documents with blank lines, or hold out less", fraction, d.Len())
	}
	order := random(seed, forHeldOut).Perm(d.Len())
	chosen := order[:count]
	slices.Sort(chosen)
	for i := range d.Len() {
		if _, held := slices.BinarySearch(chosen, i); !held {
			training.documents = append(training.documents, int32(i))
		}
	}
	if count > 0 {
		dropped = heldOut.addUnseen(chosen, sentenceHashes(training))
	}
	if count > 0 && heldOut.Len() == 0 {
		return nil, nil, 0, fmt.Errorf("train: every sentence of the %d held-out documents occurs in training; "+
			"remove repeated text, or hold out more than %v", count, fraction)
	}
	return training, heldOut, dropped, nil
}

// addUnseen adds documents with their sentences that are not in seen, and returns how many were.
func (e *excerpt) addUnseen(documents []int, seen map[uint64]struct{}) (dropped int) {
	for _, i := range documents {
		var kept []int32
		for j := range e.of.Sentences(i) {
			if _, ok := seen[sentenceHash(e.of.Sentence(i, j))]; ok {
				dropped++
			} else {
				kept = append(kept, int32(j))
			}
		}
		if len(kept) > 0 {
			e.documents = append(e.documents, int32(i))
			e.sentences = append(e.sentences, kept)
		}
	}
	return dropped
}

// sentenceHashes returns the hashes of all sentences. That two different ones share 64 bits costs a held-out sentence.
func sentenceHashes(d Documents) map[uint64]struct{} {
	hashes := map[uint64]struct{}{}
	for i := range d.Len() {
		for j := range d.Sentences(i) {
			hashes[sentenceHash(d.Sentence(i, j))] = struct{}{}
		}
	}
	return hashes
}

func sentenceHash(tokens []int32) uint64 {
	h := fnv.New64a()
	var buffer [4]byte
	for _, id := range tokens {
		binary.LittleEndian.PutUint32(buffer[:], uint32(id))
		h.Write(buffer[:])
	}
	return h.Sum64()
}

// heldOutSet is the fixed instances, with fixed masks, that every evaluation of a run uses.
type heldOutSet struct {
	batches     []*models.Batch
	sequences   int
	unigramLoss float64 // the unigram reference, in nats a token
	majority    float64 // share of the commoner sentence label; 0 without a sentence objective
}

// HeldOut returns the batches that a run with these options evaluates on, and its plan. They are the same ones whenever
// data, seed and the options of the objectives are.
func HeldOut(d *Data, o Options) ([]*models.Batch, *Plan, error) {
	_, held, plan, err := prepare(d, &o)
	if err != nil {
		return nil, nil, err
	}
	if held == nil {
		return nil, nil, errors.New("train: the run holds nothing out (held-out is 0); evaluate it on a text of its own")
	}
	return held.batches, plan, nil
}

// All returns instances of the whole of d as batches, at most o.HeldOutSequences of them: a text of its own to evaluate
// a model on.
func All(d *Data, o Options) ([]*models.Batch, error) {
	everything, _, _, err := split(d.Documents, 0, o.Seed)
	if err != nil {
		return nil, err
	}
	s := &source{documents: everything, vocabulary: d.Vocabulary, segments: o.Segments, masking: o.Masking, seed: o.Seed}
	return newHeldOutSet(s, o.HeldOutSequences, o.MicroBatchSequences, newUnigram(everything, d.Vocabulary.Size())).batches, nil
}

// newHeldOutSet takes the first limit instances of s, in micro-batches.
func newHeldOutSet(s *source, limit, microBatch int, u *unigram) *heldOutSet {
	instances := s.epoch(0)
	instances = instances[:min(limit, len(instances))]
	sequences := make([]*Sequence, len(instances))
	for i, in := range instances {
		sequences[i] = s.sequence(0, in)
	}
	h := &heldOutSet{sequences: len(sequences)}
	h.batches, _ = newBatches(sequences, microBatch, 0)
	h.unigramLoss = u.crossEntropy(h.batches)
	ones := 0
	for _, s := range sequences {
		if s.SentenceLabel == models.IgnoreIndex {
			return h
		}
		ones += int(s.SentenceLabel)
	}
	h.majority = float64(max(ones, len(sequences)-ones)) / float64(len(sequences))
	return h
}
