# The C programs of the benchmarks, each one file: build/bench/NAME from bench/native/NAME.c.
BENCH_PROGRAMS := build/bench/probe build/bench/loop

build/bench/%: bench/native/%.c bench/native/bench.mk
	@mkdir -p $(dir $@)
	@$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -o $@.tmp $< && mv $@.tmp $@

# What `make bench-transforms` measures: the older transforms against strongSwan's.
BENCH_TRANSFORMS := LABEL=transforms SEGS=0 MEASURES=tcp1 PEERS="groupwire-3des strongswan-3des groupwire-aes128 strongswan-aes128"
