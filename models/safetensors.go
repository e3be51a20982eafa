package models

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"sort"
)

// A safetensors file is the length of a JSON header (8 bytes, little endian), the header, and the bytes that the
// header's offsets divide among the tensors. See github.com/huggingface/safetensors.

// SafeTensor is a tensor as it lies in a file.
type SafeTensor struct {
	DType string // F64, F32, F16, BF16, I64, I32 ...
	Shape []int
	Bytes []byte // little endian, row-major

	file *io.SectionReader // where the bytes lie while they are not in memory
}

// NamedTensor is a float32 tensor to be written.
type NamedTensor struct {
	Name  string
	Shape []int
	Data  []float32
}

// maxHeader is the limit that the reference implementation sets, 100 MB.
const maxHeader = 100_000_000

// header is one entry of the JSON header.
type header struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// WriteSafetensors writes tensors to w in the order given, all float32, with the metadata that transformers asks for.
func WriteSafetensors(w io.Writer, tensors []NamedTensor) error {
	entries := map[string]any{"__metadata__": map[string]string{"format": "pt"}}
	var end int64
	for _, t := range tensors {
		begin := end
		end += 4 * int64(len(t.Data))
		entries[t.Name] = header{DType: "F32", Shape: t.Shape, Offsets: [2]int64{begin, end}}
	}
	text, err := json.Marshal(entries) // keys sorted: the same tensors give the same bytes
	if err != nil {
		return err
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	buffered := bufio.NewWriterSize(w, 1<<20)
	binary.Write(buffered, binary.LittleEndian, uint64(len(text)))
	buffered.Write(text)
	var word [4]byte
	for _, t := range tensors {
		for _, v := range t.Data {
			binary.LittleEndian.PutUint32(word[:], math.Float32bits(v))
			if _, err := buffered.Write(word[:]); err != nil {
				return err
			}
		}
	}
	return buffered.Flush()
}

// ReadSafetensors reads a whole file. Its errors name the path; a header that does not fit the file's size, or
// tensors that overlap or leave gaps, are refused before anything is allocated for them.
func ReadSafetensors(path string) (map[string]SafeTensor, error) {
	tensors, err := readSafetensors(path)
	if err != nil {
		return nil, fmt.Errorf("models: read %s: %w", path, err)
	}
	return tensors, nil
}

func readSafetensors(path string) (map[string]SafeTensor, error) {
	tensors, f, err := openSafetensors(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for name, t := range tensors {
		t.Bytes = make([]byte, t.file.Size())
		if _, err := io.ReadFull(t.file, t.Bytes); err != nil {
			return nil, err
		}
		t.file = nil
		tensors[name] = t
	}
	return tensors, nil
}

// openSafetensors returns the tensors of a file, which is to be closed after they were used, without their bytes.
func openSafetensors(path string) (map[string]SafeTensor, *os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	entries, dataSize, err := readHeader(f, info.Size())
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	begin := info.Size() - dataSize
	tensors := make(map[string]SafeTensor, len(entries))
	for name, e := range entries {
		section := io.NewSectionReader(f, begin+e.Offsets[0], e.Offsets[1]-e.Offsets[0])
		tensors[name] = SafeTensor{DType: e.DType, Shape: e.Shape, file: section}
	}
	return tensors, f, nil
}

// readHeader reads the header of a file of that size and returns its entries, checked, and the bytes that follow.
func readHeader(f io.Reader, size int64) (map[string]header, int64, error) {
	var length uint64
	if err := binary.Read(f, binary.LittleEndian, &length); err != nil {
		return nil, 0, fmt.Errorf("file has %d bytes, too short for a safetensors file", size)
	}
	if length > maxHeader || int64(length) > size-8 {
		return nil, 0, fmt.Errorf("header claims %d bytes in a file of %d; the file is truncated or not safetensors",
			length, size)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(f, text); err != nil {
		return nil, 0, err
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, 0, fmt.Errorf("header is not JSON: %w", err)
	}
	delete(raw, "__metadata__")
	entries := make(map[string]header, len(raw))
	for name, value := range raw {
		var e header
		if err := json.Unmarshal(value, &e); err != nil {
			return nil, 0, fmt.Errorf("header of tensor %s: %w", name, err)
		}
		if err := e.check(); err != nil {
			return nil, 0, fmt.Errorf("tensor %s %w", name, err)
		}
		entries[name] = e
	}
	dataSize := size - 8 - int64(length)
	return entries, dataSize, checkTiling(entries, dataSize)
}

// elementSize gives the bytes of one element of each type of the format.
var elementSize = map[string]int64{
	"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4,
	"F16": 2, "BF16": 2, "I16": 2, "U16": 2, "I8": 1, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1,
}

func (e header) check() error {
	size, ok := elementSize[e.DType]
	if !ok {
		return fmt.Errorf("has unknown type %q", e.DType)
	}
	for _, d := range e.Shape {
		if d < 0 || (d > 0 && size > math.MaxInt64/int64(d)) {
			return fmt.Errorf("has impossible shape %v", e.Shape)
		}
		size *= int64(d)
	}
	if e.Offsets[0] < 0 || e.Offsets[1]-e.Offsets[0] != size {
		return fmt.Errorf("of shape %v takes %d bytes, its offsets say %v", e.Shape, size, e.Offsets)
	}
	return nil
}

// checkTiling reports whether the tensors cover the data exactly, each byte once.
func checkTiling(entries map[string]header, dataSize int64) error {
	spans := make([][2]int64, 0, len(entries))
	for _, e := range entries {
		spans = append(spans, e.Offsets)
	}
	sort.Slice(spans, func(i, j int) bool {
		return spans[i][0] < spans[j][0] || spans[i][0] == spans[j][0] && spans[i][1] < spans[j][1]
	})
	var end int64
	for _, s := range spans {
		if s[0] != end {
			return fmt.Errorf("tensors overlap or leave a gap at byte %d", end)
		}
		end = s[1]
	}
	if end != dataSize {
		return fmt.Errorf("tensors take %d bytes, %d are there; the file is truncated or damaged", end, dataSize)
	}
	return nil
}

// Float32s returns the elements of a floating-point tensor as float32. A float64 is rounded.
func (t SafeTensor) Float32s() ([]float32, error) {
	values := make([]float32, t.size()/max(1, elementSize[t.DType]))
	return values, t.copyFloat32s(values)
}

// copyFloat32s writes them to values, which are as many. It needs no memory for all bytes of a tensor in a file.
func (t SafeTensor) copyFloat32s(values []float32) error {
	if t.file == nil {
		return widen(t.DType, values, t.Bytes)
	}
	var buffer [1 << 16]byte
	width := int(elementSize[t.DType])
	in := t.reader()
	for len(values) > 0 {
		n := min(len(values), len(buffer)/width)
		if _, err := io.ReadFull(in, buffer[:n*width]); err != nil {
			return err
		}
		if err := widen(t.DType, values[:n], buffer[:]); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// widen sets values to what the first bytes of b are in that type.
func widen(dtype string, values []float32, b []byte) error {
	switch dtype {
	case "F32":
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
	case "F64":
		for i := range values {
			values[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:])))
		}
	case "BF16":
		for i := range values {
			values[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(b[2*i:])) << 16)
		}
	case "F16":
		for i := range values {
			values[i] = fromHalf(binary.LittleEndian.Uint16(b[2*i:]))
		}
	default:
		return fmt.Errorf("has type %s, want F32, F64, F16 or BF16", dtype)
	}
	return nil
}

// size returns the number of bytes.
func (t SafeTensor) size() int64 {
	if t.file != nil {
		return t.file.Size()
	}
	return int64(len(t.Bytes))
}

// reader reads the bytes from the first on.
func (t SafeTensor) reader() io.Reader {
	if t.file != nil {
		return io.NewSectionReader(t.file, 0, t.file.Size())
	}
	return bytes.NewReader(t.Bytes)
}

// Float64s returns the elements of a floating-point tensor as float64, exactly.
func (t SafeTensor) Float64s() ([]float64, error) {
	if t.DType == "F64" {
		values := make([]float64, len(t.Bytes)/8)
		for i := range values {
			values[i] = math.Float64frombits(binary.LittleEndian.Uint64(t.Bytes[8*i:]))
		}
		return values, nil
	}
	narrow, err := t.Float32s()
	values := make([]float64, len(narrow))
	for i, v := range narrow {
		values[i] = float64(v)
	}
	return values, err
}

// Int64s returns the elements of an I64 tensor.
func (t SafeTensor) Int64s() ([]int64, error) {
	if t.DType != "I64" {
		return nil, fmt.Errorf("has type %s, want I64", t.DType)
	}
	values := make([]int64, len(t.Bytes)/8)
	for i := range values {
		values[i] = int64(binary.LittleEndian.Uint64(t.Bytes[8*i:]))
	}
	return values, nil
}

// fromHalf widens an IEEE 754 binary16.
func fromHalf(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exponent := uint32(h>>10) & 0x1f
	fraction := uint32(h) & 0x3ff
	switch exponent {
	case 0: // zero and subnormals: fraction · 2⁻²⁴
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	case 0x1f:
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}

// Equal reports whether two tensors have the same type, shape and bytes. Bytes of a file that cannot be read equal none.
func (t SafeTensor) Equal(u SafeTensor) bool {
	if t.DType != u.DType || !slices.Equal(t.Shape, u.Shape) || t.size() != u.size() {
		return false
	}
	mine, others := t.reader(), u.reader()
	var a, b [1 << 16]byte
	for rest := t.size(); rest > 0; {
		n := min(rest, int64(len(a)))
		_, err := io.ReadFull(mine, a[:n])
		_, otherErr := io.ReadFull(others, b[:n])
		if err != nil || otherErr != nil || !bytes.Equal(a[:n], b[:n]) {
			return false
		}
		rest -= n
	}
	return true
}
