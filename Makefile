# Two commands do everything on a fresh Debian machine, as root: `make demo` and `make test`.
# Bootstrap installs what is missing and is quick when nothing is.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help bootstrap build demo lab test lint format bench ci clean

# node and tools that npm brought, so that the machine's own Node only has to run npm
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

help:
	@echo 'make demo   build, bring up four routers in namespaces, show the VPN work, clean up'
	@echo 'make test   build and run all tests'
	@echo 'make lab    the demo network, left running (scripts/lab exec r1 ping 10.0.2.10; scripts/lab down)'
	@echo 'make build  lint  format  bench  ci  clean'

bootstrap:
	@scripts/bootstrap

build: bootstrap
	@$(MAKE) -s --no-print-directory build/groupwire.node dist/.built

include dataplane/native/native.mk

SOURCES := $(shell find dataplane control cli bench scripts test -name '*.ts' 2>/dev/null)
dist/.built: $(SOURCES) tsconfig.json package-lock.json
	@tsc -p tsconfig.json
	@touch $@

demo: build
	@scripts/demo

lab: build
	@scripts/lab up

test: build
	@scripts/test

lint: bootstrap
	@biome check --error-on-warnings .
	@tsc -p tsconfig.json --noEmit

format:
	@biome check --write .

bench: build
	@node dist/bench/native-crypto.js
	@node dist/bench/path.js

ci: build lint
	@scripts/test

clean:
	@rm -rf dist build .tap
