package models

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The directory of a run has its last weights in RunModel, and its checkpoints in directories of RunCheckpoints whose
// names are in the order of their steps. Where several seeds were trained, the directory has a run of each, whose name is
// RunSeed and the number.
const (
	RunModel       = "model"
	RunCheckpoints = "checkpoints"
	RunSeed        = "seed-"
)

// Progress is told how a download goes on: how many bytes of a file are there, and how many it has.
type Progress func(file string, done, total int64)

// Find returns the checkpoint directory that a user means by name: a directory that is one; a run, of which it takes the
// last weights, or else the newest checkpoint; or a model of the Hugging Face Hub, owner/name or owner/name@revision. That
// is looked for in the cache that other programs share, and downloaded into it where it is not: see hub.go. Without a
// revision it is a path where there is a directory of the owner's name here.
func Find(ctx context.Context, name string, progress Progress) (string, error) {
	if info, err := os.Stat(name); err == nil {
		if !info.IsDir() {
			return "", fmt.Errorf("models: find %s: it is a file; want a checkpoint's directory, a run's, or owner/name on the hub", name)
		}
		return findIn(name)
	}
	id, revision, ok := parseHubName(name)
	if !ok {
		return "", fmt.Errorf("models: find %s: no such directory, and a name on the hub is owner/name, as albert/albert-base-v2", name)
	}
	if owner, _, _ := strings.Cut(name, "/"); isDirectory(owner) && !strings.Contains(name, "@") { // mistyped: the hub is not asked
		return "", fmt.Errorf("models: find %s: no such directory, but there is %s, so it is taken for a path; the model of that name on the "+
			"hub is %s@main", name, owner, name)
	}
	return findOnHub(ctx, id, revision, progress)
}

// Pin returns a name by which Find finds again what it found as dir by name, whatever becomes of the name: of a model of the hub
// its commit, on any machine, otherwise the directory.
func Pin(name, dir string) string {
	if id, _, ok := parseHubName(name); ok && inHubCache(dir) {
		return id + "@" + filepath.Base(dir)
	}
	return dir
}

// findIn returns the checkpoint of a directory that is one, or a run.
func findIn(dir string) (string, error) {
	inside := os.DirFS(dir)
	candidates, err := fs.Glob(inside, RunCheckpoints+"/step-*")
	if err != nil {
		return "", fmt.Errorf("models: find %s: %w", dir, err)
	}
	slices.Sort(candidates)
	candidates = append(candidates, RunModel, ".")
	for _, candidate := range slices.Backward(candidates) {
		if exists(filepath.Join(dir, candidate, ConfigFile)) {
			return filepath.Join(dir, candidate), nil
		}
	}
	if seeds, err := fs.Glob(inside, RunSeed+"*"); err == nil && len(seeds) > 0 {
		for i, seed := range seeds {
			seeds[i] = filepath.Join(dir, seed)
		}
		return "", fmt.Errorf("models: find %s: it has the runs of several seeds; give one of %s", dir, strings.Join(seeds, ", "))
	}
	return "", fmt.Errorf("models: find %s: it has no %s, no %s and no %s; give a checkpoint's directory or the --out of a training",
		dir, ConfigFile, RunModel, filepath.Join(RunCheckpoints, "step-*"))
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
