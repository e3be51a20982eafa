package tasks

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// HoldOut divides examples at random into those to train on and a share to test on, both in the order of the file.
// Examples of one group, the questions of an article, stay together, and the share is one of groups. The same seed
// gives the same division on every machine.
func HoldOut(examples []*Example, share float64, seed uint64) (train, test []*Example, err error) {
	group := func(e *Example) string {
		if e.Group != "" {
			return "group " + e.Group
		}
		return "place " + e.Place
	}
	number := map[string]int{}
	for _, e := range examples {
		if _, ok := number[group(e)]; !ok {
			number[group(e)] = len(number)
		}
	}
	most := int(math.Round(share * float64(len(number))))
	if !(share > 0 && share < 1) || most == 0 || most == len(number) {
		return nil, nil, fmt.Errorf("tasks: a share of %v of %d examples or articles leaves none on one side; want some "+
			"on both", share, len(number))
	}
	place := rand.New(rand.NewPCG(seed, 0)).Perm(len(number))
	for _, e := range examples {
		if place[number[group(e)]] < most {
			test = append(test, e)
		} else {
			train = append(train, e)
		}
	}
	return train, test, nil
}
