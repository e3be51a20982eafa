// Package bf16 writes the instructions of AVX512_BF16, which neither avo nor Go's assembler knows: as their bytes, with a
// comment that names the instruction. A test of the kernels has a disassembler read the bytes and compare.
//
// Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2: section 2.7, "Intel AVX-512 Encoding".
package bf16

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/reg"
)

// The last two bits of the EVEX prefix's third byte stand for a legacy prefix.
const (
	prefixF3 = 2
	prefixF2 = 3
)

// VDPBF16PS adds to each float32 of sum the products of two pairs: sum[i] += y[2i]·x[2i] + y[2i+1]·x[2i+1].
func VDPBF16PS(x, y, sum reg.VecPhysical) { instruction("VDPBF16PS", prefixF3, 0x52, x, y, sum) }

// VCVTNE2PS2BF16 rounds the float32 of low to the first 16 of out, and those of high to the last 16.
func VCVTNE2PS2BF16(low, high, out reg.VecPhysical) {
	instruction("VCVTNE2PS2BF16", prefixF2, 0x72, low, high, out)
}

// instruction writes an instruction of three 512-bit registers: EVEX.512.prefix.0F38.W0 opcode /r, out being the
// register, y the one of the prefix and x the register or memory. The comment has Go's order of operands.
func instruction(name string, prefix, opcode uint8, x, y, out reg.VecPhysical) {
	rm, vvvv, r := number(x), number(y), number(out)
	not := func(n uint8, bit int) uint8 { return ^n >> bit & 1 }
	bytes := []uint8{
		0x62,
		not(r, 3)<<7 | not(rm, 4)<<6 | not(rm, 3)<<5 | not(r, 4)<<4 | 2, // R, X, B, R'; map 0F38
		^vvvv&15<<3 | 1<<2 | prefix,                                     // W, vvvv
		2<<5 | not(vvvv, 4)<<3,                                          // vector length 512, V'
		opcode,
		3<<6 | r&7<<3 | rm&7,
	}
	build.Instruction(&ir.Instruction{Opcode: fmt.Sprintf("LONG $0x%02x%02x%02x%02x; WORD $0x%02x%02x // %s %s, %s, %s",
		bytes[3], bytes[2], bytes[1], bytes[0], bytes[5], bytes[4], name, x.Asm(), y.Asm(), out.Asm())})
}

func number(x reg.VecPhysical) uint8 { return uint8(x.ID().Index()) }
