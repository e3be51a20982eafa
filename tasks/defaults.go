package tasks

// Hyperparameters are those of a fine-tuning. Either the steps are known or the epochs, and the warm-up is in steps or
// as a share of all.
type Hyperparameters struct {
	LearningRate      float64
	BatchSize         int     // sequences of a step; of multiple choice and similarity, examples
	Steps             int     // 0 is by Epochs
	Epochs            float64 // 0 is by Steps
	WarmupSteps       int
	WarmupShare       float64 // of all steps
	MaxLength         int     // most tokens of a sequence
	Dropout           float64 // of the encoder
	ClassifierDropout float64
}

// table14 are the hyper-parameters that the paper fine-tuned with (arXiv:1909.11942, table 14): learning rate, batch,
// dropout of ALBERT and of the classifier, steps, warm-up steps, longest sequence.
var table14 = map[string]Hyperparameters{
	"glue/cola": {1e-5, 16, 5336, 0, 320, 0, 512, 0, 0.1},
	"glue/stsb": {2e-5, 16, 3598, 0, 214, 0, 512, 0, 0.1},
	"glue/sst2": {1e-5, 32, 20935, 0, 1256, 0, 512, 0, 0.1},
	"glue/mnli": {3e-5, 128, 10000, 0, 1000, 0, 512, 0, 0.1},
	"glue/qnli": {1e-5, 32, 33112, 0, 1986, 0, 512, 0, 0.1},
	"glue/qqp":  {5e-5, 128, 14000, 0, 1000, 0, 512, 0.1, 0.1},
	"glue/rte":  {3e-5, 32, 800, 0, 200, 0, 512, 0.1, 0.1},
	"glue/mrpc": {2e-5, 32, 800, 0, 200, 0, 512, 0, 0.1},
	"glue/wnli": {2e-5, 16, 2000, 0, 250, 0, 512, 0.1, 0.1},
	"squad":     {5e-5, 48, 3649, 0, 365, 0, 384, 0, 0.1},
	"squad2":    {3e-5, 48, 8144, 0, 814, 0, 512, 0, 0.1},
	"race":      {2e-5, 32, 12000, 0, 1000, 0, 512, 0.1, 0.1},
}

// Defaults returns the hyper-parameters of a task: those of the paper's table 14, and for tasks that it has not, the
// usual ones of the field: three epochs in batches of 32 with a tenth of warm-up. Of a question's own data those of
// SQuAD hold, but for the steps.
func Defaults(name string) Hyperparameters {
	if name == "glue/mnli-mm" {
		name = "glue/mnli"
	}
	if h, ok := table14[name]; ok {
		return h
	}
	h := Hyperparameters{
		LearningRate: 5e-5, BatchSize: 32, Epochs: 3, WarmupShare: 0.1, MaxLength: 512, ClassifierDropout: 0.1,
	}
	switch name {
	case "question-answering":
		h.BatchSize, h.MaxLength = 48, 384
	case "multiple-choice":
		h.LearningRate = 2e-5
	case "similarity", "similarity/stsb":
		h.LearningRate, h.MaxLength = 2e-5, 128
	}
	return h
}
