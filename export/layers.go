package export

import (
	"fmt"
	"slices"
	"strings"

	"goalbert/models"
	"goalbert/onnx"
)

// Layers is how the encoder's layers are written down. In every form each weight is stored once.
type Layers string

const (
	Unrolled Layers = "unrolled" // the nodes of each use of a layer; every engine runs it
	Loop     Layers = "loop"     // for each group a Loop over its depths: a small graph, loaded fast
	Function Layers = "function" // a function, the layer, that each use calls with its weights: a small file of nodes
)

// ParseLayers returns the form of that name.
func ParseLayers(name string) (Layers, error) {
	switch l := Layers(name); l {
	case Unrolled, Loop, Function:
		return l, nil
	}
	return "", fmt.Errorf("layers is %q, want %s, %s or %s", name, Unrolled, Loop, Function)
}

// functionDomain is that of the model's function.
const functionDomain = "goalbert"

// loops applies, for each group of layers, a Loop over the depths that use it. The depths of a group follow each other.
func (g *graph) loops(hidden string) string {
	g.shareLayerShapes()
	first := 0
	for group := range g.table.LayerGroups {
		depths := 0
		for i := range g.config.NumHiddenLayers {
			if g.config.LayerGroup(i) == group {
				depths++
			}
		}
		hidden = g.loop(fmt.Sprintf("layer_groups.%d", group), hidden, first, depths, g.table.LayerGroups[group])
		first += depths
	}
	return hidden
}

// loop applies layers one after the other, and that as many times as there are depths, of which first is the first.
func (g *graph) loop(name, hidden string, first, depths int, layers []models.LayerParameters) string {
	body := onnx.NewBuilder(name)
	body.Input(name+".iteration", onnx.TensorProto_INT64)
	condition := body.Input(name+".condition", onnx.TensorProto_BOOL)
	x := body.Input(name+".hidden", onnx.TensorProto_FLOAT, "rows", g.config.HiddenSize)
	g.within(body, func() {
		condition = g.Node("Identity", name+".continue", []string{condition})
		for j, w := range layers {
			x = g.layer(fmt.Sprintf("%s.%d.", name, j), x, w)
		}
	})
	body.Output(condition, onnx.TensorProto_BOOL)
	body.Output(x, onnx.TensorProto_FLOAT, "rows", g.config.HiddenSize)
	outputs, offers := []string{name}, g.takeOffers()
	for j, o := range offers {
		body.Output(o.value, onnx.TensorProto_FLOAT, "rows", g.config.HiddenSize)
		outputs = append(outputs, fmt.Sprintf("%s.tensors.%d", name, j))
	}
	g.Outputs("Loop", name, []string{g.int64(depths), g.always(), hidden}, outputs, body.Graph("body"))
	g.offerScan(offers, outputs[1:], first*g.config.InnerGroupNum, depths)
	return name
}

// always is the condition true. A Loop may do without one, but ONNX's reference evaluator then does nothing.
func (g *graph) always() string {
	return g.shared("constant.bool", "true", func(name string) string {
		return g.Node("Cast", name, []string{g.int64(1)}, onnx.Int("to", int64(onnx.TensorProto_BOOL)))
	})
}

// calls writes the layer down once, as a function, and calls it for each use with the use's weights.
func (g *graph) calls(hidden string) string {
	g.shareLayerShapes()
	formal := g.table.LayerGroups[0][0].Map(func(p *models.Parameter) *models.Parameter {
		return &models.Parameter{Name: formalName(p), Shape: p.Shape}
	})
	body := onnx.NewBuilder("layer")
	var output string
	g.within(body, func() { output = g.layer("", "hidden", formal) })
	offers := g.takeOffers()
	outputs := []string{output}
	for _, o := range offers {
		if o.value != output {
			outputs = append(outputs, o.value)
		}
	}
	layer := g.Function(functionDomain, "AlbertLayer", opset, body, outputs...)

	for i := range g.config.NumHiddenLayers * g.config.InnerGroupNum {
		actual := map[string]string{"hidden": hidden}
		g.layerWeights(i).Map(func(p *models.Parameter) *models.Parameter {
			actual[formalName(p)] = p.Name
			return p
		})
		inputs := make([]string, len(layer.Input))
		for j, name := range layer.Input {
			inputs[j] = name // of the graph, unless it stands for another
			if value, there := actual[name]; there {
				inputs[j] = value
			}
		}
		results := g.Call(layer, strings.TrimSuffix(g.layerName(i), "."), inputs)
		hidden = results[0]
		for _, o := range offers {
			g.offers = append(g.offers, offered{o.part, results[slices.Index(outputs, o.value)]})
		}
		g.offerLayer(i)
	}
	return hidden
}

// formalName is the name of a layer's parameter within the layer: attention.query.weight.
func formalName(p *models.Parameter) string {
	_, name, _ := strings.Cut(p.Name, ".albert_layers.")
	_, name, _ = strings.Cut(name, ".")
	return name
}

// within adds nodes to a part of the graph.
func (g *graph) within(part *onnx.Builder, add func()) {
	whole := g.Builder
	g.Builder = part
	add()
	g.Builder = whole
}

// shareLayerShapes computes the shapes that layers use outside of the part that describes a layer.
func (g *graph) shareLayerShapes() { g.shape(g.config.NumAttentionHeads, g.config.HeadSize()) }
