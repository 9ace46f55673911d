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
#ifdef REPLAY
#define TELLS 1
#endif
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

static int fails(int error)
{
	errno = error;
	return -1;
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
	if (is_silent)
		return fails(EPIPE);
	MUST(len < TEXT_MAX - s->len);
	memcpy(s->text + s->len, text, len);
	s->len += len;
	s->text[s->len] = '\0';
	return (ssize_t)len;
}

/* ---- of a seed: what came of it, for the target's .txt */

static void tell(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (TELLS)
		vprintf(format, ap);
	va_end(ap);
}

/* How often the first `unit` bytes come in a row. */
static size_t times(const char *text, size_t len, size_t unit)
{
	size_t n = 1;

	while ((n + 1) * unit <= len && memcmp(text, text + n * unit, unit) == 0)
		n++;
	return n;
}

/* Up to four bytes that come eight times or more in a row are told once, and how often. */
static void tell_text(const char *before, const char *text, size_t len)
{
	size_t k, i, unit, n;

	tell("%s", before);
	for (k = 0; k < len && TELLS; k += n * unit) {
		for (unit = 1, n = 1; unit <= 4 && n < 8; unit++)
			n = times(text + k, len - k, unit);
		unit = n < 8 ? 1 : unit - 1;
		for (i = 0; i < unit; i++) {
			const unsigned char c = (unsigned char)text[k + i];

			tell(c == '\n' ? "\\n" : c == '\t' ? "\\t" : isprint(c) ? "%c" : "\\%02x",
			    c);
		}
		if (n >= 8)
			tell("{%lu}", (unsigned long)n);
		else
			n = 1;
	}
}

/* What was printed, of -help the first line, and standard error. */
static void tell_shown(void)
{
	const size_t line = strcspn(shown.text, "\n");

	if (shown.len > 0)
		tell_text(" > ", shown.text, shown.text[0] == 'u' ? line : shown.len);
	if (shown_wrong.len > 0)
		tell_text(" 2> ", shown_wrong.text, shown_wrong.len - 1);
}

int epmd_main(int argc, char **argv);

/* The program, from its main() to its end: its status. */
static int run(char **argv, int argc)
{
	const int jumped = setjmp(out);

	return jumped == 0 ? epmd_main(argc, argv) : jumped - 1;
}
