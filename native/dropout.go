package native

import (
	"slices"

	"goalbert/models"
	"goalbert/native/kernel"
)

// Dropout says whether a pass drops, and from which seed. The zero value does not drop.
//
// Whether a value is dropped is a function of (seed, step, sequence, site, layer, position, column) and of nothing
// else: not of the batch that the sequence is in, nor of the threads. Backward computes it again; no mask is stored.
type Dropout struct {
	Enabled bool
	Seed    uint64
}

// site is a place in the model where values are dropped.
type site uint32

const (
	siteEmbeddings site = iota
	siteAttentionProbs
	siteAttentionOutput
	siteFFNOutput
	sitePooled
	siteTokens
)

// dropper drops the values of one site of one use of a layer. The zero value drops nothing.
type dropper[T kernel.Float] struct {
	batch     *models.Batch
	key       [2]uint32
	threshold uint32 // values whose random number is below are dropped
	scale     T      // of the others: 1/(1-rate)
}

// newDropper returns the dropper of a site.
func newDropper[T kernel.Float](d Dropout, b *models.Batch, rate float64, s site, layer int) dropper[T] {
	if !d.Enabled || rate == 0 {
		return dropper[T]{}
	}
	key := splitmix(splitmix(d.Seed) ^ uint64(layer)<<8 ^ uint64(s))
	return dropper[T]{
		batch:     b,
		key:       [2]uint32{uint32(key), uint32(key >> 32)},
		threshold: uint32(rate * (1 << 32)),
		scale:     T(1 / (1 - rate)),
	}
}

func (d *dropper[T]) drops() bool { return d.batch != nil }

// tokens sets rows s of out to drop(x), both (T, columns); out may be x.
func (d *dropper[T]) tokens(out, x []T, s span, columns int) {
	if !d.drops() {
		return
	}
	sequence, _ := slices.BinarySearch(d.batch.Offsets, s.lo+1)
	for row := s.lo; row < s.hi; row++ {
		for row >= d.batch.Offsets[sequence] {
			sequence++
		}
		lo, hi := row*columns, (row+1)*columns
		d.row(out[lo:hi], x[lo:hi], sequence-1, int(d.batch.PositionIDs[row]), 0)
	}
}

// row sets out = drop(x) for one row: of sequence b of the batch, at a position, its columns counted from column.
// column must be a multiple of four.
func (d *dropper[T]) row(out, x []T, b, position, column int) {
	counter := [4]uint32{uint32(column / 4), uint32(position), uint32(d.batch.FirstSequence + b), uint32(d.batch.Step)}
	kernel.Dropout(out, x, counter, d.key, d.threshold, d.scale)
}

// splitmix is the finalizer of SplitMix64 (Steele et al., OOPSLA 2014): it spreads a seed's bits over the word.
func splitmix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}
