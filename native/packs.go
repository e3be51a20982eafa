package native

import "goalbert/native/kernel"

// packs are the copies of a model's weights in kernel order. Where the weights have changed, products are wrong until
// the copies are made anew.
type packs[T kernel.Float] struct {
	precision  kernel.Precision
	transposed []packing[T] // what products with inputs read
	straight   []packing[T] // what products with the gradients of outputs read; none before the first Backward
}

// packing is a copy that is to be made.
type packing[T kernel.Float] struct {
	to         *kernel.Packed[T]
	from       *linear[T]
	transposed bool
}

// list returns the copies of the linears that each names, W or its transpose, with memory of their own.
func (k *packs[T]) list(each func(do func(l *linear[T])), transposed bool) []packing[T] {
	var list []packing[T]
	each(func(l *linear[T]) {
		to, depth, columns := &l.packed, l.out(), l.in()
		if transposed {
			to, depth, columns = &l.transposed, l.in(), l.out()
		}
		*to = kernel.NewPacked(k.precision, depth, columns, make([]T, kernel.PackedSize[T](k.precision, depth, columns)))
		list = append(list, packing[T]{to, l, transposed})
	})
	return list
}

// pack takes over the weights. It must be called when they have changed.
func (m *Model[T]) pack() {
	m.packList(m.packs.transposed)
	m.packList(m.packs.straight)
}

// packTrained takes over those that training changes.
func (m *Model[T]) packTrained() {
	if m.frozen {
		m.packList(m.packs.transposed[m.weights.encoderLinears():])
		m.packList(m.packs.straight)
		return
	}
	m.pack()
}

// packBackward makes the copies that Backward reads, the first time that it is called.
func (m *Model[T]) packBackward() {
	m.backward.Do(func() {
		each := m.weights.eachLinear
		if m.frozen {
			each = m.weights.eachHeadLinear
		}
		m.packs.straight = m.packs.list(each, false)
		m.packList(m.packs.straight)
	})
}

func (m *Model[T]) packList(list []packing[T]) {
	parts := 0
	for _, each := range list {
		parts += each.tiles().count()
	}
	run(m.pool, parts, packRows[T]{list})
}

// tiles divides the rows of W.
func (p *packing[T]) tiles() tiling { return tilesOf(p.from.out()) }

type packRows[T kernel.Float] struct{ list []packing[T] }

func (p *packRows[T]) do(_, i int) {
	for _, each := range p.list {
		n := each.tiles().count()
		if i < n {
			s, l := each.tiles().at(i), each.from
			each.to.Pack(each.transposed, part(l.weight, s, l.in()), l.in(), s.lo, s.hi)
			return
		}
		i -= n
	}
}
