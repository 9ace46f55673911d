/*
 * soak - mixed load on an epmd, each answer checked against a model of what must be registered
 *
 *     soak PORT PID SECONDS TIMEOUT    PID is the daemon's process, TIMEOUT its -packet_timeout
 *
 * Nodes come, are looked up, listed and dumped, taken by others in vain, and go: closed,
 * half-closed, reset, with a byte too many, with the process that held them killed. Beside them:
 * garbage, resets at every stage, peers that are slow or silent, floods.
 *
 * An answer is held against what was true for as long as it was under way: a node that was
 * registered all the time must be in it, one that ended GRACE before must not, and what changed
 * meanwhile may be either. Ends with the counts; status 1 where one is bad.
 */
#include "../tools/client.h"
#include <dirent.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

enum { NODES = 500, KEPT = 50, ACTORS = 160, FLOOD = 1200, ORPHANS = 8 };
enum { GROWTH_KB = 256, IN_MAX = 1 << 18 };
#define SECOND 1000000L
#define GRACE (3 * SECOND)  /* until the end of a connection must have been noticed */
#define LIMIT (20 * SECOND) /* for an answer, on a machine that is busy with other tests */

enum state { GONE, ASKED, LIVE };
static struct node {
	enum state state;
	long before_us, asked_us;  /* of the last registration but one, and of the last */
	long since_us;             /* when it came into its state */
	unsigned port, port_before, port_asked, creation; /* creation: 0 where it is not known */
	unsigned char name[256], len, highest, type;
	size_t extra_len;
	int fd, busy;              /* busy: so many want it to stay */
	pid_t holder;              /* 0, or the process that has its connection */
} nodes[NODES];

enum kind {
	LOOKUP, UNKNOWN, REGISTER, AGAIN, TAKEN, END, NAMES, DUMP, KILL, STOP, GARBAGE, RESET,
	SILENT
};
static const struct { enum kind kind; int share; } mix[] = { /* of 1000 */
	{ LOOKUP, 400 }, { UNKNOWN, 40 }, { REGISTER, 150 }, { END, 150 }, { AGAIN, 30 },
	{ TAKEN, 40 }, { NAMES, 30 }, { DUMP, 20 }, { KILL, 10 }, { STOP, 10 }, { GARBAGE, 50 },
	{ RESET, 50 }, { SILENT, 20 }
};

static struct actor {
	enum kind kind;
	int fd;                    /* -1: rests until next_us */
	struct node *node;
	long from_us, next_us;     /* the request's begin, and the next step's time */
	long gap_us; /* between the bytes that are sent or the pieces that are read, or 0 */
	size_t out_len, sent, len;
	size_t want;               /* bytes of an answer that is not followed by a close */
	int half_close, quits, was_free;
	unsigned char out[1600], in[IN_MAX];
} actors[ACTORS];

static struct sockaddr_in to;
static unsigned char pattern[1300]; /* extra is a part of it */
static pid_t daemon_pid;
static long timeout_us, flooded_us = -LIMIT, requests, wrong, lost, evicted, slowest_us;
static int gone;               /* the daemon does not listen any more */

static int below(int n)
{
	return (int)(rand() % n);
}

/* Counts what is wrong; the first ones are told. */
static void bad(long *count, const struct node *n, const char *format, ...)
{
	va_list ap;

	if (gone || ++*count > 10)
		return;
	printf("# ");
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf(n != NULL ? ": %.20s\n" : "\n", n != NULL ? (const char *)n->name : "");
}

/* Has it been so since before that time? */
static int is_sure(const struct node *n, enum state state, long time_us)
{
	return n->state == state && n->since_us + (state == GONE ? GRACE : 0) < time_us;
}

static void become(struct node *n, enum state state)
{
	n->state = state;
	n->since_us = now_us();
	if (state == GONE)
		n->fd = -1, n->holder = 0;
}

/* ---- bytes */

static struct entry entry_at(const struct node *n, unsigned port)
{
	struct entry e = { port, n->type, 0, n->highest, 5, n->name, pattern + n->len, n->len,
		n->extra_len };

	return e;
}

static void registration(struct actor *a, unsigned port)
{
	const struct entry e = entry_at(a->node, port);

	a->out_len = put_alive2(a->out, &e);
	a->want = a->node->highest >= 6 ? 6 : 4;
}

/* No request that is one: each is to be closed without a word. */
static void garbage(struct actor *a)
{
	static const struct { const char *bytes; size_t len; } list[] = {
		{ "\0\0", 2 }, { "\377\377xx", 4 }, { "\0\1q", 3 }, { "\0\1z", 3 },
		{ "\0\4zn\0n", 6 }, { "\0\1x", 3 }, { "\0\1n\0", 4 },
		{ "\0\16x\23\210M\0\0\6\0\5\0\1n\0\1", 16 },
		{ "\0\16x\23\210M\0\0\6\0\5\0\3n\0\0", 16 },
		{ "GET / HTTP/1.0\r\n\r\n", 18 }
	};
	const int k = below(10);
	memcpy(a->out, list[k].bytes, a->out_len = list[k].len);
}

/* ---- answers */

static int is_entry(const struct actor *a, unsigned port)
{
	unsigned char expected[1600] = "w";
	const struct entry e = entry_at(a->node, port);
	const size_t len = put_entry(expected, 2, &e);
	return a->len == len && memcmp(a->in, expected, len) == 0;
}

/* May it be its port, in an answer to what was asked then? */
static int is_port(const struct node *n, unsigned port, long from_us)
{
	if (is_sure(n, LIVE, from_us))
		return port == n->port;
	return port == n->port || port == n->port_before || port == n->port_asked ||
	    from_us < n->before_us;
}

static void check_lookup(const struct actor *a)
{
	const struct node *n = a->node;

	if (a->len == 2 && memcmp(a->in, "w\1", 2) == 0) {
		if (is_sure(n, LIVE, a->from_us))
			bad(&lost, n, "not found, though registered");
	} else if (is_sure(n, GONE, a->from_us)) {
		bad(&wrong, n, "answered with %zu bytes, though it has ended", a->len);
	} else if (!is_entry(a, n->port) &&
	    (is_sure(n, LIVE, a->from_us) ||
	        (!is_entry(a, n->port_before) && !is_entry(a, n->port_asked)))) {
		bad(&wrong, n, "answered with %zu bytes that are not its entry", a->len);
	}
}

/* The answer to a registration: 1 where it is accepted, 0 where refused, -1 where it is none. */
static int accepted(const struct actor *a, unsigned *creation)
{
	const int is_new = a->node->highest >= 6;

	if (a->len < a->want || a->in[0] != (is_new ? 118 : 121) || a->in[1] > 1)
		return -1;
	*creation = (unsigned)a->in[2] << 8 | a->in[3];
	if (is_new)
		*creation = *creation << 16 | a->in[4] << 8 | a->in[5];
	return a->in[1] == 0;
}

static void check_registration(struct actor *a)
{
	struct node *n = a->node;
	unsigned creation = 0;
	const int result = accepted(a, &creation);

	if (result == 1) {
		if (creation == n->creation || creation < (n->highest >= 6 ? 4 : 1) ||
		    (n->highest < 6 && creation > 3))
			bad(&wrong, n, "registered with creation %u, after %u", creation,
			    n->creation);
		become(n, LIVE);
		n->fd = a->fd;
		n->creation = creation;
		n->port_before = n->port;
		n->port = n->port_asked;
		a->fd = -1;
	} else {
		become(n, GONE);
		if (result < 0 || a->was_free || creation != 99)
			bad(&wrong, n, "%s; creation %u",
			    result < 0 ? "no answer to a registration" : "refused, though free",
			    creation);
	}
}

/* A line of a list: its node, or NULL where it is none's. Sets its port and whether it is live. */
static struct node *take_line(enum kind kind, const char *line, unsigned *port, int *live)
{
	static const char active[] = "active name     <%255[^>]> at port %u, fd = %d%1s";
	static const char old[] = "old/unused name <%255[^>]>, port = %u, fd = %d%1s";
	char name[256], end[8] = "";
	int fd, k;

	*live = kind == NAMES || *line == 'a';
	if (kind == NAMES)
		k = sscanf(line, "name %255s at port %u%1s", name, port, end) == 2;
	else
		k = sscanf(line, *live ? active : old, name, port, &fd, end) == 3;
	if (k && name[0] == 'n' && (k = atoi(name + 1)) >= 0 && k < NODES &&
	    strcmp(name, (char *)nodes[k].name) == 0)
		return &nodes[k];
	return NULL;
}

/*
 * Each line is right, the latest first, each node that lived all the time is listed once; returns
 * how many were live.
 */
static int check_list(struct actor *a)
{
	const struct node *before = NULL;
	char seen[NODES] = { 0 }, *line = (char *)a->in + 4, *end;
	int live, count = 0, k;

	a->in[a->len] = '\0';
	if (a->len < 4 || a->in[0] != 0 || a->in[1] != 0 ||
	    (a->in[2] << 8 | a->in[3]) != ntohs(to.sin_port))
		bad(&wrong, NULL, "a list of %zu bytes that does not begin with the port", a->len);
	for (; a->len >= 4 && line < (char *)a->in + a->len; line = end + 1) {
		unsigned port = 0;
		struct node *n;

		if ((end = strchr(line, '\n')) == NULL) {
			bad(&wrong, NULL, "a list that breaks off after %zu bytes", a->len);
			break;
		}
		*end = '\0';
		if (a->kind == DUMP && *++end != '\0')
			bad(&wrong, NULL, "a line of a dump without its NUL");
		n = take_line(a->kind, line, &port, &live);
		if (n == NULL || (live && seen[n - nodes]++) ||
		    (live && !is_port(n, port, a->from_us)))
			bad(&wrong, n, "listed wrongly: %.60s", line);
		else if (live ? is_sure(n, GONE, a->from_us) : is_sure(n, LIVE, a->from_us))
			bad(&wrong, n, "listed as %s",
			    live ? "live, though it has ended" : "old, though registered");
		if (n == NULL || !live)
			continue;
		count++;
		if (is_sure(n, LIVE, a->from_us)) {
			if (before != NULL && n->asked_us > before->since_us)
				bad(&wrong, n, "listed behind an earlier one");
			before = n;
		}
	}
	for (k = 0; k < NODES; k++)
		if (!seen[k] && is_sure(&nodes[k], LIVE, a->from_us))
			bad(&lost, &nodes[k], "not listed, though registered");
	return count;
}

/* What a connection has come to: its answer is whole, the daemon has closed it, or time is up. */
static void finish(struct actor *a, int late)
{
	const long took_us = now_us() - a->from_us;
	/* a part of a list may have been sent */
	const int waits = a->gap_us > 0 && (a->len == 0 || a->kind == NAMES || a->kind == DUMP);
	/* in a flood, or by its deadline if this machine is too busy to send in time */
	const int may_be_evicted = a->kind == SILENT ?
	    a->from_us < flooded_us + SECOND && a->len == 0 :
	    waits && (a->from_us < flooded_us + SECOND || took_us >= timeout_us);
	unsigned creation = 0;

	requests++;
	if (a->gap_us == 0 && a->kind != SILENT && a->kind != RESET && took_us > slowest_us)
		slowest_us = took_us;
	if (late && !a->quits && !gone)
		bad(&wrong, a->node, "no end after %ld s of what was asked as kind %d",
		    LIMIT / SECOND, a->kind);
	else if (may_be_evicted)
		evicted++;
	else switch (a->kind) {
	case LOOKUP: check_lookup(a); break;
	case REGISTER: case AGAIN: check_registration(a); break;
	case NAMES: case DUMP: (void)check_list(a); break;
	case UNKNOWN: case KILL:
		if (a->len != 2 || memcmp(a->in, a->kind == KILL ? "NO" : "w\1", 2) != 0)
			bad(&wrong, NULL, "%zu bytes, not the right two, in answer to kind %d",
			    a->len, a->kind);
		break;
	case TAKEN:
		if (accepted(a, &creation) != 0 || creation != 99)
			bad(&wrong, a->node,
			    "a second registration answered with %zu bytes, creation %u",
			    a->len, creation);
		break;
	case SILENT:
		if (!a->quits && took_us < timeout_us - SECOND / 2)
			bad(&wrong, NULL, "a silent connection closed after %ld ms",
			    took_us / 1000);
		/* fall through */
	case STOP: case GARBAGE: case END:
		if (a->len > 0)
			bad(&wrong, a->node, "%zu bytes in answer to kind %d", a->len, a->kind);
		break;
	case RESET:
		break;
	}
	if (a->kind == TAKEN)
		a->node->busy--;
	if ((a->kind == RESET || (late && (a->kind == REGISTER || a->kind == AGAIN))) &&
	    a->node != NULL) {
		become(a->node, GONE);
		a->node->creation = 0; /* how many it had is not known */
	}
	if (a->fd >= 0 && (a->kind == RESET || below(4) > 0))
		reset_at_close(a->fd);
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
	a->next_us = now_us() + below(50000);
}

/* ---- requests */

static int open_conn(int rcvbuf)
{
	const struct peer peer = { &to, NULL, sizeof to, rcvbuf, 0, 1 };
	const int cfd = dial(&peer);

	if (cfd < 0 && errno == ECONNREFUSED)
		gone = 1;
	return cfd;
}

static void hang_up(struct node *n, int with_reset)
{
	if (with_reset)
		reset_at_close(n->fd);
	close(n->fd);
	become(n, GONE);
}

/* Ends a node: at once, or by what makes the daemon close the connection. */
static int end_node(struct actor *a)
{
	struct node *n = a->node;
	const int how = below(4);

	if (how < 2) {
		hang_up(n, how);
		return -1;
	}
	a->fd = n->fd;
	if (how == 2)
		shutdown(a->fd, SHUT_WR);
	else
		send_bytes(a->fd, "x", 1);
	become(n, GONE);
	return a->fd;
}

static enum kind choose(void)
{
	int at = below(1000), k = 0;

	while (at >= mix[k].share)
		at -= mix[k++].share;
	return mix[k].kind;
}

/* Whether the node is one for this; else it is looked up. */
static int fits(enum kind kind, const struct node *n)
{
	switch (kind) {
	case REGISTER:
	case RESET: return n->state == GONE && (n->creation != 0 || is_sure(n, GONE, now_us()));
	case TAKEN: return n->state == LIVE && n->holder == 0;
	case END:
	case AGAIN: return n->state == LIVE && n->holder == 0 && n->busy == 0 && n - nodes >= KEPT;
	default: return 1;
	}
}

static void begin(struct actor *a)
{
	static int registered;
	struct node *n = a->node = &nodes[registered < NODES ? registered : below(NODES)];

	a->kind = registered < NODES ? REGISTER : choose();
	if (!fits(a->kind, n))
		a->kind = a->kind == REGISTER && n - nodes >= KEPT && fits(END, n) ? END : LOOKUP;
	registered += registered < NODES;
	a->from_us = a->next_us = now_us();
	a->fd = -1;
	a->len = a->sent = a->out_len = a->want = 0;
	a->gap_us = a->kind <= UNKNOWN && below(20) == 0 ? 1 + below((int)timeout_us / 64) : 0;
	a->half_close = a->kind != REGISTER && a->kind != AGAIN && below(5) == 0;
	a->quits = 0;
	switch (a->kind) {
	case LOOKUP: a->out_len = put_request(a->out, 'z', (char *)n->name); break;
	case UNKNOWN: a->out_len = put_request(a->out, 'z', &"stranger"[below(6)]); break;
	case REGISTER: case AGAIN:
		if (a->kind == AGAIN)
			hang_up(n, below(2));
		n->before_us = n->asked_us;
		n->asked_us = a->from_us;
		a->was_free = is_sure(n, GONE, a->from_us);
		registration(a, n->port_asked = 1 + (unsigned)below(65535));
		become(n, ASKED);
		break;
	case TAKEN:
		n->busy++;
		registration(a, n->port ^ 1);
		break;
	case END:
		if (end_node(a) >= 0)
			return;
		requests++;
		a->next_us += below(50000);
		return;
	case NAMES: case DUMP:
		a->out_len = put_request(a->out, a->kind == NAMES ? 'n' : 'd', "");
		a->gap_us = below(4) == 0 ? 1 + below(20000) : 0;
		break;
	case KILL: a->out_len = put_request(a->out, 'k', ""); break;
	case STOP: a->out_len = put_request(a->out, 's', (char *)n->name); break;
	case GARBAGE: garbage(a); break;
	case RESET: /* it may be registered for a moment, and listed, by a port of its own */
		n->before_us = n->asked_us;
		n->asked_us = a->from_us + GRACE;
		registration(a, n->port_asked = n->port ^ 1);
		a->want = 0;
		a->out_len = below(3) == 0 ? a->out_len : (size_t)below((int)a->out_len);
		become(n, ASKED);
		a->quits = 1;
		break;
	case SILENT:
		a->out_len = (size_t)below(3);
		memcpy(a->out, "\0\5", 2);
		a->quits = below(2);
		a->half_close = 0;
		break;
	}
	if (a->kind != LOOKUP && a->kind != REGISTER && a->kind != AGAIN && a->kind != TAKEN &&
	    a->kind != RESET)
		a->node = NULL;
	a->fd = open_conn(a->gap_us > 0 && a->want == 0 ? 2048 : 0);
}

/*
 * Sends what is due; if it is slow, byte by byte or in some 32 pieces, within half of the daemon's
 * -packet_timeout.
 */
static void push(struct actor *a)
{
	const int slow = a->gap_us > 0 && a->kind <= UNKNOWN;
	const size_t left = a->out_len - a->sent, piece = 1 + a->out_len / 32;
	ssize_t n = 0;

	if (left > 0)
		n = send(a->fd, a->out + a->sent, slow && piece < left ? piece : left,
		    MSG_NOSIGNAL);
	if (n > 0)
		a->sent += (size_t)n;
	if (n < 0 && errno == ECONNREFUSED)
		gone = 1;
	if (a->sent == a->out_len && a->half_close)
		shutdown(a->fd, SHUT_WR);
	if (a->sent < a->out_len && slow)
		a->next_us = now_us() + a->gap_us;
	if (a->sent == a->out_len && a->quits)
		a->next_us = now_us() +
		    (a->kind == RESET ? below(2000) : below(2 * (int)timeout_us / 3));
}

static void pull(struct actor *a)
{
	const int slow = a->gap_us > 0 && a->sent == a->out_len &&
	    (a->kind == NAMES || a->kind == DUMP);
	size_t room = IN_MAX - 1 - a->len;
	ssize_t n;

	if (slow)
		room = 1024;
	else if (a->want > a->len)
		room = a->want - a->len;
	n = recv(a->fd, a->in + a->len, room, 0);
	if (n > 0)
		a->len += (size_t)n;
	if (slow)
		a->next_us = now_us() + a->gap_us;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || a->len == IN_MAX - 1 || (a->want > 0 && a->len >= a->want))
		finish(a, 0);
}

/* One turn of all that have something to do. */
static void turn(int no_more)
{
	struct pollfd p[ACTORS];
	const long now = now_us();
	struct actor *a;
	int k;

	for (k = 0; k < ACTORS; k++) {
		a = &actors[k];
		if (a->fd < 0 && now >= a->next_us && !no_more)
			begin(a);
		if (a->fd >= 0 && a->quits && a->sent == a->out_len &&
		    (now >= a->next_us || no_more))
			finish(a, 1);
		else if (a->fd >= 0 && now > a->from_us + LIMIT)
			finish(a, 1);
		p[k].fd = now >= a->next_us || a->quits ? a->fd : -1;
		p[k].events = a->sent < a->out_len ? POLLIN | POLLOUT : POLLIN;
		p[k].revents = 0;
	}
	if (poll(p, ACTORS, 2) <= 0)
		return;
	for (k = 0; k < ACTORS; k++) {
		if (p[k].revents & POLLOUT)
			push(&actors[k]);
		if (p[k].revents & ~POLLOUT)
			pull(&actors[k]);
	}
}

/* ---- what goes on beside the requests */

/* A registered node's connection says nothing and does not end. */
static void check_nodes(void)
{
	static struct pollfd p[NODES];
	int k;

	for (k = 0; k < NODES; k++) {
		p[k].fd = nodes[k].state == LIVE && nodes[k].holder == 0 ? nodes[k].fd : -1;
		p[k].events = POLLIN;
	}
	if (poll(p, NODES, 0) > 0)
		for (k = 0; k < NODES; k++)
			if (p[k].fd >= 0 && p[k].revents != 0) {
				bad(&lost, &nodes[k], "the daemon ended its registration");
				hang_up(&nodes[k], 1);
			}
}

/*
 * Gives some nodes to a process of their own, which then dies without a word; or ends the last one.
 */
static void orphan(int another)
{
	static pid_t holder;
	int k, fd, n = 0, ready[2];
	char keep[65536] = { 0 };

	if (holder > 0) {
		kill(holder, SIGKILL);
		waitpid(holder, NULL, 0);
		for (k = 0; k < NODES; k++)
			if (nodes[k].holder == holder)
				become(&nodes[k], GONE);
		holder = 0;
		return;
	}
	if (!another || pipe(ready) < 0 || (holder = fork()) < 0)
		return;
	for (k = KEPT + below(NODES / 2); k < NODES && n < ORPHANS; k++) {
		if (!fits(END, &nodes[k]))
			continue;
		keep[nodes[k].fd] = 1, n++;
		if (holder > 0)
			nodes[k].holder = holder;
	}
	if (holder == 0) {
		alarm(60);
		for (fd = 3; fd < (int)sizeof keep; fd++)
			if (!keep[fd])
				close(fd); /* the last one tells the parent that it is done */
		for (;;)
			pause();
	}
	close(ready[1]);
	(void)!read(ready[0], keep, 1);
	close(ready[0]);
	for (k = 0; k < NODES; k++)
		if (nodes[k].holder == holder)
			close(nodes[k].fd), nodes[k].fd = -1;
}

/* More connections than the daemon has, which say nothing or a byte; or their end. */
static void flood(void)
{
	static int fds[FLOOD], open_now;

	if (open_now > 0) {
		while (open_now > 0)
			close(fds[--open_now]);
		return;
	}
	for (; open_now < FLOOD && (fds[open_now] = open_conn(0)) >= 0; open_now++)
		if (below(8) > 0)
			send_bytes(fds[open_now], "", 1);
}

static int descriptors(void)
{
	char path[64];
	DIR *dir;
	int n = -2; /* . and .. */

	sprintf(path, "/proc/%ld/fd", (long)daemon_pid);
	if ((dir = opendir(path)) == NULL)
		return -1;
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static long memory_kb(void)
{
	char path[64];
	long pages = 0;
	FILE *file;

	sprintf(path, "/proc/%ld/statm", (long)daemon_pid);
	if ((file = fopen(path, "r")) == NULL || fscanf(file, "%*d %ld", &pages) != 1)
		bad(&wrong, NULL, "no %s to be read", path);
	if (file != NULL)
		fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Turns until then. */
static void spend(long until_us)
{
	long next_check = 0, next_orphan = 0, next_flood = now_us() + SECOND, now;
	int flooding = 0;

	while ((now = now_us()) < until_us && !gone) {
		turn(0);
		if (now >= next_check)
			check_nodes(), next_check = now + SECOND / 5;
		if (now >= next_orphan)
			orphan(1), next_orphan = now + SECOND / 2;
		if (now >= next_flood)
			flood(), next_flood = now + ((flooding = !flooding) ? SECOND : 8 * SECOND);
		if (flooding)
			flooded_us = now;
	}
	if (flooding)
		flood();
}

/* A list when nothing else goes on: how many it has. */
static int count_listed(enum kind kind)
{
	struct actor *a = &actors[0];
	int count;

	memset(a, 0, offsetof(struct actor, out));
	a->kind = kind;
	a->from_us = now_us();
	a->out_len = put_request(a->out, kind == NAMES ? 'n' : 'd', "");
	a->fd = open_conn(0);
	fcntl(a->fd, F_SETFL, 0);
	send_bytes(a->fd, a->out, a->out_len);
	receive(a->fd, a->in, IN_MAX - 1, LIMIT / 1000, &a->len);
	close(a->fd);
	a->fd = -1;
	count = gone ? -1 : check_list(a);
	requests++;
	return count;
}

/*
 * With all at rest, exactly the registered ones are listed; then they end, and none is. Returns the
 * descriptors at the end.
 */
static int settle(int at_start)
{
	const long end = now_us() + LIMIT;
	struct actor *a;
	int k, live = 0, busy = 1, open_now;

	while (busy && !gone) {
		turn(1);
		for (busy = 0, a = actors; a < actors + ACTORS; a++)
			busy |= a->fd >= 0;
	}
	poll(NULL, 0, gone ? 0 : (int)(GRACE / 1000) + 100);
	check_nodes();
	for (k = 0; k < NODES; k++)
		live += nodes[k].state == LIVE;
	if (count_listed(NAMES) != live || count_listed(DUMP) != live)
		bad(&wrong, NULL, "at the end not %d nodes are listed", live);
	for (k = 0; k < NODES; k++)
		if (nodes[k].fd >= 0 && nodes[k].state == LIVE)
			hang_up(&nodes[k], k % 2);
	orphan(0);
	poll(NULL, 0, gone ? 0 : (int)(GRACE / 1000) + 100);
	if (count_listed(NAMES) != 0)
		bad(&wrong, NULL, "nodes are listed though all have ended");
	while ((open_now = descriptors()) != at_start && now_us() < end && !gone)
		poll(NULL, 0, 100);
	return open_now;
}

static void make_nodes(void)
{
	int k;

	for (k = 0; k < NODES; k++) {
		struct node *n = &nodes[k];
		const int len = k % 4 == 0 ? 255 : 4 + k % 30;

		memset(n->name, 'a' + k % 26, sizeof n->name);
		n->len = (unsigned char)len;
		n->name[sprintf((char *)n->name, "n%03d", k)] = len == 4 ? '\0' : '@';
		n->name[len] = '\0';
		n->highest = k % 7 == 3 ? 5 : 6;
		n->type = k % 11 == 0 ? 72 : 77;
		n->extra_len = k % 13 == 0 ? (size_t)below(1000) : 0;
		n->fd = -1;
		n->since_us = -GRACE;
	}
}

int main(int argc, char **argv)
{
	long seconds, first_us, memory, memory_after;
	int at_start, at_end, k;

	if (argc != 5 || (seconds = atol(argv[3])) < 1)
		return 2;
	to = loopback(atoi(argv[1]));
	daemon_pid = (pid_t)atol(argv[2]);
	timeout_us = atol(argv[4]) * SECOND;
	raise_descriptors();
	setvbuf(stdout, NULL, _IOLBF, 0);
	srand((unsigned)getpid());
	for (k = 0; k < (int)sizeof pattern; k++)
		pattern[k] = (unsigned char)k;
	for (k = 0; k < ACTORS; k++)
		actors[k].fd = -1;
	make_nodes();
	at_start = descriptors();
	first_us = seconds < 24 ? seconds * SECOND / 4 : 6 * SECOND;
	spend(now_us() + first_us); /* until all that is ever touched has been */
	memory = memory_kb();
	spend(now_us() + seconds * SECOND - first_us);
	at_end = settle(at_start);
	memory_after = memory_kb();
	printf("%ssoak: %ld s, %ld requests, %ld wrong answers, %ld lost names; ",
	    gone ? "THE DAEMON DIED; " : "", seconds, requests, wrong, lost);
	printf("memory %ld kB, then %ld kB; descriptors %d, then %d; ", memory, memory_after,
	    at_start, at_end);
	printf("%ld that a flood or a deadline may have ended; the slowest answer %ld ms\n",
	    evicted, slowest_us / 1000);
	return gone || wrong > 0 || lost > 0 || at_end != at_start ||
	    memory_after - memory > GROWTH_KB;
}
