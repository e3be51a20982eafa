package train

import "math/rand/v2"

// purpose separates random decisions that have the same numbers.
type purpose uint64

const (
	forHeldOut  purpose = iota + 1 // which documents are held out
	forOrder                       // the order of an epoch's instances
	forSegments                    // the cutting of a document into instances
	forInstance                    // truncation and masks of an instance
	forWindows                     // which blocks are together in a window
	forFeatures                    // the order of the features of an epoch
)

// random returns the generator of one decision. Its numbers are a function of the seed, the purpose and numbers (an
// epoch, a document ...) alone, never of what was drawn before, so that training resumes anywhere.
func random(seed uint64, p purpose, numbers ...uint64) *rand.Rand {
	h := mix(seed) ^ uint64(p)
	for _, n := range numbers {
		h = mix(h) ^ n
	}
	return rand.New(rand.NewPCG(mix(h), mix(^h)))
}

// mix is the finalizer of SplitMix64 (Steele et al., doi:10.1145/2660193.2660195), a bijection that spreads every bit.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
