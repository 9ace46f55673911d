/*
 * For `cc -include t/tools/onebyte.h epmd.c`: a network that takes and gives one byte at a time.
 * Only "OK" and "NO" go whole, since a daemon that ends has no second turn.
 */
#define _DEFAULT_SOURCE
#include <sys/socket.h>
#undef _DEFAULT_SOURCE

#define recv(fd, buf, room, flags) recv(fd, buf, (room) > 0 ? 1 : 0, flags)
#define send(fd, buf, len, flags) send(fd, buf, (len) > 2 ? 1 : (len), flags)
