package train

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"goalbert/models"
)

func testSource() *source {
	return &source{
		documents: testDocuments(40), vocabulary: testVocabulary(), masking: DefaultMasking(), seed: 9,
		segments: Segments{Objective: SOP, SequenceLength: 32, ShortProbability: 0.1},
	}
}

// take returns the first steps of a loader.
func take(t *testing.T, at Position, first, count int) []*stepBatches {
	t.Helper()
	l := newLoader(testSource(), 7, 3, at, uint64(first))
	defer l.close()
	var steps []*stepBatches
	for range count {
		s, err := l.next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		steps = append(steps, s)
	}
	return steps
}

// A loader that starts at the end of any step gives the same batches as one that came there by itself, over the end
// of epochs too.
func TestLoaderResumesAnywhere(t *testing.T) {
	all := take(t, Position{}, 0, 60)
	if all[59].end.Epoch < 2 {
		t.Fatalf("60 steps end at %+v, want some epochs", all[59].end)
	}
	for i := 1; i <= 57; i += 7 {
		if got := take(t, all[i-1].end, i, 3); !reflect.DeepEqual(got, all[i:][:3]) {
			t.Errorf("resumed at step %d: other batches", i)
		}
	}
}

// Every instance of an epoch comes once, in an order and with masks that differ from epoch to epoch.
func TestEpochs(t *testing.T) {
	s := testSource()
	first, second := s.epoch(0), s.epoch(1)
	if !reflect.DeepEqual(first, s.epoch(0)) {
		t.Error("an epoch is not a function of its number")
	}
	seen := map[instance]bool{}
	sentences := 0
	for _, in := range first {
		seen[in] = true
		sentences += int(in.end - in.begin)
	}
	if len(seen) != len(first) || sentences != countSentences(s.documents) {
		t.Errorf("%d instances, %d different; %d sentences of %d", len(first), len(seen), sentences,
			countSentences(s.documents))
	}
	if slices.Equal(first, second) {
		t.Error("two epochs are the same")
	}
	again := 0
	for i := range 10 {
		if reflect.DeepEqual(s.sequence(0, first[i]).MaskedPositions, s.sequence(1, first[i]).MaskedPositions) {
			again++
		}
	}
	if again > 5 {
		t.Errorf("%d of 10 sequences have the same masks in both epochs", again)
	}
	// shuffled across documents: neighbours are rarely of the same one
	together := 0
	for i := 1; i < len(first); i++ {
		if first[i].document == first[i-1].document {
			together++
		}
	}
	if together > len(first)/5 {
		t.Errorf("%d of %d neighbours are of one document", together, len(first))
	}
}

func countSentences(d Documents) (n int) {
	for i := range d.Len() {
		n += d.Sentences(i)
	}
	return n
}

// However a step is divided, its batches hold the same sequences in the same order, and the same denominators.
func TestMicroBatchesHoldTheStep(t *testing.T) {
	s := testSource()
	var sequences []*Sequence
	for _, in := range s.epoch(0)[:10] {
		sequences = append(sequences, s.sequence(0, in))
	}
	whole, denominators := newBatches(sequences, 10, 4)
	for size := 1; size < 12; size++ {
		batches, d := newBatches(sequences, size, 4)
		if d != denominators {
			t.Errorf("micro-batches of %d: denominators %+v, want %+v", size, d, denominators)
		}
		var joined models.Batch
		for _, b := range batches {
			shift := len(joined.InputIDs)
			for _, p := range b.MaskedPositions {
				joined.MaskedPositions = append(joined.MaskedPositions, p+int32(shift))
			}
			if b.FirstSequence != len(joined.SentenceLabels) || b.Step != 4 || b.Sequences() > size {
				t.Errorf("micro-batches of %d: first %d, step %d, %d sequences", size, b.FirstSequence, b.Step, b.Sequences())
			}
			joined.InputIDs = append(joined.InputIDs, b.InputIDs...)
			joined.PositionIDs = append(joined.PositionIDs, b.PositionIDs...)
			joined.TokenTypeIDs = append(joined.TokenTypeIDs, b.TokenTypeIDs...)
			joined.MaskedLabels = append(joined.MaskedLabels, b.MaskedLabels...)
			joined.SentenceLabels = append(joined.SentenceLabels, b.SentenceLabels...)
		}
		joined.Offsets, joined.Step = whole[0].Offsets, 4
		if !reflect.DeepEqual(&joined, whole[0]) {
			t.Errorf("micro-batches of %d do not join to the whole", size)
		}
	}
}

func TestLoaderStopsWithItsContext(t *testing.T) {
	l := newLoader(testSource(), 7, 3, Position{}, 0)
	defer l.close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 2 * ahead { // prepared ones may still come
		if _, err := l.next(ctx); err != nil {
			return
		}
	}
	t.Error("a cancelled context did not end the loader")
}

func BenchmarkLoader(b *testing.B) {
	s := testSource()
	s.documents = testDocuments(5000)
	s.segments.SequenceLength = 64
	l := newLoader(s, 64, 16, Position{}, 0)
	defer l.close()
	tokens := 0
	for b.Loop() {
		step, err := l.next(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		tokens += step.tokens
	}
	b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
}
