package main

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"

	"goalbert/models"
)

// newBatch has sequences of those lengths. 15 % of the tokens are masked, spread evenly, and at least one; ids and
// labels are random.
func newBatch(c models.Config, lengths []int, random *rand.Rand) *models.Batch {
	token := func() int32 { return 5 + random.Int32N(int32(c.VocabSize-5)) } // no special one
	masked := func(tokens int) int { return int(math.Round(0.15 * float64(tokens))) }
	b := &models.Batch{Offsets: []int{0}}
	for _, n := range lengths {
		for position := range n {
			row := b.Tokens()
			if masked(row+1) > masked(row) {
				b.MaskedPositions = append(b.MaskedPositions, int32(row))
				b.MaskedLabels = append(b.MaskedLabels, token())
			}
			b.InputIDs = append(b.InputIDs, token())
			b.TokenTypeIDs = append(b.TokenTypeIDs, int32(2*position/n))
			b.PositionIDs = append(b.PositionIDs, int32(position))
		}
		b.Offsets = append(b.Offsets, b.Tokens())
		b.SentenceLabels = append(b.SentenceLabels, random.Int32N(2))
	}
	if len(b.MaskedPositions) == 0 {
		b.MaskedPositions, b.MaskedLabels = []int32{0}, []int32{token()}
	}
	return b
}

// stepFLOPs counts the model arithmetic of a training step: 6 for each weight of a linear and each row that passes it
// (a multiply and an add, forward and twice backward), and 12 for each pair of tokens and hidden column in attention.
func stepFLOPs(c models.Config, b *models.Batch) float64 {
	e, h, i, v := float64(c.EmbeddingSize), float64(c.HiddenSize), float64(c.IntermediateSize), float64(c.VocabSize)
	uses := float64(c.NumHiddenLayers * c.InnerGroupNum)
	tokens, masked, sequences := float64(b.Tokens()), float64(len(b.MaskedPositions)), float64(b.Sequences())
	pairs := 0.0
	for s := range b.Sequences() {
		n := float64(b.Offsets[s+1] - b.Offsets[s])
		pairs += n * n
	}
	weights := tokens*(e*h+uses*(4*h*h+2*h*i)) + masked*(h*e+e*v) + sequences*(h*h+2*h)
	return 6*weights + 12*uses*pairs*h
}

// equalLengths returns n times length.
func equalLengths(n, length int) []int {
	lengths := make([]int, n)
	for i := range lengths {
		lengths[i] = length
	}
	return lengths
}

// drawnLengths returns n lengths as sentence pairs of books have them, always the same: log-normal with median 46 and
// σ = 0.6, cut to 5 to 128 tokens.
func drawnLengths(n int) []int {
	random := rand.New(rand.NewPCG(46, 60))
	lengths := make([]int, n)
	for i := range lengths {
		lengths[i] = min(max(int(math.Round(46*math.Exp(0.6*random.NormFloat64()))), 5), 128)
	}
	return lengths
}

// readLengths reads a length a line. Empty lines are passed over.
func readLengths(r io.Reader) ([]int, error) {
	var lengths []int
	lines := bufio.NewScanner(r)
	for i := 1; lines.Scan(); i++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("line %d: %q, want a length of at least 1", i, text)
		}
		lengths = append(lengths, n)
	}
	return lengths, lines.Err()
}

// readLengthsFile reads the lengths in the file at path.
func readLengthsFile(path string) ([]int, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lengths, err := readLengths(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return lengths, nil
}

// writeLengths writes a length a line.
func writeLengths(path string, lengths []int) error {
	var text strings.Builder
	for _, n := range lengths {
		fmt.Fprintln(&text, n)
	}
	return os.WriteFile(path, []byte(text.String()), 0o666)
}

// inBatches cuts lengths into batches of n sequences; what is left over is dropped.
func inBatches(lengths []int, n int) [][]int {
	var batches [][]int
	for ; len(lengths) >= n; lengths = lengths[n:] {
		batches = append(batches, lengths[:n])
	}
	return batches
}
