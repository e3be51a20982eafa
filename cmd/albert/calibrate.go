package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"goalbert/evaluate"
	"goalbert/export"
	"goalbert/models"
	"goalbert/runtime"
	runtimenative "goalbert/runtime/native"
	"goalbert/runtime/ort"
	"goalbert/tasks"
	"goalbert/tokenizer"
)

// calibration is the flags by which an export finds the matrices that int8 spoils, and proves what the others are worth.
type calibration struct {
	*taskFlags
	command   *cobra.Command
	data      []string
	split     string
	agreement bool
	maxDrop   float64
	seed      uint64
	anyway    bool
	none      bool
	library   *string
	threads   int
}

// bindCalibration adds them; --task of taskFlags is the export's own.
func bindCalibration(c *cobra.Command) *calibration {
	k := &calibration{command: c}
	f := c.Flags()
	f.StringSliceVar(&k.data, "calibrate", nil, "of precision int8: labelled examples (a file, or the directory of a data set that --task names), or a .txt file of texts without labels, one a line; half of them say which matrices stay float32, the other half certifies the file")
	f.Float64Var(&k.maxDrop, "max-drop", 1, "points (hundredths) by which the score may be below that of fp32, with 95 % confidence; without --calibrate it is the agreement with fp32 on random pieces of the vocabulary")
	f.BoolVar(&k.agreement, "agreement", false, "calibrate on how often the predictions are those of fp32, not on labels")
	f.StringVar(&k.split, "calibrate-split", tasks.Dev, "of the directory of a data set: dev, test or train")
	f.Uint64Var(&k.seed, "calibrate-seed", 1, "of the halves, the bootstrap and random pieces")
	f.BoolVar(&k.anyway, "write-uncertified", false, "write the file although it is not certified; it says so")
	f.BoolVar(&k.none, "no-calibration", false, "of precision int8: no note that the file is not calibrated")
	k.taskFlags = bindTask(f, "task", "what the file is for, as feature-extraction or fill-mask, or what --calibrate is of, as glue/sst2; otherwise by the checkpoint's architecture")
	k.library = libraryFlag(c)
	f.IntVar(&k.threads, "threads", 0, "of a calibration; 0 is one a processor")
	return k
}

// asked reports whether a calibration is meant.
func (k *calibration) asked() bool {
	return k.command.Flags().Changed("calibrate") || k.command.Flags().Changed("max-drop")
}

// check refuses flags that do not go together.
func (k *calibration) check(o export.Options) error {
	if k.none && (k.asked() || o.Precision != export.INT8) {
		return usagef("--no-calibration is of precision %s, without --calibrate and --max-drop", export.INT8)
	}
	if !k.asked() {
		for _, name := range []string{"agreement", "calibrate-split", "calibrate-seed", "write-uncertified"} {
			if k.command.Flags().Changed(name) {
				return usagef("--%s is of a calibration; ask for one with --calibrate DATA or --max-drop POINTS", name)
			}
		}
		return nil
	}
	if o.Precision != export.INT8 {
		return usagef("--calibrate and --max-drop are of precision %s, the precision is %s", export.INT8, o.Precision)
	}
	if !(k.maxDrop >= 0 && k.maxDrop < 100) {
		return usagef("max-drop is %v, want 0 or more and less than 100 points", k.maxDrop)
	}
	if k.agreement && len(k.data) == 0 {
		return usagef("--agreement is of the examples of --calibrate; without them there is nothing else")
	}
	return checkThreads(k.threads)
}

// calibrated is what a calibration found.
type calibrated struct {
	Data []string `json:"data"` // none are random pieces
	Seed uint64   `json:"seed"`

	// Where it was measured: another processor or library may add and round otherwise.
	Processor string   `json:"processor"`
	Features  []string `json:"features"`
	Library   string   `json:"onnx_runtime"`

	*evaluate.Certificate
}

// lack is why an int8 file of a checkpoint cannot be measured here; empty where it can.
func (k *calibration) lack(checkpoint string, o export.Options) string {
	if o.Target == export.VNNI && !hasVNNI() {
		return "this processor has no VNNI (albert doctor), so what it computes says nothing of target vnni; export where there is one, or without --target"
	}
	if _, err := ort.Find(*k.library); err != nil {
		return err.Error()
	}
	if _, err := tokenizer.Find(checkpoint); err != nil {
		return "the checkpoint has no vocabulary"
	}
	return ""
}

// runIfAsked calibrates where that is asked for; nil is that it is not. An int8 file that is not calibrated says so.
func (k *calibration) runIfAsked(checkpoint string, w *models.Weights, o *export.Options) (*calibrated, error) {
	if o.Precision != export.INT8 {
		return nil, nil
	}
	if k.asked() {
		if lack := k.lack(checkpoint, *o); lack != "" {
			return nil, fmt.Errorf("export: nothing can be certified: %s", lack)
		}
		return k.run(checkpoint, w, o)
	}
	if !k.none {
		note(k.command, "not calibrated: int8 can spoil every answer, and nobody has looked; measure it with --calibrate DATA, "+
			"or its agreement with fp32 on random sequences with --max-drop POINTS")
	}
	o.Certification = export.NotCalibrated
	return nil, nil
}

// run finds what of w is kept, beside what o keeps in any case. A file that fails is refused, or o says that it is not
// certified.
func (k *calibration) run(checkpoint string, w *models.Weights, o *export.Options) (*calibrated, error) {
	t, err := openTokenizer(checkpoint)
	if err != nil {
		return nil, err
	}
	q := &evaluate.Quantization{
		Config: w.Config, Reference: runtimenative.New(w, threadCount(k.threads)), MaxDrop: k.maxDrop, Seed: k.seed,
		Table: true, Anyway: k.anyway,
		Tell: func(what string, s *evaluate.HalfScore) {
			note(k.command, "%s: a drop of %.2f points, changed predictions: %s", what, zeroed(s.Drop), counted(s.Changed))
		},
	}
	if err := k.halves(q, t); err != nil {
		return nil, err
	}
	for _, p := range export.Matrices(w.Config) {
		if !slices.Contains(o.Keep, p.Name) {
			q.Matrices = append(q.Matrices, evaluate.Matrix{Name: p.Name, Saved: int64(3*p.Size() - 4*p.Shape[0])})
		}
	}
	folder, err := os.MkdirTemp("", "albert-calibrate-*")
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	defer os.RemoveAll(folder)
	always := o.Keep
	q.Open = func(keep []string) (runtime.Session, error) {
		tried := *o
		tried.Keep = slices.Concat(always, keep)
		path := filepath.Join(folder, "model.onnx")
		if err := export.Write(path, w, tried); err != nil {
			return nil, err
		}
		return ort.Open(path, ort.Options{Library: *k.library, IntraOpThreads: k.threads})
	}
	c, err := q.Run(k.command.Context())
	if err != nil {
		return nil, err
	}
	m := thisMachine(&engineOptions{library: k.library, threads: k.threads})
	result := &calibrated{Data: k.data, Seed: k.seed, Processor: m.Processor, Features: m.Features, Library: m.Library, Certificate: c}
	if library, err := ort.Find(*k.library); err == nil {
		result.Library = library.Version // without the path, which is this machine's
	}
	o.Keep = slices.Concat(always, c.Keep)
	o.Certification = export.Certified
	if !c.Certified {
		o.Certification = export.NotCertified
	}
	text, err := json.Marshal(result)
	if err != nil {
		return nil, fmt.Errorf("export: calibration: %w", err)
	}
	o.Calibration = string(text)
	return result, nil
}

// halves reads the examples, or draws some, and divides them.
func (k *calibration) halves(q *evaluate.Quantization, t tokenizer.Tokenizer) error {
	if len(k.data) == 0 {
		q.Search = evaluate.RandomSequences(q.Config, t, drawnSequences/2, 2*k.seed)
		q.Certify = evaluate.RandomSequences(q.Config, t, drawnSequences/2, 2*k.seed+1)
		return nil
	}
	task, labelled, err := k.reader(q.Config)
	if err != nil {
		return err
	}
	if len(k.data) == 1 && isDirectory(k.data[0]) {
		if k.data, err = k.files(nil, k.data[0], k.split); err != nil {
			return err
		}
	}
	set, err := k.load(k.command, task, t, labelled, k.data...)
	if err != nil {
		return err
	}
	if labelled {
		q.Task = task
		if !set.Examples[0].Labelled {
			return fmt.Errorf("export: %s: the examples have no values to be compared with; add a column of them, or calibrate with --agreement",
				set.Examples[0].Place)
		}
	}
	first, second, err := evaluate.Halves(set.Examples, k.seed)
	if err != nil {
		return err
	}
	q.Search, q.Certify = &tasks.Set{Examples: first}, &tasks.Set{Examples: second}
	return cmp.Or(q.Search.Encode(task, t), q.Certify.Encode(task, t))
}

// drawnSequences are how many are drawn without data: if none in one half differs, a drop of 0.36 points is certified.
const drawnSequences = 2048

// reader returns the task that reads the examples, and whether they are labelled. Those of a model that answers no task, and
// texts of an encoder, are read as texts of a classification.
func (k *calibration) reader(c models.Config) (tasks.Task, bool, error) {
	plain := k.agreement || !slices.ContainsFunc(k.data, func(path string) bool { return filepath.Ext(path) != ".txt" })
	if !plain && slices.ContainsFunc(k.data, func(path string) bool { return filepath.Ext(path) == ".txt" }) {
		return nil, false, usagef("--calibrate has files with and without labels (.txt); give one kind, or --agreement")
	}
	if plain {
		c.TaskParams.Texts = 0 // what is compared are the outputs for whatever text
	}
	if c.Architecture.HasPredictions() && !plain {
		return nil, false, fmt.Errorf("export: an %s answers no task with labels; calibrate on the agreement of its predictions (--agreement, or a .txt file)",
			c.Architecture)
	}
	if _, err := models.ParseTask(k.name); err == nil {
		k.name = "" // of the file; its data are those of its architecture
	}
	if c.Architecture.HasPredictions() || c.Architecture == models.BaseModel && plain {
		k.name = "classification"
		task, err := k.new(c)
		return task, false, err
	}
	task, err := k.of(c, k.data...)
	return task, !plain, err
}

// refusal is why a model is not written, or what is wrong with it.
func (r *calibrated) refusal() error {
	switch {
	case r.Certified:
		return nil
	case r.TooFew && r.Needed == 0:
		return fmt.Errorf("export: not certified: no number of examples would show a drop of at most %v points; allow a larger --max-drop, or write the file with --write-uncertified",
			r.MaxDrop)
	case r.TooFew:
		return fmt.Errorf("export: not certified: %s examples are too few: if no prediction changed, half of them would show a drop of at most %.2f points, not of %.2f; give %s or more, allow a larger --max-drop, or write the file with --write-uncertified",
			counted(r.Searched+r.Examples), r.Least, r.MaxDrop, counted(r.Needed))
	case r.NothingIn:
		return errors.New("export: nothing can be int8: with any matrix rounded the drop exceeds the limit; export with --precision fp16, or allow a larger --max-drop")
	case r.Score.Drop > r.MaxDrop:
		return fmt.Errorf("export: not certified: on the %s examples that were not searched the %s drops by %.2f points, %.2f are allowed; calibrate on more data, keep more (--keep), or allow a larger --max-drop",
			counted(r.Examples), r.Measure, r.Score.Drop, r.MaxDrop)
	case r.Needed == 0:
		return fmt.Errorf("export: not certified: the %s drops by %.2f points, which are allowed, but by up to %.2f with 95 %% confidence, and no number of examples would make that %.2f; allow a larger --max-drop",
			r.Measure, r.Score.Drop, r.Upper, r.MaxDrop)
	}
	return fmt.Errorf("export: not certified: the %s drops by %.2f points, which are allowed, but by up to %.2f with 95 %% confidence; about %s examples would show that it is at most %.2f, there are %s",
		r.Measure, r.Score.Drop, r.Upper, counted(r.Needed), r.MaxDrop, counted(r.Searched+r.Examples))
}

// write says what was found, and why.
func (r *calibrated) write(w io.Writer) {
	of := strings.Join(r.Data, ", ")
	if len(r.Data) == 0 {
		of = "random pieces of the vocabulary, which are no text: give some with --calibrate"
	}
	measure := r.Measure
	if measure == evaluate.AgreementMeasure {
		measure = "agreement with fp32"
	}
	fmt.Fprintf(w, "calibrated on the %s, %s examples of %s\n", measure, counted(r.Searched+r.Examples), of)
	if r.TooFew {
		return
	}
	fmt.Fprintf(w, "all in int8, on %s of them: %.2f, in fp32 %.2f: a drop of %.2f points, changed predictions: %s\n",
		counted(r.Searched), r.Whole.INT8, r.Whole.FP32, zeroed(r.Whole.Drop), counted(r.Whole.Changed))
	for i, round := range r.Rounds {
		if len(round.Restored) == 0 {
			continue
		}
		width := 0
		for _, m := range round.Restored {
			width = max(width, len(m.Matrix))
		}
		fmt.Fprintf(w, "%s:\n  %-*s %10s %8s %8s %8s\n", heading(i, round), width, "", "saves kB", "drop", "changed", "error")
		for _, m := range round.Restored {
			fmt.Fprintf(w, "  %-*s %10.1f %8.2f %8s %7.2f%%\n", width, m.Matrix, float64(m.Saved)/1e3, zeroed(m.Drop), counted(m.Changed), 100*m.Error)
		}
		switch {
		case round.Chosen == "":
		case round.Upper != nil && round.Drop <= r.MaxDrop:
			fmt.Fprintf(w, "  the drop of %.2f may be %.2f with 95 %% confidence, which exceeds %.2f: %s stays float32\n",
				zeroed(round.Drop), *round.Upper, r.MaxDrop, round.Chosen)
		default:
			fmt.Fprintf(w, "  the drop of %.2f exceeds %.2f: %s stays float32\n", round.Drop, r.MaxDrop, round.Chosen)
		}
	}
	if r.Short {
		kept := "nothing"
		if len(r.Keep) > 0 {
			kept = strings.Join(r.Keep, ", ")
		}
		fmt.Fprintf(w, "no choice makes that certain; the first is taken whose drop is within %.2f: %s stays float32\n", r.MaxDrop, kept)
	}
	if r.Score == nil {
		return
	}
	verdict := "certified"
	if !r.Certified {
		verdict = "NOT CERTIFIED"
	}
	fmt.Fprintf(w, "%s on the %s others: %.2f, in fp32 %.2f: a drop of %.2f points, with 95 %% confidence %.2f to %.2f (%s); %.2f are allowed\n",
		verdict, counted(r.Examples), r.Score.INT8, r.Score.FP32, zeroed(r.Score.Drop), zeroed(r.Lower), r.Upper, r.Interval, r.MaxDrop)
}

// heading is that of the table of a round.
func heading(i int, round evaluate.Round) string {
	if i == 0 {
		return "with one matrix in float32, the others in int8"
	}
	return fmt.Sprintf("with one more than %s", strings.Join(round.Keep, ", "))
}

// zeroed is x without the sign of a zero.
func zeroed(x float64) float64 {
	if math.Abs(x) < 0.005 {
		return 0
	}
	return x
}
