package kernel

// Dropout sets out to x times scale, or to 0 where the random number of the element is below threshold. That of element
// i is word i mod 4 of
//
//	philox(counter + (⌊i/4⌋, 0, 0, 0), key)
//
// in which nothing is carried into the counter's second word. out may be x.
//
// Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR 15, 2014; the random
// numbers are Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
func Dropout[T Float](out, x []T, counter [4]uint32, key [2]uint32, threshold uint32, scale T) {
	dropout(setOf[T](), out[:len(x)], x, counter, key, threshold, scale)
}
