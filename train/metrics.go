package train

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"goalbert/models"
	"goalbert/tasks"
)

// MetricsFile is the name of the metrics in a run's directory: one JSON object a line, one line a step.
const MetricsFile = "metrics.jsonl"

// Scores are means over some sequences.
type Scores struct {
	MaskedLMLoss     float64 `json:"masked_lm_loss"` // nats a masked token
	MaskedLMAccuracy float64 `json:"masked_lm_accuracy"`
	*SentenceScores          // nil without a sentence objective
}

// SentenceScores are those of the sentence objective.
type SentenceScores struct {
	SentenceLoss     float64 `json:"sentence_loss"`
	SentenceAccuracy float64 `json:"sentence_accuracy"`
}

// TaskScores are means over the labels of a step of fine-tuning.
type TaskScores struct {
	Loss     float64  `json:"loss"`
	Accuracy *float64 `json:"accuracy,omitempty"` // nil of values, which are not right or wrong
}

// newScores divides sums by their counts.
func newScores(l models.Losses) *Scores {
	masked := float64(max(1, l.MaskedTokens))
	s := &Scores{MaskedLMLoss: l.MaskedLM / masked, MaskedLMAccuracy: float64(l.MaskedCorrect) / masked}
	if n := float64(l.Sentences); n > 0 {
		s.SentenceScores = &SentenceScores{SentenceLoss: l.Sentence / n, SentenceAccuracy: float64(l.SentenceCorrect) / n}
	}
	return s
}

// Metrics is a line of metrics.jsonl: an optimizer step, or, with step 0, the model before the first.
type Metrics struct {
	Step            int          `json:"step"`
	*Scores                      // of the step's sequences, with dropout; nil at step 0 and of fine-tuning
	*TaskScores                  // the same of fine-tuning
	LearningRate    float64      `json:"learning_rate"`
	GradNorm        float64      `json:"grad_norm"` // before clipping
	Tokens          int64        `json:"tokens"`    // seen since the start of the run
	TokensPerSecond float64      `json:"tokens_per_second"`
	Seconds         float64      `json:"seconds"`            // since the start of the run, interruptions not counted
	HeldOut         *Scores      `json:"held_out,omitempty"` // where the step was followed by an evaluation
	Dev             tasks.Scores `json:"dev,omitempty"`      // the same of fine-tuning
}

// loss returns that of the step, if it was one.
func (m *Metrics) loss() (float64, bool) {
	switch {
	case m.Scores != nil:
		return m.MaskedLMLoss, true
	case m.TaskScores != nil:
		return m.Loss, true
	}
	return 0, false
}

// metricsLog appends lines to metrics.jsonl and remembers them for the curves.
type metricsLog struct {
	file  *os.File
	lines []Metrics
}

// openMetrics opens the metrics of a run that stands at step, after cutting off what lies beyond it: lines of later
// steps, and what a crash left half-written.
func openMetrics(directory string, step int) (*metricsLog, error) {
	path := filepath.Join(directory, MetricsFile)
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("train: read metrics: %w", err)
	}
	lines, kept := parseMetrics(text, step)
	err = models.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(text[:kept])
		return err
	})
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, fmt.Errorf("train: write metrics: %w", err)
	}
	return &metricsLog{file: f, lines: lines}, nil
}

// parseMetrics returns the lines up to that of step and how many bytes they take.
func parseMetrics(text []byte, step int) (lines []Metrics, kept int) {
	for kept < len(text) {
		end := bytes.IndexByte(text[kept:], '\n')
		var m Metrics
		if end < 0 || json.Unmarshal(text[kept:kept+end], &m) != nil || m.Step > step {
			break
		}
		lines = append(lines, m)
		kept += end + 1
	}
	return lines, kept
}

// ReadMetrics reads the metrics of a run's directory.
func ReadMetrics(directory string) ([]Metrics, error) {
	f, err := os.Open(filepath.Join(directory, MetricsFile))
	if err != nil {
		return nil, fmt.Errorf("train: read metrics: %w", err)
	}
	defer f.Close()
	var lines []Metrics
	scanner := bufio.NewScanner(f)
	for scanner.Scan() {
		var m Metrics
		if err := json.Unmarshal(scanner.Bytes(), &m); err != nil {
			return nil, fmt.Errorf("train: read %s: line %d is not a JSON object of metrics: %w", f.Name(), len(lines)+1, err)
		}
		lines = append(lines, m)
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("train: read metrics: %w", err)
	}
	return lines, nil
}

func (l *metricsLog) add(m Metrics) error {
	text, err := json.Marshal(m)
	if err == nil {
		_, err = l.file.Write(append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("train: write metrics: step %d: %w", m.Step, err)
	}
	l.lines = append(l.lines, m)
	return nil
}

// removeLast cuts the last line off, whose step is to be told anew.
func (l *metricsLog) removeLast(directory string) error {
	step := l.lines[len(l.lines)-1].Step
	l.close()
	fresh, err := openMetrics(directory, step-1)
	if err == nil {
		*l = *fresh
	}
	return err
}

// sync makes sure that the lines are on the disk, before a checkpoint that goes with them.
func (l *metricsLog) sync() error {
	if err := l.file.Sync(); err != nil {
		return fmt.Errorf("train: write metrics: %w", err)
	}
	return nil
}

func (l *metricsLog) close() error { return l.file.Close() }
