/*
 * compare - sends the same bytes to two epmds and compares what comes back
 *
 *     compare [-s] [-r RELEASE] OURS REFERENCE
 *
 * Both are commands for the shell, which "-port N" and, for some, "-relaxed_command_check" are
 * appended to. A scenario is one or more connections to either daemon; what was received and how
 * each connection stands makes a transcript, and the two transcripts must be the same, but for
 *
 *   - the epmd port in NAMES and DUMP, which must be the daemon's own (<port>)
 *   - creations: any above 3 in ALIVE2_X_RESP (<new>), 1 to 3 in ALIVE2_RESP (<1..3>)
 *   - descriptor numbers in DUMP (<fd>)
 *   - a reset for a close, which is the kernel's doing where the daemon left bytes unread
 *
 * Differences on purpose are written down with the transcript expected of each side, and what OTP
 * changed with the release that has it first; -r says of which release the reference is, by default
 * 25. With -s there are none: then two copies of one daemon are compared, to see that the scenarios
 * are stable.
 *
 * Output is TAP with a closing line of counts.
 */
#include "../tools/client.h"
#include <ctype.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

enum {
	CONN_MAX = 8,
	BYTES_MAX = 70000,
	LIMIT_MS = 20000, /* an answer that has not come by then does not come */
	SCENARIO_S = 120, /* no scenario, its daemons' start included, takes as long as this */
	ALIVE2 = 120, PLEASE = 122, NAMES = 110, DUMP = 100, KILL = 107, STOP = 115, STATUS = 78
};

struct side {
	const char *command;
	pid_t pid;
	int status; /* of one that ended before it listened */
	int log;    /* what it says on standard error, where that is wanted */
	int port, claim; /* claim: keeps others from the port */
	int conn[CONN_MAX]; /* -1 where not open */
	char said[4 * BYTES_MAX];
	size_t len;
};

struct bytes {
	unsigned char at[BYTES_MAX];
	size_t len;
};

static struct side sides[2];
static int identical, registered, logging;
static unsigned release = 25;
static const char *before = "", *options = ""; /* of the daemons that are started from now on */
static const char *running = "";               /* the options of those that run */
static char title[200];
static const char *reason, *ours_expected, *reference_expected;
static unsigned count, sent, same, on_purpose, unexpected;

/* ---- the daemons */

static int dial_side(const struct side *s)
{
	const struct sockaddr_in to = loopback(s->port);
	const struct peer peer = { &to, NULL, sizeof to, 0, 0, 0 };
	const int on = 1, cfd = dial(&peer);

	if (cfd >= 0)
		setsockopt(cfd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return cfd;
}

/* the daemon has: its port may be another's */
static void ended(struct side *s)
{
	close(s->claim);
	if (s->log >= 0)
		close(s->log);
	s->log = -1;
	s->pid = 0;
}

static void stop_both(void)
{
	struct side *s;

	for (s = sides; s < sides + 2; s++)
		if (s->pid > 0) {
			kill(s->pid, SIGKILL);
			waitpid(s->pid, NULL, 0);
			ended(s);
		}
}

static void bail_out(const char *why, const char *what)
{
	printf("Bail out! %s: %s\n", why, what);
	stop_both();
	exit(1);
}

/* a scenario over its time, or somebody wants this to end */
static void give_up(int sig)
{
	const char *why = sig == SIGALRM ? "Bail out! over its time: " : "Bail out! told to end: ";
	struct side *s;

	(void)!write(1, why, strlen(why));
	(void)!write(1, title, strlen(title));
	(void)!write(1, "\n", 1);
	for (s = sides; s < sides + 2; s++)
		if (s->pid > 0)
			kill(s->pid, SIGKILL);
	_exit(1);
}

/* One that cannot have its last address has listened on the first for a while. */
static int answers(const struct side *s)
{
	const int cfd = dial_side(s);
	char bytes[4];
	const int answered = cfd >= 0 && send(cfd, "\0\1n", 3, MSG_NOSIGNAL) == 3
		&& recv(cfd, bytes, sizeof bytes, MSG_WAITALL) == sizeof bytes;

	if (cfd >= 0)
		close(cfd);
	return answered;
}

/* 0 where it ended without an answer */
static int launch(struct side *s, const char *command)
{
	int fd, ends[2];

	if (logging && pipe(ends) != 0)
		bail_out("no pipe", command);
	s->pid = fork();
	if (s->pid == 0) {
		if (logging)
			dup2(ends[1], 2);
		for (fd = 3; fd < 64; fd++)
			close(fd);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	s->log = logging ? ends[0] : -1;
	if (logging)
		close(ends[1]);
	while (!answers(s)) {
		if (waitpid(s->pid, &s->status, WNOHANG) == s->pid) {
			ended(s);
			return 0;
		}
		poll(NULL, 0, 10);
	}
	return 1;
}

/* 0 where it ended; tried again, as another's program may take the port first */
static int start_daemon(struct side *s)
{
	char command[4096];
	int tries;

	for (tries = 0; tries < 3; tries++) {
		s->port = free_port(&s->claim);
		snprintf(command, sizeof command, "%sexec %s -port %d%s%s", before, s->command,
		    s->port, options, s == &sides[1] && !logging ? " 2>/dev/null" : "");
		if (launch(s, command))
			return 1;
	}
	return 0;
}

/* Those that do not run already, with these options. */
static void start_both(void)
{
	struct side *s;

	if (strcmp(running, options) != 0)
		stop_both();
	running = options;
	for (s = sides; s < sides + 2; s++)
		if (s->pid == 0 && !start_daemon(s))
			bail_out("does not start", s->command);
}

/* ---- bytes to send */

static struct bytes *put(struct bytes *b, const void *from, size_t n)
{
	memcpy(b->at + b->len, from, n);
	b->len += n;
	return b;
}

static struct bytes *put8(struct bytes *b, unsigned v)
{
	b->at[b->len++] = (unsigned char)v;
	return b;
}

static struct bytes *put16(struct bytes *b, unsigned v)
{
	return put8(put8(b, v >> 8 & 255), v & 255);
}

static struct bytes *put_times(struct bytes *b, const char *what, unsigned times)
{
	while (times-- > 0)
		put(b, what, strlen(what));
	return b;
}

static struct bytes *clear(struct bytes *b)
{
	b->len = 0;
	return b;
}

/* a request of one byte and a text */
static struct bytes *request(struct bytes *b, unsigned kind, const char *text)
{
	put16(clear(b), (unsigned)strlen(text) + 1);
	return put(put8(b, kind), text, strlen(text));
}

static struct bytes *alive2(struct bytes *b, struct entry n)
{
	b->len = put_alive2(b->at, &n);
	return b;
}

/* ---- steps: each is done to both sides */

static void say(struct side *s, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	s->len += (size_t)vsnprintf(s->said + s->len, sizeof s->said - s->len, format, ap);
	va_end(ap);
	if (s->len >= sizeof s->said)
		bail_out("transcript too long", title);
}

static void step_send(int c, const unsigned char *at, size_t n)
{
	int i;
	for (i = 0; i < 2; i++) {
		if (sides[i].conn[c] < 0)
			sides[i].conn[c] = dial_side(&sides[i]);
		/* a daemon that has closed shows in what is received */
		if (n > 0)
			(void)send(sides[i].conn[c], at, n, MSG_NOSIGNAL);
	}
	sent++;
}

static void tx(int c, const struct bytes *b)
{
	step_send(c, b->at, b->len);
}

static void tx_request(int c, unsigned kind, const char *text)
{
	static struct bytes b;
	tx(c, request(&b, kind, text));
}

static void tx_alive2(int c, struct entry n)
{
	static struct bytes b;
	tx(c, alive2(&b, n));
}

static void half_close(int c)
{
	shutdown(sides[0].conn[c], SHUT_WR);
	shutdown(sides[1].conn[c], SHUT_WR);
}

static void close_conn(int c, int reset)
{
	int i;
	for (i = 0; i < 2; i++) {
		if (sides[i].conn[c] < 0)
			continue;
		if (reset)
			reset_at_close(sides[i].conn[c]);
		close(sides[i].conn[c]);
		sides[i].conn[c] = -1;
	}
}

/* A reset counts as a close: see above. */
static const char *hear_bytes(int cfd, struct bytes *b, size_t max, int ms)
{
	const char *end = receive(cfd, b->at, max, ms, &b->len);

	return end == NULL || strcmp(end, "timeout") == 0 ? NULL : "closed";
}

/*
 * Two whole exchanges, in different turns: then either loop has dealt with all that was sent
 * before, and what it closed is closed.
 */
static void settle(struct side *s)
{
	static const struct timespec moment = { 0, 2000000 };
	static const unsigned char names_req[] = { 0, 1, NAMES };
	static struct bytes b;
	int round;
	for (round = 0; round < 2; round++) {
		int cfd = dial_side(s);
		if (cfd < 0)
			return;
		(void)send(cfd, names_req, sizeof names_req, MSG_NOSIGNAL);
		hear_bytes(cfd, &b, sizeof b.at, LIMIT_MS);
		close(cfd);
		nanosleep(&moment, NULL);
	}
}

static unsigned long number(const unsigned char *at, size_t n)
{
	unsigned long v = 0;
	while (n-- > 0)
		v = v << 8 | *at++;
	return v;
}

static void say_bytes(struct side *s, const unsigned char *at, size_t n)
{
	for (; n > 0; at++, n--)
		say(s, isgraph(*at) && *at != '\\' ? "%c" : "\\%02x", *at);
}

static void say_created(struct side *s, const struct bytes *b)
{
	unsigned long creation = number(b->at + 2, b->len - 2);
	registered = 1;
	if (b->len == 6 && b->at[0] == 118 && creation > 3)
		say(s, "X_RESP ok <new>");
	else if (b->len == 4 && b->at[0] == 121 && creation >= 1 && creation <= 3)
		say(s, "RESP ok <1..3>");
	else
		say(s, "creation %lu in %u bytes", creation, (unsigned)b->len);
}

/* the lines of NAMES and DUMP */
static void say_listing(struct side *s, const struct bytes *b)
{
	size_t i;
	say(s, number(b->at, 4) == (unsigned)s->port ? "<port>" : "another port");
	for (i = 4; i < b->len; i++) {
		say_bytes(s, b->at + i, 1);
		if (i >= 8 && memcmp(b->at + i - 4, "fd = ", 5) == 0) {
			say(s, "<fd>");
			while (i + 1 < b->len && isdigit(b->at[i + 1]))
				i++;
		}
	}
}

static void hear(int c, size_t max, int is_listing)
{
	static struct bytes b;
	int i;
	for (i = 0; i < 2; i++) {
		struct side *s = &sides[i];
		const char *end = hear_bytes(s->conn[c], &b, max, LIMIT_MS);
		say(s, "[%d ", c);
		if (is_listing && b.len >= 4)
			say_listing(s, &b);
		else if (b.len > 2 && (b.at[0] == 118 || b.at[0] == 121) && b.at[1] == 0)
			say_created(s, &b);
		else
			say_bytes(s, b.at, b.len);
		say(s, "%s%s] ", b.len > 0 && end != NULL ? " " : "", end != NULL ? end : "");
	}
}

static void rx(int c, size_t n)
{
	hear(c, n, 0);
}

static void rx_end(int c)
{
	hear(c, BYTES_MAX, 0);
}

static void rx_listing(int c)
{
	hear(c, BYTES_MAX, 1);
}

/* is it open, closed, or is there more? */
static void stands(int c)
{
	static struct bytes b;
	int i;
	for (i = 0; i < 2; i++) {
		const char *end;
		settle(&sides[i]);
		end = hear_bytes(sides[i].conn[c], &b, sizeof b.at, 0);
		say(&sides[i], "[%d ", c);
		say_bytes(&sides[i], b.at, b.len);
		say(&sides[i], "%s] ", end != NULL ? end : "open");
	}
}

static void pause_both(void)
{
	settle(&sides[0]);
	settle(&sides[1]);
}

/* How a daemon ended; or that it runs still, so long after what was sent. */
static void rx_status(int limit_ms)
{
	struct side *s;
	int ms, status;

	for (s = sides; s < sides + 2; s++) {
		for (ms = 0; ms < limit_ms && waitpid(s->pid, &status, WNOHANG) == 0; ms += 10)
			poll(NULL, 0, 10);
		if (ms >= limit_ms) {
			say(s, "[runs] ");
			continue;
		}
		ended(s);
		say(s, "[ended %d] ",
		    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	}
}

static void say_line(struct side *s, const char *line)
{
	size_t date = strlen("epmd: Thu Jan  1 00:00:00 1970: ");
	const char *at = strlen(line) > date ? line + date : line;

	for (; *at != '\0'; at++) {
		say(s, *at == '\r' ? "" : "%c", *at);
		if (*at == ':' && isdigit((unsigned char)at[1]))
			for (say(s, "<new>"); isdigit((unsigned char)at[1]); at++)
				;
	}
	say(s, "|");
}

/* The log up to the line that ends in this; if it is told, without dates and creations. */
static void hear_log(const char *last, int is_told)
{
	char line[300];
	int i;
	for (i = 0; i < 2; i++) {
		struct pollfd p = { 0, POLLIN, 0 };
		size_t n = 0, end = strlen(last);
		p.fd = sides[i].log;
		while (poll(&p, 1, LIMIT_MS) == 1 && n < sizeof line - 1 &&
		    read(p.fd, line + n, 1) == 1) {
			if (line[n++] != '\n')
				continue;
			line[n - 1] = '\0';
			if (is_told)
				say_line(&sides[i], line);
			n = strcspn(line, "\r");
			if (n >= end && strncmp(line + n - end, last, end) == 0)
				break;
			n = 0;
		}
	}
}

/* ---- frequent groups of steps */

static void look_up(int c, const char *name)
{
	tx_request(c, PLEASE, name);
	rx_end(c);
	close_conn(c, 0);
}

static void list(int c, unsigned kind)
{
	tx_request(c, kind, "");
	rx_listing(c);
	close_conn(c, 0);
}

/* registers; the answer and what becomes of the connection */
static void join(int c, struct entry n)
{
	tx_alive2(c, n);
	rx(c, n.highest >= 6 ? 6 : 4);
	stands(c);
}

/* ---- scenarios */

static void entitle(const char *format, ...)
{
	struct side *s;
	va_list ap;
	int c;

	va_start(ap, format);
	vsnprintf(title, sizeof title, format, ap);
	va_end(ap);
	reason = NULL;
	alarm(SCENARIO_S);
	for (s = sides; s < sides + 2; s++) {
		s->len = 0;
		s->said[0] = '\0';
		for (c = 0; c < CONN_MAX; c++)
			s->conn[c] = -1;
	}
}

/* with daemons of their own that are started so; end_started() goes back to the others */
static void begin_started(const char *first, const char *more, const char *what)
{
	stop_both();
	before = first;
	options = more;
	entitle("%s", what);
	start_both();
}

/* this scenario differs on purpose, and how */
static void differs(const char *why, const char *ours, const char *reference)
{
	reason = why;
	ours_expected = ours;
	reference_expected = reference;
}

static const char longest[] = "a name of 255 characters can be looked up";
static const char refusal_is_closed[] = "a refused registration is answered and then closed";
#define ACCEPTED "[0 X_RESP ok <new>] [0 open] "
#define REFUSED_THEN(state) "[0 v\\01\\00\\00\\00c] [0 " state "] "
#define REFUSED_OLD_THEN(state) "[0 y\\01\\00c] [0 " state "] "

static void end(void)
{
	const char *a = sides[0].said, *b = sides[1].said;
	int c, ok;

	count++;
	if (reason == NULL || identical) {
		ok = strcmp(a, b) == 0;
		same += (unsigned)ok;
	} else {
		ok = strcmp(a, ours_expected) == 0 && strcmp(b, reference_expected) == 0;
		on_purpose += (unsigned)ok;
	}
	unexpected += (unsigned)!ok;
	printf("%s %u - %s%s%s\n", ok ? "ok" : "not ok", count, title,
	    reason != NULL ? ": on purpose, " : "", reason != NULL ? reason : "");
	if (!ok) {
		printf("#   ours:      %.1500s\n#   reference: %.1500s\n", a, b);
		if (reason != NULL && !identical)
			printf("#   expected:  %.700s\n#   and:       %.700s\n", ours_expected,
			    reference_expected);
	}
	fflush(stdout);
	for (c = 0; c < CONN_MAX; c++)
		close_conn(c, 0);
	if (registered && sides[0].pid != 0)
		pause_both();
	registered = 0;
}

struct difference { /* on purpose: why, and the two transcripts */
	const char *why, *ours, *reference;
};

static void end_with(const struct difference *d)
{
	if (d != NULL)
		differs(d->why, d->ours, d->reference);
	end();
}

static void end_started(void)
{
	end();
	stop_both();
	before = options = "";
	logging = 0;
}

/* OTP's did it the first way up to a release, and the second way since */
static void differs_since(unsigned since, const char *what, const char *ours, const char *first,
    const char *second)
{
	differs(what, ours, release < since ? first : second);
}

/*
 * ---- steps as words; C is a connection, and NAME may end in :PORT.
 *
 *     alive C NAME, old C NAME    sends an ALIVE2_REQ, of a node of version 6 or 5
 *     other C NAME                one of a hidden node of version 5 at port 6000, with extra
 *     join C NAME                 alive, its answer, and how the connection stands then
 *     look C NAME                 a look-up, its answer, and a close
 *     list C n, list C d          NAMES or DUMP, its answer, and a close
 *     ask C TEXT, send C HEX      sends a request without its length, or bytes
 *     recv C N, end C, listing C  hears N bytes, or all to the end; those of a list
 *     stands C                    whether it is open, closed, or there is more
 *     fin C, close C, reset C     half-closes or closes
 *     settle, status              lets both deal with all that was sent; how they ended
 */

static char *take_word(const char **steps, char *word)
{
	const size_t blanks = strspn(*steps, " "), len = strcspn(*steps + blanks, " ");

	memcpy(word, *steps + blanks, len);
	word[len] = '\0';
	*steps += blanks + len;
	return word;
}

static void send_hex(int c, const char *hex)
{
	static struct bytes b;
	unsigned byte;

	for (clear(&b); sscanf(hex, "%2x", &byte) == 1; hex += 2)
		put8(&b, byte);
	tx(c, &b);
}

/* One that registers: its verb says which node it is. */
static struct entry entry_for(const char *verb, char *name)
{
	const char *const port = strchr(name, ':');
	struct entry n;

	name[strcspn(name, ":")] = '\0';
	n = entry_of(name);
	if (port != NULL)
		n.port = (unsigned)atoi(port + 1);
	if (strcmp(verb, "old") == 0)
		n.highest = 5;
	if (strcmp(verb, "other") == 0) {
		n.port = 6000;
		n.type = 72;
		n.highest = 5;
		n.extra = "new";
		n.extra_len = 3;
	}
	return n;
}

/* A step whose verb has an argument; or 0, and nothing is done. */
static int play_argument(const char *verb, int c, char *text)
{
	if (strcmp(verb, "join") == 0)
		join(c, entry_for(verb, text));
	else if (strcmp(verb, "alive") == 0 || strcmp(verb, "old") == 0 ||
	    strcmp(verb, "other") == 0)
		tx_alive2(c, entry_for(verb, text));
	else if (strcmp(verb, "look") == 0)
		look_up(c, text);
	else if (strcmp(verb, "list") == 0)
		list(c, (unsigned char)text[0]);
	else if (strcmp(verb, "ask") == 0)
		tx_request(c, (unsigned char)text[0], text + 1);
	else if (strcmp(verb, "send") == 0)
		send_hex(c, text);
	else if (strcmp(verb, "recv") == 0)
		rx(c, (size_t)atoi(text));
	else
		return 0;
	return 1;
}

static void play(const char *steps)
{
	char verb[400], text[400];
	const char *behind;
	int c;

	while (*take_word(&steps, verb) != '\0') {
		if (strcmp(verb, "settle") == 0) {
			pause_both();
			continue;
		}
		if (strcmp(verb, "status") == 0) {
			rx_status(LIMIT_MS);
			continue;
		}
		c = atoi(take_word(&steps, text));
		behind = steps;
		if (play_argument(verb, c, take_word(&behind, text)))
			steps = behind;
		else if (strcmp(verb, "end") == 0)
			rx_end(c);
		else if (strcmp(verb, "listing") == 0)
			rx_listing(c);
		else if (strcmp(verb, "stands") == 0)
			stands(c);
		else if (strcmp(verb, "fin") == 0)
			half_close(c);
		else if (strcmp(verb, "close") == 0 || strcmp(verb, "reset") == 0)
			close_conn(c, verb[0] == 'r');
		else
			bail_out("no such step", verb);
	}
}

/* ---- what is sent: a call of sends(), registers() or is_closed() is a scenario */

static const struct difference longest_is_found = { longest, "[0 w\\01 closed] ", "[0 closed] " };
static const struct difference refusal = {
	refusal_is_closed, REFUSED_THEN("closed"), REFUSED_THEN("open")
};
static const struct difference old_refusal = {
	refusal_is_closed, REFUSED_OLD_THEN("closed"), REFUSED_OLD_THEN("open")
};
static const struct difference control = {
	"a name with control characters is refused", REFUSED_THEN("closed"), ACCEPTED
};

/* These bytes on connection 0, and then the steps; `n` is for the title. */
static void sends(const struct bytes *b, const char *steps, const struct difference *d,
    const char *format, unsigned n)
{
	entitle(format, n);
	start_both();
	tx(0, b);
	play(steps);
	end_with(d);
}

/* A node registers on connection 0, and then the steps. */
static void registers(struct entry n, const char *steps, const struct difference *d,
    const char *format, ...)
{
	va_list ap;
	char what[200];

	va_start(ap, format);
	vsnprintf(what, sizeof what, format, ap);
	va_end(ap);
	entitle("%s", what);
	start_both();
	join(0, n);
	play(steps);
	end_with(d);
}

/* What is no registration is closed without an answer. */
static void is_closed(struct entry n, const char *format, unsigned i)
{
	static struct bytes b;

	sends(alive2(&b, n), "end 0", NULL, format, i);
}

static void request_bytes(void)
{
	static const struct difference status = {
		"STATUS_REQ is not OTP's", "[0 <port> closed] ", "[0 closed] "
	};
	static struct bytes b;
	unsigned kind;

	for (kind = 0; kind < 256; kind++) {
		const int lists = kind == NAMES || kind == DUMP || kind == STATUS;
		const char *const steps = lists ? "listing 0" : "end 0";
		const struct difference *const d = kind == STATUS ? &status : NULL;

		if (kind == KILL)
			continue;
		sends(request(&b, kind, ""), steps, d, "request byte %u alone", kind);
		sends(request(&b, kind, "hello"), steps, d, "request byte %u and five more", kind);
	}
}

static void lengths(void)
{
	static const unsigned header_only[] = { 0, 1, 2, 13, 14, 3056, 3057, 3058, 3059, 3060, 4096,
		32767, 32768, 65534, 65535 };
	static const unsigned whole[] = { 1, 2, 13, 14, 255, 256, 3055, 3056, 3057 };
	static const struct difference too_many = {
		"a byte too many behind the longest body is one too many", "[0 closed] ",
		"[0 <port> closed] "
	};
	static struct bytes b;
	unsigned i, n;

	for (i = 0; i < sizeof header_only / sizeof *header_only; i++) {
		n = header_only[i];
		put16(clear(&b), n);
		sends(&b, "stands 0", NULL, "length %u and nothing more", n);
		sends(&b, "fin 0 end 0", NULL, "length %u, then half-closed", n);
	}
	for (i = 0; i < sizeof whole / sizeof *whole; i++) {
		n = whole[i];
		put_times(put16(clear(&b), n), "n", n);
		sends(&b, "listing 0", NULL, "NAMES with a body of %u", n);
		put_times(put16(clear(&b), n), "z", n);
		sends(&b, "end 0", n == 256 ? &longest_is_found : NULL, "look-up with a body of %u",
		    n);
		put_times(put16(clear(&b), n), "n", n - 1);
		sends(&b, "fin 0 end 0", NULL, "body of %u, one byte short, then half-closed", n);
		put_times(put16(clear(&b), n), "n", n + 1);
		sends(&b, "listing 0", n == 3057 ? &too_many : NULL,
		    "body of %u, one byte too many", n);
	}
	sends(clear(&b), "fin 0 end 0", NULL, "nothing, then half-closed", 0);
	sends(put8(&b, 0), "fin 0 end 0", NULL, "half a length, then half-closed", 0);
	sends(&b, "stands 0", NULL, "half a length and nothing more", 0);
	put(request(&b, NAMES, ""), "\0\1n", 3);
	sends(&b, "end 0", NULL, "two requests in one segment", 0);
	for (n = 20000; n <= 60000; n += 20000) {
		put_times(put16(clear(&b), 65535), "xxxxx", n / 5);
		sends(&b, "end 0", NULL, "length 65535 and %u bytes more", n);
	}
}

/* in two segments, cut at each place; then byte by byte */
static void pieces(const char *what, const struct bytes *b, const char *steps)
{
	size_t cut, i;

	for (cut = 1; cut < b->len; cut++) {
		entitle("%s cut after %u bytes", what, (unsigned)cut);
		start_both();
		step_send(0, b->at, cut);
		stands(0);
		step_send(0, b->at + cut, b->len - cut);
		play(steps);
		end();
	}
	entitle("%s byte by byte", what);
	start_both();
	for (i = 0; i < b->len; i++) {
		step_send(0, b->at + i, 1);
		pause_both();
	}
	play(steps);
	end();
}

/* An ALIVE2_REQ, of 18 bytes behind its length, with one of its bytes set; or none, at 0. */
static struct bytes *small_alive2(struct bytes *b, size_t at, unsigned value)
{
	put(put16(clear(b), 18), "x\x13\x88M\0\0\6\0\5\0\3abc\0\2\1\2", 18);
	if (at > 0)
		b->at[2 + at] = (unsigned char)value;
	return b;
}

static void short_registrations(void)
{
	static const char bad[] = "end 0", good[] = "recv 0 6 stands 0";
	static const char found[] = "recv 0 6 stands 0 look 1 abc";
	static struct bytes b;
	unsigned n;

	for (n = 1; n <= 18; n++) {
		small_alive2(&b, 0, 0)->len = 2 + n;
		b.at[1] = (unsigned char)n;
		sends(&b, n == 18 ? good : bad, NULL, "ALIVE2 cut down to %u bytes", n);
	}
	for (n = 0; n <= 9; n++)
		sends(small_alive2(&b, 10, n), n == 3 ? good : bad, NULL,
		    "ALIVE2 whose name is said to have %u bytes", n);
	for (n = 0; n <= 6; n++)
		sends(small_alive2(&b, 15, n), n <= 2 ? found : bad, NULL,
		    "ALIVE2 whose extra is said to have %u bytes", n);
	small_alive2(&b, 9, 255)->at[2 + 10] = 255;
	sends(&b, bad, NULL, "ALIVE2 whose name is said to have %u bytes", 65535);
	small_alive2(&b, 14, 255)->at[2 + 15] = 255;
	sends(&b, bad, NULL, "ALIVE2 whose extra is said to have %u bytes", 65535);
	put(small_alive2(&b, 0, 0), "\0tail", 5)->at[1] = 23;
	sends(&b, found, NULL, "ALIVE2 with bytes after extra", 0);
	sends(put8(small_alive2(&b, 0, 0), 0), "end 0 look 1 abc", NULL,
	    "ALIVE2 with one byte after its packet, in the same segment", 0);
}

static void fields(void)
{
	static const unsigned values[] = { 0, 1, 2, 3, 4, 5, 6, 7, 72, 77, 110, 127, 128, 255, 256,
		1000, 32767, 32768, 65535 };
	static const struct {
		const char *title;
		size_t at; /* of the field in a struct entry */
		unsigned max;
		const char *steps;
	} kinds[] = {
		{ "port %u given back", offsetof(struct entry, port), 65535,
		    "look 1 fields list 2 n" },
		{ "highest version %u decides the answer", offsetof(struct entry, highest), 65535,
		    "look 1 fields" },
		{ "lowest version %u given back", offsetof(struct entry, lowest), 65535,
		    "look 1 fields" },
		{ "type %u given back", offsetof(struct entry, type), 255,
		    "look 1 fields list 2 n" },
		{ "protocol %u given back", offsetof(struct entry, protocol), 255,
		    "look 1 fields" },
	};
	size_t i, k;

	for (i = 0; i < sizeof values / sizeof *values; i++)
		for (k = 0; k < sizeof kinds / sizeof *kinds; k++) {
			struct entry n = entry_of("fields");

			memcpy((char *)&n + kinds[k].at, &values[i], sizeof values[i]);
			if (values[i] <= kinds[k].max)
				registers(n, kinds[k].steps, NULL, kinds[k].title, values[i]);
		}
}

static void extras(void)
{
	static const unsigned lengths_of[] = { 0, 1, 2, 255, 256, 1018, 1019, 1020, 1021, 1022,
		1500, 2000 };
	static const char *const kinds[] = { "NULs", "letters", "every byte there is" };
	static unsigned char extra[2048];
	size_t i, j;

	for (i = 0; i < sizeof lengths_of / sizeof *lengths_of; i++)
		for (j = 0; j < 3; j++) {
			const int is_good = lengths_of[i] <= 1020;
			struct entry n = entry_of("extra");

			for (n.extra_len = 0; n.extra_len < lengths_of[i]; n.extra_len++)
				extra[n.extra_len] = j == 2 ? (unsigned char)n.extra_len : "\0e"[j];
			n.extra = extra;
			registers(n, is_good ? "look 1 extra" : "", is_good ? NULL : &refusal,
			    "extra of %u: %s", lengths_of[i], kinds[j]);
		}
}

/* registered, looked up, listed; or refused */
static void name_accepted(const char *what, const char *name)
{
	entitle("name %s", what);
	start_both();
	join(0, entry_of(name));
	look_up(1, name);
	list(2, NAMES);
	end();
}

static void name_refused(const char *what, const char *name)
{
	struct entry n = entry_of(name);

	registers(n, "", &refusal, "name %s", what);
	n.highest = 5;
	registers(n, "", &old_refusal, "name %s, from an old node", what);
	entitle("look-up of name %s", what);
	start_both();
	look_up(0, name);
	end();
}

static void names(void)
{
	static const char *const good[][2] = {
		{ "of one letter", "a" },
		{ "with every sign a node may have", "rabbit_1-x.y@host" }, { "of a blank", " " },
		{ "of quotes and a per cent", "'\"%s%n" }, { "of a backslash", "\\" },
		{ "of < and >", "<>, fd = 7" }, { "like a line of NAMES", "name x at port 1" },
		{ "U+00A0", "\xc2\xa0" }, { "U+07FF", "\xdf\xbf" }, { "U+0800", "\xe0\xa0\x80" },
		{ "U+2028", "\xe2\x80\xa8" }, { "U+D7FF", "\xed\x9f\xbf" },
		{ "U+E000", "\xee\x80\x80" }, { "U+FEFF", "\xef\xbb\xbf" },
		{ "U+FFFD", "\xef\xbf\xbd" }, { "U+FFFE", "\xef\xbf\xbe" },
		{ "U+FFFF", "\xef\xbf\xbf" }, { "U+10000", "\xf0\x90\x80\x80" },
		{ "U+1F600", "\xf0\x9f\x98\x80" }, { "U+FFFFF", "\xf3\xbf\xbf\xbf" },
		{ "U+100000", "\xf4\x80\x80\x80" }, { "U+10FFFF", "\xf4\x8f\xbf\xbf" },
		{ "of one, two, three and four bytes in turn",
		    "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z" },
	};
	static const char *const bad[][2] = {
		{ "80, a continuation alone", "\x80" }, { "bf, a continuation alone", "\xbf" },
		{ "a80", "a\x80" }, { "c0 80, U+0000 overlong", "\xc0\x80" },
		{ "c0 af, overlong", "\xc0\xaf" }, { "c1 bf, overlong", "\xc1\xbf" },
		{ "e0 80 80, overlong", "\xe0\x80\x80" }, { "e0 9f bf, overlong", "\xe0\x9f\xbf" },
		{ "f0 80 80 80, overlong", "\xf0\x80\x80\x80" },
		{ "f0 8f bf bf, overlong", "\xf0\x8f\xbf\xbf" },
		{ "ed a0 80, a surrogate", "\xed\xa0\x80" },
		{ "ed af bf, a surrogate", "\xed\xaf\xbf" },
		{ "ed b0 80, a surrogate", "\xed\xb0\x80" },
		{ "ed bf bf, a surrogate", "\xed\xbf\xbf" },
		{ "ed a0 bd ed b8 80, a pair of surrogates", "\xed\xa0\xbd\xed\xb8\x80" },
		{ "f4 90 80 80, above U+10FFFF", "\xf4\x90\x80\x80" },
		{ "f5 80 80 80, above U+10FFFF", "\xf5\x80\x80\x80" },
		{ "f7 bf bf bf, above U+10FFFF", "\xf7\xbf\xbf\xbf" },
		{ "f8 88 80 80 80, of five bytes", "\xf8\x88\x80\x80\x80" },
		{ "fc 84 80 80 80 80, of six bytes", "\xfc\x84\x80\x80\x80\x80" }, { "fe", "\xfe" },
		{ "ff", "\xff" }, { "c3, cut off", "\xc3" }, { "e2 82, cut off", "\xe2\x82" },
		{ "f0 9f 98, cut off", "\xf0\x9f\x98" },
		{ "c3 28, the second byte wrong", "\xc3(" },
		{ "c3 c3 a9, the second byte wrong", "\xc3\xc3\xa9" },
		{ "e2 28 a1, the second byte wrong", "\xe2(\xa1" },
		{ "e2 82 28, the third byte wrong", "\xe2\x82(" },
		{ "f0 28 8c bc, the second byte wrong", "\xf0(\x8c\xbc" },
		{ "f0 90 28 bc, the third byte wrong", "\xf0\x90(\xbc" },
		{ "f0 9f 98 c0, the fourth byte wrong", "\xf0\x9f\x98\xc0" },
		{ "good, then a bad byte", "good\xe9" },
	};
	size_t i;
	for (i = 0; i < sizeof good / sizeof *good; i++)
		name_accepted(good[i][0], good[i][1]);
	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		name_refused(bad[i][0], bad[i][1]);
}

static const char *const chars[] = { "n", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80" };

static void long_names(void)
{
	static const unsigned lengths_of[] = { 2, 127, 128, 253, 254, 255, 256, 257, 300 };
	static struct bytes b;
	size_t i, j;
	char what[60];

	for (i = 0; i < 4; i++)
		for (j = 0; j < sizeof lengths_of / sizeof *lengths_of; j++) {
			const char *name = (char *)b.at;

			put8(put_times(clear(&b), chars[i], lengths_of[j]), 0);
			snprintf(what, sizeof what, "of %u characters of %u bytes", lengths_of[j],
			    (unsigned)strlen(chars[i]));
			if (lengths_of[j] < 255)
				name_accepted(what, name);
			else if (lengths_of[j] == 255)
				registers(entry_of(name), "list 1 n", NULL, "name %s", what);
			else
				name_refused(what, name);
		}
}

/* a name of 255 characters can be registered with OTP's epmd, but not looked up */
static void longest_name_is_found(void)
{
	static const char *const sizes[] = { "\\00\\ff", "\\01\\fe", "\\02\\fd", "\\03\\fc" };
	static char name[1024], ours[8192];
	static struct bytes b;
	size_t i, n;

	for (i = 0; i < 4; i++) {
		put8(put_times(clear(&b), chars[i], 255), 0);
		memcpy(name, b.at, b.len);
		entitle("look-up of a name of 255 characters of %u bytes",
		    (unsigned)strlen(chars[i]));
		start_both();
		look_up(0, name);
		end_with(&longest_is_found);
		entitle("look-up of a node whose name has 255 characters of %u bytes",
		    (unsigned)strlen(chars[i]));
		start_both();
		join(0, entry_of(name));
		look_up(1, name);
		n = (size_t)snprintf(ours, sizeof ours,
		    ACCEPTED "[1 w\\00\\13\\88M\\00\\00\\06\\00\\05%s", sizes[i]);
		for (b.len--; b.len > 0; b.len--)
			n += (size_t)snprintf(ours + n, sizeof ours - n, i == 0 ? "n" : "\\%02x",
			    (unsigned char)name[strlen(name) - b.len]);
		snprintf(ours + n, sizeof ours - n, "\\00\\00 closed] ");
		differs(longest, ours, ACCEPTED "[1 closed] ");
		end();
	}
}

static struct entry entry_with(const void *name, size_t name_len, size_t extra_len)
{
	static const unsigned char nuls[1021];
	struct entry n = entry_of("");

	n.name = name;
	n.name_len = name_len;
	n.extra = nuls;
	n.extra_len = extra_len;
	return n;
}

static void odd_names(void)
{
	static const unsigned char nuls[][4] = { { 0, 0, 0, 0 }, { 'a', 0, 0, 0 }, { 0, 'a', 0, 0 },
		{ 'a', 0, 'b', 0 }, { 0xff, 0, 0, 0 }, { 0, 0xff, 0, 0 } };
	static const size_t nuls_len[] = { 1, 2, 2, 3, 2, 2 };
	static const struct difference empty = {
		"an empty name is refused even where extra follows", REFUSED_THEN("closed"),
		ACCEPTED
	};
	char name[3] = "", c1[4] = "a\xc2", letters[2000];
	unsigned i;

	for (i = 0; i < 6; i++)
		is_closed(entry_with(nuls[i], nuls_len[i], 0), "name with a NUL inside, %u", i + 1);
	memset(letters, 'n', sizeof letters);
	letters[0] = 0;
	is_closed(entry_with(letters, 300, 0), "name of 300 bytes with a NUL first", 0);
	letters[0] = 'n';
	letters[299] = 0;
	is_closed(entry_with(letters, 300, 0), "name of 300 bytes with a NUL last", 0);
	letters[299] = 'n';
	is_closed(entry_with(nuls[3], 3, 1021), "name with a NUL inside, and extra too long", 0);
	registers(entry_with(letters, 300, 1021), "", &refusal, "name too long and extra too long");
	registers(entry_with(letters, 2000, 0), "", &refusal, "name of 2000 bytes");
	is_closed(entry_of(""), "empty name, no extra", 0);
	registers(entry_with("", 0, 1021), "", &refusal, "empty name, extra too long");
	registers(entry_with("", 0, 2), "", &empty, "empty name, extra of 2");
	for (i = 1; i <= 127; i++) {
		if (i >= 32 && i < 127)
			continue;
		name[0] = (char)i;
		registers(entry_with(name, 1, 0), "", &control, "name of the control character %u",
		    i);
		name[0] = 'a';
		name[1] = (char)i;
		if (i % 8 == 2)
			registers(entry_of(name), "", &control,
			    "name of a letter and the control character %u", i);
	}
	for (i = 0x80; i <= 0x9f; i++) {
		c1[2] = (char)i;
		registers(entry_of(c1), "", &control, "name with the control character U+00%X", i);
	}
}

/* ---- scenarios that are only steps */

#define N10 "nnnnnnnnnn"
#define N100 N10 N10 N10 N10 N10 N10 N10 N10 N10 N10
#define BACK "settle look 1 back list 2 n other 3 back recv 3 4 stands 3 look 1 back list 2 n"
#define FIVE "join 0 one:5000 join 1 two:5001 join 2 three:5002 join 3 four:5003 join 4 five:5004 "
#define NOEXIST(before, after) \
	&(const struct difference) { \
		"STOP of an unknown name answers NOEXIST alone", \
		before "[0 NOEXIST closed] " after, before "[0 NOEXISTSTOPPED closed] " after \
	}

enum { FRESH = 1, RELAXED }; /* daemons that have heard nothing yet; with -relaxed_command_check */

static const struct difference duplicate = {
	refusal_is_closed, "[1 X_RESP ok <new>] [1 open] " REFUSED_THEN("closed"),
	"[1 X_RESP ok <new>] [1 open] " REFUSED_THEN("open")
};

static const struct scenario {
	int flags;
	const char *title, *steps;
	const struct difference *difference; /* or NULL */
} scenarios[] = {
	{ 0, "look-up with nobody registered", "look 0 nobody", NULL },
	{ 0, "look-up of an empty name", "ask 0 z end 0", NULL },
	{ 0, "look-up in upper case of a name in lower case",
	    "join 0 case look 1 CASE look 1 Case look 1 case", NULL },
	{ 0, "look-up of a beginning, and of more than the name",
	    "join 0 node look 1 nod look 1 node1 look 1 node@host", NULL },
	{ 0, "look-up of a name that ends in a NUL", "join 0 nul send 1 00057a6e756c00 end 1",
	    NULL },
	{ 0, "look-up of a missing name that ends in a NUL", "send 1 00057a6e696c00 end 1", NULL },
	{ 0, "look-up of a name that ends in two NULs", "join 0 nul send 1 00067a6e756c0000 end 1",
	    NULL },
	{ 0, "look-up of a NUL alone", "send 0 00027a00 end 0", NULL },
	{ 0, "look-up of a name with a NUL inside", "join 0 nul send 1 00067a6e756c0078 end 1",
	    NULL },
	{ 0, "look-up of a name with a NUL in front", "join 0 nul send 1 00057a006e756c end 1",
	    NULL },
	{ 0, "look-up, half-closed before the answer", "join 0 half ask 1 zhalf fin 1 end 1",
	    NULL },
	{ 0, "NAMES, half-closed before the answer", "join 0 half ask 1 n fin 1 listing 1", NULL },
	{ 0, "look-up in two pieces, half-closed",
	    "send 0 00057a6e6f settle send 0 7065 fin 0 end 0", NULL },
	{ 0, "a second look-up on one connection", "join 0 one ask 1 zone end 1 ask 1 zone end 1",
	    NULL },
	{ 0, "names that differ in extra are two connections, one name",
	    "join 0 twin join 1 twin2 look 2 twin look 2 twin2", NULL },

	{ 0, "a name is free after close, and can be had again", "join 0 back close 0 " BACK,
	    NULL },
	{ 0, "a name is free after half-close, and can be had again",
	    "join 0 back fin 0 end 0 " BACK, NULL },
	{ 0, "a name is free after reset, and can be had again", "join 0 back reset 0 " BACK,
	    NULL },
	{ 0, "a name is free after a further byte, and can be had again",
	    "join 0 back send 0 00 end 0 " BACK, NULL },
	{ 0, "a name is free after a further request, and can be had again",
	    "join 0 back ask 0 n end 0 " BACK, NULL },

	/* an asker that resets at once is left out: the reference drops the holder, or not */
	{ 0, "a duplicate costs the holder nothing, where the asker reads it",
	    "join 0 held alive 1 held:6000 recv 1 6 settle stands 0 look 2 held list 3 n", NULL },
	{ 0, "a duplicate costs the holder nothing, where the asker closes at once",
	    "join 0 held alive 1 held:6000 close 1 settle stands 0 look 2 held list 3 n", NULL },
	{ 0, "a duplicate costs the holder nothing, where the asker half-closes at once",
	    "join 0 held alive 1 held:6000 fin 1 end 1 settle stands 0 look 2 held list 3 n",
	    NULL },
	{ 0, "a duplicate is answered, from an old node too",
	    "join 0 held old 1 held recv 1 4 look 2 held", NULL },
	{ 0, "a duplicate's connection", "join 1 held join 0 held", &duplicate },
	{ 0, "five duplicates, then the holder leaves and one of them may",
	    "join 0 held alive 1 held recv 1 6 alive 2 held recv 2 6 alive 3 held recv 3 6 "
	    "alive 4 held recv 4 6 alive 5 held recv 5 6 close 0 settle join 6 held look 7 held",
	    NULL },

	{ FRESH, "NAMES of nobody", "list 0 n", NULL },
	{ FRESH, "NAMES lists the latest first",
	    "join 0 one list 7 n join 1 two list 7 n join 2 three list 7 n join 3 four list 7 n "
	    "join 4 five list 7 n close 2 settle list 7 n close 4 settle list 7 n "
	    "join 2 three list 7 n",
	    NULL },
	{ FRESH, "DUMP of nobody", "list 0 d", NULL },
	{ FRESH, "DUMP lists live nodes latest first, then remembered ones oldest first",
	    FIVE "list 7 d close 3 settle list 7 d close 1 settle list 7 d join 5 six list 7 d "
	         "join 3 four list 7 d",
	    NULL },
	{ FRESH, "DUMP with bytes after it", "join 0 one ask 1 dmore listing 1", NULL },
	{ FRESH, "NAMES with bytes after it", "join 0 one ask 1 nmore listing 1", NULL },

	{ FRESH, "KILL with nobody registered", "ask 0 k end 0 status", NULL },
	{ FRESH, "KILL with bytes after it", "ask 0 kmore end 0 status", NULL },
	{ FRESH, "KILL with a node registered", "join 0 alive ask 1 k end 1 stands 0 look 2 alive",
	    NULL },
	{ FRESH, "KILL once the node has left", "join 0 alive close 0 settle ask 1 k end 1 status",
	    NULL },
	{ 0, "STOP where it is not allowed", "join 0 alive ask 1 salive end 1 stands 0", NULL },
	{ 0, "STOP of nobody where it is not allowed", "ask 1 snobody end 1", NULL },
	{ 0, "STOP of an empty name where it is not allowed", "ask 1 s end 1", NULL },
	{ FRESH | RELAXED, "relaxed: KILL with a node registered",
	    "join 0 alive ask 1 k end 1 end 0 status", NULL },
	{ RELAXED, "relaxed: STOP of a node",
	    "join 0 alive ask 1 salive end 1 end 0 look 2 alive join 3 alive", NULL },
	{ RELAXED, "relaxed: STOP of one of three",
	    "join 0 one join 1 two join 2 three ask 3 stwo end 3 end 1 stands 0 stands 2 list 4 n",
	    NULL },
	{ RELAXED, "relaxed: STOP of nobody", "ask 0 snobody end 0", NOEXIST("", "") },
	{ RELAXED, "relaxed: STOP of a node that has left",
	    "join 0 left close 0 settle ask 0 sleft end 0",
	    NOEXIST("[0 X_RESP ok <new>] [0 open] ", "") },
	{ RELAXED, "relaxed: STOP of a bad name", "ask 0 s\xff end 0", NOEXIST("", "") },
	{ RELAXED, "relaxed: STOP of a name too long", "ask 0 s" N100 N100 N100 " end 0",
	    NOEXIST("", "") },
	{ RELAXED, "relaxed: STOP of a name that ends in a NUL",
	    "join 0 nul send 1 0005736e756c00 end 1 end 0", NULL },
	{ RELAXED, "relaxed: STOP of an empty name", "ask 0 s end 0", NULL },
	{ RELAXED, "relaxed: STOP of a node in another case",
	    "join 1 case ask 0 sCASE end 0 stands 1",
	    NOEXIST("[1 X_RESP ok <new>] [1 open] ", "[1 open] ") },
};

static void play_scenarios(void)
{
	const struct scenario *s;

	for (s = scenarios; s < scenarios + sizeof scenarios / sizeof *scenarios; s++) {
		options = s->flags & RELAXED ? " -relaxed_command_check" : "";
		if (s->flags & FRESH)
			stop_both();
		entitle("%s", s->title);
		start_both();
		play(s->steps);
		end_with(s->difference);
	}
	options = "";
}

/* ---- what OTP changed: each is done or not with such options, or said in such words */

/* With CVE-2026-42792 came wildcards, but Debian's 27.3.4.1+deb13u4 mends that alone. */
enum { CVE_2026_42792 = 27, WILDCARDS = 29, EPMD_NAMES = 29 };

static void slow_request(void)
{
	static struct bytes b;
	size_t i;
	begin_started("", " -packet_timeout 2",
	    "a request that takes 6 s where -packet_timeout is 2");
	request(&b, PLEASE, "ab");
	for (i = 0; i < b.len; i++) {
		if (i > 0)
			poll(NULL, 0, 1500);
		step_send(0, b.at + i, 1);
	}
	rx_end(0);
	differs_since(CVE_2026_42792, "CVE-2026-42792: -packet_timeout is for the whole request",
	    "[0 closed] ", "[0 w\\01 closed] ", "[0 closed] ");
	end_started();
}

static void shortage(void)
{
	int conns[2 * 60], i;
	begin_started("exec 2>/dev/null; ulimit -n 32; ", "",
	    "60 silent connections where 32 files may be open");
	for (i = 0; i < 2 * 60; i++)
		conns[i] = dial_side(&sides[i % 2]);
	rx_status(3000);
	for (i = 0; i < 2 * 60; i++)
		close(conns[i]);
	differs_since(CVE_2026_42792, "CVE-2026-42792: a shortage of descriptors ends it no longer",
	    "[runs] ", "[ended 1] ", "[runs] ");
	end_started();
}

/* does it serve with this list, or how does it end? */
static void addresses(const char *list, unsigned since, const char *what, const char *first,
    const char *second)
{
	char more[300];
	struct side *s;

	snprintf(more, sizeof more, " -address %s", list);
	stop_both();
	options = more;
	entitle("-address %s", list);
	for (s = sides; s < sides + 2; s++)
		if (start_daemon(s))
			say(s, "serves");
		else
			say(s, "ends %d", WEXITSTATUS(s->status));
	differs_since(since, what, "serves", first, second);
	end_started();
}

static void address_lists(void)
{
	static const char wildcard[] = "a wildcard as -address", twice[] = "an address given twice";
	addresses("0.0.0.0", WILDCARDS, wildcard, "ends 0", "serves");
	addresses("::", WILDCARDS, wildcard, "ends 0", "serves");
	addresses("127.0.0.1,0.0.0.0", WILDCARDS, "a wildcard and what it covers", "ends 0",
	    "ends 0");
	addresses("127.0.0.1,127.0.0.1", WILDCARDS, twice, "serves", "ends 0");
	addresses("127.0.1.1,127.0.1.1", WILDCARDS, twice, "ends 0", "ends 0");
	addresses("127.0.1.1,127.0.1.2,127.0.1.3,127.0.1.4,127.0.1.5,127.0.1.6,127.0.1.7,127.0.1.8,"
	    "127.0.1.9,127.0.1.10,127.0.1.11,127.0.1.12,127.0.1.13,127.0.1.14",
	    WILDCARDS, "more than 13 addresses", "ends 1", "ends 1");
}

#define LOG(e) "epmd running - daemon = 0|** got ALIVE2_REQ|registering 'a:<new>', port 5000|" \
	"type 77 proto 0 highvsn 6 lowvsn 5|** sent " e "ALIVE2_RESP for \"a\"|" \
	"** got PORT2_REQ|** sent " e "PORT2_RESP (ok) for \"a\"|** got " e "NAMES_REQ|"

static void log_lines(void)
{
	logging = 1;
	begin_started("", " -d", "the log of a registration, a look-up and a list");
	tx_alive2(0, entry_of("a"));
	rx(0, 6);
	look_up(1, "a");
	list(1, NAMES);
	sides[0].len = sides[1].len = 0;
	hear_log("daemon = 0", 1);
	hear_log("NAMES_RESP", 0); /* that of launch() */
	hear_log("NAMES_REQ", 1);
	differs_since(EPMD_NAMES, "EPMD_ before the names of messages in the log", LOG(""), LOG(""),
	    LOG("EPMD_"));
	end_started();
}

int main(int argc, char **argv)
{
	static struct bytes b;
	int option;

	while ((option = getopt(argc, argv, "sr:")) != -1)
		if (option == 's')
			identical = 1;
		else if (option == 'r' && atoi(optarg) > 0)
			release = (unsigned)atoi(optarg);
		else
			break;
	argv += optind;
	if (option != -1 || argc - optind != 2) {
		fputs("usage: compare [-s] [-r RELEASE] OURS REFERENCE\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, give_up);
	signal(SIGHUP, give_up);
	signal(SIGINT, give_up);
	signal(SIGTERM, give_up);
	sides[0].command = argv[0];
	sides[1].command = argv[1];
	sides[0].log = sides[1].log = -1;

	request_bytes();
	lengths();
	pieces("look-up", request(&b, PLEASE, "pieces"), "end 0");
	pieces("ALIVE2", alive2(&b, entry_of("pieces")), "recv 0 6 stands 0");
	short_registrations();
	fields();
	extras();
	names();
	long_names();
	longest_name_is_found();
	odd_names();
	play_scenarios();
	slow_request();
	shortage();
	address_lists();
	log_lines();
	stop_both();

	printf("1..%u\n", count);
	printf("# OTP %u: %u strings sent to each in %u scenarios: ", release, sent, count);
	printf("%u same, %u different on purpose, %u unexpected\n", same, on_purpose, unexpected);
	return unexpected != 0;
}
