package models

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// The directory of a run has its last weights in RunModel, and its checkpoints in directories of RunCheckpoints whose
// names are in the order of their steps.
const (
	RunModel       = "model"
	RunCheckpoints = "checkpoints"
)

// Progress is told how a download goes on: how many bytes of a file are there, and how many it has.
type Progress func(file string, done, total int64)

// Find returns the checkpoint directory that a user means by name: a directory that is one; a run, of which it takes the
// last weights, or else the newest checkpoint; or a model of the Hugging Face Hub, owner/name or owner/name@revision. That
// is looked for in the cache that other programs share, and downloaded into it where it is not: see hub.go.
func Find(ctx context.Context, name string, progress Progress) (string, error) {
	if info, err := os.Stat(name); err == nil {
		if !info.IsDir() {
			return "", fmt.Errorf("models: find %s: it is a file; want a checkpoint's directory, a run's, or owner/name on the hub", name)
		}
		return findIn(name)
	}
	if id, revision, ok := parseHubName(name); ok {
		return findOnHub(ctx, id, revision, progress)
	}
	return "", fmt.Errorf("models: find %s: there is no such directory, and a name on the hub is owner/name, as albert/albert-base-v2", name)
}

// findIn returns the checkpoint of a directory that is one, or a run.
func findIn(dir string) (string, error) {
	candidates, _ := filepath.Glob(filepath.Join(dir, RunCheckpoints, "step-*"))
	slices.Sort(candidates)
	candidates = append(candidates, filepath.Join(dir, RunModel), dir)
	for _, candidate := range slices.Backward(candidates) {
		if exists(filepath.Join(candidate, ConfigFile)) {
			return candidate, nil
		}
	}
	return "", fmt.Errorf("models: find %s: it has no %s, no %s and no %s; give a checkpoint's directory or the --out of a training",
		dir, ConfigFile, RunModel, filepath.Join(RunCheckpoints, "step-*"))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
