package main

import (
	"encoding/json"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"goalbert/models"
	"goalbert/native"
)

func base(t *testing.T) models.Config {
	t.Helper()
	c, err := models.Preset("albert-base-v2")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The engine accepts the batch, and 154 of 8 x 128 tokens are masked.
func TestNewBatch(t *testing.T) {
	c := base(t)
	for _, test := range []struct {
		lengths []int
		masked  int
	}{{equalLengths(8, 128), 154}, {[]int{5, 1, 60}, 10}, {[]int{1}, 1}, {[]int{512}, 77}} {
		b := newBatch(c, test.lengths, rand.New(rand.NewPCG(1, 1)))
		if err := native.Check(c, b); err != nil {
			t.Errorf("lengths %v: %v", test.lengths, err)
		}
		if got := b.MaskedPositions; len(got) != test.masked || !slices.IsSorted(got) {
			t.Errorf("lengths %v: masked are %v, want %d, ascending", test.lengths, got, test.masked)
		}
		for i, n := range test.lengths {
			lo, hi := b.Offsets[i], b.Offsets[i+1]
			if from := b.PositionIDs[lo]; hi-lo != n || from != 0 {
				t.Errorf("sequence %d has %d tokens from position %d, want %d from 0", i, hi-lo, from, n)
			}
		}
	}
}

// 6 x 85.0 M weights for each token of the step of albert-base, 14 M of attention, and 4 M for its share of the heads.
func TestStepFLOPs(t *testing.T) {
	w := workload{Fields: fields(base(t)), Sequences: 8, Length: 128}
	if got := w.flopsPerToken(); got < 0.5275 || got > 0.5285 {
		t.Errorf("got %v x 10⁹ a token, want 0.528", got)
	}
}

func TestReadLengths(t *testing.T) {
	got, err := readLengths(strings.NewReader("34\n\n 62 \n23"))
	if want := []int{34, 62, 23}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, error %v, want %v", got, err, want)
	}
	for text, want := range map[string]string{
		"34\nx\n": `line 2: "x"`, "0": `line 1: "0"`, "-3": `line 1: "-3"`, "1 2": `line 1: "1 2"`,
	} {
		if _, err := readLengths(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got error %v, want one that says %s", text, err, want)
		}
	}
}

// Drawn lengths are always the same, within their bounds, half of them at most 46, and survive a file.
func TestDrawnLengths(t *testing.T) {
	lengths := drawnLengths(6400)
	if !slices.Equal(lengths, drawnLengths(6400)) {
		t.Error("a second draw differs")
	}
	sorted := slices.Sorted(slices.Values(lengths))
	if sorted[0] < 5 || sorted[6399] != 128 || sorted[3200] < 45 || sorted[3200] > 47 {
		t.Errorf("from %d to %d, median %d; want from 5, to 128, 46", sorted[0], sorted[6399], sorted[3200])
	}
	path := filepath.Join(t.TempDir(), "lengths")
	if err := writeLengths(path, lengths); err != nil {
		t.Fatal(err)
	}
	if read, err := readLengthsFile(path); err != nil || !slices.Equal(read, lengths) {
		t.Errorf("read back: error %v, or other lengths", err)
	}
}

// Batches are taken in the file's order, and the largest is the one with the most tokens.
func TestBatches(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lengths")
	if err := writeLengths(path, []int{3, 4, 9, 9, 5, 5, 1}); err != nil {
		t.Fatal(err)
	}
	w := workload{Fields: fields(base(t)), Sequences: 2, LengthsFile: path}
	batches, largest, err := w.batches()
	if err != nil {
		t.Fatal(err)
	}
	var tokens []int
	for _, b := range batches {
		tokens = append(tokens, b.Tokens())
	}
	if want := []int{7, 18, 10}; !slices.Equal(tokens, want) || largest != 1 {
		t.Errorf("got batches of %v tokens, the largest %d; want %v and 1", tokens, largest, want)
	}
	w.Sequences = 8
	if _, _, err := w.batches(); err == nil || !strings.Contains(err.Error(), "7 lengths, want at least 8") {
		t.Errorf("too few lengths: got error %v", err)
	}
}

// A job arrives as it was sent, the whole configuration too.
func TestJobSurvivesJSON(t *testing.T) {
	sent := job{Kind: stepKind, Threads: 2, Precision: 1, Shape: shapes[4], Recompute: true,
		workload: workload{Fields: fields(base(t)), Sequences: 8, Length: 128, LengthsFile: "file"}}
	text, err := json.Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	var got job
	if err := json.Unmarshal(text, &got); err != nil || got != sent {
		t.Errorf("got %+v, error %v, want %+v", got, err, sent)
	}
}
