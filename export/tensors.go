package export

import (
	"goalbert/models"
	"goalbert/onnx"
)

// offered is a value of a layer that is an output of the file on request.
type offered struct {
	part  string // as models.LayerTensors has it
	value string // rows of float32
}

// offer keeps a value of the layer that is being written down, x as products give it, for offerLayer.
func (g *graph) offer(name, part, x string) {
	if g.tensors {
		g.offers = append(g.offers, offered{part, g.full(name+part+".float", x)})
	}
}

// offerFull is offer of a value that is float32 in every precision.
func (g *graph) offerFull(part, x string) {
	if g.tensors {
		g.offers = append(g.offers, offered{part, x})
	}
}

// offerLayer makes the values that were kept outputs of the file, as those of use i of a layer.
func (g *graph) offerLayer(i int) {
	for _, o := range g.takeOffers() {
		g.offerTensor(models.LayerTensor(i, o.part), o.value, g.config.HiddenSize)
	}
}

func (g *graph) takeOffers() []offered {
	offers := g.offers
	g.offers = nil
	return offers
}

// offerEmbeddings makes the embeddings (batch, sequence, E), and the first layer's input, outputs of the file.
func (g *graph) offerEmbeddings(normal, hidden string) {
	if g.tensors {
		g.offerTensor(models.EmbeddingsOutput, normal, g.config.EmbeddingSize)
		g.offerTensor(models.EmbeddingsHidden, hidden, g.config.HiddenSize)
	}
}

// offerTensor makes rows of float32 an output (batch, sequence, columns).
func (g *graph) offerTensor(name, rows string, columns int) {
	g.Node("Reshape", name, []string{rows, g.shape(columns)})
	g.Output(name, onnx.TensorProto_FLOAT, "batch", "sequence", columns)
}

// offerScan makes the values of layers in the body of a Loop, which collects them over depths uses, outputs of the file.
// scans are the Loop's (depths, rows, H), and first is the first of the uses.
func (g *graph) offerScan(offers []offered, scans []string, first, depths int) {
	for depth := range depths {
		for j, o := range offers {
			layer := first + depth*g.config.InnerGroupNum + j/len(models.LayerTensors())
			name := models.LayerTensor(layer, o.part)
			rows := g.Node("Gather", name+".rows", []string{scans[j], g.int64(depth)}, onnx.Int("axis", 0))
			g.offerTensor(name, rows, g.config.HiddenSize)
		}
	}
}
