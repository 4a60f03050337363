// TUN devices (Linux Documentation/networking/tuntap.rst). Does: create or attach, nonblocking, without packet information header.
// Does not: addresses, MTU, link state (port/ does), offloads.
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char ROOT_ADVICE[] = "run as root or grant CAP_NET_ADMIN";

// What the operator can do about a failed open of /dev/net/tun.
static const char *open_advice(int error) {
  if (error == EACCES || error == EPERM) return ROOT_ADVICE;
  if (error == ENOENT || error == ENODEV || error == ENXIO) return "load the kernel module: modprobe tun";
  return "";
}

// What the operator can do about a refused TUNSETIFF.
static const char *attach_advice(int error) {
  if (error == EACCES || error == EPERM) return ROOT_ADVICE;
  if (error == EBUSY) return "another process uses this device";
  if (error == EINVAL) return "a device of this name and another kind exists";
  return "";
}

// A letter, digit, '_', '.' or '-': the kernel would fill in '%d', and refuses '/', ':' and blanks.
static bool is_device_name(const char *name) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  return name[0] != '\0' && name[strspn(name, allowed)] == '\0';
}

// tunOpen(name, queues): fd
napi_value js_tun_open(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  char name[IFNAMSIZ];
  bool queues;
  if (!read_args(env, info, 2, argv) || !read_string(env, argv[0], "name", name, sizeof name)) return NULL;
  if (!is_device_name(name)) return throw_range(env, "name: 1 to 15 of A-Z a-z 0-9 _ . -");
  if (napi_get_value_bool(env, argv[1], &queues) != napi_ok) {
    napi_throw_type_error(env, NULL, "queues: a boolean is needed");
    return NULL;
  }
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return throw_errno(env, errno, "/dev/net/tun", open_advice(errno));
  struct ifreq request;
  memset(&request, 0, sizeof request);
  memcpy(request.ifr_name, name, strlen(name));
  request.ifr_flags = (short)(IFF_TUN | IFF_NO_PI | (queues ? IFF_MULTI_QUEUE : 0));
  if (ioctl(fd, TUNSETIFF, &request) < 0) {
    int error = errno;
    close(fd);
    return throw_errno(env, error, name, attach_advice(error));
  }
  return to_int(env, fd);
}

// fdClose(fd)
napi_value js_fd_close(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  int32_t fd;
  if (!read_args(env, info, 1, argv) || !read_int(env, argv[0], "fd", 0, INT32_MAX, &fd)) return NULL;
  // Linux frees the descriptor even when close() reports EINTR: trying again could close somebody else's.
  if (close(fd) < 0 && errno != EINTR) return throw_errno(env, errno, "close", "");
  return NULL;
}
