package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
)

// NewFloats returns a float32 tensor.
func NewFloats(name string, dims []int, values []float32) *TensorProto {
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return newTensor(name, TensorProto_FLOAT, dims, raw)
}

// NewInt64s returns an int64 tensor.
func NewInt64s(name string, dims []int, values []int64) *TensorProto {
	raw := make([]byte, 0, 8*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	return newTensor(name, TensorProto_INT64, dims, raw)
}

func newTensor(name string, dataType TensorProto_DataType, dims []int, raw []byte) *TensorProto {
	t := &TensorProto{Name: name, DataType: int32(dataType), RawData: raw}
	for _, d := range dims {
		t.Dims = append(t.Dims, int64(d))
	}
	if err := t.check(); err != nil {
		panic(err.Error())
	}
	return t
}

// Floats returns the elements of a float32 tensor.
func (t *TensorProto) Floats() ([]float32, error) {
	if TensorProto_DataType(t.DataType) != TensorProto_FLOAT {
		return nil, UnsupportedError(fmt.Sprintf("tensor %s has elements of type %v, want FLOAT", t.Name, TensorProto_DataType(t.DataType)))
	}
	if len(t.RawData) == 0 {
		return t.FloatData, nil
	}
	values := make([]float32, len(t.RawData)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.RawData[4*i:]))
	}
	return values, nil
}

// Shape returns the dimensions of t.
func (t *TensorProto) Shape() []int {
	shape := make([]int, len(t.Dims))
	for i, d := range t.Dims {
		shape[i] = int(d)
	}
	return shape
}
