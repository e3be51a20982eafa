package main

import (
	"fmt"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"time"

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
	command    *cobra.Command
	engines    []string
	library    *string
	session    ort.Options // but for what follows
	provider   string
	threads    int
	graphLevel string
	warmUp     []string
}

// engineFlags adds them. An engine is the default, or several are.
func engineFlags(c *cobra.Command, usage string, defaults ...string) *engineOptions {
	o := &engineOptions{}
	c.Flags().StringSliceVar(&o.engines, "engine", defaults, usage)
	o.addProvider(c)
	o.addThreads(c)
	return o
}

func (o *engineOptions) addThreads(c *cobra.Command) {
	c.Flags().IntVar(&o.threads, "threads", 0, "0 is one a processor")
}

// addProvider adds the flags that choose the provider of ONNX Runtime.
func (o *engineOptions) addProvider(c *cobra.Command) {
	o.command = c
	c.Flags().StringVar(&o.provider, "provider", string(ort.CPU),
		"of ONNX Runtime: cpu, cuda, or any other that the library has (tensorrt, openvino, xnnpack, ...)")
	c.Flags().StringToStringVar(&o.session.ProviderOptions, "provider-option", nil,
		"the provider's own, key=value: device_id=1, gpu_mem_limit=BYTES, use_tf32=1 (0 unless it is given), ...")
	c.Flags().BoolVar(&o.session.NoCPUFallback, "no-cpu-fallback", false, "refuse a model of which the provider cannot run every node")
	o.library = libraryFlag(c)
}

// addSession adds the flags that change how ONNX Runtime runs a model, for commands that look at that.
func (o *engineOptions) addSession(c *cobra.Command) {
	c.Flags().IntVar(&o.session.InterOpThreads, "inter-op-threads", 0, "nodes that ONNX Runtime runs at once; 0 is one after the other")
	c.Flags().StringVar(&o.graphLevel, "graph-level", "all", "how far ONNX Runtime rewrites the graph: all, extended, basic or none")
	c.Flags().BoolVar(&o.session.NoArena, "no-arena", false, "give memory back after each run")
	c.Flags().StringVar(&o.session.Profile, "profile", "", "file that gets ONNX Runtime's profile, for chrome://tracing")
	c.Flags().StringVar(&o.session.OptimizedModel, "optimized-model", "", "file that gets the graph as ONNX Runtime runs it")
	c.Flags().StringSliceVar(&o.warmUp, "warm-up", nil, "shapes to run once before, as 8x128")
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
	return o.checkSession()
}

// checkSession reads the flags of ONNX Runtime.
func (o *engineOptions) checkSession() (err error) {
	if o.session.NoCPUFallback && o.provider == string(ort.CPU) {
		return usagef("--no-cpu-fallback is for a provider other than cpu; name one with --provider")
	}
	if o.session.InterOpThreads < 0 {
		return usagef("inter-op-threads is %d, want 0 or more", o.session.InterOpThreads)
	}
	if o.graphLevel != "" {
		if o.session.GraphOptimization, err = ort.ParseGraphOptimization(o.graphLevel); err != nil {
			return usageError{err}
		}
	}
	o.session.WarmUp = nil
	for _, text := range o.warmUp {
		shape, err := parseShape(text)
		if err != nil {
			return err
		}
		o.session.WarmUp = append(o.session.WarmUp, shape)
	}
	return checkThreads(o.threads)
}

// sessionOptions are those of ONNX Runtime as the flags stand now: a copy of o with another provider has another's.
func (o *engineOptions) sessionOptions() ort.Options {
	session := o.session
	session.Library, session.Provider, session.IntraOpThreads = *o.library, ort.Provider(o.provider), o.threads
	return session
}

// parseShape reads "8x128".
func parseShape(text string) (shape []int, err error) {
	for part := range strings.SplitSeq(text, "x") {
		d, err := strconv.Atoi(part)
		if err != nil || d < 1 {
			return nil, usagef("shape is %q, want numbers of 1 or more with an x between them, as 8x128", text)
		}
		shape = append(shape, d)
	}
	return shape, nil
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
		if err := o.tellFallen(path); err != nil {
			return nil, err
		}
		return ort.Open(path, o.sessionOptions())
	case onnxGo:
		return gonnx.Open(path, gonnx.Options{Threads: threadCount(o.threads)})
	}
	return nil, fmt.Errorf("engine %s runs checkpoints, and %s is a file; give the checkpoint's directory", engine, path)
}

// tellFallen notes how many nodes the provider leaves to the CPU: a run with them is not what was asked for. Where such a
// model is refused there are none, and no run is needed to count them.
func (o *engineOptions) tellFallen(path string) error {
	session := o.sessionOptions()
	if session.Provider == ort.CPU || session.NoCPUFallback {
		return nil
	}
	p, err := ort.Place(path, session, nil)
	if err != nil {
		return err
	}
	note(o.command, "%s: %v", path, p)
	return nil
}

// model is a checkpoint, or an exported file and what lies beside it.
type model struct {
	path      string          // of an .onnx file or of a checkpoint's directory
	session   runtime.Session // nil before it is opened
	config    models.Config
	tokenizer tokenizer.Tokenizer
}

// isFile reports whether the model is an .onnx file.
func (m *model) isFile() bool { return filepath.Ext(m.path) == ".onnx" }

// locate finds the model that is meant by a name, with its configuration and vocabulary, and opens no session.
func (o *engineOptions) locate(c *cobra.Command, name string) (*model, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	path, err := findModel(c, name)
	if err != nil {
		return nil, err
	}
	m := &model{path: path}
	dir := path
	if m.isFile() {
		dir = filepath.Dir(path)
	} else if engine := o.engines[0]; c.Flags().Changed("engine") && engine != nativeEngine {
		return nil, fmt.Errorf("engine %s runs .onnx files, and %s is a directory; export the checkpoint first: albert export %s --out MODEL.onnx",
			engine, path, path)
	}
	if m.config, err = models.ReadConfig(dir); err != nil {
		return nil, err
	}
	if m.tokenizer, err = openTokenizer(dir); err != nil {
		return nil, err
	}
	if m.isFile() {
		if err := checkVocabulary(path); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// openModel opens an .onnx file, or a checkpoint's directory, a run or a model of the hub, which run natively.
func (o *engineOptions) openModel(c *cobra.Command, name string) (*model, error) {
	m, err := o.locate(c, name)
	if err != nil {
		return nil, err
	}
	if m.isFile() {
		m.session, err = o.open(o.engines[0], m.path)
		return m, err
	}
	session, loaded, err := native.Open(m.path, threadCount(o.threads))
	if err != nil {
		return nil, err
	}
	tellLoaded(c, m.path, loaded)
	m.session = session
	return m, nil
}

// findModel returns the path of an .onnx file, or the directory of the checkpoint that is meant by a directory, a run, or a
// name on the hub.
func findModel(c *cobra.Command, name string) (string, error) {
	if info := stat(name); info == nil && filepath.Ext(name) == ".onnx" {
		return "", fmt.Errorf("open model: %s: no such file", name)
	} else if info != nil && !info.IsDir() {
		if filepath.Ext(name) == ".onnx" {
			return name, nil
		}
		return "", fmt.Errorf("open model: %s is neither a checkpoint's directory nor an .onnx file", name)
	}
	return findDirectory(c, name)
}

// findDirectory returns the directory of the checkpoint that is meant by a directory, a run, or a name on the hub.
func findDirectory(c *cobra.Command, name string) (string, error) {
	return models.Find(c.Context(), name, tellDownload(c))
}

// tellDownload returns a function that tells now and then how far a download is, and when it is done.
func tellDownload(c *cobra.Command) models.Progress {
	told := map[string]time.Time{}
	return func(file string, done, total int64) {
		if done < total && time.Since(told[file]) < tellEvery {
			return
		}
		told[file] = time.Now()
		note(c, "%s: %s of %s bytes", file, counted(done), counted(total))
	}
}

// readModel loads a checkpoint to use it as it is, or as another architecture, and notes what of it is not used.
func readModel(c *cobra.Command, dir string, a models.Architecture) (*models.Weights, error) {
	w, loaded, err := models.ReadModel(dir, a)
	if err != nil {
		return nil, err
	}
	tellLoaded(c, dir, loaded)
	return w, nil
}

// tellLoaded notes what of a checkpoint is not as it was in its files.
func tellLoaded(c *cobra.Command, dir string, loaded models.Loaded) {
	if text := loaded.String(); text != "" {
		note(c, "%s: %s", dir, text)
	}
}
