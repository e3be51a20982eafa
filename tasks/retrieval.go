package tasks

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// Dot is the inner product of a and b, which are of one length: of embeddings of length 1 their cosine.
func Dot(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// tie is by how much two cosines may differ and be the same: what float32 rounds of a sum of squares of 1, which
// depends on its order.
const tie = 2e-6

// queryBlock is how many sentences are compared with all candidates at once.
const queryBlock = 64

// retrieval compares the first sentence of each example with the second and third of all. The place of its own second is
// one more than how many others are as near or nearer: a model that tells nothing apart finds nothing. A candidate that
// is written as its own is no other. Cosines are one matrix product, (queries, H) · (candidates, H)ᵀ, a block of
// queries at a time.
func retrieval(ctx context.Context, examples []*Example, predictions []*Prediction) (accuracy, reciprocal float64, err error) {
	var queries, candidates [][]float32
	var texts []string // of the candidates
	own := make([]int, len(predictions))
	for i, p := range predictions {
		if len(p.Embeddings) < 2 || len(p.Embeddings) != len(examples[i].Texts) {
			return 0, 0, fmt.Errorf("tasks: %s: one text, want two, of which one is to find the other", examples[i].Place)
		}
		own[i], queries = len(candidates), append(queries, p.Embeddings[0])
		candidates, texts = append(candidates, p.Embeddings[1:]...), append(texts, examples[i].Texts[1:]...)
	}
	all := matrix(candidates)
	cosines := blas32.General{Rows: queryBlock, Cols: all.Rows, Stride: all.Rows, Data: make([]float32, queryBlock*all.Rows)}
	for begin := 0; begin < len(queries); begin += queryBlock {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		block := matrix(queries[begin:min(begin+queryBlock, len(queries))])
		cosines.Rows = block.Rows
		blas32.Gemm(blas.NoTrans, blas.Trans, 1, block, all, 0, cosines)
		for i := range block.Rows {
			rank, mine := 1, own[begin+i]
			row := cosines.Data[i*all.Rows : (i+1)*all.Rows]
			for j, cosine := range row {
				if cosine >= row[mine]-tie && texts[j] != texts[mine] {
					rank++
				}
			}
			if rank == 1 {
				accuracy++
			}
			reciprocal += 1 / float64(rank)
		}
	}
	n := float64(len(queries))
	return accuracy / n, reciprocal / n, nil
}

// matrix has the vectors as its rows.
func matrix(vectors [][]float32) blas32.General {
	m := blas32.General{Rows: len(vectors), Cols: len(vectors[0])}
	m.Stride = m.Cols
	m.Data = make([]float32, 0, m.Rows*m.Cols)
	for _, v := range vectors {
		m.Data = append(m.Data, v...)
	}
	return m
}
