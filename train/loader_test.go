package train

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	"goalbert/corpus"
	"goalbert/models"
)

// whole is all documents of a corpus.
func whole(b corpus.Blocks) *part {
	p, _ := choose(b, nil)
	return p
}

func testSource() *source {
	return &source{
		part: whole(testDocuments(40).blocks(1 << 20)), vocabulary: testVocabulary(), masking: DefaultMasking(), seed: 9,
		segments: Segments{Objective: SOP, SequenceLength: 32, ShortProbability: 0.1},
	}
}

// windowedSource has epochs of three windows.
func windowedSource() *source {
	s := testSource()
	s.part = whole(testDocuments(200).blocks(300))
	return s
}

func readWindow(t *testing.T, s *source, epoch uint64, number int) *window {
	t.Helper()
	w, err := s.window(epoch, number)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// takeShare returns the first steps of a loader, of seven sequences, as a replica has them.
func takeShare(t *testing.T, s *source, r replica, at Position, first, count int) []*stepBatches {
	t.Helper()
	l := newLoader(s, &Options{BatchSequences: 7, MicroBatchSequences: 3, Replica: r.index, Replicas: r.count}, at, uint64(first))
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

func take(t *testing.T, s *source, at Position, first, count int) []*stepBatches {
	t.Helper()
	return takeShare(t, s, replica{0, 1}, at, first, count)
}

// A loader that starts at the end of any step gives the same batches as one that came there by itself, over the end
// of windows and epochs too.
func TestLoaderResumesAnywhere(t *testing.T) {
	for name, s := range map[string]*source{"one window": testSource(), "several": windowedSource()} {
		const steps = 170
		all := take(t, s, Position{}, 0, steps)
		ends := map[int]bool{}
		for _, step := range all {
			ends[step.end.Window] = true
		}
		if all[steps-1].end.Epoch < 2 || len(ends) != s.windows() || name == "several" && len(ends) < 3 {
			t.Fatalf("%s: %d steps end at %+v, want some epochs of %d windows", name, steps, all[steps-1].end, s.windows())
		}
		for i := 1; i <= steps-3; i++ {
			if got := take(t, s, all[i-1].end, i, 3); !reflect.DeepEqual(got, all[i:][:3]) {
				t.Errorf("%s: resumed at step %d: other batches", name, i)
			}
		}
	}
}

// Text in memory and shards of the same text give the same steps.
func TestShardsGiveTheSameSteps(t *testing.T) {
	inMemory := windowedSource()
	inFiles := windowedSource()
	inFiles.part = whole(copied{inMemory.part.blocks})
	if got, want := take(t, inFiles, Position{}, 0, 50), take(t, inMemory, Position{}, 0, 50); !reflect.DeepEqual(got, want) {
		t.Error("blocks that are read anew every time give other steps")
	}
}

// copied is a corpus whose blocks stand alone, as those of shards do.
type copied struct{ corpus.Blocks }

func (c copied) Block(block int) (*corpus.Tokens, error) {
	b, err := c.Blocks.Block(block)
	if err != nil {
		return nil, err
	}
	t := &corpus.Tokens{SentenceStarts: []int{0}, DocumentStarts: []int{0}}
	for d := range b.Len() {
		for s := range b.Sentences(d) {
			t.IDs = append(t.IDs, b.Sentence(d, s)...)
			t.SentenceStarts = append(t.SentenceStarts, len(t.IDs))
		}
		t.DocumentStarts = append(t.DocumentStarts, len(t.SentenceStarts)-1)
	}
	return t, nil
}

// broken is a corpus whose last block cannot be read.
type broken struct{ corpus.Blocks }

var errBroken = errors.New("the disk is gone")

func (b broken) Block(block int) (*corpus.Tokens, error) {
	if block == b.Len()-1 {
		return nil, errBroken
	}
	return b.Blocks.Block(block)
}

// A corpus that cannot be read ends the loader with its error, after the steps before.
func TestLoaderTellsReadErrors(t *testing.T) {
	s := windowedSource()
	s.part = whole(broken{s.part.blocks})
	l := newLoader(s, &Options{BatchSequences: 7, MicroBatchSequences: 7}, Position{}, 0)
	defer l.close()
	for range 1000 {
		if _, err := l.next(context.Background()); err != nil {
			if !errors.Is(err, errBroken) {
				t.Errorf("got %v, want %v", err, errBroken)
			}
			return
		}
	}
	t.Error("a thousand steps without an error")
}

// The shares of the replicas are together the step of a single process, with its denominators and its end.
func TestReplicasShareEveryStep(t *testing.T) {
	s := windowedSource()
	want := take(t, s, Position{}, 0, 20)
	for _, count := range []int{2, 3, 7} {
		sequences := make([][]int32, 20)
		for index := range count {
			for i, step := range takeShare(t, s, replica{index, count}, Position{}, 0, 20) {
				if step.denominators != want[i].denominators || step.end != want[i].end || step.tokens != want[i].tokens {
					t.Fatalf("replica %d of %d, step %d: %+v, want %+v", index, count, i, step, want[i])
				}
				for _, b := range step.batches {
					if first := 7 * index / count; b.FirstSequence < first {
						t.Errorf("replica %d of %d: first sequence %d, want at least %d", index, count, b.FirstSequence, first)
					}
					sequences[i] = append(sequences[i], b.InputIDs...)
				}
			}
		}
		for i, step := range want {
			var all []int32
			for _, b := range step.batches {
				all = append(all, b.InputIDs...)
			}
			if !slices.Equal(sequences[i], all) {
				t.Errorf("%d replicas, step %d: other sequences", count, i)
			}
		}
	}
}

// Every instance of an epoch comes once, in an order and with masks that differ from epoch to epoch.
func TestEpochs(t *testing.T) {
	for name, s := range map[string]*source{"one window": testSource(), "several": windowedSource()} {
		var first, second []*Sequence
		var documents []int // of the first epoch's instances
		seen := map[[2]int]bool{}
		sentences, again := 0, 0
		for number := range s.windows() {
			w, w2 := readWindow(t, s, 0, number), readWindow(t, s, 1, number)
			if !reflect.DeepEqual(w, readWindow(t, s, 0, number)) {
				t.Errorf("%s: a window is not a function of its number", name)
			}
			for _, in := range w.instances {
				document := w.documents.documents[in.document].number
				documents = append(documents, document)
				seen[[2]int{document, int(in.ordinal)}] = true
				sentences += int(in.end - in.begin)
				first = append(first, s.sequence(0, w, in))
			}
			for _, in := range w2.instances {
				second = append(second, s.sequence(1, w2, in))
			}
			for _, in := range w.instances[:10] {
				if reflect.DeepEqual(s.sequence(0, w, in).MaskedPositions, s.sequence(1, w, in).MaskedPositions) {
					again++
				}
			}
		}
		if want := countSentences(t, s.part); len(seen) != len(first) || sentences != want {
			t.Errorf("%s: %d instances, %d different; %d sentences of %d", name, len(first), len(seen), sentences, want)
		}
		if reflect.DeepEqual(first, second) {
			t.Errorf("%s: two epochs are the same", name)
		}
		if again > 5*s.windows() {
			t.Errorf("%s: %d of %d sequences have the same masks in both epochs", name, again, 10*s.windows())
		}
		// shuffled across documents: neighbours are rarely of the same one
		together := 0
		for i := 1; i < len(documents); i++ {
			if documents[i] == documents[i-1] {
				together++
			}
		}
		if together > len(documents)/5 {
			t.Errorf("%s: %d of %d neighbours are of one document", name, together, len(documents))
		}
	}
}

// An instance comes anywhere in an epoch, and a block in any of its windows, each alike.
func TestOrderIsUniform(t *testing.T) {
	s := windowedSource()
	s.part = whole(numbered(10, 1, 5).blocks(1 << 20))
	places := make([]int, 10)
	for epoch := range uint64(5000) {
		for i, in := range readWindow(t, s, epoch, 0).instances {
			if in.document == 3 {
				places[i]++
			}
		}
	}
	checkShares(t, "places in an epoch", places, slices.Repeat([]float64{0.1}, 10))

	s.part = whole(numbered(34, 1, 5).blocks(1))
	windows := make([]int, 3)
	for epoch := range uint64(3000) {
		for number := range windows {
			for _, place := range readWindow(t, s, epoch, number).documents.documents {
				if place.number == 20 {
					windows[number]++
				}
			}
		}
	}
	checkShares(t, "windows of a block", windows, []float64{11. / 34, 11. / 34, 12. / 34})
}

func countSentences(t *testing.T, p *part) (n int) {
	t.Helper()
	if err := p.eachSentence(func([]int32) { n++ }); err != nil {
		t.Fatal(err)
	}
	return n
}

// However a step is divided, its batches hold the same sequences in the same order.
func TestMicroBatchesHoldTheStep(t *testing.T) {
	sequences, err := testSource().first(10)
	if err != nil {
		t.Fatal(err)
	}
	whole := newBatches(sequences, 0, 10, 10, 4)
	d := denominators(sequences)
	if d.MaskedTokens != float64(len(whole[0].MaskedLabels)) || d.Sentences != float64(len(whole[0].SentenceLabels)) {
		t.Errorf("denominators %+v of %d masked tokens and %d sentences", d, len(whole[0].MaskedLabels), len(whole[0].SentenceLabels))
	}
	for size := 1; size < 12; size++ {
		batches := newBatches(sequences, 0, 10, size, 4)
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
	l := newLoader(testSource(), &Options{BatchSequences: 7, MicroBatchSequences: 3}, Position{}, 0)
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

// The corpus has several windows, so that reading and shuffling them count.
func BenchmarkLoader(b *testing.B) {
	for name, objective := range map[string]Objective{"sop": SOP, "nsp": NSP, "none": NoSentences} {
		b.Run(name, func(b *testing.B) {
			s := testSource()
			s.part = whole(testDocuments(50000).blocks(1 << 16))
			s.segments.Objective, s.segments.SequenceLength = objective, 128
			l := newLoader(s, &Options{BatchSequences: 64, MicroBatchSequences: 16}, Position{}, 0)
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
		})
	}
}
