package main

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"goalbert/models"
	"goalbert/tasks"
	"goalbert/train"
)

// prepare finds the model to start from, reads the examples, and settles what is trained.
func (f *finetuning) prepare() error {
	f.hyperparameters = tasks.Defaults(f.name)
	f.fill()
	there, vocabulary, err := f.starting.open(f.command)
	if err != nil && f.resume && f.model != "" {
		return fmt.Errorf("%w; it is what the run began with, and its vocabulary and labels are wanted again: name it where it is now (--model)", err)
	}
	if err != nil {
		return err
	}
	f.vocabulary = vocabulary
	if f.task, err = f.new(there); err != nil {
		return err
	}
	if err := f.read(); err != nil {
		return err
	}
	if err := f.learn(there); err != nil {
		return err
	}
	if err := f.readDev(); err != nil {
		return err
	}
	if f.start.HiddenDropoutProb, f.start.AttentionProbsDropoutProb = f.dropout, f.dropout; f.dropout < 0 {
		f.start.HiddenDropoutProb, f.start.AttentionProbsDropoutProb = f.hyperparameters.Dropout, f.hyperparameters.Dropout
	}
	if f.start.ClassifierDropoutProb = f.classifierDrop; f.classifierDrop < 0 {
		f.start.ClassifierDropoutProb = f.hyperparameters.ClassifierDropout
	}
	if err := encode(f.command, f.task, f.vocabulary, f.training, "training examples"); err != nil {
		return err
	}
	f.examples, f.training.Examples, f.labelled = len(f.training.Examples), nil, nil // their features are all that is trained on
	if len(f.tested.Examples) == 0 {
		note(f.command, "there are no dev examples (--dev, --dev-share): the last weights become the model")
		return nil
	}
	return encode(f.command, f.task, f.vocabulary, f.tested, "dev examples")
}

// read reads the examples to train on, and holds out of them those that are to be dev examples.
func (f *finetuning) read() error {
	files, err := f.files(f.train, f.data, tasks.Train)
	if err != nil {
		return err
	}
	if f.training, err = tasks.Load(f.task, true, f.skipBad, files...); err != nil {
		return err
	}
	f.tested, f.labelled = &tasks.Set{}, f.training.Examples
	share := f.devShare
	if share == 0 && len(f.dev) == 0 && f.data != "" {
		share = tasks.DevShare(f.name)
	}
	if share != 0 {
		if f.training.Examples, f.tested.Examples, err = tasks.HoldOut(f.labelled, share, f.devSeed); err != nil {
			return err
		}
		note(f.command, "%s of %s training examples are held out as dev examples, of each class its share; labels are those of all",
			counted(len(f.tested.Examples)), counted(len(f.labelled)))
		return nil
	}
	return nil
}

// readDev reads the dev examples, unless they were held out, now that the task knows how the training examples are.
func (f *finetuning) readDev() error {
	if len(f.tested.Examples) > 0 {
		return nil
	}
	files, err := f.files(f.dev, f.data, tasks.Dev)
	if err != nil || len(files) == 0 {
		return err
	}
	f.tested, err = tasks.Load(f.task, true, f.skipBad, files...)
	return err
}

// learn finds the labels. A model that has been fine-tuned for the same ones keeps their order, and their names where the
// examples number them.
func (f *finetuning) learn(there models.Config) (err error) {
	if err := f.task.Learn(f.labelled); err != nil {
		return err
	}
	if f.start, err = f.task.Configure(there); err != nil {
		return err
	}
	known, found := there.Labels.Names(), f.start.Labels.Names()
	if f.labels != "" || there.Architecture != f.start.Architecture || !sameNames(known, found) && !numbered(found, known) {
		return nil
	}
	f.taskFlags.options.Labels = known
	if f.task, err = f.new(there); err != nil {
		return err
	}
	if err := f.task.Learn(f.labelled); err != nil {
		return err
	}
	f.start, err = f.task.Configure(there)
	return err
}

// numbered reports whether names are the numbers of labels, from 0, which are called otherwise.
func numbered(names, labels []string) bool {
	if len(names) != len(labels) {
		return false
	}
	for i, name := range names { // sorted by value
		number := strconv.Itoa(i)
		if _, err := strconv.Atoi(labels[i]); err == nil || name != number || labels[i] == "LABEL_"+number {
			return false
		}
	}
	return true
}

func sameNames(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// weights returns those that the run begins with: of its newest checkpoint, which the options get, of the model to
// start from, or random ones.
func (f *finetuning) weights(o *train.FinetuneOptions) (_ *models.Weights, err error) {
	if f.resume {
		if o.Resume, err = train.FindCheckpoint(o.Directory); err != nil {
			return nil, err
		}
		if o.Resume != nil {
			return o.Resume.ReadWeights(f.start)
		}
	}
	return f.starting.weights(f.command, f.start, o.Seed)
}

// holdsFinetuning reports whether a directory has a run that has begun to train, or several.
func holdsFinetuning(directory string) bool {
	for _, run := range []string{"", models.RunSeed + "*/"} {
		for _, part := range []string{train.CheckpointsDirectory, train.ModelDirectory} {
			found, err := fs.Glob(os.DirFS(directory), run+part+"/[^.]*")
			if err == nil && len(found) > 0 {
				return true
			}
		}
	}
	return false
}
