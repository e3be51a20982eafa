package onnx

import (
	"errors"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// section is where the data of a tensor lie in a model's file; without any the length is 0.
type section struct{ offset, length int64 }

// skim reads the encoded messages of a model without the data of its initializers, raw_data, and returns where those
// lie, in the order of the initializers. So a graph is read in the time that a graph takes, whatever its weights are.
func skim(r io.ReaderAt, size int64) (message []byte, sections []section, err error) {
	s := &skimmer{r: r}
	message, err = s.message(0, size)
	return message, s.sections, err
}

// skimmer reads on from a place in a file.
type skimmer struct {
	r        io.ReaderAt
	at       int64
	window   []byte // what was read of the file, from begin on
	begin    int64
	sections []section
}

var errTruncated = errors.New("truncated")

// into are the fields that lead from a model to its graph, and from there to the tensors.
var into = []protowire.Number{graphField, initializerField}

// message returns the message that ends there. It lies in level others.
func (s *skimmer) message(level int, end int64) (out []byte, err error) {
	for s.at < end {
		tag, err := s.varint(end)
		if err != nil {
			return nil, err
		}
		field, kind := protowire.DecodeTag(tag)
		if field < protowire.MinValidNumber {
			return nil, errTruncated
		}
		if kind == protowire.BytesType {
			length, err := s.varint(end)
			if err != nil {
				return nil, err
			}
			if length > uint64(end-s.at) {
				return nil, errTruncated
			}
			if out, err = s.field(out, level, field, int64(length)); err != nil {
				return nil, err
			}
			continue
		}
		out = protowire.AppendVarint(out, tag)
		switch kind {
		case protowire.VarintType:
			value, err := s.varint(end)
			if err != nil {
				return nil, err
			}
			out = protowire.AppendVarint(out, value)
		case protowire.Fixed32Type:
			out, err = s.copy(out, 4, end)
		case protowire.Fixed64Type:
			out, err = s.copy(out, 8, end)
		default:
			err = errors.New("a field of an unknown kind")
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// field appends a field of length bytes to out, unless it is the data of an initializer.
func (s *skimmer) field(out []byte, level int, field protowire.Number, length int64) ([]byte, error) {
	if level == len(into) && field == rawDataField {
		s.sections[len(s.sections)-1] = section{s.at, length}
		s.at += length
		return out, nil
	}
	out = protowire.AppendTag(out, field, protowire.BytesType)
	if level == len(into) || field != into[level] {
		return s.copy(protowire.AppendVarint(out, uint64(length)), length, s.at+length)
	}
	if field == initializerField {
		s.sections = append(s.sections, section{})
	}
	inner, err := s.message(level+1, s.at+length)
	return protowire.AppendBytes(out, inner), err
}

// varint reads a number of at most ten bytes.
func (s *skimmer) varint(end int64) (uint64, error) {
	if err := s.see(protowire.SizeVarint(1 << 63)); err != nil {
		return 0, err
	}
	value, n := protowire.ConsumeVarint(s.window[s.at-s.begin:])
	if n < 0 || s.at+int64(n) > end {
		return 0, errTruncated
	}
	s.at += int64(n)
	return value, nil
}

const windowSize = 1 << 14

// see moves the window so that it has the next n bytes, or what the file still has.
func (s *skimmer) see(n int) error {
	if s.at >= s.begin && s.at+int64(n) <= s.begin+int64(len(s.window)) {
		return nil
	}
	if s.window == nil {
		s.window = make([]byte, windowSize)
	}
	n, err := s.r.ReadAt(s.window[:windowSize], s.at)
	s.window, s.begin = s.window[:n], s.at
	if err == io.EOF {
		err = nil // a shorter window
	}
	return err
}

// copy appends the next n bytes to out.
func (s *skimmer) copy(out []byte, n, end int64) ([]byte, error) {
	if n > end-s.at {
		return nil, errTruncated
	}
	begin := len(out)
	out = append(out, make([]byte, n)...)
	if n > windowSize {
		if _, err := s.r.ReadAt(out[begin:], s.at); err != nil {
			return nil, err
		}
	} else {
		if err := s.see(int(n)); err != nil {
			return nil, err
		}
		copy(out[begin:], s.window[s.at-s.begin:])
	}
	s.at += n
	return out, nil
}
