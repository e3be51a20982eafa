package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"goalbert/corpus"
	"goalbert/export"
	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/onnx"
	"goalbert/parity"
	"goalbert/runtime"
	"goalbert/runtime/native"
)

// modelProof is the part of a run that is about one model.
type modelProof struct {
	*proof
	checkpoint string // empty is random weights
	vocabulary string // its SHA-256; empty is none
	weights    *models.Weights
	batches    []parity.Batch
	golden     *parity.Golden // nil where there is none

	predictions *predictions // nil without examples
}

// compareNative compares the native model with the golden file.
func (p *modelProof) compareNative() error {
	if p.golden == nil {
		return nil
	}
	reference := p.reference(p.weights, p.tensors)
	return p.compareGolden(reference, func(golden *parity.Golden) ([]parity.Finding, error) {
		return parity.Outputs(p.command.Context(), golden, reference, []parity.Batch{golden.Batch}, numeric.GoldenFloat32)
	})
}

// compareGolden adds how a session compares with what the golden file has of its outputs.
func (p *modelProof) compareGolden(session runtime.Session, compare func(*parity.Golden) ([]parity.Finding, error)) error {
	if p.golden == nil {
		return nil
	}
	findings, err := compare(p.golden.Only(session.Outputs()))
	if err != nil {
		return err
	}
	p.report.Add(findings...)
	return nil
}

func (p *proof) reference(w *models.Weights, tensors bool) runtime.Session {
	if tensors {
		return native.NewWithTensors(w, threadCount(p.engine.threads))
	}
	return native.New(w, threadCount(p.engine.threads))
}

// compareForms exports the model in every form, and compares each file.
func (p *modelProof) compareForms() error {
	for _, o := range export.Cells() {
		if len(p.precisions) > 0 && !slices.Contains(p.precisions, string(o.Precision)) {
			continue
		}
		o.Version, o.VocabularySHA256 = version, p.vocabulary
		o.Embedding = p.weights.Config.Architecture == models.BaseModel
		if err := p.compareExport(o.Form(), o); err != nil {
			return err
		}
		if o.Tensors = true; p.tensors {
			if err := p.compareExport(o.Form()+" + values", o); err != nil {
				return err
			}
		}
	}
	return nil
}

// compareExport writes a file for the comparison, and removes it after that. What cannot be written, and anything else that
// goes wrong with one file, is a finding, and the next one follows.
func (p *modelProof) compareExport(name string, o export.Options) error {
	path := filepath.Join(p.dir, "model.onnx")
	if err := export.Write(path, p.weights, o); err != nil {
		return p.failed(name, err)
	}
	defer func() {
		os.Remove(path)
		os.Remove(export.DataFile(path))
	}()
	m, err := onnx.ReadFile(path)
	if err != nil {
		return p.failed(name, err)
	}
	return p.compareFile(name, path, m, false)
}

// compareGiven compares a file with the checkpoint, as what the file says that it is.
func (p *modelProof) compareGiven(path string) error {
	m, err := onnx.ReadFile(path)
	if err != nil {
		return p.failed(path, err)
	}
	as := *p
	a := models.Architecture(m.Metadata(export.ArchitectureKey))
	if a != "" && a != p.weights.Config.Architecture {
		if as.weights, _, err = models.ReadModel(p.checkpoint, a); err != nil {
			return p.failed(path, fmt.Errorf("%s: %w", path, err))
		}
		as.golden, as.predictions = nil, nil // which are another model's
		as.batches = nil
		for _, b := range p.batches {
			as.batches = append(as.batches, b.ForArchitecture(a))
		}
	}
	if err := as.compareFile(path, path, m, true); err != nil {
		return err
	}
	o := export.OptionsOf(m)
	if !p.tensors || o.Tensors {
		return nil
	}
	note(p.command, "%s has no intermediate values among its outputs: a copy that has is exported and compared as well", path)
	o.Tensors, o.VocabularySHA256 = true, p.vocabulary
	return as.compareExport(path+" + values", o)
}

// failed adds that nothing could be compared of a file.
func (p *modelProof) failed(name string, err error) error {
	p.report.AddExport(parity.Export{Name: name})
	p.report.Add(parity.Failure(name, parity.AgainstCheckpoint, "file", err))
	return nil
}

// compareFile adds the findings of one file to the report. One that differs is not run: it would only differ again. The error
// is that of an interruption alone.
func (p *modelProof) compareFile(name, path string, m *onnx.ModelProto, given bool) error {
	files, err := modelFiles(path)
	if err != nil {
		return p.failed(name, err)
	}
	findings, err := parity.File(name, m, p.weights, p.vocabulary)
	if err != nil {
		return p.failed(name, err)
	}
	o := export.OptionsOf(m)
	least := p.least
	if p.checkpoint == "" && o.Precision == export.INT4 {
		least = 0 // random weights bear no four bits, and nothing can be proven by what they predict: their file's are compared
	}
	e := parity.NewExport(name, m, files, least)
	p.report.AddExport(e)
	p.report.Add(findings...)
	if slices.ContainsFunc(findings, func(f parity.Finding) bool { return !f.OK }) {
		return nil
	}
	for _, v := range p.variants() {
		asked := given && p.command.Flags().Changed("engine") && v.lack == ""
		if why := v.cannotRun(o, e); why != "" && !asked {
			p.report.Skip(v.name(), why)
			continue
		}
		if err := p.compareEngine(v, path, e, m); err != nil {
			if err := p.command.Context().Err(); err != nil {
				return err
			}
			p.report.Add(parity.Failure(v.name(), nativeEngine, "run", err))
		}
	}
	return nil
}

// modelFiles are the sums of a model's file and of those that its weights lie in.
func modelFiles(path string) ([]parity.FileSum, error) {
	m, err := onnx.ReadGraph(path)
	if err != nil {
		return nil, err
	}
	paths := []string{path}
	for _, t := range m.Graph.Initializer {
		for _, e := range t.ExternalData {
			if data := filepath.Join(filepath.Dir(path), filepath.FromSlash(e.Value)); e.Key == "location" && !slices.Contains(paths, data) {
				paths = append(paths, data)
			}
		}
	}
	return sumsOf(paths...)
}

// sumsOf identifies files.
func sumsOf(paths ...string) ([]parity.FileSum, error) {
	var sums []parity.FileSum
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("parity: %w", err)
		}
		sum, err := corpus.HashFile(path)
		if err != nil {
			return nil, fmt.Errorf("parity: %w", err)
		}
		sums = append(sums, parity.FileSum{Name: filepath.Base(path), Bytes: info.Size(), SHA256: sum})
	}
	return sums, nil
}

// compareEngine adds how an engine computes a file.
func (p *modelProof) compareEngine(v variant, path string, e parity.Export, m *onnx.ModelProto) error {
	session, err := v.options.open(v.engine, path)
	if err != nil {
		return err
	}
	defer session.Close()
	tensors := export.OptionsOf(m).Tensors
	reference := p.reference(p.weights, tensors)
	findings, err := e.CompareOutputs(p.command.Context(), reference, session, p.batches, p.weights.Config)
	if err != nil {
		return err
	}
	if export.OptionsOf(m).Precision == export.INT4 { // whose intermediate values are compared by the file's own weights
		findings = slices.DeleteFunc(findings, func(f parity.Finding) bool { return slices.Contains(p.weights.Config.Tensors(), f.Tensor) })
	}
	p.report.Add(findings...)
	if export.OptionsOf(m).Precision == export.INT8 {
		if err := p.compareSaturating(reference, session, e); err != nil {
			return err
		}
	}
	if err := p.comparePredictions(session, e); err != nil {
		return err
	}
	if e.Tolerance == nil { // a golden file has too few predictions to count
		return p.compareHeld(session, m)
	}
	return p.compareGolden(session, func(golden *parity.Golden) ([]parity.Finding, error) {
		return e.CompareOutputs(p.command.Context(), golden, session, []parity.Batch{golden.Batch}, p.weights.Config)
	})
}

// compareSaturating adds how an engine computes the inputs that a processor without VNNI may add wrong, by themselves: among all
// the others they would be too few to be seen.
func (p *modelProof) compareSaturating(reference, session runtime.Session, e parity.Export) error {
	worst := slices.DeleteFunc(slices.Clone(p.batches), func(b parity.Batch) bool { return b.Name != parity.SaturatingName })
	findings, err := e.CompareOutputs(p.command.Context(), reference, session, worst, p.weights.Config)
	for _, f := range findings {
		if !f.Unproven { // which few tokens show, the whole does
			f.Tensor += ", " + parity.SaturatingName
			p.report.Add(f)
		}
	}
	return err
}

// compareHeld adds how an engine computes with the weights that an int4 file holds, within the tolerance of float32: nothing else
// is rounded. In int8 activations are, by as much as their outliers make of it.
func (p *modelProof) compareHeld(session runtime.Session, m *onnx.ModelProto) error {
	o := export.OptionsOf(m)
	if o.Precision != export.INT4 {
		return nil
	}
	held, err := parity.Dequantized(m, p.weights.Config)
	if err != nil {
		return err
	}
	findings, err := parity.Outputs(p.command.Context(), p.reference(held, o.Tensors), session, p.batches, parity.ToleranceOf(m))
	for i := range findings {
		findings[i].Against = parity.AgainstHeld
	}
	p.report.Add(findings...)
	return err
}
