package onnx

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"unsafe"
)

// NewFloats returns a float32 tensor. On a little-endian machine its data are the values, not a copy.
func NewFloats(name string, dims []int, values []float32) *TensorProto {
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 && len(values) > 0 {
		return newTensor(name, TensorProto_FLOAT, dims, unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), 4*len(values)))
	}
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return newTensor(name, TensorProto_FLOAT, dims, raw)
}

// NewHalves returns a float16 tensor: the values, rounded to the nearest, of two equally near ones to the even one. A
// finite value that is too large for the type is an error.
func NewHalves(name string, dims []int, values []float32) (*TensorProto, error) {
	if err := checkHalves(name, values); err != nil {
		return nil, err
	}
	return newTensor(name, TensorProto_FLOAT16, dims, appendHalves(make([]byte, 0, 2*len(values)), values)), nil
}

// DeferHalves is NewHalves for a tensor of a [Payloads].
func DeferHalves(name string, dims []int, values []float32) (*TensorProto, func(io.Writer) error, error) {
	if err := checkHalves(name, values); err != nil {
		return nil, nil, err
	}
	return Deferred(name, TensorProto_FLOAT16, dims), func(w io.Writer) error {
		var buffer [1 << 12]byte
		for part := range slices.Chunk(values, len(buffer)/2) {
			if _, err := w.Write(appendHalves(buffer[:0], part)); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

func checkHalves(name string, values []float32) error {
	for i, v := range values {
		if math.Abs(float64(v)) >= leastInfiniteHalf && !math.IsInf(float64(v), 0) {
			return UnsupportedError(fmt.Sprintf("tensor %s: %v at %d is larger than a float16, 65504; keep it in float32", name, v, i))
		}
	}
	return nil
}

func appendHalves(raw []byte, values []float32) []byte {
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint16(raw, toHalf(v))
	}
	return raw
}

// leastInfiniteHalf is the middle between the largest finite float16 and the next number, were there one.
const leastInfiniteHalf = 65520

const halfInfinity = 0x7c00

// toHalf rounds to an IEEE 754 binary16.
func toHalf(v float32) uint16 {
	bits := math.Float32bits(v)
	sign := uint16(bits >> 16 & 0x8000)
	switch magnitude := math.Abs(float64(v)); {
	case v != v:
		return sign | halfInfinity | 0x200
	case magnitude < 0x1p-14: // subnormal: a multiple of 2⁻²⁴
		return sign | uint16(math.RoundToEven(magnitude*0x1p24))
	case magnitude >= leastInfiniteHalf:
		return sign | halfInfinity
	}
	rest := bits & 0x1fff // of the significand, which loses 13 bits; a carry goes into the exponent, as it should
	half := uint16((bits&0x7fffffff)>>13 - (127-15)<<10)
	if rest > 0x1000 || rest == 0x1000 && half&1 == 1 {
		half++
	}
	return sign | half
}

// fromHalf widens an IEEE 754 binary16.
func fromHalf(h uint16) float32 {
	exponent, fraction := int(h>>10&0x1f), float64(h&0x3ff)
	value := math.Ldexp(1024+fraction, exponent-25)
	switch {
	case exponent == 0:
		value = fraction * 0x1p-24
	case exponent == 0x1f && fraction == 0:
		value = math.Inf(1)
	case exponent == 0x1f:
		value = math.NaN()
	}
	return float32(math.Copysign(value, 1-2*float64(h>>15)))
}

// NewInt64s returns an int64 tensor.
func NewInt64s(name string, dims []int, values []int64) *TensorProto {
	raw := make([]byte, 0, 8*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	return newTensor(name, TensorProto_INT64, dims, raw)
}

// NewInt8s returns an int8 tensor.
func NewInt8s(name string, dims []int, values []int8) *TensorProto {
	raw := make([]byte, len(values))
	for i, v := range values {
		raw[i] = byte(v)
	}
	return newTensor(name, TensorProto_INT8, dims, raw)
}

// NewUint8s returns a uint8 tensor, which keeps the values.
func NewUint8s(name string, dims []int, values []uint8) *TensorProto {
	return newTensor(name, TensorProto_UINT8, dims, values)
}

// Deferred returns a tensor whose data a [Payloads] makes when they are written.
func Deferred(name string, elements TensorProto_DataType, dims []int) *TensorProto {
	t := &TensorProto{Name: name, DataType: int32(elements), DataLocation: TensorProto_EXTERNAL}
	for _, d := range dims {
		t.Dims = append(t.Dims, int64(d))
	}
	if err := t.check(); err != nil {
		panic(err.Error())
	}
	return t
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

// Floats returns the elements of a float32 or float16 tensor.
func (t *TensorProto) Floats() ([]float32, error) {
	if TensorProto_DataType(t.DataType) == TensorProto_FLOAT16 && len(t.RawData) > 0 {
		values := make([]float32, len(t.RawData)/2)
		for i := range values {
			values[i] = fromHalf(binary.LittleEndian.Uint16(t.RawData[2*i:]))
		}
		return values, nil
	}
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

// Bytes returns the elements of an int8 or uint8 tensor, an int8 as the byte of its two's complement.
func (t *TensorProto) Bytes() ([]byte, error) {
	switch TensorProto_DataType(t.DataType) {
	case TensorProto_INT8, TensorProto_UINT8:
	default:
		return nil, UnsupportedError(fmt.Sprintf("tensor %s has elements of type %v, want INT8 or UINT8", t.Name, TensorProto_DataType(t.DataType)))
	}
	if len(t.RawData) > 0 {
		return t.RawData, nil
	}
	values := make([]byte, len(t.Int32Data))
	for i, v := range t.Int32Data {
		values[i] = byte(v)
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
