/*
 * The serving loop for Frama-C's Eva: any settings, any bytes from the network, any result of the
 * system calls, any number of turns. Below are what Frama-C's libc lacks or leaves open, and then
 * main()'s loop.
 */
#include "__fc_builtin.h"
#include <sys/socket.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ANY_INT Frama_C_interval(-2147483647 - 1, 2147483647)

/*
 * What the formatted text is Frama-C does not say: any that ends within the buffer, and any result.
 */
static int any_text(char *text, size_t room)
{
	Frama_C_make_unknown(text, room - 1);
	text[room - 1] = '\0';
	return ANY_INT;
}
#define snprintf(text, room, ...) (snprintf(text, room, __VA_ARGS__), any_text(text, room))

/* Every argument is of its conversion's type, and what %s prints is a string. */
static int eva_vsnprintf(char *text, size_t room, const char *format, va_list ap)
{
	const char *string;

	//@ loop unroll 100;
	for (; *format != '\0'; format++) {
		if (*format != '%')
			continue;
		while (*++format <= '9') /* its width: behind that is a letter */
			;
		switch (*format) {
		case 's':
			string = va_arg(ap, const char *);
			//@ check valid_read_string(string);
			break;
		case 'd':
			(void)va_arg(ap, int);
			break;
		case 'l':
			format++;
			(void)va_arg(ap, unsigned long);
			break;
		default:
			//@ check \false;
			break;
		}
	}
	return any_text(text, room);
}
#define vsnprintf eva_vsnprintf

char *strerror(int error)
{
	static char text[64];

	(void)error;
	any_text(text, sizeof text);
	return text;
}

char *ctime_r(const time_t *now, char *text)
{
	(void)now;
	any_text(text, 26);
	return Frama_C_interval(0, 1) ? text : NULL;
}

/* A monotonic clock that has run for less than 68 years. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	(void)clock;
	now->tv_sec = Frama_C_long_interval(0, 2147483647);
	now->tv_nsec = Frama_C_long_interval(0, 999999999);
	return Frama_C_interval(-1, 0);
}

/* As long as the family says; without Frama-C's `initialized only if it went well`. */
int getsockname(int fd, struct sockaddr *address, socklen_t *len)
{
	(void)fd;
	//@ check \valid((char *)address + (0 .. *len - 1));
	Frama_C_make_unknown((char *)address, *len);
	return Frama_C_interval(-1, 0);
}

int getpeername(int fd, struct sockaddr *address, socklen_t *len)
{
	return getsockname(fd, address, len);
}

const char *inet_ntop(int family, const void *bytes, char *text, socklen_t room)
{
	(void)family, (void)bytes;
	any_text(text, room);
	return Frama_C_interval(0, 1) ? text : NULL;
}

char *if_indextoname(unsigned index, char *text)
{
	(void)index;
	any_text(text, 16);
	return Frama_C_interval(0, 1) ? text : NULL;
}

#define getpeername getsockname

struct linger {
	int l_onoff, l_linger;
};

/* As much as epmd uses: an event brings the data that came with any descriptor set before. */
#ifdef EVA_EPOLL
#define USE_EPOLL
#define EPOLL_CLOEXEC 02000000
#define EPOLLIN 1u
#define EPOLLOUT 4u
enum { EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL, EPOLL_CTL_MOD };
struct epoll_event {
	uint32_t events;
	union { uint64_t u64; } data;
};
static struct epoll_event queued[64];

static int epoll_create1(int flags)
{
	(void)flags;
	return Frama_C_interval(-1, 1023);
}

static int epoll_ctl(int queue, int what, int fd, struct epoll_event *e)
{
	(void)queue, (void)what, (void)fd;
	queued[Frama_C_interval(0, 63)] = *e;
	return Frama_C_interval(-1, 0);
}

static int epoll_wait(int queue, struct epoll_event *ready, int room, int timeout)
{
	int k;

	(void)queue, (void)timeout;
	for (k = 0; k < room; k++) {
		ready[k] = queued[Frama_C_interval(0, 63)];
		ready[k].events = Frama_C_unsigned_int_interval(0, 4294967295u);
	}
	return Frama_C_interval(-1, room);
}
#endif

#define main epmd_main
#include "../../epmd.c"
#undef main

static int any_signal(void)
{
	static const int signals[] = { SIGUSR1, SIGUSR2, SIGTERM };

	return signals[Frama_C_interval(0, 2)];
}

int main(void)
{
	int64_t next_ms = NEVER;

	set.port = (uint32_t)Frama_C_interval(0, 65535);
	set.timeout_s = (uint32_t)Frama_C_interval(1, 86400);
	set.packet_timeout_s = (uint32_t)Frama_C_interval(1, 86400);
	set.exit_idle_s = Frama_C_unsigned_int_interval(0, 365 * 86400);
	set.delay_accept_s = (uint32_t)Frama_C_interval(0, 86400);
	set.delay_write_s = (uint32_t)Frama_C_interval(0, 86400);
	set.debug = Frama_C_interval(0, 100);
	set.daemon = Frama_C_interval(0, 1);
	journal = Frama_C_interval(0, 1);
	stderr_is = Frama_C_interval(STDERR_WAITS, STDERR_OWN);
	set.relaxed = Frama_C_interval(0, 1);
	set.local_names = Frama_C_interval(0, 1);
	counts.since_ms = Frama_C_interval(0, INT_MAX);
	conn_limit = (uint16_t)Frama_C_interval(3, EPMD_CONN_MAX);
	nodes.limit = (uint16_t)Frama_C_interval(1, EPMD_NODE_MAX);
	log_socket = Frama_C_interval(0, 1023);
	signal_pipe = Frama_C_interval(0, 1023);
	notify_socket = Frama_C_interval(0, 1023);
	notify_ms = Frama_C_interval(0, 1) ? 0 : NEVER;
	polled[POLL_SIGNAL].fd = Frama_C_interval(0, 1023);
	polled[POLL_SIGNAL].events = POLLIN;
	open_queue();
	listen_add(Frama_C_interval(0, 1023));
	listen_add(Frama_C_interval(0, 1023));
	/*@ widen_hints global:"all", EPMD_NODE_MAX - 1, EPMD_NODE_MAX, EPMD_CONN_MAX - 1,
	    EPMD_CONN_MAX, EPMD_NAME_MAX, EPMD_EXTRA_MAX, EPMD_ANSWER_MAX, EPMD_PACKET_MAX,
	    EPMD_SCRATCH_MAX, EPMD_SCRATCH_MAX - EPMD_PACKET_MAX,
	    EPMD_SCRATCH_MAX - EPMD_PACKET_MAX - EPMD_LINE_MAX, 1023, -1; */
	while (!ended) {
		if (Frama_C_interval(0, 1))
			on_signal(any_signal());
		next_ms = turn(next_ms);
	}
	log_end();
	return 0;
}
