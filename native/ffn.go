package native

// ffn computes rows s of the feed-forward half of use layer of a layer:
//
//	full_layer_layer_norm(x + drop(ffn_output(f(ffn(x)))))
func (p *pass[T]) ffn(layer, worker int, s span) {
	w, act := p.layerWeights(p.weights, layer), &p.a.Layers[layer]
	inner, activation := p.ffnRows(act, worker, s)
	p.ffnInner(inner, activation, layer, s)
	w.ffnOutput.forward(part(act.FullLayer.Sum, s, p.Config.HiddenSize), activation)
	p.residual(act.FullLayer.Sum, act.Dense.Output, p.dropper(siteFFNOutput, layer), s)
	w.fullLayerLayerNorm.forward(&act.FullLayer, s, p.Config.LayerNormEps)
}

// ffnInner sets inner = ffn(x) and activation = f(inner), which may be the same, for rows s.
func (p *pass[T]) ffnInner(inner, activation []T, layer int, s span) {
	w, x := p.layerWeights(p.weights, layer), part(p.a.Layers[layer].Dense.Output, s, p.Config.HiddenSize)
	w.ffn.forward(inner, x)
	activate(p.Config.HiddenAct, activation, inner)
}

// ffnRows returns where rows s of both are: with the layer's activations, or, where those are not kept, both in the
// worker's memory.
func (p *pass[T]) ffnRows(act *LayerActivations[T], worker int, s span) (inner, activation []T) {
	columns := p.Config.IntermediateSize
	if p.a.keep == keepAll {
		return part(act.FFN, s, columns), part(act.FFNActivation, s, columns)
	}
	inner = p.a.ffn[worker*p.tiles().tile*columns:][:s.rows()*columns]
	return inner, inner
}

// ffnBackward sets rows s of dAttention to the gradient of x, given that of the output in dHidden, and packs the inputs
// of both linears. The rows are part number i of the task.
func (p *backwardPass[T]) ffnBackward(layer, worker, i int, s span) {
	h, columns := p.Config.HiddenSize, p.Config.IntermediateSize
	w, act := p.layerWeights(p.weights, layer), &p.a.Layers[layer]
	dFFN := part(p.dFFN, s, columns)
	inner, activation := p.ffnRows(act, worker, s)
	if p.a.keep == keepSums {
		activation = dFFN // which is free until the activation is packed
		w.attentionLayerNorm.forward(&act.Dense, s, p.Config.LayerNormEps)
		p.ffnInner(inner, activation, layer, s)
	}
	p.ffnActivation.Pack(false, activation, columns, s.lo, s.hi)
	p.denseOutput.Pack(false, part(act.Dense.Output, s, h), h, s.lo, s.hi)

	w.fullLayerLayerNorm.backward(p.dFullLayer, &p.fullLayerNorm, i, p.dHidden, &act.FullLayer, s)
	drop := p.dropper(siteFFNOutput, layer)
	drop.tokens(p.dFFNOutput, p.dFullLayer, s, h)
	w.ffnOutput.backward(dFFN, part(p.dFFNOutput, s, h), nil)
	activateBackward(p.Config.HiddenAct, dFFN, dFFN, inner)
	w.ffn.backward(part(p.dAttention, s, h), dFFN, part(p.dFullLayer, s, h))
}
