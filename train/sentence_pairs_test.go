package train

import (
	"fmt"
	"slices"
	"testing"

	"goalbert/models"
)

// numbered are documents whose tokens say where they come from: sentences of one length, all tokens different.
func numbered(documents, sentences, length int) memory {
	m := make(memory, documents)
	next := int32(5)
	for i := range m {
		m[i] = make([][]int32, sentences)
		for j := range m[i] {
			for range length {
				m[i][j] = append(m[i][j], next)
				next++
			}
		}
	}
	return m
}

func TestHalfOfThePairsAreSwapped(t *testing.T) {
	d := numbered(2000, 12, 5)
	for _, objective := range []Objective{SOP, NSP} {
		s := Segments{Objective: objective, SequenceLength: 33}
		counts := make([]int, 2)
		for i := range d {
			for _, in := range s.cut(d, i, random(1, forSegments, uint64(i))) {
				if last := in.begin == 11; !last { // a chunk of one sentence, always with a random one
					counts[in.label]++
				}
				if objective == NSP && (in.randomEnd > 0) != (in.label == 1) {
					t.Fatalf("%+v: label 1 is a random segment", in)
				}
			}
		}
		checkShares(t, string(objective)+" labels", counts, []float64{0.5, 0.5})
	}
}

// A chunk is divided behind any of its sentences but the last, each alike.
func TestSplitsAreUniform(t *testing.T) {
	d := numbered(3000, 12, 5)
	s := Segments{Objective: SOP, SequenceLength: 33} // chunks of six sentences
	counts := make([]int, 5)
	for i := range d {
		for _, in := range s.cut(d, i, random(2, forSegments, uint64(i))) {
			if in.end-in.begin != 6 {
				t.Fatalf("%+v is not six sentences", in)
			}
			counts[in.split-in.begin-1]++
		}
	}
	checkShares(t, "splits", counts, []float64{0.2, 0.2, 0.2, 0.2, 0.2})
}

// A random segment begins at any sentence of any other document, each alike.
func TestRandomSegmentsAreUniform(t *testing.T) {
	d := numbered(6, 4, 10)
	d[0] = d[0][:1]
	s := Segments{Objective: SOP, SequenceLength: 40}
	documents, begins := make([]int, 5), make([]int, 4)
	for seed := range uint64(20000) {
		in := s.cut(d, 0, random(seed, forSegments))[0]
		documents[in.randomDocument-1]++
		begins[in.randomBegin]++
	}
	checkShares(t, "random documents", documents, []float64{0.2, 0.2, 0.2, 0.2, 0.2})
	checkShares(t, "where random segments begin", begins, []float64{0.25, 0.25, 0.25, 0.25})
}

// One sentence in ten is cut short, evenly from 2 tokens on.
func TestShortSequences(t *testing.T) {
	s := Segments{Objective: SOP, SequenceLength: 103, ShortProbability: 0.1}
	r := random(3, 0)
	counts := make([]int, 3)
	for range 100000 {
		switch target := s.target(r); {
		case target == 100:
			counts[0]++
		case target <= 50:
			counts[1]++
		default:
			counts[2]++
		}
	}
	// lengths 2 to 100, 99 of them: 49 up to 50, 49 below the full one
	checkShares(t, "full, short, medium", counts, []float64{0.9 + 0.1/99, 4.9 / 99, 4.9 / 99})
}

// Sentences of a document are used in order, each once: consecutive instances begin where the one before ended. With
// random segments the displaced ones come again.
func TestCutUsesEverySentenceOnce(t *testing.T) {
	d := testDocuments(300)
	for _, objective := range []Objective{SOP, NSP, NoSentences} {
		s := Segments{Objective: objective, SequenceLength: 40, ShortProbability: 0.1}
		for i := range d {
			next := int32(0)
			for ordinal, in := range s.cut(d, i, random(5, forSegments, uint64(i))) {
				if in.begin != next || in.split <= in.begin || in.end < in.split || int(in.ordinal) != ordinal {
					t.Fatalf("%s: %+v follows sentence %d", objective, in, next)
				}
				if in.randomEnd > 0 && in.end != in.split {
					t.Fatalf("%s: %+v loses the sentences that a random segment displaced", objective, in)
				}
				if objective == NoSentences && in.label != models.IgnoreIndex || objective == SOP && in.randomEnd > 0 &&
					(in.label != 1 || in.split != in.begin+1) {
					t.Fatalf("%s: %+v", objective, in)
				}
				next = in.end
			}
			if int(next) != len(d[i]) {
				t.Fatalf("%s: document %d ends at sentence %d of %d", objective, i, next, len(d[i]))
			}
		}
	}
}

// A single sentence has a random second segment, from another document, and label 1: so it is in Google's code.
func TestSingleSentenceGetsARandomSegment(t *testing.T) {
	d := numbered(50, 1, 10)
	s := Segments{Objective: SOP, SequenceLength: 40}
	for i := range d {
		instances := s.cut(d, i, random(1, forSegments, uint64(i)))
		if len(instances) != 1 {
			t.Fatalf("document %d has %d instances, want 1", i, len(instances))
		}
		in := instances[0]
		if in.label != 1 || in.randomEnd == 0 || int(in.randomDocument) == i {
			t.Errorf("document %d: %+v, want a segment of another document and label 1", i, in)
		}
	}
}

// The sequence is [CLS] A [SEP] B [SEP] with the sentences that the instance names, swapped where the label says so.
func TestSequenceLayout(t *testing.T) {
	d, v := numbered(3, 4, 2), testVocabulary()
	s := Segments{Objective: SOP, SequenceLength: 32}
	tokens := func(document int, sentences ...int) (all []int32) {
		for _, j := range sentences {
			all = append(all, d[document][j]...)
		}
		return all
	}
	for name, c := range map[string]struct {
		in   instance
		a, b []int32
	}{
		"in order": {instance{document: 1, begin: 0, split: 1, end: 3}, tokens(1, 0), tokens(1, 1, 2)},
		"swapped":  {instance{document: 1, begin: 0, split: 1, end: 3, label: 1}, tokens(1, 1, 2), tokens(1, 0)},
		"random": {instance{document: 1, begin: 3, split: 4, end: 4, randomDocument: 2, randomBegin: 1, randomEnd: 2,
			label: 1}, tokens(1, 3), tokens(2, 1)},
	} {
		got := s.sequence(d, c.in, v, random(1, 0))
		want := slices.Concat([]int32{v.Special.CLS}, c.a, []int32{v.Special.SEP}, c.b, []int32{v.Special.SEP})
		types := slices.Concat(make([]int32, len(c.a)+2), slices.Repeat([]int32{1}, len(c.b)+1))
		if !slices.Equal(got.InputIDs, want) || !slices.Equal(got.TokenTypeIDs, types) || got.SentenceLabel != c.in.label {
			t.Errorf("%s: %v %v label %d, want %v %v", name, got.InputIDs, got.TokenTypeIDs, got.SentenceLabel, want, types)
		}
	}
	s.Objective = NoSentences
	got := s.sequence(d, instance{document: 0, begin: 0, split: 2, end: 2, label: models.IgnoreIndex}, v, random(1, 0))
	if want := slices.Concat([]int32{v.Special.CLS}, tokens(0, 0, 1), []int32{v.Special.SEP}); !slices.Equal(got.InputIDs, want) {
		t.Errorf("one segment: %v, want %v", got.InputIDs, want)
	}
}

// Truncation shortens the longer one until both fit, from either end, and keeps what remains together.
func TestTruncatePair(t *testing.T) {
	var front, back int
	for seed := range uint64(500) {
		a, b := make([]int32, 30), make([]int32, 7)
		for i := range a {
			a[i] = int32(i)
		}
		x, y := truncatePair(a, b, 20, random(seed, 0))
		if len(x) != 13 || len(y) != 7 {
			t.Fatalf("lengths %d and %d, want 13 and 7", len(x), len(y))
		}
		for i := range x {
			if x[i] != x[0]+int32(i) {
				t.Fatalf("%v has a hole", x)
			}
		}
		front += int(x[0])
		back += int(29 - x[12])
	}
	checkShares(t, "tokens from front and back", []int{front, back}, []float64{0.5, 0.5})
	if a, b := truncatePair(make([]int32, 5), make([]int32, 900), 3, random(1, 0)); len(a) < 1 || len(b) < 1 {
		t.Errorf("lengths %d and %d, want a token of each", len(a), len(b))
	}
}

// No sequence is longer than it may be, and none has an empty segment, whatever the sentences.
func TestSequencesFit(t *testing.T) {
	d, v := testDocuments(200), testVocabulary()
	for _, objective := range []Objective{SOP, NSP, NoSentences} {
		for _, length := range []int{8, 17, 64} {
			s := &source{part: whole(d.blocks(1 << 20)), vocabulary: v, seed: 3, masking: DefaultMasking(),
				segments: Segments{Objective: objective, SequenceLength: length, ShortProbability: 0.5}}
			w := readWindow(t, s, 0, 0)
			for _, in := range w.instances {
				sequence := s.sequence(0, w, in)
				name := fmt.Sprintf("%s of %d: %+v", objective, length, in)
				if len(sequence.InputIDs) > length || len(sequence.InputIDs) != len(sequence.TokenTypeIDs) {
					t.Fatalf("%s: %d tokens, %d types", name, len(sequence.InputIDs), len(sequence.TokenTypeIDs))
				}
				for _, segment := range sequence.segments {
					if segment[0] >= segment[1] {
						t.Fatalf("%s: empty segment", name)
					}
				}
			}
		}
	}
}
