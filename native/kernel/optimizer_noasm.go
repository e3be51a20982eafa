//go:build purego || !amd64

package kernel

func adamW[T Float](_ set, w, m, v, g []T, a averages[T], c adamWConstants[T]) {
	adamWGeneric(w, m, v, g, a, c)
}

func lambUpdate[T Float](_ set, update, w, m, v, g []T, a averages[T], epsilon, decay T) {
	lambUpdateGeneric(update, w, m, v, g, a, epsilon, decay)
}
