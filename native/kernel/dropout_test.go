package kernel

import (
	"math"
	"slices"
	"testing"
)

// The known answers of Random123 for philox4x32 with ten rounds.
func TestPhiloxKnownAnswers(t *testing.T) {
	const ones = math.MaxUint32
	for _, test := range []struct {
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{ones, ones, ones, ones}, [2]uint32{ones, ones},
			[4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := philox(test.counter, test.key); got != test.want {
			t.Errorf("philox(%08x, %08x) = %08x, want %08x", test.counter, test.key, got, test.want)
		}
	}
}

// The bits of every set are those of the portable one: of any numbers, with thresholds in both halves of their range,
// where one decides between equal and below, and where the counter's first word begins again at 0.
func TestDropoutOfEverySet(t *testing.T) {
	x := narrow(normals(1, 200))
	copy(x[90:], []float32{0, float32(math.Copysign(0, -1)), 1e-45, 3e38, float32(math.Inf(1)), float32(math.Inf(-1))})
	key := [2]uint32{0x89abcdef, 0xfedcba98}
	start := [4]uint32{math.MaxUint32 - 20, math.MaxUint32, 7, 1 << 31}
	thresholds := []uint32{0, 1, 1<<31 - 1, 1 << 31, 1<<31 + 1, math.MaxUint32}
	for element := range len(x) {
		counter := start
		counter[0] += uint32(element / 4)
		word := philox(counter, key)[element%4]
		thresholds = append(thresholds, word, word+1)
	}
	eachSet(t, func(t *testing.T, s set) {
		for _, threshold := range thresholds {
			want, got := make([]float32, len(x)), make([]float32, len(x))
			dropoutGeneric(want, x, start, key, threshold, 1.1)
			dropout(s, got, x, start, key, threshold, 1.1)
			if w, g := bitsOf(want), bitsOf(got); !slices.Equal(w, g) {
				t.Fatalf("threshold %#x: got %08x, want %08x", threshold, g, w)
			}
		}
	})
}

// Element i has word i mod 4 of the counter that is ⌊i/4⌋ further, and is kept where the word is the threshold itself.
func TestDropoutDefinition(t *testing.T) {
	const n = 11
	counter, key := [4]uint32{math.MaxUint32, 5, 6, 7}, [2]uint32{8, 9}
	for i := range n {
		at := counter
		at[0] += uint32(i / 4)
		word := philox(at, key)[i%4]
		for threshold, want := range map[uint32]float32{word: 3, word + 1: 0} {
			x := slices.Repeat([]float32{2}, n)
			Dropout(x, x, counter, key, threshold, 1.5)
			if x[i] != want {
				t.Errorf("element %d, random number %#x, threshold %#x: got %v, want %v", i, word, threshold, x[i], want)
			}
		}
	}
}

func bitsOf(x []float32) []uint32 {
	bits := make([]uint32, len(x))
	for i, v := range x {
		bits[i] = math.Float32bits(v)
	}
	return bits
}
