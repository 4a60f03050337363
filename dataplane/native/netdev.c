// Looking up the netdev behind a port, for the drivers on sockets.
#include "driver.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

// What the kernel takes as a device name but not what would need quoting anywhere (as in tun.c).
bool read_device(napi_env env, napi_value value, char name[IFNAMSIZ]) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  if (!read_string(env, value, "device", name, IFNAMSIZ)) return false;
  if (name[0] != '\0' && name[strspn(name, allowed)] == '\0') return true;
  throw_range(env, "device: 1 to 15 of A-Z a-z 0-9 _ . -");
  return false;
}

bool read_share(napi_env env, napi_value worker, napi_value workers, uint32_t share[2]) {
  int32_t number, count;
  if (!read_int(env, workers, "workers", 1, MAX_WORKERS, &count) || !read_int(env, worker, "worker", 0, count - 1, &number)) return false;
  share[0] = (uint32_t)number;
  share[1] = (uint32_t)count;
  return true;
}

Failure failed(const char *advice) {
  int error = errno;
  if (error == EPERM || error == EACCES) advice = "run as root or grant CAP_NET_ADMIN, CAP_NET_RAW and, for xdp, CAP_BPF";
  if (error == ENODEV) advice = "there is no such netdev in this network namespace";
  return (Failure){error, advice};
}

static bool ask(int fd, unsigned long request, struct ifreq *about) {
  return ioctl(fd, request, about) == 0;
}

Failure netdev_query(const char *name, Netdev *netdev) {
  struct ifreq about;
  memset(&about, 0, sizeof about);
  memcpy(about.ifr_name, name, strlen(name));
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed("");
  Failure failure = {0, ""};
  if (ask(fd, SIOCGIFINDEX, &about)) {
    netdev->index = about.ifr_ifindex;
    if (ask(fd, SIOCGIFMTU, &about)) {
      netdev->mtu = about.ifr_mtu;
      if (ask(fd, SIOCGIFHWADDR, &about)) {
        memcpy(netdev->mac, about.ifr_hwaddr.sa_data, sizeof netdev->mac);
        if (about.ifr_hwaddr.sa_family != ARPHRD_ETHER) failure = (Failure){ENOTSUP, "not an Ethernet netdev: use port-driver tun"};
        close(fd);
        return failure;
      }
    }
  }
  failure = failed("");
  close(fd);
  return failure;
}

// ethtool's calls take the RTNL, under which a netdev is closed and unlisted in one go: a worker that is told of the closing and
// asks at once gets its answer after the unlisting (net/ethtool/ioctl.c dev_ethtool).
bool netdev_exists(int index) {
  struct ethtool_value value = {.cmd = ETHTOOL_GLINK};
  struct ifreq about;
  memset(&about, 0, sizeof about);
  if (if_indextoname((unsigned)index, about.ifr_name) == NULL) return false;
  about.ifr_data = (void *)&value;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return true;
  bool gone = ioctl(fd, SIOCETHTOOL, &about) < 0 && errno == ENODEV;
  close(fd);
  return !gone;
}
