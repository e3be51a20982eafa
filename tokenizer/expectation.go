package tokenizer

import (
	"math"
	"sync"

	"gonum.org/v1/gonum/mathext"
)

// An edge is a piece at a place of a text: from a character up to another.
type edge struct {
	id       int32
	from, to uint16
}

// A lattice is all the ways to cut a text into pieces: its edges, sorted by where they end.
type lattice struct {
	edges  []edge
	length int // characters
	count  float64
}

// lattices finds the pieces in each text. A text of more characters than an edge can count is left out: no sentence
// that is trained on has one.
func lattices(texts []word, ids map[string]int32, threads int) []lattice {
	all := make([]lattice, len(texts))
	inChunks(len(texts), threads, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			all[i] = newLattice(texts[i], ids)
		}
	})
	return all
}

func newLattice(w word, ids map[string]int32) lattice {
	l := lattice{length: len(w.text), count: float64(w.count)}
	text := string(w.text)
	starts := make([]int, 0, len(w.text)+1)
	for at := range text {
		starts = append(starts, at)
	}
	starts = append(starts, len(text))
	for to := 1; to <= len(w.text); to++ {
		for from := max(0, to-maxPieceLength); from < to; from++ {
			if id, ok := ids[text[starts[from]:starts[to]]]; ok {
				l.edges = append(l.edges, edge{id: id, from: uint16(from), to: uint16(to)})
			}
		}
	}
	return l
}

// chunks is into how many parts work is divided. It does not depend on the number of threads, and neither do sums.
const chunks = 16

// inChunks calls work(chunk, lo, hi) for parts of n, on so many goroutines.
func inChunks(n, threads int, work func(chunk, lo, hi int)) {
	next := make(chan int, chunks)
	for i := range chunks {
		next <- i
	}
	close(next)
	var wait sync.WaitGroup
	for range threads {
		wait.Go(func() {
			for i := range next {
				work(i, i*n/chunks, (i+1)*n/chunks)
			}
		})
	}
	wait.Wait()
}

// expectation returns how often each piece is expected to be used, given the pieces' logarithmic probabilities, and
// the logarithm of the texts' probability:
//
//	E[count(x)] = Σ over texts, over ways s to cut them: P(s | text)·(how often x is in s)
func expectation(all []lattice, scores []float64, threads int) (counts []float64, logLikelihood float64) {
	partial := make([][]float64, chunks)
	likelihoods := make([]float64, chunks)
	inChunks(len(all), threads, func(chunk, lo, hi int) {
		sums := make([]float64, len(scores))
		var nodes []node
		for i := lo; i < hi; i++ {
			nodes = resize(nodes, all[i].length+1)
			likelihoods[chunk] += all[i].count * all[i].expect(sums, scores, nodes)
		}
		partial[chunk] = sums
	})
	counts = make([]float64, len(scores))
	for chunk, sums := range partial {
		logLikelihood += likelihoods[chunk]
		for i, s := range sums {
			counts[i] += s
		}
	}
	return counts, logLikelihood
}

// A node is a place between two characters: the logarithm of the probability of what is before it, and how probable it
// is that a piece ends there.
type node struct{ alpha, visited float64 }

func resize(nodes []node, n int) []node {
	if cap(nodes) < n {
		return make([]node, n)
	}
	return nodes[:n]
}

// expect adds the expected counts of a text to sums, and returns the logarithm of its probability. Forward,
//
//	P(to) = Σ edges P(from)·p(piece)
//
// and backward, the probability that an edge is used is that of its end, times the share that it has in the sum there.
func (l *lattice) expect(sums, scores []float64, nodes []node) float64 {
	nodes[0] = node{}
	for lo := 0; lo < len(l.edges); {
		to, largest, hi := l.edges[lo].to, math.Inf(-1), lo
		for ; hi < len(l.edges) && l.edges[hi].to == to; hi++ {
			largest = max(largest, nodes[l.edges[hi].from].alpha+scores[l.edges[hi].id])
		}
		sum := 0.0
		for _, e := range l.edges[lo:hi] {
			sum += math.Exp(nodes[e.from].alpha + scores[e.id] - largest)
		}
		nodes[to] = node{alpha: largest + math.Log(sum)}
		lo = hi
	}
	nodes[l.length].visited = 1
	for i := len(l.edges) - 1; i >= 0; i-- {
		e := l.edges[i]
		to := &nodes[e.to]
		used := to.visited * math.Exp(nodes[e.from].alpha+scores[e.id]-to.alpha)
		nodes[e.from].visited += used
		sums[e.id] += l.count * used
	}
	return nodes[l.length].alpha
}

// maximization turns expected counts into logarithmic probabilities, by the mean of the logarithm under a Dirichlet
// posterior, which makes what is rare rarer:
//
//	log p(x) = ψ(count(x)) - ψ(Σ counts)
//
// Kudo's trainer does so after Liang et al., "The Infinite PCFG using Hierarchical Dirichlet Processes" (2007).
func maximization(counts []float64) []float64 {
	sum := 0.0
	for _, c := range counts {
		sum += c
	}
	scores := make([]float64, len(counts))
	for i, c := range counts {
		scores[i] = mathext.Digamma(c) - mathext.Digamma(sum)
	}
	return scores
}

// best finds the most probable way to cut the text, without the edge over all of it if whole is false. It returns the
// pieces from the last to the first, and the logarithm of their probability, -∞ if there is no way.
func (l *lattice) best(scores []float64, whole bool, steps []viterbi) (pieces []int32, score float64) {
	for i := range steps[:l.length+1] {
		steps[i] = viterbi{score: math.Inf(-1)}
	}
	steps[0].score = 0
	for i, e := range l.edges {
		if !whole && e.from == 0 && int(e.to) == l.length {
			continue
		}
		if s := steps[e.from].score + scores[e.id]; s > steps[e.to].score {
			steps[e.to] = viterbi{score: s, edge: int32(i)}
		}
	}
	score = steps[l.length].score
	if math.IsInf(score, -1) {
		return nil, score
	}
	for at := l.length; at > 0; {
		e := l.edges[steps[at].edge]
		pieces = append(pieces, e.id)
		at = int(e.from)
	}
	return pieces, score
}

// viterbi is the best way to a place: its score, and its last edge.
type viterbi struct {
	score float64
	edge  int32
}
