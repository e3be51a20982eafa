package native

// ffn computes rows s of the feed-forward half of use layer of a layer:
//
//	full_layer_layer_norm(x + drop(ffn_output(f(ffn(x)))))
func (p *pass[T]) ffn(layer int, s span) {
	w, act := p.layerWeights(p.weights, layer), &p.a.Layers[layer]
	p.ffnInner(layer, s)
	w.ffnOutput.forward(part(act.FullLayer.Sum, s, p.Config.HiddenSize), part(act.FFNActivation, s, w.ffn.out()))
	p.residual(act.FullLayer.Sum, act.Dense.Output, p.dropper(siteFFNOutput, layer), s)
	w.fullLayerLayerNorm.forward(&act.FullLayer, s, p.Config.LayerNormEps)
}

// ffnInner computes f(ffn(x)), of the intermediate size.
func (p *pass[T]) ffnInner(layer int, s span) {
	w, act := p.layerWeights(p.weights, layer), &p.a.Layers[layer]
	inner := part(act.FFN, s, w.ffn.out())
	w.ffn.forward(inner, part(act.Dense.Output, s, p.Config.HiddenSize))
	activate(p.Config.HiddenAct, part(act.FFNActivation, s, w.ffn.out()), inner)
}

// ffnBackward sets rows s of dAttention to the gradient of x, given that of the output in dHidden, and packs the inputs
// of both linears. The rows are part number i of the task.
func (p *backwardPass[T]) ffnBackward(layer, i int, s span) {
	h, inner := p.Config.HiddenSize, p.Config.IntermediateSize
	w, act := p.layerWeights(p.weights, layer), &p.a.Layers[layer]
	w.fullLayerLayerNorm.backward(p.dFullLayer, &p.fullLayerNorm, i, p.dHidden, &act.FullLayer, s)
	drop := p.dropper(siteFFNOutput, layer)
	drop.tokens(p.dFFNOutput, p.dFullLayer, s, h)
	dFFN := part(p.dFFN, s, inner)
	w.ffnOutput.backward(dFFN, part(p.dFFNOutput, s, h), nil)
	activateBackward(p.Config.HiddenAct, dFFN, dFFN, part(act.FFN, s, inner))
	w.ffn.backward(part(p.dAttention, s, h), dFFN, part(p.dFullLayer, s, h))
	p.ffnActivation.Pack(false, act.FFNActivation, inner, s.lo, s.hi)
	p.denseOutput.Pack(false, act.Dense.Output, h, s.lo, s.hi)
}
