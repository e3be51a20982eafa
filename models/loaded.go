package models

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Loaded says how the tensors of a checkpoint and the parameters of a model met.
type Loaded struct {
	New     []string       // parameters that the checkpoint has not: drawn afresh
	Dropped []string       // tensors of the checkpoint that the model has not
	Surplus []string       // those of them that are not of the checkpoint's own architecture either
	Widened map[string]int // how many tensors were of another type than F32, by that type
	Google  bool           // whether the tensors had the names of Google's code, whose "gelu" is the tanh form
}

// String says in a sentence what is not as it was in the files; it is empty where all is.
func (l Loaded) String() string {
	var parts []string
	if len(l.New) > 0 {
		parts = append(parts, fmt.Sprintf("%s new, drawn at random and to be trained", namesOf(l.New)))
	}
	if len(l.Dropped) > 0 {
		parts = append(parts, fmt.Sprintf("%s not used", namesOf(l.Dropped)))
	}
	for _, dtype := range slices.Sorted(maps.Keys(l.Widened)) {
		done := "widened"
		if dtype == "F64" {
			done = "rounded"
		}
		parts = append(parts, fmt.Sprintf("%d tensors of %s %s to F32", l.Widened[dtype], dtype, done))
	}
	if l.Google {
		parts = append(parts, "names are those of Google's TensorFlow code: kernels transposed, gelu in its tanh form")
	}
	return strings.Join(parts, "; ")
}

// namesOf lists some names, of many only the first, with the verb that follows.
func namesOf(names []string) string {
	const most = 8
	if len(names) == 1 {
		return names[0] + " is"
	}
	if len(names) > most {
		return fmt.Sprintf("%s and %d more are", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1] + " are"
}

// ReadAs loads a checkpoint directory as a model of configuration c, whose heads need not be those of the checkpoint:
// an encoder that was pre-trained becomes the encoder of a classifier. The parameters of heads and pooler that the
// checkpoint lacks are drawn from seed. So is the classifier of a task where the checkpoint is of another architecture or
// of other labels, for it means another thing there. The encoder must be there, every tensor with its shape and no other.
//
// c is usually what [ReadConfig] says of dir, with another Architecture and Labels.
func ReadAs(dir string, c Config, seed uint64) (*Weights, Loaded, error) {
	there, err := ReadConfig(dir)
	if err != nil {
		return nil, Loaded{}, err
	}
	if err := c.Validate(); err != nil {
		return nil, Loaded{}, fmt.Errorf("models: read %s as an %s: %w", dir, c.Architecture, err)
	}
	tensors, path, files, err := openTensors(dir)
	if err != nil {
		return nil, Loaded{}, err
	}
	defer files.Close()
	w := NewWeights(c)
	loaded, err := w.adopt(tensors, there.sameClasses(c))
	if err != nil {
		return nil, Loaded{}, fmt.Errorf("models: read %s as an %s: %w", path, c.Architecture, err)
	}
	isHead := w.Parameters.heads()
	for _, name := range loaded.New {
		p := w.Parameters.named(name)
		if !isHead[p] {
			return nil, Loaded{}, fmt.Errorf("models: read %s as an %s: %w", path, c.Architecture, missing(p))
		}
		w.initialize(p, seed)
	}
	own := NewParameters(there).canonicalNames()
	for _, name := range loaded.Dropped {
		part := canonical(name).name
		if isEncoder(part) {
			return nil, Loaded{}, fmt.Errorf("models: read %s as an %s: tensor %s is of an encoder that is not the one of %s; "+
				"its computation would be another: correct the configuration", path, c.Architecture, name, ConfigFile)
		}
		if !own[part] {
			loaded.Surplus = append(loaded.Surplus, name)
		}
	}
	return w, loaded, nil
}

// ReadModel loads a checkpoint directory to use it as it is: as its own architecture, or where another one is named as
// that, whose every parameter must be there. Tensors that neither has are left out, as transformers does, and they are the
// ones that Loaded names: many checkpoints on the hub have heads beside that of their architecture.
func ReadModel(dir string, a Architecture) (*Weights, Loaded, error) {
	c, err := ReadConfig(dir)
	if err != nil {
		return nil, Loaded{}, err
	}
	own := c.Architecture
	if a != "" {
		c.Architecture = a
	}
	w, loaded, err := ReadAs(dir, c, 0)
	if err != nil {
		return nil, Loaded{}, err
	}
	if len(loaded.New) > 0 {
		p := w.Parameters.named(loaded.New[0])
		err := missing(p)
		if c.Architecture != own {
			err = untrained(own, p, c.Architecture)
		}
		return nil, Loaded{}, fmt.Errorf("models: read %s: %w", dir, err)
	}
	loaded.Dropped = loaded.Surplus
	return w, loaded, nil
}

// sameClasses reports whether the classifier of a model of configuration c means in one of configuration d what it means
// there: it is of the same architecture with as many classes, and they have the same names, if both have names at all.
func (c Config) sameClasses(d Config) bool {
	if c.Architecture != d.Architecture || c.classes() != d.classes() {
		return false
	}
	return !c.Architecture.HasLabels() || c.Labels == d.Labels || c.Labels.unnamed() || d.Labels.unnamed()
}

// canonicalNames are the names of the parameters without the prefix of the encoder.
func (p *Parameters) canonicalNames() map[string]bool {
	names := map[string]bool{}
	for _, q := range p.Order {
		names[strings.TrimPrefix(q.Name, encoderPrefix)] = true
	}
	return names
}

// isEncoder reports whether a tensor of that canonical name would be computed with below every head.
func isEncoder(name string) bool {
	return strings.HasPrefix(name, "embeddings.") || strings.HasPrefix(name, "encoder.")
}

// set fills w from the tensors of a checkpoint. Every parameter must be there with its shape, and nothing else but the
// tied twins and derived tensors that some writers add.
func (w *Weights) set(tensors map[string]SafeTensor) error {
	loaded, err := w.adopt(tensors, true)
	switch {
	case err != nil:
		return err
	case len(loaded.New) > 0:
		return missing(w.Parameters.named(loaded.New[0]))
	case len(loaded.Dropped) > 0:
		return fmt.Errorf("tensor %s is not part of an %s; remove it or name the architecture that has it",
			loaded.Dropped[0], w.Config.Architecture)
	}
	return nil
}

func missing(p *Parameter) error {
	return fmt.Errorf("tensor %s is missing, want shape %v", p.Name, p.Shape)
}

// adopt copies the tensors of a checkpoint to the parameters of w that they are, and says which are left on either side.
// A task's classifier is a parameter like others if sameTask, and else not the checkpoint's.
func (w *Weights) adopt(tensors map[string]SafeTensor, sameTask bool) (Loaded, error) {
	loaded := Loaded{Widened: map[string]int{}}
	there := map[string]fileTensor{} // by canonical name
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		t := canonical(name)
		if t.ignored {
			continue
		}
		if twin, twice := there[t.name]; twice {
			return Loaded{}, fmt.Errorf("tensors %s and %s are the same parameter; remove one of them", twin.original, name)
		}
		t.SafeTensor = tensors[name]
		there[t.name] = t
		loaded.Google = loaded.Google || t.google
	}
	if err := untwin(there, w.Parameters.Predictions != nil); err != nil {
		return Loaded{}, err
	}
	for _, p := range w.Parameters.Order {
		name := strings.TrimPrefix(p.Name, encoderPrefix)
		t, ok := there[name]
		if !ok || !sameTask && p.task(w.Parameters) {
			loaded.New = append(loaded.New, p.Name)
			continue
		}
		delete(there, name)
		if err := t.copyTo(w.Tensor(p), p.Shape); err != nil {
			return Loaded{}, fmt.Errorf("tensor %s %w", t.original, err)
		}
		if t.DType != "F32" {
			loaded.Widened[t.DType]++
		}
	}
	for _, t := range there {
		loaded.Dropped = append(loaded.Dropped, t.original)
	}
	slices.Sort(loaded.New)
	slices.Sort(loaded.Dropped)
	return loaded, nil
}

// untwin removes the twins of tied tensors. Where a model has the masked-LM head they must be equal, and one of them
// suffices.
func untwin(there map[string]fileTensor, predictions bool) error {
	for twin, name := range tied {
		t, ok := there[twin]
		if !ok {
			continue
		}
		other, both := there[name]
		if !both {
			there[name] = t
		} else if predictions && !t.Equal(other.SafeTensor) {
			return fmt.Errorf("tensor %s differs from %s; they are tied and must be equal", t.original, other.original)
		}
		delete(there, twin)
	}
	return nil
}

// fileTensor is a tensor of a checkpoint and what its name there means.
type fileTensor struct {
	SafeTensor
	original   string
	name       string // as of a bare AlbertModel and its heads in transformers
	transposed bool   // (in, out), as TensorFlow's kernels are
	google     bool   // the name is of Google's code
	ignored    bool   // it follows from the configuration, or is of an optimizer
}

// canonical says what a tensor's name in a checkpoint means: with or without the prefix of the encoder, with the names
// that norms had once, with those of Google's code.
func canonical(name string) fileTensor {
	t := fileTensor{original: name, name: strings.TrimPrefix(name, encoderPrefix)}
	if derived[t.name] {
		t.ignored = true
		return t
	}
	if fromGoogle(&t) {
		return t
	}
	if stem, ok := strings.CutSuffix(t.name, ".gamma"); ok {
		t.name = stem + ".weight"
	} else if stem, ok := strings.CutSuffix(t.name, ".beta"); ok {
		t.name = stem + ".bias"
	}
	return t
}

// copyTo writes the numbers of t to those of a parameter of that shape.
func (t fileTensor) copyTo(to []float32, shape []int) error {
	want := shape
	if t.transposed {
		want = slices.Clone(shape)
		slices.Reverse(want)
	}
	if !slices.Equal(t.Shape, want) {
		return fmt.Errorf("has shape %v, want %v", t.Shape, want)
	}
	if !t.transposed {
		return t.copyFloat32s(to)
	}
	values, err := t.Float32s()
	if err != nil {
		return err
	}
	rows, columns := want[0], want[1]
	for i := range rows {
		for j := range columns {
			to[j*rows+i] = values[i*columns+j]
		}
	}
	return nil
}

// heads returns the parameters on top of the encoder.
func (p *Parameters) heads() map[*Parameter]bool {
	heads := map[*Parameter]bool{}
	for _, l := range []*Linear{p.Pooler, p.SOPClassifier, p.Classifier} {
		if l != nil {
			heads[l.Weight], heads[l.Bias] = true, true
		}
	}
	if h := p.Predictions; h != nil {
		for _, q := range []*Parameter{h.Dense.Weight, h.Dense.Bias, h.LayerNorm.Weight, h.LayerNorm.Bias, h.Bias} {
			heads[q] = true
		}
	}
	return heads
}

// named returns the parameter of a name in the table.
func (p *Parameters) named(name string) *Parameter {
	i := slices.IndexFunc(p.Order, func(q *Parameter) bool { return q.Name == name })
	return p.Order[i]
}
