# make build      the command, bin/albert
# make demo       from text to a trained, exported and verified model, in five minutes
# make demo-long  the same with 20 M tokens of training
# make test       all tests
# make test-all-lines  spm_encode beside ours on all lines of ../shared/data; needs the package sentencepiece
# make race       the tests of what runs at once, with the race detector
# make endurance  10,000 runs of mixed shapes from 16 goroutines in ONNX Runtime: no error, no growth of memory; minutes
# make lint       gofmt, go vet, staticcheck, on every build that is supported
# make generate   write the generated files anew
# make parity     every form of every head against native, on every engine: small models of transformers' with intermediate
#                 values, and ALBERT-base with random weights; writes parity.html, parity-int4.html and parity-base.html; takes minutes
# make bench      figures of speed beside the limit of the processor and beside the peers; takes minutes
# make golden     write the golden files anew; needs Python: see tools/golden/README.md

STATICCHECK = go run honnef.co/go/tools/cmd/staticcheck@v0.6.1
PYTHON ?= python3

.PHONY: parity build demo demo-long test test-all-lines race endurance lint generate bench golden

build:
	go build -o bin/albert ./cmd/albert

demo: build
	go run ./tools/demo -minutes 3.3

demo-long: build
	go run ./tools/demo -tokens 20000000

test:
	go test ./...

test-all-lines:
	TOKENIZER_ALL_LINES=1 go test -count 1 -v -run EncodeAgreesWithSentencePiece ./tokenizer

race:
	go test -race -run 'Part|Callers|Workers|Threads' ./native
	go test -race -short ./corpus
	go test -race -run 'Concurrent|Cancel|Closed|Bind' ./runtime/ort

endurance:
	ORT_ENDURANCE=1 go test -count 1 -v -timeout 1h -run Endurance ./runtime/ort

lint:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	if [ -n "$$unformatted" ]; then echo "run gofmt -w on:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go vet -tags purego ./...
	CGO_ENABLED=0 go vet ./...
	CGO_ENABLED=0 GOARCH=arm64 go vet ./...
	$(STATICCHECK) ./...

generate:
	go generate ./...
	cd native/kernel/_asm && go generate ./...

# Random weights bear no four bits: int4 files are held to the weights that they hold.
PARITY = bin/albert parity $(dir $(wildcard parity/testdata/*/config.json parity/testdata/heads/*/config.json)) --tensors
parity: build
	$(PARITY) --precision fp32,fp16,int8 --html parity.html --report parity.json
	$(PARITY) --precision int4 --min-agreement 0 --html parity-int4.html --report parity-int4.json
	bin/albert parity --preset albert-base-v2 --task all --html parity-base.html --report parity-base.json

bench:
	go run ./tools/bench

golden:
	tools/golden/run $(PYTHON)
