package kernel

import "sync"

// matrix is op(A), or op(B) by columns, where it lies: element p of line i is data[i*line+p*step]. One of the strides
// is 1. Lines are rows of op(A) and columns of op(B), steps are along the summed dimension.
type matrix[T Float] struct {
	data       []T
	line, step int
}

// newMatrix panics where x is too short for the lines.
func newMatrix[T Float](x []T, ld int, adjacent bool, lines, depth int) matrix[T] {
	if adjacent {
		return matrix[T]{x[:(depth-1)*ld+lines], 1, ld}
	}
	return matrix[T]{x[:(lines-1)*ld+depth], ld, 1}
}

func (x matrix[T]) from(i, p int) matrix[T] {
	x.data = x.data[i*x.line+p*x.step:]
	return x
}

// panel is lines as multiplyTile reads them, strided as in a matrix. Line i of a block begins a panel at data[i*next].
type panel[T Float] struct {
	data             []T
	line, step, next int
}

func (x panel[T]) from(i int) panel[T] {
	x.data = x.data[i*x.next:]
	return x
}

// packs is the memory of one product under way, and the blocks of it that are being multiplied.
type packs[T Float] struct {
	a, b         panel[T]
	roomA, roomB []T
	rounded      []T // the lines of a panel, in bf16
}

// packA makes s.a a block of op(A), packed into panels unless it will be used so seldom that packing does not pay.
func (s *packs[T]) packA(by tiling[T], x matrix[T], lines, depth, uses int) {
	if by.readsInPlace(x, uses) {
		s.a = panel[T]{x.data, x.line, x.step, x.line}
		return
	}
	s.a = s.pack(by, &s.roomA, x, even(lines, by.tileM, by.unitM), lines, depth)
}

// packB makes s.b a block of op(B). Only where the columns of a step are neighbours, and no tile is an edge, can it do
// without packing.
func (s *packs[T]) packB(by tiling[T], x matrix[T], lines, depth, uses int) {
	if x.line == 1 && lines%by.tileN == 0 && by.readsInPlace(x, uses) {
		s.b = panel[T]{x.data, 1, x.step, 1}
		return
	}
	s.b = s.pack(by, &s.roomB, x, by.tileN, lines, depth)
}

// readsInPlace says whether an operand that is used for so many lines of the other is not worth packing. Where steps are
// neighbours a panel's cache lines are used one after the other; else each step is in another one. Lines that are a
// multiple of 4 KiB apart would all compete for one place in the cache.
func (by tiling[T]) readsInPlace(x matrix[T], uses int) bool {
	if x.line == 1 {
		return uses <= by.inPlaceLines
	}
	return uses <= by.inPlaceSteps && x.line%1024 != 0
}

// packSlack is how much a kernel may write behind a panel. Panels are written in order.
const packSlack = 16

// pack copies lines into panels of width lines: for each panel, step by step, the elements of its lines side by side.
// What lines the last panel lacks is anything.
func (s *packs[T]) pack(by tiling[T], room *[]T, x matrix[T], width, lines, depth int) panel[T] {
	elements := by.elements(depth)
	data := sized(room, (lines+width-1)/width*width*elements+packSlack)
	for i := 0; i < lines; i += width {
		s.packPanel(by, data[i*elements:], width, min(width, lines-i), depth, x.from(i, 0))
	}
	return panel[T]{data, 1, width, elements}
}

// even returns into pieces of which size n is divided so that they are as few as those of the largest size allowed, and
// nearly equal. It is a multiple of unit, as most is.
func even(n, most, unit int) int {
	pieces := (n + most - 1) / most
	return (n + pieces*unit - 1) / (pieces * unit) * unit
}

// sized returns n elements of a slice that grows as it must.
func sized[T Float](x *[]T, n int) []T {
	if len(*x) < n {
		*x = make([]T, n)
	}
	return (*x)[:n]
}

var free32, free64 sync.Pool // of *packs[float32], *packs[float64]

func takePacks[T Float]() *packs[T] {
	if p, ok := freePacks[T]().Get().(*packs[T]); ok {
		return p
	}
	return new(packs[T])
}

// giveBack keeps the memory for the next product, but nothing of the operands.
func (s *packs[T]) giveBack() {
	s.a, s.b = panel[T]{}, panel[T]{}
	freePacks[T]().Put(s)
}

func freePacks[T Float]() *sync.Pool {
	if _, narrow := any(T(0)).(float32); narrow {
		return &free32
	}
	return &free64
}
