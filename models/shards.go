package models

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// IndexFile is the name of the index of weights that are divided among several files, the shards.
const IndexFile = WeightsFile + ".index.json"

// shardIndex is the text of an IndexFile.
type shardIndex struct {
	Metadata struct {
		TotalSize int64 `json:"total_size"` // bytes of all tensors
	} `json:"metadata"`
	WeightMap map[string]string `json:"weight_map"` // the file of each tensor
}

// files returns the names of the shards, in order. A shard lies beside the index.
func (x *shardIndex) files() ([]string, error) {
	files := slices.Compact(slices.Sorted(maps.Values(x.WeightMap)))
	if len(files) == 0 {
		return nil, errors.New("weight_map names no tensor")
	}
	for _, file := range files {
		if file != filepath.Base(file) || !filepath.IsLocal(file) || filepath.Ext(file) != ".safetensors" {
			return nil, fmt.Errorf("weight_map names the file %q, want a .safetensors file beside the index", file)
		}
	}
	return files, nil
}

// readIndex reads the index of a checkpoint directory, and the names of its shards.
func readIndex(path string) (*shardIndex, []string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("models: read %s: %w", IndexFile, err)
	}
	index := &shardIndex{}
	if err := json.Unmarshal(text, index); err != nil {
		return nil, nil, fmt.Errorf("models: read %s: not an index of shards: %w", path, err)
	}
	files, err := index.files()
	if err != nil {
		return nil, nil, fmt.Errorf("models: read %s: %w", path, err)
	}
	return index, files, nil
}

// WeightFiles returns the paths of the files of a checkpoint directory that its weights are read from, an index first.
func WeightFiles(dir string) ([]string, error) {
	path := filepath.Join(dir, WeightsFile)
	if _, err := os.Stat(path); err == nil {
		return []string{path}, nil
	}
	path = filepath.Join(dir, IndexFile)
	if _, err := os.Stat(path); err != nil {
		return nil, noWeights(dir)
	}
	_, files, err := readIndex(path)
	paths := []string{path}
	for _, file := range files {
		paths = append(paths, filepath.Join(dir, file))
	}
	return paths, err
}

// openTensors returns the tensors of a checkpoint directory, of one file or of shards, without their bytes, and the path
// that errors are to name. The files are to be closed after the tensors were used.
func openTensors(dir string) (tensors map[string]SafeTensor, path string, files openFiles, err error) {
	defer func() {
		if err != nil {
			files.Close()
		}
	}()
	path = filepath.Join(dir, WeightsFile)
	if _, err := os.Stat(path); err == nil {
		tensors, err := files.open(path)
		return tensors, path, files, err
	}
	index := filepath.Join(dir, IndexFile)
	if _, err := os.Stat(index); err == nil {
		tensors, err := files.openShards(index)
		return tensors, index, files, err
	}
	return nil, path, files, noWeights(dir)
}

// openFiles are those of tensors that are not read yet.
type openFiles []*os.File

// Close closes them all.
func (o openFiles) Close() {
	for _, f := range o {
		f.Close()
	}
}

func (o *openFiles) open(path string) (map[string]SafeTensor, error) {
	tensors, f, err := openSafetensors(path)
	if err != nil {
		return nil, fmt.Errorf("models: read %s: %w", path, err)
	}
	*o = append(*o, f)
	return tensors, nil
}

func (o *openFiles) openShards(path string) (map[string]SafeTensor, error) {
	index, files, err := readIndex(path)
	if err != nil {
		return nil, err
	}
	all := make(map[string]SafeTensor, len(index.WeightMap))
	for _, file := range files {
		tensors, err := o.open(filepath.Join(filepath.Dir(path), file))
		if err != nil {
			return nil, err
		}
		for name, t := range tensors {
			if want := index.WeightMap[name]; want != file {
				return nil, fmt.Errorf("models: read %s: tensor %s is in %s, the index says %q", path, name, file, want)
			}
			all[name] = t
		}
	}
	for _, name := range slices.Sorted(maps.Keys(index.WeightMap)) {
		if _, ok := all[name]; !ok {
			return nil, fmt.Errorf("models: read %s: tensor %s is not in %s", path, name, index.WeightMap[name])
		}
	}
	return all, nil
}

// pickled are files of weights that PyTorch unpickles.
var pickled = []string{"pytorch_model.bin", "pytorch_model.bin.index.json"}

// noWeights says what a directory has instead of weights that are read.
func noWeights(dir string) error {
	for _, file := range pickled {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			return fmt.Errorf("models: read %s: its weights are pickles (%s), which can hold programs and are not read; write %s beside it "+
				"with torch and safetensors: python3 -c %q %s", dir, file, WeightsFile, convertPickle, dir)
		}
	}
	return fmt.Errorf("models: read %s: it has no weights, neither %s nor %s", dir, WeightsFile, IndexFile)
}

// convertPickle is the Python program that writes WeightsFile from the pickles of the directory that is its argument.
const convertPickle = `import sys,glob,torch,safetensors.torch as s; d=sys.argv[1]; ` +
	`s.save_file({k:v.clone().contiguous() for f in sorted(glob.glob(d+'/pytorch_model*.bin')) ` +
	`for k,v in torch.load(f,map_location='cpu',weights_only=True).items()},d+'/model.safetensors',{'format':'pt'})`

// WriteShards writes the configuration and the weights of w into an existing directory, divided as transformers does
// among files of at most largest bytes of tensors, but for a tensor that alone is larger. It is meant for the temporary
// directory of [WriteDirectory].
func (w *Weights) WriteShards(dir string, largest int64) error {
	var shards [][]NamedTensor
	index := &shardIndex{WeightMap: map[string]string{}}
	room := int64(-1)
	for _, t := range w.Tensors() {
		size := 4 * int64(len(t.Data))
		if size > room {
			shards, room = append(shards, nil), largest
		}
		shards[len(shards)-1] = append(shards[len(shards)-1], t)
		room -= size
		index.Metadata.TotalSize += size
	}
	if len(shards) == 1 {
		return w.WriteFiles(dir)
	}
	if err := w.WriteConfig(dir); err != nil {
		return err
	}
	for i, tensors := range shards {
		file := fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, len(shards))
		for _, t := range tensors {
			index.WeightMap[t.Name] = file
		}
		if err := WriteFile(filepath.Join(dir, file), func(out io.Writer) error {
			return WriteSafetensors(out, tensors)
		}); err != nil {
			return err
		}
	}
	return WriteFile(filepath.Join(dir, IndexFile), func(out io.Writer) error {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(index)
	})
}
