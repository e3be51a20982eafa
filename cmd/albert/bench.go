package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"goalbert/evaluate"
	"goalbert/export"
	"goalbert/models"
	"goalbert/parity"
	"goalbert/runtime/ort"
)

func newBench() *cobra.Command {
	c := &cobra.Command{
		Use:   "bench [MODEL.onnx|CHECKPOINT]...",
		Short: "How long runs take, by batch, length and threads; load time and memory; several models in one run",
		Long: "How long runs take: latency percentiles and tokens a second by batch, length and threads, for each engine; how long\n" +
			"a session takes to load, and how much memory is resident then and after the runs. Each model is in a process of its\n" +
			"own, so that the memory is its own. Several models, or one in several engines, take turns, run by run: what else the\n" +
			"machine does hits all of them, so their ratios to the first can be trusted where their times cannot.\n\n" +
			"A directory is a checkpoint, which runs natively. An .onnx file needs the config.json that albert export writes beside it.\n" +
			"With --preset a model of these shapes with random weights is exported in each --form, and measured too.",
		Args: arguments(cobra.ArbitraryArgs),
	}
	b := &bench{command: c, engine: &engineOptions{}}
	asJSON := jsonFlag(c)
	c.Flags().StringSliceVar(&b.engine.engines, "engine", []string{onnxRuntime}, "that run .onnx files: onnxruntime, onnx-go, or both")
	b.engine.addProvider(c)
	c.Flags().IntSliceVar(&b.threads, "threads", []int{0}, "numbers of threads; 0 is one a processor")
	c.Flags().IntSliceVar(&b.batches, "batch", []int{1, 8}, "numbers of sequences at once")
	c.Flags().IntSliceVar(&b.lengths, "length", []int{32, 128}, "numbers of tokens of a sequence")
	c.Flags().IntVar(&b.runs, "runs", 20, "of each load, after the warm-up")
	c.Flags().IntVar(&b.warmUp, "warm-up-runs", 3, "of each load, which do not count")
	c.Flags().IntVar(&b.loads, "loads", 3, "sessions that are loaded one after the other, of which the fastest counts")
	c.Flags().StringVar(&b.preset, "preset", "", "also measure models of these shapes with random weights: "+strings.Join(models.PresetNames(), ", "))
	c.Flags().StringVar(&b.task, "task", string(models.BaseModel.Task()), "of the preset's models, as albert export has it")
	c.Flags().StringSliceVar(&b.forms, "form", []string{"fp32 unrolled"}, "of the preset's models: "+strings.Join(forms(), ", "))
	table := c.Flags().String("csv", "", "file that gets a line for each model and load")
	plot := c.Flags().String("plot", "", "file that gets a drawing of the latencies, as PNG")
	worker := c.Flags().Bool("worker", false, "be the process that is measured")
	place := c.Flags().Bool("place", false, "as a worker, count the nodes by provider instead")
	c.Flags().MarkHidden("worker")
	c.Flags().MarkHidden("place")
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := b.check(); err != nil {
			return err
		}
		if *worker && len(args) != 1 {
			return usagef("a worker measures one model, and %d are given", len(args))
		}
		if *worker && *place {
			return b.servePlacement(args[0], c.OutOrStdout())
		}
		if *worker {
			return b.serve(c.Context(), args[0], c.InOrStdin(), c.OutOrStdout())
		}
		for i, name := range args {
			var err error
			if args[i], err = findModel(c, name); err != nil {
				return err
			}
		}
		if b.preset != "" {
			dir, err := os.MkdirTemp("", "albert-")
			if err != nil {
				return fmt.Errorf("bench: %w", err)
			}
			defer os.RemoveAll(dir)
			files, err := b.exportPreset(dir)
			if err != nil {
				return err
			}
			args = append(args, files...)
		}
		if len(args) == 0 {
			return usagef("give a model, or a preset for random weights")
		}
		report, err := b.measure(c.Context(), args)
		if err != nil {
			return err
		}
		if *table != "" {
			if err := models.WriteFile(*table, report.writeCSV); err != nil {
				return err
			}
		}
		if *plot != "" {
			if err := models.WriteFile(*plot, report.draw); err != nil {
				return err
			}
		}
		return show(c, *asJSON, report, report.write)
	}
	return c
}

// bench is a run of albert bench.
type bench struct {
	command                   *cobra.Command
	engine                    *engineOptions
	threads, batches, lengths []int
	runs, warmUp, loads       int
	preset, task              string
	forms                     []string
}

// forms names the forms of a file.
func forms() []string {
	var names []string
	for _, o := range export.Cells() {
		names = append(names, o.Form())
	}
	return names
}

// exportPreset writes a model of the preset's shapes with random weights into dir, in each form, and returns the files.
func (b *bench) exportPreset(dir string) ([]string, error) {
	config, err := models.Preset(b.preset)
	if err != nil {
		return nil, usagef("%v", err)
	}
	if config.Architecture, err = models.ParseTask(b.task); err != nil {
		return nil, usagef("%v", err)
	}
	w := parity.RandomWeights(config, 1)
	if err := w.WriteConfig(dir); err != nil {
		return nil, err
	}
	var files []string
	for _, form := range b.forms {
		at := slices.Index(forms(), form)
		if at < 0 {
			return nil, usagef("form is %q, want one of %s", form, strings.Join(forms(), ", "))
		}
		path := filepath.Join(dir, b.preset+" "+form+".onnx")
		o := export.Cells()[at]
		o.Version = version
		if err := export.Write(path, w, o); err != nil {
			return nil, err
		}
		files = append(files, path)
	}
	return files, nil
}

func (b *bench) check() error {
	if err := b.engine.check(); err != nil {
		return err
	}
	for _, n := range b.threads {
		if err := checkThreads(n); err != nil {
			return err
		}
	}
	for flag, list := range map[string][]int{"batch": b.batches, "length": b.lengths, "runs": {b.runs}, "loads": {b.loads}, "warm-up-runs": {b.warmUp + 1}} {
		for _, n := range list {
			if n < 1 {
				return usagef("%s has %d, want more", flag, n)
			}
		}
		if len(list) == 0 {
			return usagef("%s is empty", flag)
		}
	}
	if len(b.threads) == 0 {
		return usagef("threads is empty")
	}
	return nil
}

// benchReport is what was measured.
type benchReport struct {
	Machine  parity.Machine `json:"machine"`
	Sessions []benchSession `json:"sessions"`
	Rows     []benchRow     `json:"rows"`
}

// benchSession is a model in an engine with a number of threads.
type benchSession struct {
	Model    string        `json:"model"`
	Engine   string        `json:"engine"`
	Threads  int           `json:"threads"` // 0 is one a processor
	Load     time.Duration `json:"load_ns"` // the fastest
	Loaded   int64         `json:"resident_loaded"`
	Resident int64         `json:"resident"` // after all runs, in bytes; 0 where the system does not tell
	Peak     int64         `json:"resident_peak"`

	Placement *ort.Placement `json:"placement,omitempty"` // of the nodes, where a provider may leave some to another

	// Ratios to the first session of as many threads: of its load time and its memory after the runs, this session's.
	LoadRatio     float64 `json:"load_ratio"`
	ResidentRatio float64 `json:"resident_ratio"`
}

// benchRow is what a session does with a load.
type benchRow struct {
	Model   string `json:"model"`
	Engine  string `json:"engine"`
	Threads int    `json:"threads"`
	evaluate.Load
	evaluate.Latency
	Speed float64 `json:"speed"` // the best time of the first session of as many threads, divided by this one's
}

// measure measures all models, with one number of threads after the other.
func (b *bench) measure(ctx context.Context, paths []string) (*benchReport, error) {
	report := &benchReport{Machine: thisMachine(b.engine)}
	var entries []entry
	longest := math.MaxInt
	for _, path := range paths {
		list, err := b.entries(path)
		if err != nil {
			return nil, err
		}
		entries = append(entries, list...)
		dir := path
		if list[0].engine != nativeEngine {
			dir = filepath.Dir(path)
		}
		config, err := models.ReadConfig(dir)
		if err != nil {
			return nil, fmt.Errorf("bench: %s: its configuration: %w", path, err)
		}
		longest = min(longest, config.MaxPositionEmbeddings)
	}
	if !b.command.Flags().Changed("length") {
		for i, n := range b.lengths {
			b.lengths[i] = min(n, longest)
		}
		b.lengths = slices.Compact(b.lengths)
	}
	for i, e := range entries {
		var err error
		if entries[i].placement, err = b.place(ctx, e); err != nil {
			return nil, err
		}
		if p := entries[i].placement; p != nil {
			note(b.command, "%s: %v", e.path, p)
		}
	}
	for _, threads := range b.threads {
		if err := b.measureThreads(ctx, report, entries, threads); err != nil {
			return nil, err
		}
	}
	return report, nil
}

// entry is a model in an engine.
type entry struct {
	path, engine string
	placement    *ort.Placement // nil where all nodes are sure to run where they were asked to
}

func (b *bench) entries(path string) ([]entry, error) {
	if isDirectory(path) {
		return []entry{{path: path, engine: nativeEngine}}, nil
	}
	var list []entry
	for _, engine := range b.engine.engines {
		if engine == nativeEngine {
			return nil, usagef("native runs checkpoints, and %s is a file; give the checkpoint's directory as well", path)
		}
		list = append(list, entry{path: path, engine: engine})
	}
	return list, nil
}

// measureThreads adds what the entries do with that many threads.
func (b *bench) measureThreads(ctx context.Context, report *benchReport, entries []entry, threads int) error {
	workers := make([]*benchWorker, len(entries))
	defer func() {
		for _, w := range workers {
			w.kill()
		}
	}()
	first := len(report.Sessions)
	for i := range b.loads {
		for j, e := range entries {
			if workers[j] != nil {
				if _, err := workers[j].end(); err != nil {
					return err
				}
			}
			w, err := b.start(ctx, e, threads)
			if err != nil {
				return err
			}
			workers[j] = w
			if i == 0 && threads == b.threads[0] && w.hello.Loaded != "" {
				note(b.command, "%s: %s", e.path, w.hello.Loaded)
			}
			if i == 0 {
				report.Sessions = append(report.Sessions, benchSession{
					Model: e.path, Engine: w.hello.Engine, Threads: threads, Load: w.hello.Load, Loaded: w.hello.Resident,
					Placement: e.placement,
				})
			}
			s := &report.Sessions[first+j]
			s.Load, s.Loaded = min(s.Load, w.hello.Load), w.hello.Resident
		}
	}
	for _, batch := range b.batches {
		for _, length := range b.lengths {
			rows, err := b.measureLoad(workers, evaluate.Load{Batch: batch, Length: length})
			if err != nil {
				return err
			}
			for j, l := range rows {
				s := report.Sessions[first+j]
				report.Rows = append(report.Rows, benchRow{s.Model, s.Engine, threads, evaluate.Load{Batch: batch, Length: length}, l,
					float64(rows[0].Best) / float64(l.Best)})
			}
		}
	}
	for j, w := range workers {
		s := &report.Sessions[first+j]
		peak, err := w.end()
		if err != nil {
			return err
		}
		s.Resident, s.Peak = w.resident, peak
		s.LoadRatio = float64(s.Load) / float64(report.Sessions[first].Load)
		s.ResidentRatio = float64(s.Resident) / float64(max(1, report.Sessions[first].Resident))
	}
	return nil
}

// measureLoad has the workers take turns.
func (b *bench) measureLoad(workers []*benchWorker, l evaluate.Load) ([]evaluate.Latency, error) {
	times := make([][]time.Duration, len(workers))
	for run := range b.warmUp + b.runs {
		for j, w := range workers {
			t, err := w.run(l)
			if err != nil {
				return nil, err
			}
			if run >= b.warmUp {
				times[j] = append(times[j], t)
			}
		}
	}
	latencies := make([]evaluate.Latency, len(workers))
	for j := range workers {
		latencies[j] = evaluate.NewLatency(l, times[j])
	}
	return latencies, nil
}

// write writes two tables: sessions, and what they do with each load.
func (r *benchReport) write(w io.Writer) {
	fmt.Fprintf(w, "%s, %d threads; ONNX Runtime %s\n\n", r.Machine.Processor, r.Machine.Threads, r.Machine.Library)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "load\tto first\tMB loaded\tMB after runs\tto first\tpeak MB\tthreads\t  session")
	for _, s := range r.Sessions {
		fmt.Fprintf(t, "%s\t%.2f\t%s\t%s\t%.2f\t%s\t%s\t  %s, %s\n", milliseconds(s.Load), s.LoadRatio, megabytes(s.Loaded), megabytes(s.Resident),
			s.ResidentRatio, megabytes(s.Peak), threadsName(s.Threads), shortName(s.Model), s.Engine)
	}
	t.Flush()
	fmt.Fprintln(w)
	fmt.Fprintln(t, "batch\tlength\tbest\tp50\tp90\tp99\ttokens/s\tspeed to first\tthreads\t  session")
	for _, row := range r.Rows {
		fmt.Fprintf(t, "%d\t%d\t%s\t%s\t%s\t%s\t%.0f\t%.2f\t%s\t  %s, %s\n", row.Batch, row.Length, milliseconds(row.Best), milliseconds(row.P50),
			milliseconds(row.P90), milliseconds(row.P99), row.TokensPerSecond, row.Speed, threadsName(row.Threads), shortName(row.Model), row.Engine)
	}
	t.Flush()
}

// shortName leaves the folder of the preset's models out.
func shortName(path string) string {
	if strings.HasPrefix(path, os.TempDir()) {
		return filepath.Base(path)
	}
	return path
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/1e6) }

func megabytes(n int64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f", float64(n)/1e6)
}

func threadsName(n int) string {
	if n == 0 {
		return "all"
	}
	return strconv.Itoa(n)
}

// writeCSV writes a line for each session and load, times in milliseconds and memory in bytes.
func (r *benchReport) writeCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.Write([]string{"model", "engine", "threads", "batch", "length", "runs", "best_ms", "p50_ms", "p90_ms", "p99_ms", "tokens_per_second",
		"speed_to_first", "load_ms", "resident_loaded", "resident", "resident_peak"})
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	ms := func(d time.Duration) string { return number(float64(d) / 1e6) }
	for _, row := range r.Rows {
		var s benchSession
		for _, s = range r.Sessions {
			if s.Model == row.Model && s.Engine == row.Engine && s.Threads == row.Threads {
				break
			}
		}
		out.Write([]string{row.Model, row.Engine, strconv.Itoa(row.Threads), strconv.Itoa(row.Batch), strconv.Itoa(row.Length), strconv.Itoa(row.Runs),
			ms(row.Best), ms(row.P50), ms(row.P90), ms(row.P99), number(row.TokensPerSecond), number(row.Speed), ms(s.Load),
			strconv.FormatInt(s.Loaded, 10), strconv.FormatInt(s.Resident, 10), strconv.FormatInt(s.Peak, 10)})
	}
	out.Flush()
	return out.Error()
}
