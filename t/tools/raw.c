/*
 * raw - a TCP client for the tests that sends and shows bytes in hex
 *
 *     raw -p PORT [-a ADDR] [-s SOURCE] [-t MS] STEP...
 *     raw -f       a port that nobody uses, below those that clients get by themselves
 *
 * A connection is opened by the first step that needs it. Each receiving step prints one line. -t
 * limits each of them (30000 ms).
 *
 *     @N           the following steps are for connection N, 0 to 1023 (0 at the start)
 *     connect      open it: "connected", "refused" or another reason
 *     await        the same, and again while it is refused, as long as -t says
 *     send HEX     send these bytes at once
 *     slow MS HEX  send them one by one, MS milliseconds apart
 *     fin          half-close: no more will be sent
 *     reset        close with a reset (SO_LINGER 0)
 *     close        close
 *     recv N       N bytes, or those that came and why no more: "closed", "reset", "timeout"
 *     eof          all bytes up to the end, and how it ended
 *     text         the same, with the bytes as they are and no word where the end is "closed"
 *     open MS      "open" if nothing comes and nothing ends within MS milliseconds, else what did
 *     rcvbuf N     receive buffer of the connections opened from here on
 *     wait MS      do nothing
 *     many N LEN   register N nodes on connections 1 to N: names of LEN letters that end in the
 *                  number, which is the port too; how many were accepted
 *     hold         keep all connections until a signal
 *
 * Status: 0; 1 where a connection could not be opened; 2 for a mistake on the command line.
 */
#include "client.h"
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONN_MAX = 1024 };
static int conns[CONN_MAX]; /* descriptor + 1, 0 where not open */
static const char *port, *addr = "127.0.0.1", *source;
static int limit_ms = 30000, rcvbuf;
static unsigned char received[1 << 24];

static void die(const char *what, const char *which)
{
	fprintf(stderr, "raw: %s: %s\n", what, which);
	exit(2);
}

static struct addrinfo *resolve(const char *host, const char *service)
{
	struct addrinfo hints, *ai;
	memset(&hints, 0, sizeof hints);
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	if (getaddrinfo(host, service, &hints, &ai) != 0)
		die("no such address", host);
	return ai;
}

static int open_conn(void)
{
	struct addrinfo *to = resolve(addr, port);
	struct addrinfo *own = source != NULL ? resolve(source, "0") : NULL;
	struct peer peer = { to->ai_addr, NULL, to->ai_addrlen, rcvbuf, 0, 0 };
	int cfd, error;

	if (own != NULL)
		peer.source = own->ai_addr;
	cfd = dial(&peer);
	error = errno;
	freeaddrinfo(to);
	if (own != NULL)
		freeaddrinfo(own);
	errno = error;
	return cfd;
}

/*
 * The connection's descriptor, which is opened first if it is not there; if `patient` for as long
 * as -t says.
 */
static int need_soon(int *slot, int patient)
{
	const long until = now_us() + limit_ms * 1000L;

	while (*slot == 0 && (*slot = open_conn() + 1) == 0) {
		if (!patient || errno != ECONNREFUSED || now_us() >= until) {
			puts(errno == ECONNREFUSED ? "refused" : strerror(errno));
			exit(1);
		}
		pause_us(20000);
	}
	return *slot - 1;
}

static int need(int *slot)
{
	return need_soon(slot, 0);
}

static void close_conn(int *slot, int reset)
{
	int cfd = need(slot);
	if (reset)
		reset_at_close(cfd);
	close(cfd);
	*slot = 0;
}

/* A peer that has closed makes sending fail, which is for the receiving steps to show. */
static void send_hex(int cfd, const char *hex, int gap_ms)
{
	size_t len = strlen(hex) / 2, sent = 0, i;
	unsigned char *bytes = malloc(len + 1);
	unsigned byte;

	if (bytes == NULL || strlen(hex) % 2 != 0)
		die("not hex", hex);
	for (i = 0; i < len; i++) {
		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			die("not hex", hex);
		bytes[i] = (unsigned char)byte;
	}
	while (sent < len) {
		ssize_t n = send(cfd, bytes + sent, gap_ms < 0 ? len - sent : 1, MSG_NOSIGNAL);
		if (n <= 0)
			break;
		sent += (size_t)n;
		if (gap_ms >= 0 && sent < len)
			poll(NULL, 0, gap_ms);
	}
	free(bytes);
}

/* The bytes, and why there are no more if they are fewer; `silent` if none came in time. */
static void show_hex(int cfd, size_t max, int ms, const char *silent)
{
	const size_t room = max < sizeof received ? max : sizeof received;
	size_t len, i;
	const char *end = receive(cfd, received, room, ms, &len);

	for (i = 0; i < len; i++)
		printf("%02x", received[i]);
	if (len == 0 && end != NULL && strcmp(end, "timeout") == 0)
		end = silent;
	printf("%s", len > 0 && end != NULL ? " " : "");
	puts(end != NULL ? end : "");
}

static void show_text(int cfd)
{
	size_t len;
	const char *end = receive(cfd, received, sizeof received, limit_ms, &len);

	fwrite(received, 1, len, stdout);
	if (end == NULL || strcmp(end, "closed") != 0)
		puts(end != NULL ? end : "too long");
	fflush(stdout);
}

static void many(int n, int len)
{
	char name[1100];
	int i, accepted = 0;

	memset(name, 'n', sizeof name);
	for (i = 1; i <= n && i < CONN_MAX && len < 1000; i++) {
		struct entry node;
		int cfd = need(&conns[i]);

		sprintf(name + len - 4, "%04d", i);
		node = entry_of(name);
		node.port = (unsigned)i;
		accepted += is_registered(cfd, &node);
	}
	printf("%d\n", accepted);
}

static const char *arg(char ***step)
{
	if ((*step)[1] == NULL)
		die("lacks its argument", **step);
	return *++*step;
}

static void run(char **step)
{
	int *slot = conns, n;

	for (; *step != NULL; step++) {
		const char *s = *step;
		if (s[0] == '@') {
			n = atoi(s + 1);
			slot = &conns[n >= 0 && n < CONN_MAX ? n : 0];
		} else if (strcmp(s, "connect") == 0 || strcmp(s, "await") == 0) {
			need_soon(slot, s[0] == 'a');
			puts("connected");
		} else if (strcmp(s, "send") == 0) {
			send_hex(need(slot), arg(&step), -1);
		} else if (strcmp(s, "slow") == 0) {
			n = atoi(arg(&step));
			send_hex(need(slot), arg(&step), n);
		} else if (strcmp(s, "fin") == 0) {
			shutdown(need(slot), SHUT_WR);
		} else if (strcmp(s, "reset") == 0 || strcmp(s, "close") == 0) {
			close_conn(slot, s[0] == 'r');
		} else if (strcmp(s, "recv") == 0) {
			show_hex(need(slot), (size_t)atol(arg(&step)), limit_ms, "timeout");
		} else if (strcmp(s, "eof") == 0) {
			show_hex(need(slot), (size_t)-1, limit_ms, "timeout");
		} else if (strcmp(s, "text") == 0) {
			show_text(need(slot));
		} else if (strcmp(s, "open") == 0) {
			show_hex(need(slot), (size_t)-1, atoi(arg(&step)), "open");
		} else if (strcmp(s, "rcvbuf") == 0) {
			rcvbuf = atoi(arg(&step));
		} else if (strcmp(s, "wait") == 0) {
			poll(NULL, 0, atoi(arg(&step)));
		} else if (strcmp(s, "many") == 0) {
			n = atoi(arg(&step));
			many(n, atoi(arg(&step)));
		} else if (strcmp(s, "hold") == 0) {
			pause();
		} else {
			die("no such step", s);
		}
	}
}

int main(int argc, char **argv)
{
	int c, claim;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((c = getopt(argc, argv, "p:a:s:t:f")) != -1)
		switch (c) {
		case 'p': port = optarg; break;
		case 'a': addr = optarg; break;
		case 's': source = optarg; break;
		case 't': limit_ms = atoi(optarg); break;
		case 'f': printf("%d\n", free_port(&claim)); return 0;
		default: return 2;
		}
	if (port == NULL)
		die("lacks its argument", "-p");
	run(argv + optind);
	return 0;
}
