// Options and sending, the same for raw and packet sockets.
#define _GNU_SOURCE // sendmmsg
#include "driver.h"

#include <errno.h>

enum { RX_BUFFER = 8 << 20, TX_BUFFER = 16 << 20 };

bool set_option(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

void set_buffers(int fd) {
  if (!set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, RX_BUFFER)) set_option(fd, SOL_SOCKET, SO_RCVBUF, RX_BUFFER);
  if (!set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, TX_BUFFER)) set_option(fd, SOL_SOCKET, SO_SNDBUF, TX_BUFFER);
}

void send_messages(int fd, struct mmsghdr *messages, int32_t count, int32_t *errors) {
  int32_t done = 0;
  while (done < count) {
    // The kernel reports an error only for the first message of a call; before a later one it returns how many went.
    int sent = sendmmsg(fd, messages + done, (unsigned)(count - done), MSG_DONTWAIT);
    for (; sent > 0; sent--) errors[done++] = 0;
    if (sent == 0 || errno == EINTR) continue;
    int32_t error = errno;
    do {
      errors[done++] = error;
    } while (error == EAGAIN && done < count);
  }
}
