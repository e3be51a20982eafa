package train

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"goalbert/corpus"
	"goalbert/models"
)

// division is a corpus as what is trained on and what is held out.
type division struct {
	training, heldOut *part
	dropped           int      // held-out sentences that occur in training
	unigram           *unigram // of what is trained on
}

// split divides a corpus into documents to train on and those to evaluate on: fraction of them, at least one, chosen by
// the seed. Held-out sentences that occur in training are dropped. With a fraction of 0 everything is trained on.
func split(b corpus.Blocks, fraction float64, seed uint64, vocabSize int) (*division, error) {
	total := 0
	for block := range b.Len() {
		total += b.Documents(block)
	}
	count := 0
	if fraction > 0 {
		count = max(1, int(math.Round(fraction*float64(total))))
	}
	if count >= total {
		return nil, fmt.Errorf("train: holding out %v of %d documents leaves nothing to train on; "+
			"separate documents with blank lines, or hold out less", fraction, total)
	}
	order := random(seed, forHeldOut).Perm(total)
	d := &division{unigram: newUnigram(vocabSize)}
	d.training, d.heldOut = choose(b, order[:count])
	if err := d.dropSeen(); err != nil {
		return nil, err
	}
	if count > 0 && d.heldOut.Len() == 0 {
		return nil, fmt.Errorf("train: every sentence of the %d held-out documents occurs in training; "+
			"remove repeated text, or hold out more than %v", count, fraction)
	}
	return d, nil
}

// choose returns the documents that are not chosen, and those that are.
func choose(b corpus.Blocks, chosen []int) (training, heldOut *part) {
	slices.Sort(chosen)
	training, heldOut = &part{blocks: b}, &part{blocks: b}
	first := 0
	for block := range b.Len() {
		var in, out []int32
		for i := range b.Documents(block) {
			if len(chosen) > 0 && chosen[0] == first+i {
				out, chosen = append(out, int32(i)), chosen[1:]
			} else {
				in = append(in, int32(i))
			}
		}
		training.documents, heldOut.documents = append(training.documents, in), append(heldOut.documents, out)
		first += b.Documents(block)
	}
	training.number()
	heldOut.number()
	return training, heldOut
}

// dropSeen reads what is trained on once, counts its tokens, and drops the held-out sentences that occur in it, and the
// held-out documents of which nothing is left. That two different sentences share 64 bits costs a held-out one.
func (d *division) dropSeen() error {
	seen := map[uint64]bool{} // of every held-out sentence whether it occurs in training
	hashes, err := d.heldOut.hashes()
	if err != nil {
		return err
	}
	for _, document := range slices.Concat(hashes...) {
		for _, h := range document {
			seen[h] = false
		}
	}
	err = d.training.eachSentence(func(sentence []int32) {
		d.unigram.add(sentence)
		if len(seen) == 0 {
			return
		}
		h := sentenceHash(sentence)
		if _, held := seen[h]; held {
			seen[h] = true
		}
	})
	if err != nil {
		return err
	}
	left := &part{blocks: d.heldOut.blocks}
	for block, held := range d.heldOut.documents {
		var documents []int32
		var sentences [][]int32
		for i, document := range held {
			var kept []int32
			for j, h := range hashes[block][i] {
				if seen[h] {
					d.dropped++
				} else {
					kept = append(kept, int32(j))
				}
			}
			if len(kept) > 0 {
				documents, sentences = append(documents, document), append(sentences, kept)
			}
		}
		left.documents, left.sentences = append(left.documents, documents), append(left.sentences, sentences)
	}
	left.number()
	d.heldOut = left
	return nil
}

// hashes returns those of all sentences: of each block, and of each of its documents that belong to the part.
func (p *part) hashes() ([][][]uint64, error) {
	hashes := make([][][]uint64, len(p.documents))
	for block := range p.documents {
		e, err := p.read([]int{block})
		if err != nil {
			return nil, err
		}
		for i := range e.Len() {
			document := make([]uint64, e.Sentences(i))
			for j := range document {
				document[j] = sentenceHash(e.Sentence(i, j))
			}
			hashes[block] = append(hashes[block], document)
		}
	}
	return hashes, nil
}

// sentenceHash is 64-bit FNV-1a, of tokens instead of bytes.
func sentenceHash(tokens []int32) uint64 {
	h := uint64(14695981039346656037)
	for _, id := range tokens {
		h = (h ^ uint64(uint32(id))) * 1099511628211
	}
	return mix(h)
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
	parts, err := split(d.Corpus, 0, o.Seed, d.Vocabulary.Size())
	if err != nil {
		return nil, err
	}
	h, err := newHeldOutSet(newSource(parts.training, d.Vocabulary, &o), &o, parts.unigram)
	if err != nil {
		return nil, err
	}
	return h.batches, nil
}

// newHeldOutSet takes the first sequences of s, in micro-batches.
func newHeldOutSet(s *source, o *Options, u *unigram) (*heldOutSet, error) {
	sequences, err := s.first(o.HeldOutSequences)
	if err != nil {
		return nil, err
	}
	h := &heldOutSet{sequences: len(sequences), batches: newBatches(sequences, 0, len(sequences), o.MicroBatchSequences, 0)}
	h.unigramLoss = u.crossEntropy(h.batches)
	ones := 0
	for _, s := range sequences {
		if s.SentenceLabel == models.IgnoreIndex {
			return h, nil
		}
		ones += int(s.SentenceLabel)
	}
	h.majority = float64(max(ones, len(sequences)-ones)) / float64(len(sequences))
	return h, nil
}
