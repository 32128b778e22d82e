# demo: build and walk the whole story on this machine.  test: every check and test.  bench: figures against peers.
.PHONY: demo test bench openapi

PROFILE := demo
BIN := target/$(PROFILE)/gennaker

demo: web/dist/index.html
	@scripts/preflight demo
	cargo build --locked --profile $(PROFILE) --package gennaker
	@ln -sf gennaker target/$(PROFILE)/aptly
	@$(BIN) demo

test:
	@scripts/test

# The balancer against nginx and HAProxy, in one run: requests a second and CPU time a request, and their ratios.
bench:
	cargo build --locked --release --package gennaker
	@crates/dataplane/benches/balancer.sh target/release/gennaker

# The page is built when its sources are newer than what was built.
web/dist/index.html: $(shell find web/src web/index.html web/package-lock.json -type f 2>/dev/null)
	@scripts/preflight demo
	cd web && npm ci --no-audit --no-fund && npm run build
	@touch $@

# What the page's client is generated from; a test fails when it is out of date.
openapi:
	cargo run --quiet --locked --package gennaker -- openapi > web/openapi.json
	cd web && npm run generate
