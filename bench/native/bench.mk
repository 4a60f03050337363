# The C programs of the benchmarks: build/bench/NAME from bench/native/NAME.c. They run on the machine that compiles them: -march=native.
BENCH_PROGRAMS := build/bench/probe build/bench/loop build/bench/bound

build/bench/%: bench/native/%.c bench/native/bench.mk
	@mkdir -p $(dir $@)
	@$(CC) -std=gnu11 -O3 -march=native -Wall -Wextra -Werror -o $@.tmp $< && mv $@.tmp $@
build/bench/bound: bench/native/xsk.h

# What `make bench-gre` measures: GRE in ESP beside ESP alone.
BENCH_GRE := LABEL=gre MEASURES="tcp1 flood" PEERS="groupwire groupwire-gre groupwire-fast groupwire-fast-gre"
# What `make bench-udp` measures: ESP in UDP, of a group and between two gateways, beside a group's ESP.
BENCH_UDP := LABEL=udp MEASURES="tcp1 flood rtt" PEERS="groupwire groupwire-gdoi-udp groupwire-gdoi-udp-tun groupwire-udp groupwire-udp-tun groupwire-fast groupwire-fast-gdoi-udp-tun groupwire-fast-udp groupwire-fast-udp-tun"
# What `make bench-workers` measures: two workers beside one.
BENCH_WORKERS := LABEL=workers MEASURES="tcp1 tcp4 flood rtt" PEERS="groupwire-fast groupwire-2"
# What `make bench-transforms` measures: the older transforms against strongSwan's.
BENCH_TRANSFORMS := LABEL=transforms SEGS=0 MEASURES=tcp1 PEERS="groupwire-3des strongswan-3des groupwire-aes128 strongswan-aes128"
