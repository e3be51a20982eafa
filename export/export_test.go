package export

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"goalbert/models"
	"goalbert/onnx"
)

func weights(t testing.TB, change func(*models.Config)) *models.Weights {
	t.Helper()
	c, err := models.Preset("albert-tiny")
	if err != nil {
		t.Fatal(err)
	}
	c.VocabSize = 50
	if change != nil {
		change(&c)
	}
	w := models.NewWeights(c)
	w.Initialize(1)
	return w
}

func file(t testing.TB, w *models.Weights, o Options) []byte {
	t.Helper()
	m, err := Model(w, o)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := onnx.Write(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Every parameter is one initializer with its name, its shape and its numbers; what else there is is small.
func TestEachWeightIsStoredOnce(t *testing.T) {
	w := weights(t, func(c *models.Config) { c.NumHiddenLayers, c.NumHiddenGroups, c.InnerGroupNum = 6, 2, 2 })
	m, err := Model(w, Options{})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, initializer := range m.Graph.Initializer {
		found[initializer.Name] = true
		i := slices.IndexFunc(w.Parameters.Order, func(p *models.Parameter) bool { return p.Name == initializer.Name })
		if i < 0 {
			if len(initializer.RawData) > 64 {
				t.Errorf("constant %s has %d bytes", initializer.Name, len(initializer.RawData))
			}
			continue
		}
		p := w.Parameters.Order[i]
		values, err := initializer.Floats()
		if err != nil || !slices.Equal(values, w.Tensor(p)) || !slices.Equal(initializer.Shape(), p.Shape) {
			t.Errorf("%s: shape %v, want the checkpoint's %v with its numbers (%v)", p.Name, initializer.Shape(), p.Shape, err)
		}
	}
	for _, p := range w.Parameters.Order {
		if !found[p.Name] {
			t.Errorf("%s is missing", p.Name)
		}
	}
}

// ALBERT-base takes at most 47.4 MB, as its 11,813,810 parameters in float32 take 47.3; with a copy of the shared layer
// for each of its twelve uses it would be 341.
func TestSizeOfALBERTBase(t *testing.T) {
	c, err := models.Preset("albert-base-v2")
	if err != nil {
		t.Fatal(err)
	}
	if size := len(file(t, models.NewWeights(c), Options{})); size > 47_400_000 || size < 4*11_813_810 {
		t.Errorf("the file has %d bytes, want 47,255,240 of weights and little more", size)
	}
}

func TestReproducible(t *testing.T) {
	w := weights(t, nil)
	if !bytes.Equal(file(t, w, Options{}), file(t, w, Options{})) {
		t.Error("the same weights gave other bytes")
	}
}

// The heads of each architecture, and the metadata.
func TestOutputsAndMetadata(t *testing.T) {
	for architecture, want := range map[models.Architecture][]string{
		models.ForPreTraining: {"prediction_logits", "sop_logits"},
		models.ForMaskedLM:    {"logits"},
	} {
		w := weights(t, func(c *models.Config) { c.Architecture = architecture })
		m, err := Model(w, Options{Version: "1.2", VocabularySHA256: "abc"})
		if err != nil {
			t.Fatal(err)
		}
		var outputs []string
		for _, v := range m.Graph.Output {
			outputs = append(outputs, v.Name)
		}
		if !slices.Equal(outputs, want) {
			t.Errorf("%s: outputs %v, want %v", architecture, outputs, want)
		}
		if m.ProducerName != "goalbert" || m.ProducerVersion != "1.2" || m.Metadata(ArchitectureKey) != string(architecture) ||
			m.Metadata(MaxLengthKey) != "128" || m.Metadata(VocabularySHA256Key) != "abc" {
			t.Errorf("%s: producer %s %s, metadata %v", architecture, m.ProducerName, m.ProducerVersion, m.MetadataProps)
		}
	}
}

// The graph of the shared layer: each use has its own nodes, and all read the same tensors.
func TestLayersShareTheirWeights(t *testing.T) {
	w := weights(t, func(c *models.Config) { c.NumHiddenLayers, c.NumHiddenGroups = 5, 2 })
	m, err := Model(w, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var groups []string
	for _, n := range m.Graph.Node {
		if strings.HasSuffix(n.Name, ".ffn_output") {
			groups = append(groups, strings.Split(n.Input[1], ".")[3])
		}
	}
	if want := []string{"0", "0", "0", "1", "1"}; !slices.Equal(groups, want) {
		t.Errorf("the depths use groups %v, want %v", groups, want)
	}
}

func TestWriteNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no", "model.onnx")
	if err := Write(path, weights(t, nil), Options{}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got error %v, want one that names %s", err, path)
	}
}
