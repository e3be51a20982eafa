package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"

	"goalbert/models"
	"goalbert/native/kernel"
)

// shapes are the products of a linear layer of ALBERT-base on 1024 tokens.
var shapes = []shape{
	{M: 1024, N: 768, K: 768, TransB: true},
	{M: 1024, N: 3072, K: 768, TransB: true},
	{M: 1024, N: 768, K: 3072, TransB: true},
	{M: 1024, N: 768, K: 3072},
	{M: 768, N: 3072, K: 1024, TransA: true},
}

// plan lists what is measured. The bounds are those that the project set itself.
func (b *bench) plan() ([]group, error) {
	configs := map[string]models.Config{}
	for _, preset := range []string{"albert-tiny", "albert-base-v2", "albert-large-v2", "albert-xlarge-v2", "albert-xxlarge-v2"} {
		c, err := models.Preset(preset)
		if err != nil {
			return nil, err
		}
		configs[preset] = c
	}
	lengths, err := b.lengthsFile()
	if err != nil {
		return nil, err
	}
	base := workload{Fields: fields(configs["albert-base-v2"]), Sequences: 8, Length: 128}
	real := workload{Fields: base.Fields, Sequences: 32, LengthsFile: lengths}

	groups := []group{b.limits(kernel.Full)}
	for _, s := range shapes {
		groups = append(groups, b.products(s))
	}
	groups = append(groups, b.steps(kernel.Full, base, bound{ratio: 0.75}, bound{ratio: 1.1}), b.realLengths(real),
		b.forward(base), b.tiny(configs["albert-tiny"]), b.recompute(base), b.recomputeBytes(base))
	if err := kernel.BF16.Available(); err != nil {
		b.report.Skipped = append(b.report.Skipped, err.Error())
	} else {
		groups = append(groups, b.limits(kernel.BF16))
		for _, s := range shapes {
			groups = append(groups, b.bf16Product(s))
		}
		groups = append(groups, b.steps(kernel.BF16, base, bound{ratio: 0.58}, bound{ratio: 1}))
	}
	groups = append(groups, b.texts()...)
	if b.sweep {
		groups = append(groups, b.sweeps(configs, base)...)
	}
	return groups, nil
}

// lengthsFile returns the file with the lengths of real sequences, or one of drawn ones.
func (b *bench) lengthsFile() (string, error) {
	if b.lengths != "" {
		return filepath.Abs(b.lengths)
	}
	path := filepath.Join(b.dir, "lengths.txt")
	return path, writeLengths(path, drawnLengths(6400))
}

// few is for comparisons of which a round takes long.
func (b *bench) few() int { return min(b.rounds, 3) }

// threads writes a number of them.
func threads(n int) string {
	if n == 1 {
		return "1 thread"
	}
	return fmt.Sprint(n, " threads")
}

// one is a figure of one contender as it was measured.
func one(c *contender) figure { return figure{of: []*contender{c}, scale: 1} }

// scaled returns f in another unit.
func (f figure) scaled(scale float64) figure {
	f.scale = scale
	return f
}

// labelled returns f under another name.
func (f figure) labelled(name string) figure {
	f.label = name
	return f
}

// limit is the processor's; without contenders where it is not known.
func (b *bench) limit(p kernel.Precision, threads int) figure {
	f := figure{scale: 1, label: fmt.Sprintf("%v limit", p)}
	if kernel.Limit(p, 1) > 0 {
		f.of = []*contender{b.own(job{Kind: limitKind, Precision: p, Threads: threads})}
	}
	return f
}

func (b *bench) limits(p kernel.Precision) group {
	single, double := b.limit(p, 1), b.limit(p, 2)
	name := fmt.Sprintf("%v limit, ", p)
	g := group{b.rounds, []comparison{
		{name: name + threads(1), unit: "GFLOP/s", ours: single},
		{name: name + threads(2), unit: "GFLOP/s", ours: double, beside: single.labelled(threads(1))},
	}}
	if p != kernel.Full {
		g.comparisons[0].beside = b.limit(kernel.Full, 1)
	}
	return g
}

// products compares fp32 products with the limit and with OpenBLAS, and two threads with one.
func (b *bench) products(s shape) group {
	single := one(b.own(job{Kind: productKind, Shape: s, Threads: 1}))
	double := one(b.own(job{Kind: productKind, Shape: s, Threads: 2}))
	gemm := one(b.own(job{Kind: gemmKind, Shape: s, Threads: 1}))
	peer, peers := one(b.openBLAS(s, 1)), one(b.openBLAS(s, 2))
	name := fmt.Sprintf("product %v fp32, ", s)
	return group{b.rounds, []comparison{
		{name + threads(1), "GFLOP/s", single, b.limit(kernel.Full, 1), bound{ratio: 0.88}},
		{name + threads(1), "GFLOP/s", single, peer, bound{ratio: 1}},
		{name + threads(1) + ", nothing packed before", "GFLOP/s", gemm, b.limit(kernel.Full, 1), bound{}},
		{name + threads(1) + ", nothing packed before", "GFLOP/s", gemm, peer, bound{}},
		{name + threads(2), "GFLOP/s", double, single.labelled(threads(1)), bound{ratio: 1.85}},
		{name + threads(2), "GFLOP/s", double, peers, bound{}},
	}}
}

func (b *bench) bf16Product(s shape) group {
	single := one(b.own(job{Kind: productKind, Shape: s, Precision: kernel.BF16, Threads: 1}))
	name := fmt.Sprintf("product %v bf16, ", s)
	return group{b.rounds, []comparison{
		{name + threads(1), "GFLOP/s", single, b.limit(kernel.BF16, 1), bound{ratio: 0.75}},
	}}
}

// flopsPerToken returns the arithmetic of a step on sequences of one length, in units of 10⁹ for each token.
func (w workload) flopsPerToken() float64 {
	b := newBatch(w.config(), equalLengths(w.Sequences, w.Length), rand.New(rand.NewPCG(1, 1)))
	return stepFLOPs(w.config(), b) / float64(b.Tokens()) / 1e9
}

// steps compares the step of albert-base with the limit and with PyTorch, and the memory of both.
func (b *bench) steps(p kernel.Precision, w workload, ofLimit, ofPeer bound) group {
	single := one(b.own(job{Kind: stepKind, workload: w, Precision: p, Threads: 1}))
	double := one(b.own(job{Kind: stepKind, workload: w, Precision: p, Threads: 2}))
	peer, peers := one(b.torch(w, 1, p == kernel.BF16)), one(b.torch(w, 2, p == kernel.BF16))
	fastest := figure{of: append(peers.of, peer.of...), scale: 1}
	memory := func(f figure) figure { return figure{of: f.of, scale: 1e-9, memory: true} }
	flops := w.flopsPerToken()
	name := fmt.Sprintf("step albert-base 8x128 %v, ", p)
	return group{b.few(), []comparison{
		{name + threads(2), "GFLOP/s", double.scaled(flops), b.limit(p, 2), ofLimit},
		{name + threads(2), "tokens/s", double, fastest, ofPeer},
		{name + threads(1), "GFLOP/s", single.scaled(flops), b.limit(p, 1), bound{}},
		{name + threads(1), "tokens/s", single, peer, bound{}},
		{name + threads(2) + ", resident memory", "GB", memory(double), memory(peers), bound{ratio: 1, most: true}},
	}}
}

// realLengths compares steps on sequences as they are with PyTorch's, which pads each batch to its longest.
func (b *bench) realLengths(w workload) group {
	return group{b.few(), []comparison{{
		name: "step albert-base, 32 of real lengths, fp32, " + threads(2), unit: "tokens/s",
		ours:   one(b.own(job{Kind: stepKind, workload: w, Threads: 2})),
		beside: one(b.torch(w, 2, false)), wanted: bound{ratio: 2},
	}}}
}

// forward compares forward passes with those of ONNX Runtime.
func (b *bench) forward(w workload) group {
	g := group{rounds: b.rounds}
	for _, n := range []int{2, 1} {
		g.comparisons = append(g.comparisons, comparison{
			"forward albert-base 8x128 fp32, " + threads(n), "tokens/s",
			one(b.own(job{Kind: forwardKind, workload: w, Threads: n})),
			one(b.own(job{Kind: onnxRuntimeKind, workload: w, Threads: n})), bound{ratio: 1},
		})
	}
	return g
}

// tiny compares the step of albert-tiny, as in the demo, with the limit.
func (b *bench) tiny(c models.Config) group {
	w := workload{Fields: fields(c), Sequences: 64, Length: 64}
	step, limit := one(b.own(job{Kind: stepKind, workload: w, Threads: 2})), b.limit(kernel.Full, 2)
	flops := w.flopsPerToken()
	name := "step albert-tiny 64x64 fp32, " + threads(2)
	return group{b.rounds, []comparison{
		{name, "GFLOP/s", step.scaled(flops), limit, bound{ratio: 0.40}},
		{name, "tokens/s", step, limit.scaled(1 / flops), bound{}},
	}}
}

// recompute compares the time of a step that computes activations again with that of one that keeps them.
func (b *bench) recompute(w workload) group {
	time := func(recompute bool) figure {
		c := b.own(job{Kind: stepKind, workload: w, Threads: 2, Recompute: recompute})
		return figure{of: []*contender{c}, scale: float64(w.Sequences * w.Length), inverse: true, label: "without"}
	}
	return group{b.few(), []comparison{
		{"recomputation, albert-base 8x128 fp32, time", "s/step", time(true), time(false), bound{1.35, true}},
	}}
}

// recomputeBytes compares what is kept for a batch, which is the same in every round.
func (b *bench) recomputeBytes(w workload) group {
	bytes := func(recompute bool) figure {
		c := b.own(job{Kind: activationsKind, workload: w, Threads: 2, Recompute: recompute})
		return figure{of: []*contender{c}, scale: 1e-6, label: "without"}
	}
	return group{1, []comparison{
		{"recomputation, albert-base 8x128 fp32, activations", "MB", bytes(true), bytes(false), bound{0.25, true}},
	}}
}

// sweeps measures how speed falls with the length of sequences, with layers and with width.
func (b *bench) sweeps(configs map[string]models.Config, base workload) []group {
	var groups []group
	add := func(by string, w workload) {
		step := one(b.own(job{Kind: stepKind, workload: w, Threads: 2}))
		limit := b.limit(kernel.Full, 2).scaled(1 / w.flopsPerToken())
		name := "sweep by " + by + ", fp32, " + threads(2)
		groups = append(groups, group{b.few(), []comparison{{name, "tokens/s", step, limit, bound{}}}})
	}
	for _, length := range []int{64, 128, 256, 512} {
		w := base
		w.Sequences, w.Length = 1024/length, length
		add(fmt.Sprintf("length, albert-base %dx%d", w.Sequences, w.Length), w)
	}
	for _, layers := range []int{6, 12, 24} {
		w := base
		w.Fields.NumHiddenLayers = layers
		add(fmt.Sprintf("layers, albert-base with %d, 8x128", layers), w)
	}
	for _, preset := range []string{"albert-base-v2", "albert-large-v2", "albert-xlarge-v2"} {
		w := base
		w.Fields = fields(configs[preset])
		add("width, "+preset+" 8x128", w)
	}
	return append(groups, b.largest(configs["albert-xxlarge-v2"]))
}

// largest measures the memory of a step of albert-xxlarge on 8192 tokens, which takes minutes.
func (b *bench) largest(c models.Config) group {
	step := job{
		Kind: stepKind, workload: workload{Fields: fields(c), Sequences: 16, Length: 512}, Threads: 2, Recompute: true,
	}
	if kernel.BF16.Available() == nil {
		step.Precision = kernel.BF16
	}
	name := fmt.Sprintf("resident memory, albert-xxlarge 16x512 %v with recomputation", step.Precision)
	return group{1, []comparison{
		{name: name, unit: "GB", ours: figure{of: []*contender{b.own(step)}, scale: 1e-9, memory: true}},
	}}
}
