package parity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"goalbert/export"
	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/onnx"
	"goalbert/runtime"
)

// Export is an exported file.
type Export struct {
	Name      string             `json:"name"` // in the report: its path, or the form of one that was written for the comparison
	Form      string             `json:"form"`
	Bytes     int64              `json:"bytes"`
	SHA256    string             `json:"sha256"`
	Tolerance *numeric.Tolerance `json:"tolerance,omitempty"`       // of outputs; initializers must be equal
	Agreement float64            `json:"least_agreement,omitempty"` // in place of a tolerance
}

// NewExport describes an exported file in a report, under that name: what its outputs may differ by follows from its
// precision, with least for one of whole numbers.
func NewExport(name, path string, m *onnx.ModelProto, least float64) (Export, error) {
	o := export.OptionsOf(m)
	e := Export{Name: name, Form: o.Form()}
	if o.Precision == export.INT8 || o.Precision == export.INT4 {
		e.Agreement = least
	} else {
		tolerance := ToleranceOf(m)
		e.Tolerance = &tolerance
	}
	file, err := os.Open(path)
	if err != nil {
		return Export{}, fmt.Errorf("parity: %w", err)
	}
	defer file.Close()
	sum := sha256.New()
	if e.Bytes, err = io.Copy(sum, file); err != nil {
		return Export{}, fmt.Errorf("parity: %s: %w", path, err)
	}
	e.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return e, nil
}

// CompareOutputs is Outputs, or Agreement for an export that has no tolerance: of a model of configuration c.
func (e Export) CompareOutputs(ctx context.Context, reference, session runtime.Session, batches []Batch, c models.Config) ([]Finding, error) {
	if e.Tolerance == nil {
		return Agreement(ctx, reference, session, batches, c, e.Agreement)
	}
	return Outputs(ctx, reference, session, batches, *e.Tolerance)
}

// Admits says what the outputs of the file may differ by.
func (e Export) Admits() string {
	if e.Tolerance == nil && e.Agreement == 0 {
		return ""
	}
	if e.Tolerance == nil {
		return fmt.Sprintf("an agreement of %.4g", e.Agreement)
	}
	return fmt.Sprintf("%.3g + %.3g of the value", e.Tolerance.Absolute, e.Tolerance.Relative)
}
