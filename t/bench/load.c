/*
 * The benchmark's clients. Each mode prints one number or nothing, and ends with status 1 and a
 * message where a request is not answered as it should be.
 *
 *   load look PORT PID COUNT CLIENTS NODES   PORT_PLEASE2_REQ: server CPU, us each
 *   load loop PORT PID COUNT CLIENTS NODES   the same, by one process that has CLIENTS requests
 *                                            under way
 *   load names PORT PID COUNT                NAMES_REQ: server CPU, us each
 *   load register PORT PID COUNT             ALIVE2_REQ and close: server CPU, us each
 *   load hold PORT NODES                     registers NODES and stays: its pid
 *   load silent PORT COUNT                   connects COUNT times and stays: its pid
 *   load start PORT COUNT CMD ARG...         start of CMD to first connect, us, median
 *   load wait PORT                           returns once PORT takes connections
 *   load ports COUNT                         free ports below 32768, a line each
 *
 * PID is the server's: what it costs is its own CPU clock's difference, so the clients' work is not
 * in it. PID 0 prints nothing (the server runs under a tool that counts for itself). The clients
 * are blocking processes, as nodes are, or one event loop; one connection a request. The server
 * closes a look-up first and keeps its TIME_WAIT; a registration's is ours, so their number is kept
 * small.
 */
#define _GNU_SOURCE
#include "../tools/client.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum {
	PATIENCE_S = 20,   /* no answer takes longer, or the server hangs */
	HOLD_S = 600,      /* a holder that nobody stopped ends by itself */
	WARM_UP = 200,     /* requests before the clock is read */
	REST_MS = 2,       /* of a lone client under a tool: the server must come to rest */
	REGISTER_NAMES = 50
};

static int port;
static int rest_ms;    /* between two requests */

static void die(const char *what)
{
	fprintf(stderr, "load: port %d: %s: %s\n", port, what, errno ? strerror(errno) : "wrong");
	exit(1);
}

static pid_t forked(void)
{
	const pid_t child = fork();

	if (child < 0)
		die("fork");
	return child;
}

/* ---- one request ---- */

/* A connection, or -1 if nobody listens. */
static int try_connect(void)
{
	const struct sockaddr_in to = loopback(port);
	const struct peer peer = { &to, NULL, sizeof to, 0, PATIENCE_S, 0 };
	int fd = dial(&peer);

	if (fd < 0 && errno != ECONNREFUSED)
		die("connect");
	return fd;
}

static int open_connection(void)
{
	int fd = try_connect();

	if (fd < 0)
		die("connect");
	return fd;
}

/* The connection that a request of one byte and a text is sent on. */
static int ask(int kind, const char *text)
{
	unsigned char request[64];
	const size_t len = put_request(request, kind, text);
	int fd = open_connection();

	if (send(fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
		die("send");
	return fd;
}

/* The length of the answer, which is read to its end; the first two bytes are kept. */
static size_t end_request(int fd, unsigned char *first)
{
	unsigned char bytes[65536];
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, bytes, sizeof bytes)) > 0) {
		if (len == 0)
			memcpy(first, bytes, 2);
		len += (size_t)n;
	}
	if (n < 0)
		die("read");
	close(fd);
	errno = 0; /* what is wrong from here on is the answer */
	return len;
}

static int ask_look(int i, int nodes)
{
	char name[32];

	sprintf(name, "node%04d", (int)((unsigned)i * 7919u % (unsigned)nodes));
	return ask('z', name);
}

static void end_look(int fd)
{
	unsigned char first[2];

	if (end_request(fd, first) != 22 || first[0] != 119 || first[1] != 0)
		die("look-up");
}

static void names(void)
{
	unsigned char first[2];

	if (end_request(ask('n', ""), first) < 4 + sizeof "name node0000 at port 1\n" - 1)
		die("names");
}

/* The connection that holds a registration of NAME and a number. */
static int register_node(const char *name, int i)
{
	char text[32];
	struct entry node;
	int fd = open_connection();

	sprintf(text, "%s%04d", name, i);
	node = entry_of(text);
	node.port = 1;
	errno = 0;
	if (!is_registered(fd, &node))
		die("registration");
	return fd;
}

/* ---- the measured loads ---- */

enum kind { LOOK, LOOP, NAMES, REGISTER, KINDS };

static const char *const modes[KINDS] = { "look", "loop", "names", "register" };

/* Answers come in any order; each is followed by the next request. */
static void in_one_loop(int count, int clients, int nodes)
{
	struct pollfd p[64];
	int asked, k;

	if (clients < 1 || clients > 64)
		die("CLIENTS");
	for (asked = 0; asked < clients; asked++) {
		p[asked].fd = ask_look(asked, nodes);
		p[asked].events = POLLIN;
	}
	for (k = 0; asked < count; k = (k + 1) % clients) {
		if (k == 0 && poll(p, (nfds_t)clients, PATIENCE_S * 1000) <= 0)
			die("poll");
		if (p[k].revents == 0)
			continue;
		end_look(p[k].fd);
		p[k].fd = ask_look(asked++, nodes);
		p[k].revents = 0;
	}
	for (k = 0; k < clients; k++)
		end_look(p[k].fd);
}

static void request(enum kind kind, int i, int nodes)
{
	if (kind == LOOK)
		end_look(ask_look(i, nodes));
	else if (kind == NAMES)
		names();
	else
		close(register_node("loop", i % REGISTER_NAMES));
	if (rest_ms > 0)
		poll(NULL, 0, rest_ms);
}

static void in_parallel(enum kind kind, int count, int clients, int nodes)
{
	int i, k, status, failed = 0;

	if (kind == LOOP) {
		in_one_loop(count, clients, nodes);
		return;
	}
	for (k = 0; k < clients; k++)
		if (forked() == 0) {
			for (i = 0; i < count / clients; i++)
				request(kind, k * count / clients + i, nodes);
			exit(0);
		}
	for (k = 0; k < clients; k++)
		failed |= wait(&status) < 0 || status != 0;
	if (failed)
		exit(1);
}

static double cpu_us(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts) < 0)
		die("clock");
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void measure(enum kind kind, int pid, int count, int clients, int nodes)
{
	clockid_t clock;
	double before;

	if (pid == 0) {
		rest_ms = clients == 1 ? REST_MS : 0;
		in_parallel(kind, count, clients, nodes);
		return;
	}
	if ((errno = clock_getcpuclockid(pid, &clock)) != 0)
		die("the server's CPU clock");
	in_parallel(kind, count < WARM_UP ? count / 4 : WARM_UP, clients, nodes);
	before = cpu_us(clock);
	in_parallel(kind, count, clients, nodes);
	printf("%.2f\n", (cpu_us(clock) - before) / (count / clients * clients));
}

/* ---- holders ---- */

/*
 * Prints the pid of a child that keeps this process's connections open, after they have all been
 * made: the caller need not wait for anything more.
 */
static void stay(void)
{
	const pid_t child = forked();

	if (child > 0) {
		printf("%d\n", (int)child);
		return;
	}
	if (!freopen("/dev/null", "w", stdout))
		exit(1);
	alarm(HOLD_S);
	for (;;)
		pause();
}

static void hold(int nodes, int registered)
{
	int i;

	raise_descriptors();
	for (i = 0; i < nodes; i++)
		if (registered)
			register_node("node", i);
		else
			open_connection();
	stay();
}

/* ---- start ---- */

static int wait_until_up(void)
{
	const long limit = now_us() + PATIENCE_S * 1000000L;
	int fd;

	while ((fd = try_connect()) < 0) {
		if (now_us() > limit)
			return 0;
		pause_us(20);
	}
	close(fd);
	return 1;
}

static long start_once(char **cmd)
{
	const long from = now_us();
	const pid_t child = forked();
	long took;
	int up;

	if (child == 0) {
		execv(cmd[0], cmd);
		_exit(127);
	}
	up = wait_until_up();
	took = now_us() - from;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	if (!up)
		die(cmd[0]);
	return took;
}

static int by_value(const void *a, const void *b)
{
	const long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

static void start(int count, char **cmd)
{
	long took[101];
	int i;

	if (count < 1 || count > 101)
		die("start: COUNT");
	prctl(PR_SET_TIMERSLACK, 1UL);
	for (i = 0; i < count; i++)
		took[i] = start_once(cmd);
	qsort(took, (size_t)count, sizeof took[0], by_value);
	printf("%ld\n", took[count / 2]);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 2 ? argv[1] : "";
	int n[] = { 0, 0, 1, 0 }, i; /* of a load: PID, COUNT, CLIENTS and NODES */
	int kind, claim;

	for (i = 0; i < 4 && i + 3 < argc; i++)
		n[i] = atoi(argv[i + 3]);
	port = argc > 2 ? atoi(argv[2]) : 0;
	for (kind = 0; kind < KINDS && strcmp(mode, modes[kind]) != 0; kind++)
		;
	if (kind < KINDS && argc == (kind == LOOK || kind == LOOP ? 7 : 5))
		measure(kind, n[0], n[1], n[2], n[3]);
	else if (strcmp(mode, "hold") == 0 && argc == 4)
		hold(n[0], 1);
	else if (strcmp(mode, "silent") == 0 && argc == 4)
		hold(n[0], 0);
	else if (strcmp(mode, "start") == 0 && argc > 4)
		start(n[0], argv + 4);
	else if (strcmp(mode, "wait") == 0 && argc == 3)
		return !wait_until_up();
	else if (strcmp(mode, "ports") == 0 && argc == 3)
		for (i = 0; i < port; i++) /* each is ours until the end: none comes twice */
			printf("%d\n", free_port(&claim));
	else {
		fputs("usage: see the head of load.c\n", stderr);
		return 2;
	}
	return 0;
}
