/*
 * What the tests' clients share: the clock, connections, requests as bytes, ports that are free.
 * Everything is inline, so that a client may leave out what it does not use.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static inline long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (long)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static inline void pause_us(long us)
{
	const struct timespec ts = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&ts, NULL);
}

/* Connections are what these tests need most: as many as the hard limit allows. */
static inline void raise_descriptors(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* ---- connections */

struct peer {
	const void *address; /* a struct sockaddr_in or sockaddr_in6, of len bytes */
	const void *source;  /* the own end's address, or NULL */
	socklen_t len;
	int rcvbuf;          /* bytes of the receive buffer, or 0 for the system's */
	int limit_s;         /* for connect(), and each send() and recv(); or 0 */
	int nonblocking;     /* then the connection may still be under way */
};

static inline struct sockaddr_in loopback(int port)
{
	struct sockaddr_in sa;

	memset(&sa, 0, sizeof sa);
	sa.sin_family = AF_INET;
	sa.sin_port = htons((unsigned short)port);
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sa;
}

/* The descriptor; or -1, and errno is connect()'s. */
static inline int dial(const struct peer *p)
{
	const int family = ((const struct sockaddr *)p->address)->sa_family;
	const int segment = 536; /* loopback's of 64 kB would have any answer fit */
	const struct timeval limit = { p->limit_s, 0 };
	const int fd = socket(family, SOCK_STREAM, 0);
	int error;

	if (fd < 0)
		return -1;
	if (p->rcvbuf > 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &p->rcvbuf, sizeof p->rcvbuf);
		setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
	}
	if (p->limit_s > 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	}
	if (p->nonblocking)
		fcntl(fd, F_SETFL, O_NONBLOCK);
	if ((p->source == NULL || bind(fd, p->source, p->len) == 0) &&
	    (connect(fd, p->address, p->len) == 0 || (p->nonblocking && errno == EINPROGRESS)))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* A peer that has closed makes sending fail, which is for what receives to show. */
static inline void send_bytes(int fd, const void *bytes, size_t len)
{
	(void)!send(fd, bytes, len, MSG_NOSIGNAL);
}

/*
 * Receives max bytes, or those that come within so many milliseconds. Returns why there are no
 * more: "closed", "reset", another error's text, "timeout"; or NULL if all came.
 */
static inline const char *receive(int fd, void *bytes, size_t max, int ms, size_t *len)
{
	const long until = now_us() + ms * 1000L;

	for (*len = 0; *len < max;) {
		struct pollfd p = { fd, POLLIN, 0 };
		const long left = (until - now_us()) / 1000;
		ssize_t n;

		if (poll(&p, 1, left > 0 ? (int)left : 0) == 0)
			return "timeout";
		n = recv(fd, (char *)bytes + *len, max - *len, 0);
		if (n <= 0)
			return n == 0 ? "closed" : errno == ECONNRESET ? "reset" : strerror(errno);
		*len += (size_t)n;
	}
	return NULL;
}

/* The next close() sends a reset. */
static inline void reset_at_close(int fd)
{
	const struct linger now = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static inline void close_with_reset(int fd)
{
	reset_at_close(fd);
	close(fd);
}

/* ---- requests; each function returns where what it wrote ends */

struct entry { /* of a node: what an ALIVE2_REQ and a PORT2_RESP have in common */
	unsigned port, type, protocol, highest, lowest;
	const void *name, *extra;
	size_t name_len, extra_len;
};

static inline struct entry entry_of(const char *name)
{
	struct entry e = { 5000, 77, 0, 6, 5, NULL, NULL, 0, 0 };

	e.name = name;
	e.name_len = strlen(name);
	return e;
}

static inline size_t put_16(unsigned char *out, size_t at, unsigned v)
{
	out[at] = (unsigned char)(v >> 8);
	out[at + 1] = (unsigned char)v;
	return at + 2;
}

static inline size_t put_entry(unsigned char *out, size_t at, const struct entry *e)
{
	at = put_16(out, at, e->port);
	out[at++] = (unsigned char)e->type;
	out[at++] = (unsigned char)e->protocol;
	at = put_16(out, at, e->highest);
	at = put_16(out, at, e->lowest);
	at = put_16(out, at, (unsigned)e->name_len);
	memcpy(out + at, e->name, e->name_len);
	at = put_16(out, at + e->name_len, (unsigned)e->extra_len);
	if (e->extra_len > 0)
		memcpy(out + at, e->extra, e->extra_len);
	return at + e->extra_len;
}

/* A request of one byte, and a text that is often a name. */
static inline size_t put_request(unsigned char *packet, int kind, const char *text)
{
	const size_t len = strlen(text);

	put_16(packet, 0, (unsigned)len + 1);
	packet[2] = (unsigned char)kind;
	memcpy(packet + 3, text, len);
	return 3 + len;
}

static inline size_t put_alive2(unsigned char *packet, const struct entry *e)
{
	const size_t end = put_entry(packet, 3, e);

	put_16(packet, 0, (unsigned)end - 2);
	packet[2] = 'x';
	return end;
}

/* Registers a node on a new connection; whether that is accepted. */
static inline int is_registered(int fd, const struct entry *e)
{
	unsigned char packet[1200], answer[6];

	send_bytes(fd, packet, put_alive2(packet, e));
	return recv(fd, answer, 6, MSG_WAITALL) == 6 && answer[0] == 118 && answer[1] == 0;
}

/* ---- ports */

/*
 * A port that nobody uses, below those that clients get by themselves. The UDP port of the same
 * number is bound to *claim, which keeps others that ask here from it until that is closed.
 */
static inline int free_port(int *claim)
{
	static unsigned next;
	const int on = 1;
	int fd, had;

	if (next == 0)
		next = (unsigned)getpid() * 7919u + (unsigned)(now_us() / 1000) * 31u;
	for (;;) {
		struct sockaddr_in sa = loopback((int)(10240 + ++next % 21760));

		sa.sin_addr.s_addr = htonl(INADDR_ANY);
		fd = socket(AF_INET, SOCK_STREAM, 0);
		*claim = socket(AF_INET, SOCK_DGRAM, 0);
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
		had = bind(*claim, (struct sockaddr *)&sa, sizeof sa) == 0 &&
		    bind(fd, (struct sockaddr *)&sa, sizeof sa) == 0 && listen(fd, 1) == 0;
		close(fd);
		if (had)
			return ntohs(sa.sin_port);
		close(*claim);
	}
}

#endif
