/* Preloaded into CRIU. It asks every socket for SO_PASSCRED and SO_PASSSEC; kernels from 6.16 on have
   these for unix and netlink sockets only, and CRIU 4.1.1 takes their refusal for a failed dump. The
   answer of older kernels, 0, is what sockets of other families have. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int getsockopt(int fd, int level, int option, void *restrict value, socklen_t *restrict size) {
  if (syscall(SYS_getsockopt, fd, level, option, value, size) == 0) return 0;
  if (errno != EOPNOTSUPP || level != SOL_SOCKET) return -1;
  if ((option != SO_PASSCRED && option != SO_PASSSEC) || *size < sizeof(int)) return -1;
  *(int *)value = 0;
  *size = sizeof(int);
  return 0;
}
