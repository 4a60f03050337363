# The C programs of the benchmarks, each one file: build/bench/NAME from bench/native/NAME.c.
BENCH_PROGRAMS := build/bench/probe build/bench/loop

build/bench/%: bench/native/%.c bench/native/bench.mk
	@mkdir -p $(dir $@)
	@$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -o $@.tmp $< && mv $@.tmp $@
