package gonnx

import (
	"fmt"

	"goalbert/onnx"
)

// buildCast returns the input in another type: fractions are cut off, and a number is true unless it is 0.
func buildCast(n *nodeAttributes) operator {
	requireAttribute(n, "to")
	switch to := onnx.TensorProto_DataType(attribute(n, "to", int64(onnx.TensorProto_FLOAT))); to {
	case onnx.TensorProto_FLOAT:
		return castTo(func(x int64) float32 { return float32(x) }, func(x float32) float32 { return x }, numberOf[float32])
	case onnx.TensorProto_INT64:
		return castTo(func(x int64) int64 { return x }, func(x float32) int64 { return int64(x) }, numberOf[int64])
	case onnx.TensorProto_BOOL:
		return castTo(isTrue[int64], isTrue[float32], func(x bool) bool { return x })
	default:
		n.fail(fmt.Errorf("a cast to %v, want FLOAT, INT64 or BOOL", to))
		return nil
	}
}

func isTrue[T number](x T) bool { return x != 0 }

func numberOf[T number](x bool) T {
	if x {
		return 1
	}
	return 0
}

// castTo converts an input of any type. One that is of type R already is not copied.
func castTo[R element](ints func(int64) R, floats func(float32) R, bools func(bool) R) operator {
	return func(r *run, in []tensor) ([]tensor, error) {
		if _, same := in[0].data.([]R); same {
			return []tensor{in[0].view(in[0].shape)}, nil
		}
		switch in[0].data.(type) {
		case []float32:
			return convert(r, in[0], floats)
		case []int64:
			return convert(r, in[0], ints)
		}
		return convert(r, in[0], bools)
	}
}

func convert[T, R element](r *run, t tensor, f func(T) R) ([]tensor, error) {
	x, err := values[T]("the input", t)
	if err != nil {
		return nil, err
	}
	y, out, err := newTensor[R](r, t.shape)
	if err != nil {
		return nil, err
	}
	for i, v := range x {
		out[i] = f(v)
	}
	return []tensor{y}, nil
}
