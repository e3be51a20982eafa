package gonnx

import (
	"fmt"
	"slices"
)

// walk is a way through an output, element by element in order, and through up to three operands at the same time.
// A stride is how far an operand moves when the coordinate of that axis grows by one: 0 where it is broadcast.
//
// Axes that all operands pass through as if they were one are one, so that a bias row, an attention mask or equal
// shapes leave few and long innermost runs.
type walk struct {
	shape   []int
	strides [][3]int // by axis, by operand
}

// contiguous returns the strides of a dense tensor.
func contiguous(shape []int) []int {
	strides := make([]int, len(shape))
	for i, step := len(shape)-1, 1; i >= 0; i-- {
		strides[i] = step
		step *= shape[i]
	}
	return strides
}

// newWalk returns the walk through shape, operands having those strides.
func newWalk(shape []int, operands ...[]int) walk {
	var w walk
	for i, d := range shape {
		if d == 1 {
			continue
		}
		var s [3]int
		for k, strides := range operands {
			s[k] = strides[i]
		}
		last := len(w.shape) - 1
		if last >= 0 && joins(w.strides[last], s, d) {
			w.shape[last] *= d
			w.strides[last] = s
			continue
		}
		w.shape, w.strides = append(w.shape, d), append(w.strides, s)
	}
	if len(w.shape) == 0 {
		w.shape, w.strides = []int{1}, [][3]int{{}}
	}
	return w
}

// joins reports whether an axis of strides outer and the next one, of strides inner and dimension d, can be one.
func joins(outer, inner [3]int, d int) bool {
	for k := range outer {
		if outer[k] != inner[k]*d {
			return false
		}
	}
	return true
}

// step returns how far operand k moves within a run.
func (w walk) step(k int) int { return w.strides[len(w.strides)-1][k] }

// each calls run(out, n, at) for runs of n elements that begin at out in the output and at at[k] in operand k, on
// all threads.
func (w walk) each(p pool, run func(out, n int, at [3]int)) {
	last := len(w.shape) - 1
	inner, rows := w.shape[last], size(w.shape[:last])
	if inner >= blockSize {
		pieces := (inner + blockSize - 1) / blockSize
		p.tasks(rows*pieces, func(i int) {
			row, begin := i/pieces, i%pieces*blockSize
			at := w.start(row)
			for k := range at {
				at[k] += begin * w.strides[last][k]
			}
			run(row*inner+begin, min(blockSize, inner-begin), at)
		})
		return
	}
	if inner == 0 {
		return
	}
	p.ranges(rows, inner, func(lo, hi int) {
		coordinates := w.coordinates(lo)
		at := w.start(lo)
		for row := lo; row < hi; row++ {
			run(row*inner, inner, at)
			w.next(coordinates, &at)
		}
	})
}

// coordinates returns where a row lies on the outer axes.
func (w walk) coordinates(row int) []int {
	c := make([]int, len(w.shape)-1)
	for i := len(c) - 1; i >= 0; i-- {
		c[i] = row % w.shape[i]
		row /= w.shape[i]
	}
	return c
}

// start returns the operands' offsets at the beginning of a row.
func (w walk) start(row int) (at [3]int) {
	for i, c := range w.coordinates(row) {
		for k := range at {
			at[k] += c * w.strides[i][k]
		}
	}
	return at
}

// next moves to the next row.
func (w walk) next(coordinates []int, at *[3]int) {
	for i := len(coordinates) - 1; i >= 0; i-- {
		coordinates[i]++
		for k := range at {
			at[k] += w.strides[i][k]
		}
		if coordinates[i] < w.shape[i] {
			return
		}
		coordinates[i] = 0
		for k := range at {
			at[k] -= w.shape[i] * w.strides[i][k]
		}
	}
}

// broadcastShape returns the shape that all shapes are broadcast to: axes are matched from the last, and a dimension of
// 1 or a missing one is stretched.
//
// https://github.com/onnx/onnx/blob/main/docs/Broadcasting.md
func broadcastShape(shapes ...[]int) ([]int, error) {
	var out []int
	for _, s := range shapes {
		out = slices.Concat(slices.Repeat([]int{1}, max(0, len(s)-len(out))), out)
		for i, d := range s {
			o := &out[len(out)-len(s)+i]
			switch {
			case *o == 1:
				*o = d
			case d != 1 && d != *o:
				return nil, fmt.Errorf("shapes %v cannot be broadcast to one", shapes)
			}
		}
	}
	return out, nil
}

// broadcastStrides returns the strides of a dense tensor of shape on the axes of the shape it is broadcast to.
func broadcastStrides(shape, to []int) []int {
	strides := make([]int, len(to))
	own := contiguous(shape)
	for i, d := range shape {
		if d != 1 {
			strides[len(to)-len(shape)+i] = own[i]
		}
	}
	return strides
}

// copyWalk sets dst to the elements of src along the walk's first operand, beginning at offset.
func copyWalk[T element](p pool, w walk, dst, src []T, offset int) {
	step := w.step(0)
	w.each(p, func(out, n int, at [3]int) {
		to := dst[out:][:n]
		from := src[offset+at[0]:]
		switch step {
		case 1:
			copy(to, from)
		case 0:
			fill(to, from[0])
		default:
			base := offset + at[0]
			for i := range to {
				to[i] = src[base+i*step]
			}
		}
	})
}

// fill sets every element of x to v.
func fill[T element](x []T, v T) {
	for i := range x {
		x[i] = v
	}
}
