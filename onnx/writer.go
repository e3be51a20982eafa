package onnx

import (
	"bufio"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Numbers of fields on the way from a model to the data of its tensors.
const (
	graphField        = 7 // of ModelProto
	initializerField  = 5 // of GraphProto
	rawDataField      = 9 // of TensorProto
	externalDataField = 13
	dataLocationField = 14
)

// Write writes m. The same model gives the same bytes, those of protobuf's deterministic form: its fields in the order
// of their numbers. The data of the initializers are written from where they lie, without a copy.
func Write(w io.Writer, m *ModelProto) error { return WriteWith(w, m, nil) }

// WriteWith writes a model with deferred tensors.
func WriteWith(w io.Writer, m *ModelProto, p Payloads) error { return write(w, m, p, nil) }

// write writes m; the data of tensors that have a place in another file are left out.
func write(w io.Writer, m *ModelProto, p Payloads, places map[*TensorProto]place) error {
	tensors := make([]tensorFrame, len(m.Graph.GetInitializer()))
	var size int64
	for i, t := range m.Graph.GetInitializer() {
		var err error
		if tensors[i], err = newTensorFrame(t, p, places); err != nil {
			return err
		}
		size += tensors[i].framedSize()
	}
	before, after, err := split(m.Graph, initializerField)
	if err != nil {
		return err
	}
	size += int64(len(before) + len(after))
	start, end, err := split(m, graphField)
	if err != nil {
		return err
	}
	if total := size + int64(len(start)+len(end)); total > maxFile {
		return UnsupportedError(fmt.Sprintf("the model has %d bytes, a file has at most %d; put the data of its tensors into a second one", total, maxFile))
	}
	out := bufio.NewWriterSize(w, 1<<16)
	out.Write(start)
	if m.Graph != nil {
		writeTag(out, graphField, size)
	}
	out.Write(before)
	for i, t := range m.Graph.GetInitializer() {
		if err := tensors[i].write(out, t, p); err != nil {
			return err
		}
	}
	out.Write(after)
	out.Write(end)
	return out.Flush()
}

// tensorFrame is a tensor's message around its data.
type tensorFrame struct {
	before, after []byte
	rawSize       int64
}

func newTensorFrame(t *TensorProto, p Payloads, places map[*TensorProto]place) (f tensorFrame, err error) {
	described := fields(t, func(n protoreflect.FieldNumber) bool {
		return n != rawDataField && n != externalDataField && n != dataLocationField
	}).(*TensorProto)
	described.ProtoReflect().SetUnknown(t.ProtoReflect().GetUnknown())
	if place, external := places[t]; external {
		described.DataLocation, described.ExternalData = TensorProto_EXTERNAL, place.entries()
	} else {
		f.rawSize = p.rawSize(t)
		if f.rawSize == 0 && t.DataLocation == TensorProto_EXTERNAL && t.dataSize() > 0 {
			return f, FormatError(fmt.Sprintf("tensor %s lies in another file, and its data are not here", t.Name))
		}
	}
	f.before, f.after, err = split(described, rawDataField)
	return f, err
}

// size is that of the message.
func (f tensorFrame) size() int64 {
	size := int64(len(f.before) + len(f.after))
	if f.rawSize > 0 {
		size += tagSize(rawDataField, f.rawSize) + f.rawSize
	}
	return size
}

// framedSize is that of the message as a field of the graph.
func (f tensorFrame) framedSize() int64 { return tagSize(initializerField, f.size()) + f.size() }

func (f tensorFrame) write(w *bufio.Writer, t *TensorProto, p Payloads) error {
	writeTag(w, initializerField, f.size())
	w.Write(f.before)
	if f.rawSize > 0 {
		writeTag(w, rawDataField, f.rawSize)
		if err := p.write(w, t); err != nil {
			return err
		}
	}
	_, err := w.Write(f.after)
	return err
}

// tagSize is that of what writeTag writes.
func tagSize(field protowire.Number, size int64) int64 {
	return int64(protowire.SizeTag(field) + protowire.SizeVarint(uint64(size)))
}

// writeTag begins a field that holds size bytes.
func writeTag(w *bufio.Writer, field protowire.Number, size int64) {
	w.Write(protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.BytesType), uint64(size)))
}

// split returns m without that field, encoded: what comes before the field, and what comes after it.
func split(m proto.Message, field protoreflect.FieldNumber) (before, after []byte, err error) {
	o := proto.MarshalOptions{Deterministic: true}
	if before, err = o.Marshal(fields(m, func(n protoreflect.FieldNumber) bool { return n < field })); err != nil {
		return nil, nil, fmt.Errorf("onnx: %w", err)
	}
	rest := fields(m, func(n protoreflect.FieldNumber) bool { return n > field })
	rest.ProtoReflect().SetUnknown(m.ProtoReflect().GetUnknown())
	if after, err = o.Marshal(rest); err != nil {
		return nil, nil, fmt.Errorf("onnx: %w", err)
	}
	return before, after, nil
}

// fields returns a message of those fields of m, which it shares with m.
func fields(m proto.Message, wanted func(protoreflect.FieldNumber) bool) proto.Message {
	part := m.ProtoReflect().New()
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if wanted(f.Number()) {
			part.Set(f, v)
		}
		return true
	})
	return part.Interface()
}
