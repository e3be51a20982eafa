package export

import (
	"io"
	"os"
	"path/filepath"

	"goalbert/models"
	"goalbert/onnx"
)

// DefaultExternalThreshold is from how many bytes of weights on their data lie in a second file: what protobuf, and so
// one file, can hold, less room for the graph.
const DefaultExternalThreshold = 2_000_000_000

// External says when the data of the weights lie in a second file, FILE.onnx.data beside FILE.onnx. The zero value is
// from [DefaultExternalThreshold] on.
type External struct {
	Always    bool
	Threshold int64 // bytes of data from which on they do in any case; 0 is DefaultExternalThreshold
}

// asked reports whether data of that size go to a second file.
func (e External) asked(size int64) bool {
	threshold := e.Threshold
	if threshold == 0 {
		threshold = DefaultExternalThreshold
	}
	return e.Always || size >= threshold
}

// DataFile is the second file of the model at path.
func DataFile(path string) string { return path + ".data" }

// Write writes w as the ONNX file at path, whole or not at all. Weights that are not float32 are made while they are
// written, so that no second copy of the model is in memory.
func Write(path string, w *models.Weights, o Options) error {
	m, payloads, err := build(w, o)
	if err != nil {
		return err
	}
	data := DataFile(path)
	if !o.External.asked(onnx.DataSize(m, payloads)) {
		err := models.WriteFile(path, func(out io.Writer) error { return onnx.WriteWith(out, m, payloads) })
		if err == nil {
			err = removeFile(data) // of an earlier export, which the new file does not read
		}
		return err
	}
	return models.WriteFiles(
		models.File{Path: data, Write: func(out io.Writer) error { return onnx.WriteData(out, m, payloads) }},
		models.File{Path: path, Write: func(out io.Writer) error {
			return onnx.WriteExternal(out, m, payloads, filepath.Base(data))
		}},
	)
}

// removeFile removes the file at path, if there is one.
func removeFile(path string) error {
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return os.Remove(path)
}
