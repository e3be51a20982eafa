package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"goalbert/corpus"
	"goalbert/evaluate"
	"goalbert/models"
	"goalbert/train"
)

// evaluation is what albert eval finds.
type evaluation struct {
	Engine           string   `json:"engine"`
	Sequences        int      `json:"sequences"`
	Tokens           int      `json:"tokens"`
	MaskedTokens     int      `json:"masked_tokens"`
	MaskedLMLoss     float64  `json:"masked_lm_loss"` // nats a masked token
	MaskedLMAccuracy float64  `json:"masked_lm_accuracy"`
	UnigramLoss      float64  `json:"unigram_loss,omitempty"` // the reference on the same tokens, where the run is known
	SentenceLoss     *float64 `json:"sentence_loss,omitempty"`
	SentenceAccuracy *float64 `json:"sentence_accuracy,omitempty"`
	Seconds          float64  `json:"seconds"`
}

func newEval() *cobra.Command {
	c := &cobra.Command{
		Use:   "eval MODEL (--data FILE [--task TASK] | --corpus FILE [--run DIRECTORY])",
		Short: "The task's metric, or masked-LM and sentence losses and accuracies, of a checkpoint natively, or of an .onnx in any engine",
		Long: "With --data the scores of a fine-tuned model on labelled examples, by the metric of its task; an .onnx in each\n" +
			"engine that --engine names. --agree-with compares every prediction with the checkpoint's own: exit code 1 if one\n" +
			"differs that is no tie within the tolerance of the file's precision.\n\n" +
			"With --corpus the masked-LM and sentence losses and accuracies of a pre-trained model.",
		Args: arguments(cobra.ExactArgs(1)),
	}
	asJSON := jsonFlag(c)
	engine := engineFlags(c, "that runs an .onnx: onnxruntime or onnx-go; with --data also both", onnxRuntime)
	onTask := bindTaskEvaluation(c)
	files := c.Flags().StringSlice("corpus", nil, "text, a sentence a line and a blank line between documents or as --format says, or a directory of shards")
	text := corpus.DefaultTextOptions()
	textFlags(c.Flags(), &text)
	run := c.Flags().String("run", "", "a run of albert pretrain: evaluate on the documents of the corpus that it held out")
	length := c.Flags().Int("sequence-length", 0, "most tokens of a sequence; 0 is as many as the model takes")
	limit := c.Flags().Int("sequences", 512, "most sequences, without --run")
	objective := c.Flags().String("objective", string(train.SOP), "sentence objective, without --run: sop, nsp or none")
	c.MarkFlagsMutuallyExclusive("corpus", "data")
	c.RunE = func(c *cobra.Command, args []string) error {
		if onTask.asked() {
			return onTask.run(c, args[0], engine, *asJSON)
		}
		if len(*files) == 0 {
			return usagef("--data or --corpus is missing: examples of a task, or text")
		}
		m, err := engine.openModel(c, args[0])
		if err != nil {
			return err
		}
		defer m.session.Close()
		tokens, err := openCorpus(c, *files, text, m.tokenizer, threadCount(engine.threads))
		if err != nil {
			return err
		}
		data := train.NewData(tokens, m.tokenizer)
		var batches []*models.Batch
		result := evaluation{Engine: m.session.Engine()}
		if *run != "" {
			checkpoint, err := findCheckpoint(*run)
			if err != nil {
				return err
			}
			got, err := train.Fingerprint(tokens)
			if err != nil {
				return err
			}
			if got != checkpoint.State.Data {
				return fmt.Errorf("eval: the corpus is not the one of %s: SHA-256 of its tokens begins with %.16s, want %.16s; "+
					"give the same files, or leave --run out", *run, got, checkpoint.State.Data)
			}
			held, plan, err := train.HeldOut(data, checkpoint.State.Options)
			if err != nil {
				return err
			}
			batches, result.UnigramLoss = held, plan.UnigramLoss
		} else {
			o, err := train.Defaults(models.AdamW)
			if err != nil {
				return err
			}
			o.HeldOutSequences, o.Objective = *limit, train.Objective(*objective)
			if o.SequenceLength = *length; o.SequenceLength == 0 {
				o.SequenceLength = m.config.MaxPositionEmbeddings
			}
			if m.config.Architecture != models.ForPreTraining {
				o.Objective = train.NoSentences
			}
			if batches, err = train.All(data, o); err != nil {
				return err
			}
		}
		began := time.Now()
		losses, err := evaluate.Pretraining(c.Context(), m.session, m.config, slices.Values(batches))
		if err != nil {
			return err
		}
		if math.IsNaN(losses.MaskedLM) {
			return fmt.Errorf("eval: the masked-LM loss is NaN; the weights are damaged or the training diverged")
		}
		result.add(batches, losses, time.Since(began))
		return show(c, *asJSON, result, result.write)
	}
	return c
}

// findCheckpoint returns the newest checkpoint of a run.
func findCheckpoint(run string) (*train.Checkpoint, error) {
	checkpoint, err := train.FindCheckpoint(run)
	if err == nil && checkpoint == nil {
		err = fmt.Errorf("%s holds no checkpoint of a run; give the --out of albert pretrain", run)
	}
	return checkpoint, err
}

func (e *evaluation) add(batches []*models.Batch, l models.Losses, took time.Duration) {
	for _, b := range batches {
		e.Sequences += b.Sequences()
		e.Tokens += b.Tokens()
	}
	e.MaskedTokens = l.MaskedTokens
	e.MaskedLMLoss = l.MaskedLM / float64(l.MaskedTokens)
	e.MaskedLMAccuracy = float64(l.MaskedCorrect) / float64(l.MaskedTokens)
	if l.Sentences > 0 {
		loss, accuracy := l.Sentence/float64(l.Sentences), float64(l.SentenceCorrect)/float64(l.Sentences)
		e.SentenceLoss, e.SentenceAccuracy = &loss, &accuracy
	}
	e.Seconds = took.Seconds()
}

func (e *evaluation) write(w io.Writer) {
	fmt.Fprintf(w, "%s: %d sequences, %s tokens in %.1f s\n", e.Engine, e.Sequences, counted(e.Tokens), e.Seconds)
	fmt.Fprintf(w, "masked LM: loss %.4f nats, accuracy %.2f %% of %s tokens", e.MaskedLMLoss, 100*e.MaskedLMAccuracy, counted(e.MaskedTokens))
	if e.UnigramLoss > 0 {
		fmt.Fprintf(w, " (the unigram model of the training text: %.4f nats)", e.UnigramLoss)
	}
	fmt.Fprintln(w)
	if e.SentenceAccuracy != nil {
		fmt.Fprintf(w, "sentences: loss %.4f, accuracy %.1f %%\n", *e.SentenceLoss, 100**e.SentenceAccuracy)
	}
}
