// Which queue of a TUN gets a packet: an eBPF program of six instructions computes ownerOf() of native.ts. The kernel runs it for every
// packet (tun_ebpf_select_queue), with the IPv4 header at offset 0, and takes the result modulo the number of queues.
#include "driver.h"
#include "link.h"
#include "wire.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MAX_TUN_QUEUES = 256 }; // MAX_TAP_QUEUES

// @returns descriptor of the program, -1 with errno
static int load_program(int32_t workers) {
  const struct bpf_insn program[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_6, .src_reg = BPF_REG_1}, // LD_ABS wants the packet in r6
      {.code = BPF_LD | BPF_W | BPF_ABS, .imm = IPV4_SOURCE},  // r0, in host order; too short a packet ends with 0
      {.code = BPF_ALU | BPF_MUL | BPF_K, .dst_reg = BPF_REG_0, .imm = (int32_t)0x9e3779b1},
      {.code = BPF_ALU | BPF_RSH | BPF_K, .dst_reg = BPF_REG_0, .imm = 16},
      {.code = BPF_ALU | BPF_MOD | BPF_K, .dst_reg = BPF_REG_0, .imm = workers},
      {.code = BPF_JMP | BPF_EXIT},
  };
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
  attributes.insns = (uintptr_t)program;
  attributes.insn_cnt = sizeof program / sizeof *program;
  attributes.license = (uintptr_t) "";
  return bpf(BPF_PROG_LOAD, &attributes);
}

// tunSteer(fd, workers)
napi_value js_tun_steer(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  int32_t fd, workers;
  if (!read_args(env, info, 2, argv) || !read_int(env, argv[0], "fd", 0, INT32_MAX, &fd) ||
      !read_int(env, argv[1], "workers", 1, MAX_TUN_QUEUES, &workers)) {
    return NULL;
  }
  if (link_find(fd) == NULL) return throw_range(env, "fd: %d is not a link", fd);
  int program = load_program(workers);
  if (program < 0) return throw_errno(env, errno, "tunSteer: loading the program", "");
  int error = ioctl(fd, TUNSETSTEERINGEBPF, &program) < 0 ? errno : 0;
  close(program); // the device holds it from here
  return error == 0 ? NULL : throw_errno(env, error, "tunSteer", "");
}
