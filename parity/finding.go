package parity

import (
	"fmt"

	"goalbert/internal/numeric"
)

// Finding is how one tensor compares.
type Finding struct {
	Checkpoint string  `json:"checkpoint,omitempty"` // the name of the model in Report.Models
	Export     string  `json:"export,omitempty"`     // the name of the file in Model.Exports
	Subject    string  `json:"subject"`              // the file, or the engine
	Against    string  `json:"against"`              // the checkpoint, native, transformers
	Tensor     string  `json:"tensor"`               // by its name in the file
	Elements   int     `json:"elements"`             // that were compared
	MaxAbs     float64 `json:"max_abs"`              // largest difference
	Share      float64 `json:"share"`                // of what is admitted that the worst element uses; more than 1 is a mismatch
	Worst      string  `json:"worst"`                // where that is, and the two values
	OK         bool    `json:"ok"`

	// Agreement is set where no element has a tolerance, as in models of whole numbers: see Agreement.
	Agreement *float64 `json:"agreement,omitempty"`
	Unproven  bool     `json:"unproven,omitempty"` // the reference says too much the same for an agreement to mean anything
	Failed    bool     `json:"failed,omitempty"`   // the file or the engine gave an error, and nothing was compared
}

// Whom findings compare with, besides engines.
const (
	AgainstCheckpoint   = "checkpoint"
	AgainstTransformers = "transformers"
	AgainstHeld         = "native, the file's weights" // multiplied out: see Dequantized
)

func mismatch(subject, tensor, why string) Finding {
	return Finding{Subject: subject, Against: AgainstCheckpoint, Tensor: tensor, Share: infinite, Worst: why}
}

// infinite stands for a share without bound: JSON has no infinity.
const infinite = 1e300

func newFinding(subject, tensor string, c numeric.Comparison, where string) Finding {
	f := Finding{Subject: subject, Against: AgainstCheckpoint, Tensor: tensor, Elements: c.Elements,
		MaxAbs: min(c.MaxAbs, infinite), Share: min(c.Share, infinite), OK: c.OK()}
	if c.Length != c.Elements {
		f.Worst = c.String()
	} else if c.MaxAbs > 0 || !c.OK() {
		f.Worst = fmt.Sprintf("%selement %d: got %v, want %v", where, c.WorstIndex, c.Got, c.Want)
	}
	return f
}

// add joins the finding of another batch to f.
func (f *Finding) add(other Finding) {
	f.Elements += other.Elements
	f.MaxAbs = max(f.MaxAbs, other.MaxAbs)
	f.OK = f.OK && other.OK
	if other.Share >= f.Share {
		f.Share, f.Worst = other.Share, other.Worst
	}
}

// Failure is that an error came between: Tensor has the word for what was not done.
func Failure(subject, against, what string, err error) Finding {
	return Finding{Subject: subject, Against: against, Tensor: what, Share: infinite, Worst: err.Error(), Failed: true}
}

// exact reports whether f is of a tensor that is equal to the bit.
func (f *Finding) exact() bool { return f.OK && f.MaxAbs == 0 && f.Share == 0 && f.Agreement == nil }
