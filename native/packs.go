package native

import "goalbert/native/kernel"

// packs are the copies of a model's weights in kernel order. They are made anew when the weights have changed.
type packs[T kernel.Float] struct {
	precision kernel.Precision
	list      []packing[T]
	parts     int
	backward  bool // W is packed too, not only Wᵀ
}

// packing is a copy to be made.
type packing[T kernel.Float] struct {
	to         *kernel.Packed[T]
	from       *linear[T]
	transposed bool
	tiles      tiling // of the rows of W
}

// addForward adds what products with the inputs read.
func (k *packs[T]) addForward(w *parameters[T]) { w.eachLinear(func(l *linear[T]) { k.add(l, true) }) }

// addBackward adds what products with the gradients of outputs read.
func (k *packs[T]) addBackward(w *parameters[T]) {
	if !k.backward {
		k.backward = true
		w.eachLinear(func(l *linear[T]) { k.add(l, false) })
	}
}

func (k *packs[T]) add(l *linear[T], transposed bool) {
	to, depth, columns := &l.packed, l.out(), l.in()
	if transposed {
		to, depth, columns = &l.transposed, l.in(), l.out()
	}
	memory := make([]T, kernel.PackedSize[T](k.precision, depth, columns))
	*to = kernel.NewPacked(k.precision, depth, columns, memory)
	p := packing[T]{to, l, transposed, tilesOf(l.out())}
	k.list = append(k.list, p)
	k.parts += p.tiles.count()
}

// pack takes over the weights. It must be called when they have changed.
func (m *Model[T]) pack() { run(m.pool, m.packs.parts, packRows[T]{m.packs.list}) }

type packRows[T kernel.Float] struct{ list []packing[T] }

func (p *packRows[T]) do(_, i int) {
	for _, each := range p.list {
		n := each.tiles.count()
		if i < n {
			s := each.tiles.at(i)
			each.to.Pack(each.transposed, each.from.weight, each.from.in(), s.lo, s.hi)
			return
		}
		i -= n
	}
}
