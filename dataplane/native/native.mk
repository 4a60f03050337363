# The C addon: plain Node-API, no node-gyp. OpenSSL is not linked: the node binary exports the symbols (README.md here). libgcrypt is, for 3DES, and where
# it is there (Debian has it for amd64) libipsec-mb, for AES.
NATIVE_DIR := $(dir $(lastword $(MAKEFILE_LIST)))
NATIVE_SOURCES := $(wildcard $(NATIVE_DIR)*.c)
NATIVE_CFLAGS := -std=gnu11 -O2 -fPIC -fvisibility=hidden -Wall -Wextra -Werror -Inode_modules/node-api-headers/include

# Where there is none, as in the second build, AES is OpenSSL's: the tests run over both.
IPSEC_MB := $(shell echo '#include <intel-ipsec-mb.h>' | $(CC) -E -x c - >/dev/null 2>&1 && echo -DHAVE_IPSEC_MB -lIPSec_MB)

NATIVE_SANITIZE := -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all

build/groupwire.node build/openssl/groupwire.node build/asan/groupwire.node: $(NATIVE_SOURCES) $(wildcard $(NATIVE_DIR)*.h) $(NATIVE_DIR)native.mk
	@mkdir -p $(@D)
	@$(CC) $(NATIVE_CFLAGS) $(EXTRA_CFLAGS) -shared -o $@.tmp $(NATIVE_SOURCES) -lgcrypt $(IPSEC_MB) && mv $@.tmp $@

build/openssl/groupwire.node: IPSEC_MB :=
build/asan/groupwire.node: EXTRA_CFLAGS := $(NATIVE_SANITIZE)
