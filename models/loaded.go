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
// number of labels, for it means another thing there. The encoder must be there, every tensor with its shape.
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
	w.Initialize(seed)
	sameTask := there.Architecture == c.Architecture && there.classes() == c.classes()
	loaded, err := w.adopt(tensors, sameTask)
	if err != nil {
		return nil, Loaded{}, fmt.Errorf("models: read %s as an %s: %w", path, c.Architecture, err)
	}
	isHead := w.Parameters.heads()
	for _, name := range loaded.New {
		if p := w.Parameters.named(name); !isHead[p] {
			return nil, Loaded{}, fmt.Errorf("models: read %s as an %s: %w", path, c.Architecture, missing(p))
		}
	}
	return w, loaded, nil
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
	if loaded.Google && w.Config.HiddenAct == GELU {
		w.Config.HiddenAct = GELUNew
	}
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
