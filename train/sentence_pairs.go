package train

import (
	"fmt"
	"math/rand/v2"

	"goalbert/models"
	"goalbert/tokenizer"
)

// Objective names what the sentence head learns beside the masked LM.
type Objective string

const (
	SOP         Objective = "sop"  // ALBERT: are two consecutive segments in order, or swapped?
	NSP         Objective = "nsp"  // BERT: does the second segment follow the first, or is it from another document?
	NoSentences Objective = "none" // nothing: one segment of consecutive sentences
)

// Segments says how documents are cut into sequences.
type Segments struct {
	Objective        Objective `json:"objective"`
	SequenceLength   int       `json:"sequence-length"`   // most tokens of a sequence, [CLS] and [SEP] included
	ShortProbability float64   `json:"short-probability"` // share of sequences that aim at a random shorter length
}

func (s Segments) validate() error {
	switch {
	case s.Objective != SOP && s.Objective != NSP && s.Objective != NoSentences:
		return fmt.Errorf("train: objective is %q, want %s, %s or %s", s.Objective, SOP, NSP, NoSentences)
	case s.SequenceLength < 8:
		return fmt.Errorf("train: sequence length is %d, want at least 8", s.SequenceLength)
	case !(s.ShortProbability >= 0 && s.ShortProbability <= 1):
		return fmt.Errorf("train: short probability is %v, want 0 to 1", s.ShortProbability)
	}
	return nil
}

// room returns how many tokens of text a sequence holds: all but [CLS] and one or two [SEP].
func (s Segments) room() int {
	if s.Objective == NoSentences {
		return s.SequenceLength - 2
	}
	return s.SequenceLength - 3
}

// instance says which sentences make a sequence: A is [begin, split) of document. B is [split, end), or, when
// randomEnd is not 0, [randomBegin, randomEnd) of randomDocument.
type instance struct {
	document               int32
	ordinal                int32 // which of its document's
	begin, split, end      int32
	randomDocument         int32
	randomBegin, randomEnd int32
	label                  int32
}

// cut divides a document into instances, as create_instances_from_document_albert of google-research/albert does:
// sentences are collected up to the target length and divided in two at a random place. With SOP half of the pairs
// are swapped; with NSP half get a B from a random document, and the sentences that it displaced are used again.
// A single sentence gets a random B, with label 1, with either objective.
//
// The target is the room there is or, with ShortProbability, a random shorter one. As in the paper it is drawn for
// each sequence; Google's code draws once for a document.
func (s Segments) cut(d Documents, document int, r *rand.Rand) []instance {
	var instances []instance
	sentences := d.Sentences(document)
	for begin := 0; begin < sentences; {
		target := s.target(r)
		end, length := begin, 0
		for end < sentences && length < target {
			length += len(d.Sentence(document, end))
			end++
		}
		in := instance{
			document: int32(document), ordinal: int32(len(instances)),
			begin: int32(begin), split: int32(end), end: int32(end), label: models.IgnoreIndex,
		}
		if s.Objective != NoSentences {
			s.pair(&in, d, target, r)
		}
		instances = append(instances, in)
		begin = int(in.end)
	}
	return instances
}

func (s Segments) target(r *rand.Rand) int {
	if r.Float64() < s.ShortProbability {
		return 2 + r.IntN(s.room()-1)
	}
	return s.room()
}

// pair divides the sentences of in into A and B.
func (s Segments) pair(in *instance, d Documents, target int, r *rand.Rand) {
	count := int(in.end - in.begin)
	if count > 1 {
		in.split = in.begin + 1 + int32(r.IntN(count-1))
	}
	half := r.Float64() < 0.5
	in.label = 0
	switch {
	case count == 1 || s.Objective == NSP && half:
		in.label = 1
		for i := in.begin; i < in.split; i++ {
			target -= len(d.Sentence(int(in.document), int(i)))
		}
		in.randomB(d, target, r)
		in.end = in.split // the sentences that B would have had come again
	case s.Objective == SOP && half:
		in.label = 1
	}
}

// randomB takes B from a random document, another one if ten tries find it, from a random sentence on until target
// tokens are reached.
func (in *instance) randomB(d Documents, target int, r *rand.Rand) {
	other := 0
	for range 10 {
		if other = r.IntN(d.Len()); other != int(in.document) {
			break
		}
	}
	sentences := d.Sentences(other)
	begin := r.IntN(sentences)
	end, length := begin, 0
	for end < sentences && (end == begin || length < target) {
		length += len(d.Sentence(other, end))
		end++
	}
	in.randomDocument, in.randomBegin, in.randomEnd = int32(other), int32(begin), int32(end)
}

// sequence reads the sentences of in and lays them out, cut to length, with nothing hidden yet.
func (s Segments) sequence(d Documents, in instance, v *Vocabulary, r *rand.Rand) *Sequence {
	a := join(d, in.document, in.begin, in.split)
	if s.Objective == NoSentences {
		a, _ = truncatePair(a, nil, s.room(), r)
		return layOut(v, in.label, a, nil)
	}
	var b []int32
	switch {
	case in.randomEnd > 0:
		b = join(d, in.randomDocument, in.randomBegin, in.randomEnd)
	default:
		b = join(d, in.document, in.split, in.end)
		if in.label == 1 {
			a, b = b, a
		}
	}
	a, b = truncatePair(a, b, s.room(), r)
	return layOut(v, in.label, a, b)
}

func join(d Documents, document, begin, end int32) []int32 {
	var tokens []int32
	for i := begin; i < end; i++ {
		tokens = append(tokens, d.Sentence(int(document), int(i))...)
	}
	return tokens
}

// truncatePair removes tokens from the front or the back, at random, of the longer of the two until room holds both.
func truncatePair(a, b []int32, room int, r *rand.Rand) ([]int32, []int32) {
	for len(a)+len(b) > room {
		longer := &b
		if len(a) > len(b) {
			longer = &a
		}
		if r.Float64() < 0.5 {
			*longer = (*longer)[1:]
		} else {
			*longer = (*longer)[:len(*longer)-1]
		}
	}
	return a, b
}

// layOut returns [CLS] A [SEP] B [SEP], or, where b is nil, [CLS] A [SEP] as a sequence.
func layOut(v *Vocabulary, label int32, a, b []int32) *Sequence {
	s := &Sequence{SentenceLabel: label, segments: [][2]int{{1, 1 + len(a)}}}
	if b != nil {
		s.segments = append(s.segments, [2]int{2 + len(a), 2 + len(a) + len(b)})
	}
	s.InputIDs, s.TokenTypeIDs = tokenizer.BuildInputs(v.Special, a, b)
	return s
}
