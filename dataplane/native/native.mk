# The C addon: plain Node-API, no node-gyp. OpenSSL is not linked: the node binary exports the symbols (README.md here). libgcrypt is: for 3DES.
NATIVE_DIR := $(dir $(lastword $(MAKEFILE_LIST)))
NATIVE_SOURCES := $(wildcard $(NATIVE_DIR)*.c)
NATIVE_CFLAGS := -std=gnu11 -O2 -fPIC -fvisibility=hidden -Wall -Wextra -Werror -Inode_modules/node-api-headers/include

NATIVE_SANITIZE := -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all

build/groupwire.node build/asan/groupwire.node: $(NATIVE_SOURCES) $(wildcard $(NATIVE_DIR)*.h) $(NATIVE_DIR)native.mk
	@mkdir -p $(@D)
	@$(CC) $(NATIVE_CFLAGS) $(EXTRA_CFLAGS) -shared -o $@.tmp $(NATIVE_SOURCES) -lgcrypt && mv $@.tmp $@

build/asan/groupwire.node: EXTRA_CFLAGS := $(NATIVE_SANITIZE)
