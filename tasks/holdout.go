package tasks

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// stratum is groups of examples of which the same share is held out.
type stratum struct {
	groups []int // by their places in a random order
	taken  int   // of them, from the first on
	rest   float64
}

// HoldOut divides examples at random into those to train on and a share to test on, both in the order of the file.
// Examples of one group, the questions of an article, stay together, and the share is one of groups. Of classes the
// share of each is held out, as nearly as whole examples allow, and never all of one. The same seed gives the same
// division on every machine.
func HoldOut(examples []*Example, share float64, seed uint64) (train, test []*Example, err error) {
	group := func(e *Example) string {
		if e.Group != "" {
			return "group " + e.Group
		}
		return "place " + e.Place
	}
	number, classes := map[string]int{}, []string{}
	for _, e := range examples {
		if _, ok := number[group(e)]; !ok {
			number[group(e)] = len(number)
			classes = append(classes, classOf(e))
		}
	}
	most := int(math.Round(share * float64(len(number))))
	if !(share > 0 && share < 1) || most == 0 || most == len(number) {
		return nil, nil, noShare(share, len(number))
	}
	strata, of := []*stratum{}, map[string]*stratum{}
	place := rand.New(rand.NewPCG(seed, 0)).Perm(len(number))
	order := make([]int, len(place))
	for i, p := range place {
		order[p] = i
	}
	for _, i := range order {
		s := of[classes[i]]
		if s == nil {
			s = &stratum{}
			strata, of[classes[i]] = append(strata, s), s
		}
		s.groups = append(s.groups, i)
	}
	apportion(strata, share, most)
	held := make([]bool, len(number))
	some := false
	for _, s := range strata {
		for _, i := range s.groups[:s.taken] {
			held[i], some = true, true
		}
	}
	if !some {
		return nil, nil, noShare(share, len(number))
	}
	for _, e := range examples {
		if held[number[group(e)]] {
			test = append(test, e)
		} else {
			train = append(train, e)
		}
	}
	return train, test, nil
}

func noShare(share float64, n int) error {
	return fmt.Errorf("tasks: a share of %v of %d examples or articles leaves none on one side; want some on both, and "+
		"one of each label to train on", share, n)
}

// classOf is the label of an example that has one; examples with tags or several labels are all of one kind.
func classOf(e *Example) string {
	if len(e.Labels) != 1 || e.Words != nil || e.Group != "" {
		return ""
	}
	return e.Labels[0]
}

// apportion takes of each stratum its share without a fraction, and then one more of those with the largest rest until
// there are most; of none all.
func apportion(strata []*stratum, share float64, most int) {
	for _, s := range strata {
		quota := share * float64(len(s.groups))
		s.taken = min(int(quota), len(s.groups)-1)
		s.rest = quota - float64(s.taken)
		most -= s.taken
	}
	byRest := slices.SortedStableFunc(slices.Values(strata), func(a, b *stratum) int {
		return cmp.Compare(b.rest, a.rest)
	})
	for _, s := range byRest {
		if most > 0 && s.taken < len(s.groups)-1 {
			s.taken++
			most--
		}
	}
}
