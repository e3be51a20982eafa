package main

import (
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"goalbert/models"
	"goalbert/runtime"
	"goalbert/runtime/gonnx"
	"goalbert/runtime/native"
	"goalbert/runtime/ort"
	"goalbert/tokenizer"
)

// Names of the engines.
const (
	onnxRuntime  = "onnxruntime"
	onnxGo       = "onnx-go"
	nativeEngine = "native"
)

// engineOptions are the flags that choose what runs a model.
type engineOptions struct {
	engines  []string
	provider string
	library  *string
	threads  int
}

// engineFlags adds them. An engine is the default, or several are.
func engineFlags(c *cobra.Command, usage string, defaults ...string) *engineOptions {
	o := &engineOptions{}
	c.Flags().StringSliceVar(&o.engines, "engine", defaults, usage)
	c.Flags().StringVar(&o.provider, "provider", string(ort.CPU), "of ONNX Runtime: cpu or cuda")
	c.Flags().IntVar(&o.threads, "threads", 0, "0 is one a processor")
	o.library = libraryFlag(c)
	return o
}

func libraryFlag(c *cobra.Command) *string {
	return c.Flags().String("library", "", "the ONNX Runtime library or its directory; otherwise "+ort.LibraryEnv+", the cache, the system")
}

// check refuses names that no engine has, and engines that cannot run the path.
func (o *engineOptions) check() error {
	for _, e := range o.engines {
		if all := []string{onnxRuntime, onnxGo, nativeEngine}; !slices.Contains(all, e) {
			return usagef("engine is %q, want one of %s", e, strings.Join(all, ", "))
		}
	}
	if len(o.engines) == 0 {
		return usagef("no engine is given")
	}
	return checkThreads(o.threads)
}

func checkThreads(flag int) error {
	if flag < 0 {
		return usagef("threads is %d, want 0 or more", flag)
	}
	return nil
}

// threadCount is how many threads we start ourselves.
func threadCount(flag int) int {
	if flag == 0 {
		return goruntime.GOMAXPROCS(0)
	}
	return flag
}

// open loads an .onnx file in an engine.
func (o *engineOptions) open(engine, path string) (runtime.Session, error) {
	switch engine {
	case onnxRuntime:
		return ort.Open(path, ort.Options{Library: *o.library, Provider: ort.Provider(o.provider), IntraOpThreads: o.threads})
	case onnxGo:
		return gonnx.Open(path, gonnx.Options{Threads: threadCount(o.threads)})
	}
	return nil, fmt.Errorf("engine %s runs checkpoints, and %s is a file; give the checkpoint's directory", engine, path)
}

// model is a checkpoint, or an exported file and what lies beside it, ready to be used.
type model struct {
	session   runtime.Session
	config    models.Config
	tokenizer tokenizer.Tokenizer
}

// openModel opens a checkpoint's directory, which runs natively, or an .onnx file.
func (o *engineOptions) openModel(c *cobra.Command, path string) (*model, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open model: %w", err)
	}
	dir := path
	engine := o.engines[0]
	if !info.IsDir() {
		if filepath.Ext(path) != ".onnx" {
			return nil, fmt.Errorf("open model: %s is neither a checkpoint's directory nor an .onnx file", path)
		}
		dir = filepath.Dir(path)
	} else if c.Flags().Changed("engine") && engine != nativeEngine {
		return nil, fmt.Errorf("engine %s runs .onnx files, and %s is a directory; export the checkpoint first: albert export %s --out MODEL.onnx",
			engine, path, path)
	}
	m := &model{}
	if m.config, err = models.ReadConfig(dir); err != nil {
		return nil, err
	}
	if m.tokenizer, err = openTokenizer(dir); err != nil {
		return nil, err
	}
	if info.IsDir() {
		m.session, err = native.Open(path, threadCount(o.threads))
	} else {
		m.session, err = o.open(engine, path)
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}
