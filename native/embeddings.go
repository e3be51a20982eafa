package native

import (
	"goalbert/models"
	"goalbert/native/kernel"
)

// sumEmbeddings sets rows s of out (T, E) to word + position + token type.
func (w *parameters[T]) sumEmbeddings(out []T, b *models.Batch, s span, e int) {
	for row := s.lo; row < s.hi; row++ {
		dst := out[row*e : (row+1)*e]
		copy(dst, w.word[int(b.InputIDs[row])*e:][:e])
		kernel.Add(dst, w.position[int(b.PositionIDs[row])*e:][:e])
		kernel.Add(dst, w.tokenType[int(b.TokenTypeIDs[row])*e:][:e])
	}
}

// sumEmbeddingsBackward adds the gradient of the sum (T, E) to the three tables, the rows in order. The row of <pad>
// gets nothing from here, as PyTorch's padding_idx has it; the tied decoder may still add to it.
func (d *parameters[T]) sumEmbeddingsBackward(dSum []T, b *models.Batch, e, pad int) {
	for row := range b.Tokens() {
		src := dSum[row*e : (row+1)*e]
		if id := int(b.InputIDs[row]); id != pad {
			kernel.Add(d.word[id*e:][:e], src)
		}
		kernel.Add(d.position[int(b.PositionIDs[row])*e:][:e], src)
		kernel.Add(d.tokenType[int(b.TokenTypeIDs[row])*e:][:e], src)
	}
}
