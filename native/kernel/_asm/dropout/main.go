// Command dropout writes dropout by the random numbers of Philox4x32-10.
package main

//go:generate go run . -out ../../dropout_amd64.s -stubs ../../dropout_amd64.go -pkg kernel

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "goalbert/native/kernel/_asm/vector"
)

// The multipliers of Philox4x32 and the steps of its key.
var (
	multipliers = [2]uint32{0xD2511F53, 0xCD9E8D57}
	steps       = [2]uint32{0x9E3779B9, 0xBB67AE85}
)

const rounds = 10

func main() { ForEachSet(dropout) }

// dropout has one counter in each 64 bits, because that is what a multiply of 32 bits fills; what the upper half holds
// does not matter. A vector of counters gives the random numbers of two vectors of elements.
func dropout(s Set) {
	s.Function("dropout", "out, x *float32, n int, counter [4]uint32, key [2]uint32, threshold uint32, scale float32",
		"works like dropoutGeneric, on n elements.")
	out, x := Parameter("out"), Parameter("x")
	keys := roundKeys()
	var counter [4]reg.VecVirtual
	for i := range counter {
		counter[i] = s.BroadcastPart(Param("counter").Index(i))
	}
	VPADDD(order(s), counter[0], counter[0])
	threshold, scale := s.Broadcast("threshold"), s.Broadcast("scale")
	s.Pairs(Parameter("n"), func(at [2]Place) {
		random := philox(s, counter, keys)
		VPADDD(Bits(uint32(s.Lanes()/2)), counter[0], counter[0])
		for i, numbers := range inOrder(s, random) {
			v := at[i].Load(x)
			if s.Bytes == 64 {
				kept := K()
				VPCMPUD(U8(notBelow), threshold, numbers, kept)
				VMULPS_Z(scale, v, kept, v)
			} else {
				kept := s.Vector()
				VPMAXUD(threshold, numbers, kept) // there is no unsigned comparison
				VPCMPEQD(numbers, kept, kept)
				VMULPS(scale, v, v)
				VPAND(kept, v, v)
			}
			at[i].Store(v, out)
		}
	})
	s.Return()
}

// notBelow is the comparison a ≥ b of VPCMPUD.
const notBelow = 5

// roundKeys returns where in memory each round's two keys are.
func roundKeys() [rounds][2]Mem {
	var keys [rounds][2]Mem
	memory := AllocLocal(rounds * 2 * Float)
	for i, step := range steps {
		key := Load(Param("key").Index(i), GP32())
		for round := range rounds {
			keys[round][i] = memory.Offset((2*round + i) * Float)
			MOVL(key, keys[round][i])
			if round < rounds-1 {
				ADDL(U32(step), key)
			}
		}
	}
	return keys
}

// order returns by how much the first word of each counter is above that of the first: such that the low and the high
// halves of 16 bytes are as far apart as inOrder needs them.
func order(s Set) Mem {
	elements := make([]uint32, s.Lanes())
	for i := range s.Lanes() / 4 {
		elements[4*i], elements[4*i+2] = uint32(i), uint32(i+s.Lanes()/4)
	}
	return Table(elements...)
}

// philox returns the random words of counters, each word in a vector of its own.
func philox(s Set, counter [4]reg.VecVirtual, keys [rounds][2]Mem) [4]reg.VecVirtual {
	for _, key := range keys {
		var high, low [2]reg.VecVirtual
		for i := range 2 {
			high[i], low[i] = s.Vector(), s.Vector()
			VPMULUDQ(Bits(multipliers[i]), counter[2*i], low[i])
			VPSRLQ(U8(32), low[i], high[i])
		}
		xor(s, key[0], counter[1], high[1])
		xor(s, key[1], counter[3], high[0])
		counter = [4]reg.VecVirtual{high[1], low[1], high[0], low[0]}
	}
	return counter
}

// xor sets to = to ^ x ^ key.
func xor(s Set, key Mem, x, to reg.VecVirtual) {
	if s.Bytes == 64 {
		const ofThree = 0x96 // the truth table
		VPTERNLOGD_BCST(U8(ofThree), key, x, to)
		return
	}
	all := s.Vector()
	VPBROADCASTD(key, all)
	VPXOR(x, to, to)
	VPXOR(all, to, to)
}

// inOrder returns the words counter by counter, in two vectors: in each 16 bytes those of the counter in its low half,
// and those of the counter in its high half.
func inOrder(s Set, word [4]reg.VecVirtual) [2]reg.VecVirtual {
	const evens, odds = 0b10_00_10_00, 0b11_01_11_01
	front, back := s.Vector(), s.Vector()
	VSHUFPS(U8(evens), word[1], word[0], front)
	VSHUFPS(U8(evens), word[3], word[2], back)
	low, high := s.Vector(), s.Vector()
	VSHUFPS(U8(evens), back, front, low)
	VSHUFPS(U8(odds), back, front, high)
	return [2]reg.VecVirtual{low, high}
}
