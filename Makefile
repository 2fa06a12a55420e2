# bulkhead: targets for its developers. `make help` lists them.

GO       ?= go
TOOL     := $(GO) tool -modfile=internal/tools/go.mod
# A number of inputs, not a time: when a time is up, go test can take the input at
# hand for a failure.
FUZZTIME ?= 20000x
COUNT    ?= 6
ROUNDS   ?= 5
BENCH    ?= .
PLATFORMS := linux/amd64 linux/arm64 windows/amd64 windows/arm64 darwin/amd64 darwin/arm64

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## the binary, bin/bulkhead
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/ ./cmd/bulkhead

.PHONY: test
test: ## all tests (those on the corpus skip where it is absent, and say so)
	$(GO) test ./...

.PHONY: race
race: ## the tests that share data between goroutines, under the race detector
	$(GO) test -race -short ./...

.PHONY: lint
lint: ## gofmt, vet, staticcheck
	@test -z "$$(gofmt -l .)" || { gofmt -l . ; echo 'gofmt would change these files'; exit 1; }
	$(GO) vet ./...
	$(TOOL) staticcheck ./...

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME each
	@$(GO) list ./... | while read -r pkg; do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	    echo "$$pkg $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg || exit 1; \
	  done; \
	done

.PHONY: bench
bench: bench-go bench-speed ## both kinds of benchmark; UPDATE=1 writes docs/performance.md

.PHONY: bench-go
bench-go: ## Go benchmarks that fit BENCH, COUNT runs each, summed up by benchstat
	@mkdir -p bin
	$(GO) test -run '^$$' -bench '$(BENCH)' -count $(COUNT) ./... | tee bin/bench.txt
	$(TOOL) benchstat bin/bench.txt

.PHONY: bench-speed
bench-speed: ## the command beside its peers on large captures, ROUNDS times (1 GB each below bin)
	@mkdir -p bin
	$(GO) build -o bin/bench ./internal/bench
	bin/bench speed -rounds $(ROUNDS) $(if $(UPDATE),-update docs/performance.md)

.PHONY: hostile
hostile: ## peak memory on captures made to fill it; fails above 256 MiB; UPDATE=1 as above
	@mkdir -p bin
	$(GO) build -o bin/bench ./internal/bench
	bin/bench hostile $(if $(UPDATE),-update docs/performance.md)

.PHONY: profile
profile: ## where the time goes, on CAPTURE or real captures strung together; UPDATE=1 as above
	@mkdir -p bin
	$(GO) build -o bin/bench ./internal/bench
	bin/bench profile -cpuprofile bin/cpu.prof $(if $(UPDATE),-update docs/performance.md) $(CAPTURE)

.PHONY: cross
cross: ## build for every supported platform, without cgo
	@for p in $(PLATFORMS); do \
	  echo $$p; CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -trimpath -o /dev/null ./cmd/bulkhead || exit 1; \
	done

.PHONY: update
update: ## rewrite the golden files; read the diff before you commit it
	$(GO) test ./... -update

.PHONY: captures
captures: ## write the captures of the examples and of testdata again, byte for byte
	$(GO) run ./internal/lab/truck-loading

.PHONY: demo
demo: ## the main job on the example: a plant held against its captures
	-$(GO) run ./cmd/bulkhead verify examples/truck-loading/plant.yaml
