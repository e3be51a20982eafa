package gonnx

import "goalbert/native/kernel"

// buildSoftmax returns exp(x)/Σexp(x) along an axis.
func buildSoftmax(n *nodeAttributes) operator {
	axis := int(attribute(n, "axis", int64(-1)))
	return func(r *run, in []tensor) ([]tensor, error) {
		x, err := values[float32]("the input", in[0])
		if err != nil {
			return nil, err
		}
		axis, err := resolveAxis(axis, len(in[0].shape))
		if err != nil {
			return nil, err
		}
		t, out, err := newTensorIn[float32](r, in[0].shape, in[0])
		if err != nil || len(x) == 0 {
			return one(t, err)
		}
		columns, stride := t.shape[axis], size(t.shape[axis+1:])
		r.ranges(len(x)/columns, columns, func(lo, hi int) {
			if stride == 1 {
				kernel.Softmax(out[lo*columns:hi*columns], x[lo*columns:hi*columns], columns, 1)
				return
			}
			line := make([]float32, columns)
			for i := lo; i < hi; i++ {
				softmaxLine(out, x, line, i/stride*stride*columns+i%stride, stride)
			}
		})
		return []tensor{t}, nil
	}
}

// softmaxLine is one softmax, over elements that lie stride apart.
func softmaxLine(out, x, line []float32, begin, stride int) {
	for i := range line {
		line[i] = x[begin+i*stride]
	}
	kernel.Softmax(line, line, len(line), 1)
	for i, v := range line {
		out[begin+i*stride] = v
	}
}
