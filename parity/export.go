package parity

import (
	"context"
	"fmt"

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
	Files     []FileSum          `json:"files"`                     // itself, and those that its weights lie in
	Tolerance *numeric.Tolerance `json:"tolerance,omitempty"`       // of outputs; initializers must be equal
	Agreement float64            `json:"least_agreement,omitempty"` // in place of a tolerance
}

// NewExport describes an exported file, which consists of those, in a report, under that name: what its outputs may differ by
// follows from its precision, with least for one of whole numbers.
func NewExport(name string, m *onnx.ModelProto, files []FileSum, least float64) Export {
	o := export.OptionsOf(m)
	e := Export{Name: name, Form: o.Form(), Files: files}
	if o.Precision == export.INT8 || o.Precision == export.INT4 {
		e.Agreement = least
	} else {
		tolerance := ToleranceOf(m)
		e.Tolerance = &tolerance
	}
	return e
}

// Bytes is the size of all its files.
func (e Export) Bytes() int64 {
	size := int64(0)
	for _, f := range e.Files {
		size += f.Bytes
	}
	return size
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
