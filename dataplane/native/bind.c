// Calls that come with every pass: bindRx() and its like look their arrays up once and return a function without arguments. Reading six arguments
// costs ten functions of Node-API, which in a pass of one packet are as many that other threads have driven out of the caches.
#include "addon.h"

#include <stdlib.h>

static void release(napi_env env, void *memory, void *hint) {
  (void)hint;
  Bound *bound = memory;
  for (int i = 0; i < bound->count; i++) napi_delete_reference(env, bound->held[i]);
  free(bound);
}

static bool read_bound(napi_env env, napi_callback_info info, Bound *bound, bool has_pool, int arrays) {
  static const char *const names[] = {"first array", "second array", "third array"};
  napi_value argv[MAX_BOUND];
  int next = 0, count = (has_pool ? 1 : 0) + arrays + 1;
  if (!read_args(env, info, (size_t)count, argv) || napi_get_instance_data(env, (void **)&bound->instance) != napi_ok) return false;
  if (has_pool && !read_bytes(env, argv[next++], "pool", &bound->pool)) return false;
  for (int i = 0; i < arrays; i++) {
    if (!read_words(env, argv[next++], names[i], 0, &bound->arrays[i])) return false;
  }
  Words words;
  if (!read_words(env, argv[next], "words", BOUND_WORDS, &words)) return false;
  bound->words = words.at;
  // The arrays live as long as the function.
  for (; bound->count < count; bound->count++) {
    if (napi_create_reference(env, argv[bound->count], 1, &bound->held[bound->count]) != napi_ok) return false;
  }
  return true;
}

napi_value bind_call(napi_env env, napi_callback_info info, napi_callback call, bool has_pool, int arrays) {
  napi_value function;
  Bound *bound = calloc(1, sizeof *bound);
  if (bound != NULL && read_bound(env, info, bound, has_pool, arrays) &&
      napi_create_function(env, NULL, 0, call, bound, &function) == napi_ok &&
      napi_add_finalizer(env, function, bound, release, NULL, NULL) == napi_ok) {
    return function;
  }
  if (bound != NULL) release(env, bound, NULL);
  return NULL; // with what was thrown, or without memory
}

Bound *bound_of(napi_env env, napi_callback_info info) {
  void *bound = NULL;
  napi_get_cb_info(env, info, NULL, NULL, NULL, &bound);
  return bound;
}
