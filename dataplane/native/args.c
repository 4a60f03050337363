// Reading and checking what JavaScript passes, and throwing. Nothing here allocates but the errors themselves.
#define _GNU_SOURCE // strerrorname_np
#include "addon.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Exactly `count` arguments; missing ones are undefined and fail their own check.
bool read_args(napi_env env, napi_callback_info info, size_t count, napi_value *argv) {
  size_t given = count;
  if (napi_get_cb_info(env, info, &given, argv, NULL, NULL) == napi_ok) return true;
  napi_throw_error(env, NULL, "groupwire addon: cannot read arguments");
  return false;
}

// A whole number in low..high. Through double, because napi_get_value_int32 wraps what does not fit.
bool read_int(napi_env env, napi_value value, const char *name, int32_t low, int32_t high, int32_t *out) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok) {
    char text[80];
    snprintf(text, sizeof text, "%s: a number is needed", name);
    napi_throw_type_error(env, NULL, text);
    return false;
  }
  if (!(number >= low && number <= high) || number != (double)(int32_t)number) {
    throw_range(env, "%s: %.17g is not a whole number in %d..%d", name, number, low, high);
    return false;
  }
  *out = (int32_t)number;
  return true;
}

bool read_bool(napi_env env, napi_value value, const char *name, bool *out) {
  if (napi_get_value_bool(env, value, out) == napi_ok) return true;
  char text[80];
  snprintf(text, sizeof text, "%s: a boolean is needed", name);
  napi_throw_type_error(env, NULL, text);
  return false;
}

// A string without NUL that fits in `size` bytes with its terminator.
bool read_string(napi_env env, napi_value value, const char *name, char *out, size_t size) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) {
    char text[80];
    snprintf(text, sizeof text, "%s: a string is needed", name);
    napi_throw_type_error(env, NULL, text);
    return false;
  }
  if (length >= size || napi_get_value_string_utf8(env, value, out, size, &length) != napi_ok || strlen(out) != length) {
    throw_range(env, "%s: at most %zu bytes without NUL", name, size - 1);
    return false;
  }
  return true;
}

// A typed array of the given type: its memory (offset included) and its length in elements.
static bool read_array(napi_env env, napi_value value, const char *name, napi_typedarray_type wanted, void **at, size_t *length) {
  napi_typedarray_type type;
  napi_value buffer;
  size_t offset;
  bool is_array = false;
  if (napi_is_typedarray(env, value, &is_array) == napi_ok && is_array &&
      napi_get_typedarray_info(env, value, &type, length, at, &buffer, &offset) == napi_ok && type == wanted) {
    return true;
  }
  char text[80];
  snprintf(text, sizeof text, "%s: %s is needed", name, wanted == napi_uint8_array ? "a Uint8Array" : "an Int32Array");
  napi_throw_type_error(env, NULL, text);
  return false;
}

bool read_bytes(napi_env env, napi_value value, const char *name, Bytes *out) {
  void *at;
  if (!read_array(env, value, name, napi_uint8_array, &at, &out->length)) return false;
  out->at = at;
  return true;
}

bool read_words(napi_env env, napi_value value, const char *name, size_t at_least, Words *out) {
  void *at;
  if (!read_array(env, value, name, napi_int32_array, &at, &out->length)) return false;
  out->at = at;
  if (out->length >= at_least) return true;
  throw_range(env, "%s: %zu words, %zu are needed", name, out->length, at_least);
  return false;
}

napi_value throw_range(napi_env env, const char *format, ...) {
  char text[200];
  va_list values;
  va_start(values, format);
  vsnprintf(text, sizeof text, format, values);
  va_end(values);
  napi_throw_range_error(env, NULL, text);
  return NULL;
}

// "subject: permission denied: advice", with code EACCES.
napi_value throw_errno(napi_env env, int error, const char *subject, const char *advice) {
  char text[512];
  char reason[80];
  const char *code = strerrorname_np(error);
  snprintf(reason, sizeof reason, "%s", strerror(error));
  if (islower((unsigned char)reason[1])) reason[0] = (char)tolower((unsigned char)reason[0]);
  snprintf(text, sizeof text, "%s: %s%s%s", subject, reason, advice[0] == '\0' ? "" : ": ", advice);
  napi_throw_error(env, code == NULL ? "EUNKNOWN" : code, text);
  return NULL;
}

napi_value to_int(napi_env env, int32_t value) {
  napi_value result = NULL;
  napi_create_int32(env, value, &result);
  return result;
}
