# Two commands do everything on a fresh Debian machine, as root: `make demo` and `make test`.
# Bootstrap installs what is missing and is quick when nothing is.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help bootstrap build demo lab test test-asan deb test-deb rekey-soak reload-soak fuzz lint format bench bench-transforms bench-workers bench-gre bench-udp bench-path bench-control simulate ci clean

# node and tools that npm brought, so that the machine's own Node only has to run npm
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

help:
	@echo 'make demo   build, bring up four routers in namespaces, show the VPN work, clean up'
	@echo 'make test   build and run all tests'
	@echo 'make lab    the demo network, left running (scripts/lab exec r1 ping 10.0.2.10; scripts/lab down)'
	@echo 'make build  lint  format  bench  bench-path  bench-control  simulate  ci  clean  deb  test-deb  test-asan (three minutes)  rekey-soak (twelve minutes: a group, strongSwan)  reload-soak  fuzz'

bootstrap:
	@scripts/bootstrap

build: bootstrap
	@$(MAKE) -s --no-print-directory build/groupwire.node build/openssl/groupwire.node dist/.built

include dataplane/native/native.mk
include bench/native/bench.mk

SOURCES := $(shell find dataplane control cli bench scripts test -name '*.ts' 2>/dev/null)
dist/.built: $(SOURCES) tsconfig.json control/page/client/tsconfig.json package-lock.json
	@tsc -p tsconfig.json
	@tsc -p control/page/client
	@touch $@

demo: build
	@scripts/demo

lab: build
	@scripts/lab up

test: build
	@scripts/test

# The addon under AddressSanitizer and UBSan. Node itself is not built with them, so their library comes first by LD_PRELOAD; what node
# leaves to the end of the process is no leak of ours.
test-asan: build build/asan/groupwire.node
	@GROUPWIRE_ADDON=$(CURDIR)/build/asan/groupwire.node PRELOAD=$$($(CC) -print-file-name=libasan.so) \
	  ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 scripts/test test/unit/dataplane/native test/path

# build/groupwire_VERSION_ARCH.deb (scripts/packaging)
deb: build
	@scripts/packaging/build-deb

# The package in a clean Debian, under a systemd of its own: downloads a small Debian once (build/packaging), takes two minutes after that
test-deb: build
	@scripts/packaging/clean-root
	@GROUPWIRE_DEB=$$(scripts/packaging/build-deb) TIMEOUT=400 scripts/test netns/package-systemd
	@scripts/packaging/lint-deb

# A rekey every 15 s for five minutes under iperf3, no datagram lost: in a group, and with strongSwan. Twelve minutes on an idle machine; make test
# does a few rekeys of each.
rekey-soak: build
	@REKEYS=$${REKEYS:-20} TIMEOUT=600 TIMES=1 scripts/test test/netns/rekey-iperf3 test/netns/ipsec-rekey

# A thousand reloads under traffic: no datagram lost, no memory kept. A minute and a half, most of it the wait for a rollback; make test does forty.
reload-soak: build
	@RELOADS=$${RELOADS:-1000} TIMEOUT=1800 TIMES=1 scripts/test test/netns/reload-soak

# Fuzz targets, guided by coverage: FUZZ_SECONDS=60 FUZZ_TARGETS='gdoi-messages config' make fuzz
fuzz: build
	@node dist/test/fuzz/run.js

lint: bootstrap
	@biome check --error-on-warnings .
	@tsc -p tsconfig.json --noEmit
	@tsc -p control/page/client --noEmit

format:
	@biome check --write .

# Side by side with other userspace VPNs (bench/README.md): ROUNDS=1 T=2 PEERS="groupwire wireguard-go" make bench
bench bench-transforms bench-workers bench-gre bench-udp: build $(BENCH_PROGRAMS)
	@bench/bootstrap
	@$(if $(filter bench-transforms,$@),$(BENCH_TRANSFORMS))$(if $(filter bench-workers,$@),$(BENCH_WORKERS))$(if $(filter bench-gre,$@),$(BENCH_GRE))$(if $(filter bench-udp,$@),$(BENCH_UDP)) node dist/bench/side-by-side.js

# What a packet costs without I/O, stage by stage
bench-path: build
	@node dist/bench/path.js $(CASES)

# What a key server's control plane carries: registrations and rekeys a second, and how they grow with the members
bench-control: build
	@node dist/bench/control.js

# Days of a group, other ones than make test's: SEEDS=5 MEMBERS=2000 make simulate
simulate: build
	@node dist/test/simulator/simulate.js

ci: build lint
	@scripts/test

clean:
	@rm -rf dist build .tap
