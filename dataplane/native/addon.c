// Registration: the functions of native.ts and one Instance per JavaScript thread that loads the addon.
#include "addon.h"

#include <stdlib.h>
#include <unistd.h>

// Runs when the thread's environment ends: no key outlives it.
static void free_instance(napi_env env, void *memory, void *hint) {
  (void)env;
  (void)hint;
  Instance *instance = memory;
  for (int slot = 0; slot < SA_SLOTS; slot++) sa_clear(&instance->sas[slot]);
  mb_end(instance->mb);
  if (instance->watch.epoll_fd >= 0) close(instance->watch.epoll_fd);
  free(instance);
}

NAPI_MODULE_INIT() {
  static const struct {
    const char *name;
    napi_callback call;
  } functions[] = {
      {"tunOpen", js_tun_open}, {"tunSteer", js_tun_steer}, {"joinsUdp", js_joins_udp}, {"rawOpen", js_raw_open}, {"rawSender", js_raw_sender},
      {"packetOpen", js_packet_open}, {"packetFilter", js_packet_filter}, {"groupOpen", js_group_open}, {"xdpOpen", js_xdp_open}, {"xdpSender", js_xdp_sender},
      {"probeOpen", js_probe_open}, {"probeSend", js_probe_send}, {"fdClose", js_fd_close}, {"wakeOpen", js_wake_open}, {"wakeSignal", js_wake_signal},
      {"wakeClear", js_wake_clear}, {"poll", js_poll}, {"rx", js_rx},
      {"tx", js_tx}, {"saSet", js_sa_set}, {"saClear", js_sa_clear},
      {"seal", js_seal}, {"open", js_open}, {"mapFile", js_map_file},
      {"mapFlush", js_map_flush}, {"adviseHuge", js_advise_huge}, {"monotonicMs", js_monotonic_ms},
      {"bindRx", js_bind_rx}, {"bindTx", js_bind_tx}, {"bindSeal", js_bind_seal}, {"bindOpen", js_bind_open}, {"bindPoll", js_bind_poll},
  };
  Instance *instance = calloc(1, sizeof *instance);
  if (instance == NULL || napi_set_instance_data(env, instance, free_instance, NULL) != napi_ok) {
    free(instance);
    napi_throw_error(env, NULL, "groupwire addon: out of memory");
    return NULL;
  }
  instance->watch.epoll_fd = -1;
  instance->mb = mb_start();
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL, &function) != napi_ok) return NULL;
    if (napi_set_named_property(env, exports, functions[i].name, function) != napi_ok) return NULL;
  }
  const char *texts[][2] = {{"kind", "addon"}, {"aes", instance->mb != NULL ? "ipsec-mb" : "openssl"}};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    napi_value text;
    if (napi_create_string_utf8(env, texts[i][1], NAPI_AUTO_LENGTH, &text) != napi_ok) return NULL;
    if (napi_set_named_property(env, exports, texts[i][0], text) != napi_ok) return NULL;
  }
  return exports;
}
