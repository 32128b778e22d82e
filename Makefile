# demo: build and walk the whole story on this machine.  test: every check and test.  bench: figures against peers.
# soak, simulate, fuzz: the same as the tests do, for as long as you like.
.PHONY: demo test deb image bench bench-apt bench-large bench-page soak simulate fuzz openapi

PROFILE := demo
BIN := target/$(PROFILE)/gennaker

demo: web/dist/index.html
	@scripts/preflight demo
	cargo build --locked --profile $(PROFILE) --package gennaker
	@ln -sf gennaker target/$(PROFILE)/aptly
	@$(BIN) demo

test:
	@scripts/test

# The program without libraries of its own, of this machine's architecture or ARCH=amd64|arm64: `cross` says by which compiler.
HERE := $(shell dpkg --print-architecture)
ARCH ?= $(HERE)
MUSL := $(if $(filter arm64,$(ARCH)),aarch64,x86_64)-unknown-linux-musl
STATIC := target/$(MUSL)/release/gennaker
CROSS = cross=$$([ $(ARCH) = $(HERE) ] || scripts/cross $(ARCH)) && env $$cross
.PHONY: static
static: web/dist/index.html
	@scripts/preflight deb
	rustup target add $(MUSL)
	@$(CROSS) cargo build --locked --release --package gennaker --target $(MUSL)

# The Debian packages, in target/deb, for Debian 11 and later.
deb: static
	@$(CROSS) scripts/deb $(STATIC) target/deb $(ARCH)

# An OCI image, in target/image, without a daemon: `docker load -i target/image/gennaker.tar`.
image: static
	@scripts/image $(STATIC) target/image/gennaker$(if $(filter-out $(HERE),$(ARCH)),-$(ARCH)).tar $(ARCH)

# The balancer against nginx and HAProxy, in one run: requests a second and CPU time a request, and their ratios. Then what the
# pipeline engine does in a second, beside what Spinnaker's own was measured to do.
bench:
	cargo build --locked --release --package gennaker
	@crates/dataplane/benches/balancer.sh target/release/gennaker
	cargo bench --locked --package gennaker --bench engine
	cargo bench --locked --package api --bench listing

# Repositories against Debian's aptly, and reprepro, apt-ftparchive and nginx where they are installed: CPU seconds first.
COUNT ?= 20000
bench-apt:
	cargo build --locked --release --package gennaker
	cargo build --locked --release --package apt --example packages
	@crates/apt/benches/aptly.py target/release/gennaker target/release/examples/packages $(COUNT)

# What our own work costs on a large root, without a peer: LARGE packages by a mirror, SNAPSHOTS snapshots.
LARGE ?= 60000
SNAPSHOTS ?= 350
bench-large:
	cargo build --locked --release --package apt --example archive
	@folder=$$(mktemp -d) && target/release/examples/archive $$folder/root $(LARGE) $(SNAPSHOTS); rm -rf $$folder

# How long each screen takes to appear, and to answer, with 1,000 pipelines, 10,000 instances and 100,000 past runs.
bench-page: web/dist/index.html
	@scripts/preflight test
	cargo build --locked --release --package api --example large
	@scripts/bench-page target/release/examples/large

# Deployments by each strategy with users on the load balancer, while servers are killed and data planes replaced; SOAK seconds for each.
SOAK ?= 300
soak:
	GENNAKER_SOAK=$(SOAK) cargo test --locked --profile $(PROFILE) --package gennaker --test it -- soak_story --nocapture --test-threads 1

# So many plays of the engine's simulation; a seed that fails is printed, and GENNAKER_SEED=N plays it again.
PLAYS ?= 100000
simulate:
	GENNAKER_PLAYS=$(PLAYS) cargo test --locked --package pipeline --test it simulation

# Fuzzes on the stable compiler, SECONDS for each target. What breaks lies in fuzz/artifacts: put it into fuzz/corpus, where the tests replay it.
SECONDS ?= 60
FUZZ_FLAGS := --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares
fuzz:
	cd fuzz && mkdir -p artifacts found && for target in expression pipeline control query release deb; do \
		RUSTFLAGS="$(FUZZ_FLAGS)" cargo run --release --target x86_64-unknown-linux-gnu --bin $$target -- \
			-max_total_time=$(SECONDS) -timeout=10 -rss_limit_mb=2048 -artifact_prefix=artifacts/ found corpus/$$target || exit 1; \
	done

# The page is built when its sources are newer than what was built.
web/dist/index.html: $(shell find web/src web/index.html web/package-lock.json -type f 2>/dev/null)
	@scripts/preflight demo
	cd web && npm ci --no-audit --no-fund && npm run build
	@touch $@

# What the page's client is generated from; a test fails when it is out of date.
openapi:
	cargo run --quiet --locked --package gennaker -- openapi > web/openapi.json
	cd web && npm run generate
