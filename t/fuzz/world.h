/*
 * For the fuzz targets that run epmd's main(): epmd.c with the world that is alike for both. The
 * clock is a number, the end of the program a jump back to run(), and what it prints is kept. A
 * target includes this, names its own functions for the other calls, and then includes epmd.c.
 *
 * The system's headers come first, so that a call can be a macro that looks like it.
 */
#define _DEFAULT_SOURCE /* setgroups() */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "replay.h"
#undef _DEFAULT_SOURCE

enum { TEXT_MAX = 1 << 22 };

static jmp_buf out;
static unsigned alarm_s;
static int64_t time_ms;
static int is_silent; /* nothing can be printed */
static struct shown {
	char text[TEXT_MAX];
	size_t len;
} shown, shown_wrong; /* standard output, standard error */

static int not_so(const char *condition)
{
	fprintf(stderr, "a call of which it must be so: %s\n", condition);
	abort();
}

/* What a call comes to, and what must be so when it is made. */
#define GIVES(value, condition) ((condition) ? (value) : (not_so(#condition), (value)))

#define main epmd_main
#define exit(status) longjmp(out, 1 + (status))
#define _exit(status) longjmp(out, 1 + (status))
#define alarm(seconds) (alarm_s = (seconds))
#define signal(number, handler) \
	GIVES(SIG_DFL, (number) == SIGALRM || ((number) == SIGPIPE && (handler) == SIG_IGN))
#define clock_gettime fake_clock_gettime
#define write fake_write

int fake_clock_gettime(clockid_t clock, struct timespec *now)
{
	MUST(clock == CLOCK_MONOTONIC || clock == CLOCK_REALTIME);
	now->tv_sec = time_ms / 1000;
	now->tv_nsec = time_ms % 1000 * 1000000;
	return 0;
}

ssize_t fake_write(int fd, const void *text, size_t len)
{
	struct shown *const s = fd == STDOUT_FILENO ? &shown : &shown_wrong;

	MUST(fd == STDOUT_FILENO || fd == STDERR_FILENO);
	if (is_silent) {
		errno = EPIPE;
		return -1;
	}
	MUST(len < TEXT_MAX - s->len);
	memcpy(s->text + s->len, text, len);
	s->len += len;
	s->text[s->len] = '\0';
	return (ssize_t)len;
}

int epmd_main(int argc, char **argv);

/* The program, from its main() to its end: its status. */
static int run(char **argv, int argc)
{
	const int jumped = setjmp(out);

	return jumped == 0 ? epmd_main(argc, argv) : jumped - 1;
}
