package onnx

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// External data: the bytes of large tensors lie in a second file beside the model's, each at an offset. A model is then
// not bound to protobuf's 2 GB, and engines may map the second file into memory.
//
// https://github.com/onnx/onnx/blob/main/docs/ExternalData.md

const (
	smallestExternal = 1 << 10 // smaller tensors, shapes among them, stay in the model, where engines look for them
	pageSize         = 1 << 12 // what offsets are multiples of, so that the file can be mapped
	largeExternal    = 1 << 20 // from here on offsets are multiples of
	mapGranularity   = 1 << 16 // what Windows maps
)

// place is where the data of a tensor lie in another file.
type place struct {
	location       string // of the file, below the model's directory
	offset, length int64
}

// entries are the place as a tensor names it.
func (p place) entries() []*StringStringEntryProto {
	return []*StringStringEntryProto{
		{Key: "location", Value: p.location},
		{Key: "offset", Value: strconv.FormatInt(p.offset, 10)},
		{Key: "length", Value: strconv.FormatInt(p.length, 10)},
	}
}

// layOut gives every large initializer its place in the file of that name.
func layOut(m *ModelProto, p Payloads, location string) map[*TensorProto]place {
	places := map[*TensorProto]place{}
	var size int64
	for _, t := range m.Graph.GetInitializer() {
		length := p.rawSize(t)
		if length < smallestExternal {
			continue
		}
		alignment := int64(pageSize)
		if length >= largeExternal {
			alignment = mapGranularity
		}
		offset := (size + alignment - 1) / alignment * alignment
		places[t] = place{location, offset, length}
		size = offset + length
	}
	return places
}

// WriteExternal writes m without the data of its large tensors, which lie in the file of that name beside it.
// [WriteData] writes that.
func WriteExternal(w io.Writer, m *ModelProto, p Payloads, location string) error {
	places := layOut(m, p, location)
	return write(w, m, p, places)
}

// WriteData writes the data of m's large tensors as [WriteExternal] places them.
func WriteData(w io.Writer, m *ModelProto, p Payloads) error {
	places := layOut(m, p, "")
	out := bufio.NewWriterSize(w, 1<<16)
	var at int64
	for _, t := range m.Graph.GetInitializer() {
		place, external := places[t]
		if !external {
			continue
		}
		out.Write(make([]byte, place.offset-at))
		if err := p.write(out, t); err != nil {
			return err
		}
		at = place.offset + place.length
	}
	return out.Flush()
}

// DataSize returns the bytes of the data of m's initializers.
func DataSize(m *ModelProto, p Payloads) (size int64) {
	for _, t := range m.Graph.GetInitializer() {
		size += p.rawSize(t)
	}
	return size
}

// externalPlace is where t says that its data lie. Without a length that is as long as its shape.
func (t *TensorProto) externalPlace() (place, error) {
	var p place
	if t.checkShape() == nil {
		p.length = t.dataSize()
	}
	said := map[string]bool{}
	for _, e := range t.ExternalData {
		var err error
		switch e.Key {
		case "location":
			p.location = e.Value
		case "offset":
			p.offset, err = strconv.ParseInt(e.Value, 10, 64)
		case "length":
			p.length, err = strconv.ParseInt(e.Value, 10, 64)
		}
		if err != nil || p.offset < 0 || p.length < 0 {
			return p, FormatError(fmt.Sprintf("tensor %s: %s of its external data is %q, want a whole number", t.Name, e.Key, e.Value))
		}
		if said[e.Key] {
			return p, FormatError(fmt.Sprintf("tensor %s: %s of its external data is there twice", t.Name, e.Key))
		}
		said[e.Key] = true
	}
	if p.location == "" {
		return p, FormatError(fmt.Sprintf("tensor %s lies in another file, and does not say in which", t.Name))
	}
	if !filepath.IsLocal(filepath.FromSlash(p.location)) {
		return p, FormatError(fmt.Sprintf("tensor %s: its external data are in %q, want a file in the model's directory", t.Name, p.location))
	}
	return p, nil
}

// checkExternal compares the place of a tensor's data with its shape.
func (t *TensorProto) checkExternal(p place) error {
	if err := t.checkShape(); err != nil {
		return err
	}
	if p.length != t.dataSize() {
		return FormatError(fmt.Sprintf("tensor %s of shape %v has %d bytes of external data, want %d", t.Name, t.Dims, p.length, t.dataSize()))
	}
	return nil
}

// externalFiles are the files that a model's tensors lie in. They are opened below the model's directory: neither a path
// nor a symbolic link leads out of it.
type externalFiles struct {
	dir   string
	root  *os.Root // nil before the first is opened
	files map[string]*externalFile
}

type externalFile struct {
	file      *os.File
	size, own int64 // own is what tensors have of it so far
}

func (x *externalFiles) Close() {
	for _, f := range x.files {
		f.file.Close()
	}
	if x.root != nil {
		x.root.Close()
	}
}

// open returns the file at location, opened once. Anything but a regular file, as a pipe, would have no size.
func (x *externalFiles) open(location string) (*externalFile, error) {
	if f := x.files[location]; f != nil {
		return f, nil
	}
	if x.root == nil {
		root, err := os.OpenRoot(x.dir)
		if err != nil {
			return nil, err
		}
		x.root = root
	}
	name := filepath.FromSlash(location)
	info, err := x.root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	file, err := x.root.Open(name)
	if err != nil {
		return nil, err
	}
	x.files[location] = &externalFile{file: file, size: info.Size()}
	return x.files[location], nil
}

// find returns the place of t's data, which are there. All tensors together have no more than their file: what a model
// claims twice is not in memory twice.
func (x *externalFiles) find(t *TensorProto) (place, error) {
	p, err := t.externalPlace()
	if err != nil {
		return p, err
	}
	f, err := x.open(p.location)
	if err != nil {
		return p, FormatError(fmt.Sprintf("tensor %s: its external data are in %q: %v; keep the files of a model together", t.Name, p.location, err))
	}
	if p.length > f.size || p.offset > f.size-p.length {
		return p, FormatError(fmt.Sprintf("tensor %s has %d bytes from %d on in %q, which has %d; export the model again",
			t.Name, p.length, p.offset, p.location, f.size))
	}
	if f.own += p.length; f.own > f.size {
		return p, FormatError(fmt.Sprintf("tensor %s: its place in %q is another's too", t.Name, p.location))
	}
	return p, nil
}

// read reads the data of t, which lie there.
func (x *externalFiles) read(t *TensorProto, p place) error {
	t.RawData = make([]byte, p.length)
	if _, err := x.files[p.location].file.ReadAt(t.RawData, p.offset); err != nil {
		return fmt.Errorf("tensor %s: its external data: %w", t.Name, err)
	}
	return nil
}
