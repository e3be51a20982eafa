package evaluate

import (
	"math"
	"strings"
	"testing"
	"time"

	"goalbert/models"
)

// Percentiles are nearest ranks, whatever the order.
func TestLatency(t *testing.T) {
	var times []time.Duration
	for i := range 200 {
		times = append(times, time.Duration((i*77)%200+1)*time.Millisecond) // 1 to 200, each once
	}
	l := NewLatency(Load{4, 10}, times)
	ms := time.Millisecond
	if l.Runs != 200 || l.Best != ms || l.P50 != 100*ms || l.P90 != 180*ms || l.P99 != 198*ms {
		t.Errorf("got %+v", l)
	}
	if want := 40 * 200 / 20.1; math.Abs(l.TokensPerSecond-want) > 1e-6 {
		t.Errorf("%v tokens/s, want %v", l.TokensPerSecond, want)
	}
	if l := NewLatency(Load{1, 1}, times[:1]); l.P50 != l.P99 || l.Best != l.P99 {
		t.Errorf("of one run: %+v", l)
	}
}

// Inputs are of the shape of the load, legal, and the same in every run; a load that the model cannot run is refused.
func TestLoadInputs(t *testing.T) {
	c, err := models.Preset("albert-tiny")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range models.Architectures() {
		c.Architecture = a
		first, err := LoadInputs(c, Load{3, 5})
		if err != nil {
			t.Fatal(err)
		}
		second, _ := LoadInputs(c, Load{3, 5})
		ids, again := first[models.InputIDs].Data.([]int64), second[models.InputIDs].Data.([]int64)
		different := map[int64]bool{}
		for i, id := range ids {
			different[id] = true
			if id != again[i] || id < 0 || id >= int64(c.VocabSize) || first[models.AttentionMask].Data.([]int64)[i] != 1 {
				t.Fatalf("id %d is %d, and then %d", i, id, again[i])
			}
		}
		if shape := first[models.InputIDs].Shape; len(ids) != 15 || len(different) < 2 || shape[len(shape)-1] != 5 || shape[len(shape)-2] != 3 {
			t.Errorf("%s: shape %v, ids %v", a, shape, ids)
		}
	}
	for _, l := range []Load{{0, 5}, {1, 0}, {1, c.MaxPositionEmbeddings + 1}} {
		if _, err := LoadInputs(c, l); err == nil || !strings.Contains(err.Error(), "max_position_embeddings") {
			t.Errorf("%v: got error %v", l, err)
		}
	}
}
