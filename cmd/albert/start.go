package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"goalbert/models"
	"goalbert/tokenizer"
)

// starting is the flags of what a training starts from: a model with its vocabulary, or a vocabulary and the sizes of a
// model whose weights are drawn.
type starting struct {
	model, tokenizer, preset, config string
	directory                        string // of the checkpoint that model means; empty are random weights
}

// open returns the configuration of the model to start from, with its vocabulary.
func (s *starting) open(c *cobra.Command) (config models.Config, t tokenizer.Tokenizer, err error) {
	from := s.tokenizer
	if s.model != "" {
		if s.directory, err = findDirectory(c, s.model); err != nil {
			return config, nil, err
		}
		from = s.directory
	}
	if t, err = openTokenizer(from); err != nil {
		return config, nil, err
	}
	if s.model != "" {
		config, err = models.ReadConfig(s.directory)
		return config, t, err
	}
	if config, err = configuration(s.preset, s.config, t.VocabSize()); err != nil {
		return config, nil, err
	}
	if err := vocabularyFits(t, config.VocabSize); err != nil {
		return config, nil, fmt.Errorf("%w; set vocab_size to the tokenizer's", err)
	}
	return config, t, nil
}

// weights returns those of the model to start from, as one of configuration config, and notes what is new and what is
// not used; or random ones.
func (s *starting) weights(c *cobra.Command, config models.Config, seed uint64) (*models.Weights, error) {
	if s.directory == "" {
		w := models.NewWeights(config)
		w.Initialize(seed)
		return w, nil
	}
	w, loaded, err := models.ReadAs(s.directory, config, seed)
	if err != nil {
		return nil, err
	}
	tellLoaded(c, s.directory, loaded)
	return w, nil
}

// configuration returns that of a file, or of a preset with a vocabulary of that size.
func configuration(preset, file string, vocabSize int) (models.Config, error) {
	if file == "" {
		config, err := models.Preset(preset)
		config.VocabSize = vocabSize
		return config, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return models.Config{}, fmt.Errorf("read configuration: %w", err)
	}
	config, err := models.ParseConfig(text)
	if err != nil {
		return config, fmt.Errorf("read %s: %w", file, err)
	}
	return config, nil
}
