package tokenizer

import (
	"fmt"
	"math"
)

// A doubleArray is a trie over bytes in the layout of Yata's Darts-clone, which SentencePiece writes into its files.
// A node is an index; it knows the base of its children, and the child for byte c lies at base ^ c. A unit holds
//
//	bits 0–7 and 31  label: the byte that leads here (bit 31 is set in values, which therefore match no byte)
//	bit 8            whether a key ends here; then the unit at the base, child 0, holds its value
//	bit 9            whether the offset is stored in units of 256
//	bits 10–30       offset = index ^ base
//
// and a value unit 31 bits of value. Keys contain no zero byte.
type doubleArray []uint32

const (
	unitLabel    = 1<<31 | 0xff
	unitHasValue = 1 << 8
	unitWide     = 1 << 9
	unitValue    = 1<<31 - 1
	unitIsValue  = 1 << 31
)

// unitBase returns the base of the children of the node at index i, whose unit is u.
func unitBase(i, u uint32) uint32 {
	return i ^ (u>>10)<<((u&unitWide)>>6)
}

// root returns the base of the children of the root, from where step goes on.
func (d doubleArray) root() uint32 {
	if len(d) == 0 {
		return 0
	}
	return unitBase(0, d[0])
}

// step follows the byte c from the node whose children have this base. It returns the base of the node's children, the
// value of the key that ends there or -1, and whether there is such a node.
func (d doubleArray) step(base uint32, c byte) (next uint32, value int32, ok bool) {
	i := base ^ uint32(c)
	if uint64(i) >= uint64(len(d)) {
		return 0, -1, false
	}
	u := d[i]
	if u&unitLabel != uint32(c) {
		return 0, -1, false
	}
	next, value = unitBase(i, u), -1
	if u&unitHasValue != 0 && uint64(next) < uint64(len(d)) {
		value = int32(d[next] & unitValue)
	}
	return next, value, true
}

// longestPrefix returns the value of the longest key that text starts with, and its length; -1 and 0 if there is none.
func (d doubleArray) longestPrefix(text string) (value int32, length int) {
	value = -1
	base := d.root()
	for i := range len(text) {
		next, v, ok := d.step(base, text[i])
		if !ok {
			break
		}
		if v >= 0 {
			value, length = v, i+1
		}
		base = next
	}
	return value, length
}

// newDoubleArray builds the trie of keys, which are sorted, distinct, not empty and without zero bytes. The values are
// not negative.
func newDoubleArray(keys []string, values []int32) (doubleArray, error) {
	size := 2 * blockSize
	for i, key := range keys {
		size += len(key)
		if key == "" || (i > 0 && keys[i-1] >= key) {
			return nil, fmt.Errorf("double array: keys are empty, double or out of order at %q", key)
		}
		for j := range len(key) {
			if key[j] == 0 {
				return nil, fmt.Errorf("double array: key %q contains a zero byte", key)
			}
		}
	}
	b := &arrayBuilder{keys: keys, values: values, first: none}
	b.reserve(size)
	b.addBlock()
	b.take(0)
	b.usedBase[0] = true // so that no child looks like the root
	if len(keys) > 0 {
		b.place(0, 0, len(keys), 0)
	}
	b.sealUnused()
	return b.units, nil
}

const (
	blockSize  = 256
	openBlocks = 16 // older blocks are full enough not to be searched any more
	none       = math.MaxUint32
)

// arrayBuilder puts nodes into the free places of a growing array. Free places of the open blocks are a linked list.
type arrayBuilder struct {
	keys       []string
	values     []int32
	units      []uint32
	used       []bool
	usedBase   []bool
	next, prev []uint32
	first      uint32
	last       uint32
}

// place writes the children of the node at index, which is the prefix of length depth of keys[low:high].
func (b *arrayBuilder) place(index uint32, low, high, depth int) {
	var labelRoom [16]byte
	var startRoom [17]int
	labels, starts := labelRoom[:0], startRoom[:0]
	for i := low; i < high; i++ {
		label := byte(0)
		if depth < len(b.keys[i]) {
			label = b.keys[i][depth]
		}
		if len(labels) == 0 || labels[len(labels)-1] != label {
			labels = append(labels, label)
			starts = append(starts, i)
		}
	}
	starts = append(starts, high)

	base := b.findBase(index, labels)
	b.usedBase[base] = true
	offset := index ^ base
	if offset < 1<<21 {
		b.units[index] |= offset << 10
	} else {
		b.units[index] |= offset<<2 | unitWide
	}
	for _, label := range labels {
		b.take(base ^ uint32(label))
	}
	for i, label := range labels {
		child := base ^ uint32(label)
		if label == 0 {
			b.units[index] |= unitHasValue
			b.units[child] = uint32(b.values[starts[i]]) | 1<<31
			continue
		}
		b.units[child] = uint32(label)
		b.place(child, starts[i], starts[i+1], depth+1)
	}
}

// findBase returns a base at which the places of all labels are free, adding a block if there is none.
func (b *arrayBuilder) findBase(index uint32, labels []byte) uint32 {
	for i := b.first; i != none; i = b.next[i] {
		base := i ^ uint32(labels[0])
		if offset := index ^ base; b.usedBase[base] || (offset >= 1<<21 && offset&0xff != 0) {
			continue
		}
		if b.free(base, labels) {
			return base
		}
	}
	// A block of its own: the low byte of index makes the offset a multiple of 256, which always fits.
	start := uint32(len(b.units))
	b.addBlock()
	return start | index&0xff
}

func (b *arrayBuilder) free(base uint32, labels []byte) bool {
	for _, label := range labels {
		if b.used[base^uint32(label)] {
			return false
		}
	}
	return true
}

// reserve makes room for about so many units.
func (b *arrayBuilder) reserve(size int) {
	b.units, b.next, b.prev = make([]uint32, 0, size), make([]uint32, 0, size), make([]uint32, 0, size)
	b.used, b.usedBase = make([]bool, 0, size), make([]bool, 0, size)
}

// addBlock appends free places and closes the block that becomes too old.
func (b *arrayBuilder) addBlock() {
	start := uint32(len(b.units))
	b.units = append(b.units, make([]uint32, blockSize)...)
	b.used = append(b.used, make([]bool, blockSize)...)
	b.usedBase = append(b.usedBase, make([]bool, blockSize)...)
	b.next = append(b.next, make([]uint32, blockSize)...)
	b.prev = append(b.prev, make([]uint32, blockSize)...)
	for i := start; i < start+blockSize; i++ {
		b.next[i] = none
		if b.first == none {
			b.first, b.prev[i] = i, none
		} else {
			b.next[b.last], b.prev[i] = i, b.last
		}
		b.last = i
	}
	if blocks := uint32(len(b.units) / blockSize); blocks > openBlocks {
		for closed := (blocks - openBlocks) * blockSize; b.first < closed; {
			b.first = b.next[b.first]
			b.prev[b.first] = none
		}
	}
}

// take removes a place from the list of free ones.
func (b *arrayBuilder) take(i uint32) {
	b.used[i] = true
	if i < b.first {
		return // its block is closed
	}
	if b.prev[i] != none {
		b.next[b.prev[i]] = b.next[i]
	} else {
		b.first = b.next[i]
	}
	if b.next[i] != none {
		b.prev[b.next[i]] = b.prev[i]
	} else {
		b.last = b.prev[i]
	}
}

// sealUnused gives every free place a label that no lookup can ask for: it is reached with that byte only from a base
// that no node has.
func (b *arrayBuilder) sealUnused() {
	for start := 0; start < len(b.units); start += blockSize {
		unusedBase := start
		for unusedBase < start+blockSize-1 && b.usedBase[unusedBase] {
			unusedBase++
		}
		for i := start; i < start+blockSize; i++ {
			if !b.used[i] {
				b.units[i] = uint32(i^unusedBase) & 0xff
			}
		}
	}
}
