//go:build !purego && amd64

package kernel

func adamW[T Float](s set, w, m, v, g []T, a averages[T], c adamWConstants[T]) {
	if s == avx512 {
		adamWAVX512(first(w), first(m), first(v), first(g), len(g),
			float32(a.beta1), float32(a.beta2), float32(a.rest1), float32(a.rest2), float32(a.scale),
			float32(c.keep), float32(c.rate), float32(c.root), float32(c.epsilon))
	} else if s == avx2 {
		adamWAVX2(first(w), first(m), first(v), first(g), len(g),
			float32(a.beta1), float32(a.beta2), float32(a.rest1), float32(a.rest2), float32(a.scale),
			float32(c.keep), float32(c.rate), float32(c.root), float32(c.epsilon))
	} else {
		adamWGeneric(w, m, v, g, a, c)
	}
}

func lambUpdate[T Float](s set, update, w, m, v, g []T, a averages[T], epsilon, decay T) {
	if s == avx512 {
		lambUpdateAVX512(first(update), first(w), first(m), first(v), first(g), len(g),
			float32(a.beta1), float32(a.beta2), float32(a.rest1), float32(a.rest2), float32(a.scale),
			float32(epsilon), float32(decay))
	} else if s == avx2 {
		lambUpdateAVX2(first(update), first(w), first(m), first(v), first(g), len(g),
			float32(a.beta1), float32(a.beta2), float32(a.rest1), float32(a.rest2), float32(a.scale),
			float32(epsilon), float32(decay))
	} else {
		lambUpdateGeneric(update, w, m, v, g, a, epsilon, decay)
	}
}
