package ort

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Placement says which provider runs which of a model's nodes, after ONNX Runtime has rewritten the graph.
type Placement struct {
	Engine    string          `json:"engine"`    // as [Session.Engine] says
	Provider  string          `json:"provider"`  // that was asked for, as the library names it
	Providers []ProviderNodes `json:"providers"` // that one first
}

// ProviderNodes are the nodes that one provider runs.
type ProviderNodes struct {
	Provider  string         `json:"provider"` // "CPUExecutionProvider"
	Nodes     int            `json:"nodes"`
	Operators map[string]int `json:"operators"` // how many of each
}

// Fallen returns the nodes that another provider than the one that was asked for runs.
func (p Placement) Fallen() int {
	n := 0
	for _, other := range p.Providers {
		if other.Provider != p.Provider {
			n += other.Nodes
		}
	}
	return n
}

// String is the placement in a line: "406 nodes: 400 by CUDAExecutionProvider, 6 by CPUExecutionProvider (2 Gather, 4
// Shape)". Operators are listed of those that fell to another provider.
func (p Placement) String() string {
	total := 0
	var parts []string
	for _, by := range p.Providers {
		total += by.Nodes
		part := fmt.Sprintf("%d by %s", by.Nodes, by.Provider)
		if by.Provider != p.Provider {
			var operators []string
			for _, name := range slices.Sorted(maps.Keys(by.Operators)) {
				operators = append(operators, fmt.Sprint(by.Operators[name], " ", name))
			}
			part += " (" + strings.Join(operators, ", ") + ")"
		}
		parts = append(parts, part)
	}
	return fmt.Sprintf("%d nodes: %s", total, strings.Join(parts, ", "))
}

// Place opens the model at path and runs one batch of zeros, of shape as [Options.WarmUp] says, to see which provider
// each node is run by. It is ONNX Runtime's own profile of that run that is counted; it stays where o asks for one.
func Place(path string, o Options, shape []int) (Placement, error) {
	dir, err := os.MkdirTemp("", "goalbert-profile-")
	if err != nil {
		return Placement{}, fmt.Errorf("ort: place nodes: %w", err)
	}
	defer os.RemoveAll(dir)
	o.Profile = cmp.Or(o.Profile, filepath.Join(dir, "profile.json"))
	o.WarmUp = append(slices.Clone(o.WarmUp), shape)
	s, err := Open(path, o)
	if err != nil {
		return Placement{}, err
	}
	if err := s.Close(); err != nil {
		return Placement{}, err
	}
	file, err := os.Open(o.Profile)
	if err != nil {
		return Placement{}, fmt.Errorf("ort: place nodes: %w", err)
	}
	defer file.Close()
	name, _ := s.Library().provider(o.Provider)
	p, err := readPlacement(file, name)
	if err != nil {
		return Placement{}, fmt.Errorf("ort: place nodes: %s: %w", path, err)
	}
	p.Engine = s.Engine()
	return p, nil
}

// event is one of a profile's: a node's kernel, where Args has a provider.
type event struct {
	Category string `json:"cat"`
	Name     string `json:"name"`
	Args     struct {
		Provider string `json:"provider"`
		Operator string `json:"op_name"`
		Index    string `json:"node_index"`
	} `json:"args"`
}

// readPlacement counts the nodes of a profile of one run. A node in a Loop has an event each time round, and is one
// node.
func readPlacement(r io.Reader, provider string) (Placement, error) {
	var events []event
	if err := json.NewDecoder(r).Decode(&events); err != nil {
		return Placement{}, fmt.Errorf("read ONNX Runtime's profile: %w", err)
	}
	p := Placement{Provider: provider}
	counted := map[[3]string]bool{}
	for _, e := range events {
		if e.Category != "Node" || e.Args.Provider == "" {
			continue
		}
		if node := [3]string{e.Name, e.Args.Operator, e.Args.Index}; counted[node] {
			continue
		} else {
			counted[node] = true
		}
		i := slices.IndexFunc(p.Providers, func(by ProviderNodes) bool { return by.Provider == e.Args.Provider })
		if i < 0 {
			i = len(p.Providers)
			p.Providers = append(p.Providers, ProviderNodes{Provider: e.Args.Provider, Operators: map[string]int{}})
		}
		p.Providers[i].Nodes++
		p.Providers[i].Operators[e.Args.Operator]++
	}
	if len(p.Providers) == 0 {
		return Placement{}, fmt.Errorf("ONNX Runtime's profile of a run names no provider in %d events", len(events))
	}
	slices.SortFunc(p.Providers, func(a, b ProviderNodes) int {
		first := func(by ProviderNodes) int {
			if by.Provider == provider {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(first(a), first(b)), cmp.Compare(a.Provider, b.Provider))
	})
	return p, nil
}
