package parity

import (
	"context"
	"fmt"
	"slices"

	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/runtime"
)

// Outputs runs batches on a session and on the reference, and compares every output on attended positions, within that
// tolerance. There is one finding for each output.
func Outputs(ctx context.Context, reference, session runtime.Session, batches []Batch, tolerance numeric.Tolerance) ([]Finding, error) {
	findings := newFindings(reference, session)
	err := runBoth(ctx, reference, session, batches, func(b Batch, got, want map[string]runtime.Tensor) error {
		for i := range findings {
			g, w, err := outputValues(findings[i].Tensor, b, got, want)
			if err != nil {
				findings[i].differs(err)
				continue
			}
			c := numeric.Compare(g, w, tolerance)
			findings[i].add(newFinding(session.Engine(), findings[i].Tensor, c, "batch "+b.Name+", "))
		}
		return nil
	})
	return findings, err
}

// newFindings returns one for each output of the reference. What a file has on request is left out where it was not
// requested: File knows whether it was.
func newFindings(reference, session runtime.Session) []Finding {
	var findings []Finding
	for _, name := range reference.Outputs() {
		if name == models.SentenceEmbedding && !slices.Contains(session.Outputs(), name) {
			continue
		}
		findings = append(findings, Finding{Subject: session.Engine(), Against: reference.Engine(), Tensor: name, OK: true})
	}
	return findings
}

// runBoth runs each batch on both, and hands over what they give.
func runBoth(ctx context.Context, reference, session runtime.Session, batches []Batch,
	compare func(b Batch, got, want map[string]runtime.Tensor) error) error {
	for _, b := range batches {
		want, err := reference.Run(ctx, b.Inputs)
		if err != nil {
			return fmt.Errorf("parity: %s, batch %s: %w", reference.Engine(), b.Name, err)
		}
		got, err := session.Run(ctx, b.Inputs)
		if err != nil {
			return fmt.Errorf("parity: %s, batch %s: %w", session.Engine(), b.Name, err)
		}
		if err := compare(b, got, want); err != nil {
			return err
		}
	}
	return nil
}

// outputValues returns an output of both at attended positions.
func outputValues(name string, b Batch, got, want map[string]runtime.Tensor) (g, w []float32, err error) {
	if w, err = runtime.Values[float32](name, want[name]); err != nil {
		return nil, nil, err
	}
	tensor, there := got[name]
	if !there {
		return nil, nil, fmt.Errorf("the model has no such output")
	}
	if !slices.Equal(tensor.Shape, want[name].Shape) {
		return nil, nil, fmt.Errorf("batch %s: shape %v, want %v", b.Name, tensor.Shape, want[name].Shape)
	}
	if g, err = runtime.Values[float32](name, tensor); err != nil {
		return nil, nil, err
	}
	return b.attended(name, tensor, g), b.attended(name, tensor, w), nil
}

// differs makes f a mismatch that no number describes.
func (f *Finding) differs(why error) {
	f.Share, f.Worst, f.OK = infinite, why.Error(), false
}
