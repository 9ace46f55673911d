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
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

enum {
	CONN_MAX = 8,
	BYTES_MAX = 70000,
	LIMIT_MS = 20000, /* an answer that has not come by then does not come */
	SCENARIO_S = 120, /* no scenario, its daemons' start included, takes as long as this */
	STATUS = 78 /* this epmd's own request */
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

struct difference { /* on purpose: why, and the two transcripts */
	const char *why, *ours, *reference;
};

static struct side sides[2];
static int identical, registered, logging;
static unsigned release = 25;
static const char *before = "", *options = ""; /* of the daemons that are started from now on */
static const char *running = "";               /* the options of those that run */
static char title[200];
static struct bytes b;    /* what a scenario sends as `bytes` */
static size_t parted;     /* how much of it went as `part` */
static struct entry node; /* and whom it calls `*` */
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

static void clear(void)
{
	b.len = 0;
}

static void put(const void *from, size_t n)
{
	memcpy(b.at + b.len, from, n);
	b.len += n;
}

static void put8(unsigned v)
{
	b.at[b.len++] = (unsigned char)v;
}

static void put_times(const char *what, unsigned times)
{
	while (times-- > 0)
		put(what, strlen(what));
}

/* a packet that says to have so many bytes, and has this so many times */
static void packet(unsigned len, const char *what, unsigned times)
{
	b.len = put_16(b.at, 0, len);
	put_times(what, times);
}

/* a name of this so many times */
static struct entry entry_of_times(const char *what, unsigned times)
{
	clear();
	put_times(what, times);
	put8(0);
	return entry_of((const char *)b.at);
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

static void tx(int c, const unsigned char *at, size_t n)
{
	struct side *s;

	for (s = sides; s < sides + 2; s++) {
		if (s->conn[c] < 0)
			s->conn[c] = dial_side(s);
		if (n > 0)
			send_bytes(s->conn[c], at, n);
	}
	sent++;
}

static void tx_request(int c, int kind, const char *text)
{
	unsigned char request[4096];

	tx(c, request, put_request(request, kind, text));
}

static void tx_alive2(int c, const struct entry *n)
{
	unsigned char request[4096];

	tx(c, request, put_alive2(request, n));
}

static void tx_bytes(int c, size_t n)
{
	tx(c, b.at + parted, n);
	parted += n;
}

static void half_close(int c)
{
	shutdown(sides[0].conn[c], SHUT_WR);
	shutdown(sides[1].conn[c], SHUT_WR);
}

static void close_conn(int c, int reset)
{
	struct side *s;

	for (s = sides; s < sides + 2; s++) {
		if (s->conn[c] < 0)
			continue;
		if (reset)
			reset_at_close(s->conn[c]);
		close(s->conn[c]);
		s->conn[c] = -1;
	}
}

/* A reset counts as a close: see above. */
static const char *hear_bytes(int cfd, struct bytes *in, size_t max, int ms)
{
	const char *end = receive(cfd, in->at, max, ms, &in->len);

	return end == NULL || strcmp(end, "timeout") == 0 ? NULL : "closed";
}

/*
 * Two whole exchanges, in different turns: then either loop has dealt with all that was sent
 * before, and what it closed is closed.
 */
static void settle(const struct side *s)
{
	static struct bytes in;
	int round, cfd;

	for (round = 0; round < 2 && (cfd = dial_side(s)) >= 0; round++) {
		send_bytes(cfd, "\0\1n", 3);
		hear_bytes(cfd, &in, sizeof in.at, LIMIT_MS);
		close(cfd);
		pause_us(2000);
	}
}

static void settle_both(void)
{
	settle(&sides[0]);
	settle(&sides[1]);
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

static void say_created(struct side *s, const struct bytes *in)
{
	unsigned long creation = number(in->at + 2, in->len - 2);

	registered = 1;
	if (in->len == 6 && in->at[0] == 118 && creation > 3)
		say(s, "X_RESP ok <new>");
	else if (in->len == 4 && in->at[0] == 121 && creation >= 1 && creation <= 3)
		say(s, "RESP ok <1..3>");
	else
		say(s, "creation %lu in %u bytes", creation, (unsigned)in->len);
}

/* the lines of NAMES and DUMP */
static void say_listing(struct side *s, const struct bytes *in)
{
	size_t i;

	say(s, number(in->at, 4) == (unsigned)s->port ? "<port>" : "another port");
	for (i = 4; i < in->len; i++) {
		say_bytes(s, in->at + i, 1);
		if (i >= 8 && memcmp(in->at + i - 4, "fd = ", 5) == 0) {
			say(s, "<fd>");
			while (i + 1 < in->len && isdigit(in->at[i + 1]))
				i++;
		}
	}
}

static void hear(int c, size_t max, int is_listing)
{
	static struct bytes in;
	struct side *s;

	for (s = sides; s < sides + 2; s++) {
		const char *end = hear_bytes(s->conn[c], &in, max, LIMIT_MS);

		say(s, "[%d ", c);
		if (is_listing && in.len >= 4)
			say_listing(s, &in);
		else if (in.len > 2 && (in.at[0] == 118 || in.at[0] == 121) && in.at[1] == 0)
			say_created(s, &in);
		else
			say_bytes(s, in.at, in.len);
		say(s, "%s%s] ", in.len > 0 && end != NULL ? " " : "", end != NULL ? end : "");
	}
}

/* is it open, closed, or is there more? */
static void stands(int c)
{
	static struct bytes in;
	struct side *s;

	for (s = sides; s < sides + 2; s++) {
		const char *end;

		settle(s);
		end = hear_bytes(s->conn[c], &in, sizeof in.at, 0);
		say(s, "[%d ", c);
		say_bytes(s, in.at, in.len);
		say(s, "%s] ", end != NULL ? end : "open");
	}
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
	struct side *s;

	for (s = sides; s < sides + 2; s++) {
		struct pollfd p = { s->log, POLLIN, 0 };
		size_t n = 0, end = strlen(last);

		while (poll(&p, 1, LIMIT_MS) == 1 && n < sizeof line - 1 &&
		    read(p.fd, line + n, 1) == 1) {
			if (line[n++] != '\n')
				continue;
			line[n - 1] = '\0';
			if (is_told)
				say_line(s, line);
			n = strcspn(line, "\r");
			if (n >= end && strncmp(line + n - end, last, end) == 0)
				break;
			n = 0;
		}
	}
}

/*
 * ---- steps as words; C is a connection, and NAME may end in :PORT or be `*`.
 *
 *     alive C NAME, old C NAME    sends an ALIVE2_REQ, of a node of version 6 or 5
 *     other C NAME                one of a hidden node of version 5 at port 6000, with extra
 *     join C NAME                 alive, its answer, and how the connection stands then
 *     look C NAME                 a look-up, its answer, and a close
 *     list C n, list C d          NAMES or DUMP, its answer, and a close
 *     ask C TEXT, send C HEX      sends a request without its length, or bytes
 *     part C N, bytes C           sends the next N of the scenario's own bytes, or all the others
 *     recv C N, end C, listing C  hears N bytes, or all to the end; those of a list
 *     stands C                    whether it is open, closed, or there is more
 *     fin C, close C, reset C     half-closes or closes
 *     settle, status              lets both deal with all that was sent; how they ended
 *     fresh                       goes on with daemons that have heard nothing yet
 */

static int is(const char *verb, const char *name)
{
	return strcmp(verb, name) == 0;
}

static char *take_word(const char **steps, char *word)
{
	const size_t blanks = strspn(*steps, " "), len = strcspn(*steps + blanks, " ");

	memcpy(word, *steps + blanks, len);
	word[len] = '\0';
	*steps += blanks + len;
	return word;
}

static int take_number(const char **steps)
{
	char word[400];

	return atoi(take_word(steps, word));
}

static void send_hex(int c, const char *hex)
{
	unsigned char bytes[64];
	unsigned byte;
	size_t n;

	for (n = 0; sscanf(hex + 2 * n, "%2x", &byte) == 1; n++)
		bytes[n] = (unsigned char)byte;
	tx(c, bytes, n);
}

/* One that registers: its verb says which node it is. */
static struct entry entry_for(const char *verb, char *name)
{
	const char *const port = strchr(name, ':');
	struct entry n;

	if (is(name, "*"))
		return node;
	name[strcspn(name, ":")] = '\0';
	n = entry_of(name);
	if (port != NULL)
		n.port = (unsigned)atoi(port + 1);
	if (is(verb, "old") || is(verb, "other"))
		n.highest = 5;
	if (is(verb, "other")) {
		n.port = 6000;
		n.type = 72;
		n.extra = "new";
		n.extra_len = 3;
	}
	return n;
}

static void play(const char *steps)
{
	char verb[400], text[400];
	struct entry n;
	int c;

	while (*take_word(&steps, verb) != '\0') {
		c = isdigit((unsigned char)steps[strspn(steps, " ")]) ? take_number(&steps) : 0;
		if (is(verb, "settle")) {
			settle_both();
		} else if (is(verb, "status")) {
			rx_status(LIMIT_MS);
		} else if (is(verb, "fresh")) {
			stop_both();
			start_both();
		} else if (is(verb, "alive") || is(verb, "old") || is(verb, "other")) {
			n = entry_for(verb, take_word(&steps, text));
			tx_alive2(c, &n);
		} else if (is(verb, "join")) {
			n = entry_for(verb, take_word(&steps, text));
			tx_alive2(c, &n);
			hear(c, n.highest >= 6 ? 6 : 4, 0);
			stands(c);
		} else if (is(verb, "look")) {
			take_word(&steps, text);
			tx_request(c, 'z', is(text, "*") ? node.name : text);
			hear(c, BYTES_MAX, 0);
			close_conn(c, 0);
		} else if (is(verb, "list")) {
			tx_request(c, *take_word(&steps, text), "");
			hear(c, BYTES_MAX, 1);
			close_conn(c, 0);
		} else if (is(verb, "ask")) {
			take_word(&steps, text);
			tx_request(c, text[0], text + 1);
		} else if (is(verb, "send")) {
			send_hex(c, take_word(&steps, text));
		} else if (is(verb, "part")) {
			tx_bytes(c, (size_t)take_number(&steps));
		} else if (is(verb, "bytes")) {
			tx_bytes(c, b.len - parted);
		} else if (is(verb, "recv")) {
			hear(c, (size_t)take_number(&steps), 0);
		} else if (is(verb, "end") || is(verb, "listing")) {
			hear(c, BYTES_MAX, is(verb, "listing"));
		} else if (is(verb, "stands")) {
			stands(c);
		} else if (is(verb, "fin")) {
			half_close(c);
		} else if (is(verb, "close") || is(verb, "reset")) {
			close_conn(c, is(verb, "reset"));
		} else {
			bail_out("no such step", verb);
		}
	}
}

/* ---- scenarios */

/* Of what the title says. */
static void begin(void)
{
	struct side *s;
	int c;

	alarm(SCENARIO_S);
	parted = 0;
	for (s = sides; s < sides + 2; s++) {
		s->len = 0;
		s->said[0] = '\0';
		for (c = 0; c < CONN_MAX; c++)
			s->conn[c] = -1;
	}
}

static const char longest[] = "a name of 255 characters can be looked up";
#define REFUSAL_IS_CLOSED "a refused registration is answered and then closed"
#define ACCEPTED "[0 X_RESP ok <new>] [0 open] "
#define REFUSED_THEN(state) "[0 v\\01\\00\\00\\00c] [0 " state "] "
#define REFUSED_OLD_THEN(state) "[0 y\\01\\00c] [0 " state "] "

/* Either side has said the same; or what is expected of it, where they differ on purpose. */
static void end(const struct difference *d)
{
	const char *ours = sides[0].said, *reference = sides[1].said;
	int c, ok;

	count++;
	if (d == NULL || identical) {
		ok = strcmp(ours, reference) == 0;
		same += (unsigned)ok;
	} else {
		ok = strcmp(ours, d->ours) == 0 && strcmp(reference, d->reference) == 0;
		on_purpose += (unsigned)ok;
	}
	unexpected += (unsigned)!ok;
	printf("%s %u - %s%s%s\n", ok ? "ok" : "not ok", count, title,
	    d != NULL ? ": on purpose, " : "", d != NULL ? d->why : "");
	if (!ok)
		printf("#   ours:      %.1500s\n#   reference: %.1500s\n", ours, reference);
	if (!ok && d != NULL && !identical)
		printf("#   expected:  %.700s\n#   and:       %.700s\n", d->ours, d->reference);
	fflush(stdout);
	for (c = 0; c < CONN_MAX; c++)
		close_conn(c, 0);
	if (registered && sides[0].pid != 0)
		settle_both();
	registered = 0;
}

/* A whole one; the format makes its title. */
static void scenario(const char *steps, const struct difference *d, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(title, sizeof title, format, ap);
	va_end(ap);
	begin();
	start_both();
	play(steps);
	end(d);
}

/* ---- what is sent */

static const struct difference longest_is_found = { longest, "[0 w\\01 closed] ", "[0 closed] " };
static const struct difference refusal = {
	REFUSAL_IS_CLOSED, REFUSED_THEN("closed"), REFUSED_THEN("open")
};
static const struct difference old_refusal = {
	REFUSAL_IS_CLOSED, REFUSED_OLD_THEN("closed"), REFUSED_OLD_THEN("open")
};
static const struct difference control = {
	"a name with control characters is refused", REFUSED_THEN("closed"), ACCEPTED
};

static const char shut[] = "bytes 0 end 0", half_shut[] = "bytes 0 fin 0 end 0";

static void request_bytes(void)
{
	static const struct difference status = {
		"STATUS_REQ is not OTP's", "[0 <port> closed] ", "[0 closed] "
	};
	int kind;

	for (kind = 0; kind < 256; kind++) {
		const int lists = kind == 'n' || kind == 'd' || kind == STATUS;
		const char *const steps = lists ? "bytes 0 listing 0" : shut;
		const struct difference *const d = kind == STATUS ? &status : NULL;

		if (kind == 'k')
			continue;
		b.len = put_request(b.at, kind, "");
		scenario(steps, d, "request byte %d alone", kind);
		b.len = put_request(b.at, kind, "hello");
		scenario(steps, d, "request byte %d and five more", kind);
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
	unsigned i, n;

	for (i = 0; i < sizeof header_only / sizeof *header_only; i++) {
		n = header_only[i];
		packet(n, "", 0);
		scenario("bytes 0 stands 0", NULL, "length %u and nothing more", n);
		scenario(half_shut, NULL, "length %u, then half-closed", n);
	}
	for (i = 0; i < sizeof whole / sizeof *whole; i++) {
		n = whole[i];
		packet(n, "n", n);
		scenario("bytes 0 listing 0", NULL, "NAMES with a body of %u", n);
		packet(n, "z", n);
		scenario(shut, n == 256 ? &longest_is_found : NULL, "look-up with a body of %u", n);
		packet(n, "n", n - 1);
		scenario(half_shut, NULL, "body of %u, one byte short, then half-closed", n);
		packet(n, "n", n + 1);
		scenario("bytes 0 listing 0", n == 3057 ? &too_many : NULL,
		    "body of %u, one byte too many", n);
	}
	clear();
	scenario(half_shut, NULL, "nothing, then half-closed");
	put8(0);
	scenario(half_shut, NULL, "half a length, then half-closed");
	scenario("bytes 0 stands 0", NULL, "half a length and nothing more");
	packet(1, "n", 1);
	put("\0\1n", 3);
	scenario(shut, NULL, "two requests in one segment");
	for (n = 20000; n <= 60000; n += 20000) {
		packet(65535, "x", n);
		scenario(shut, NULL, "length 65535 and %u bytes more", n);
	}
}

/* in two segments, cut at each place; then byte by byte */
static void pieces(const char *what, const char *steps)
{
	char all[600] = "";
	unsigned cut;

	for (cut = 1; cut < b.len; cut++) {
		snprintf(all, sizeof all, "part 0 %u stands 0 bytes 0 %s", cut, steps);
		scenario(all, NULL, "%s cut after %u bytes", what, cut);
	}
	for (cut = 0, all[0] = '\0'; cut < b.len; cut++)
		strcat(all, "part 0 1 settle ");
	scenario(strcat(all, steps), NULL, "%s byte by byte", what);
}

/* An ALIVE2_REQ, of 18 bytes behind its length, with these two set at a place; or none, at 0. */
static void small_alive2(size_t at, unsigned value)
{
	packet(18, "", 0);
	put("x\x13\x88M\0\0\6\0\5\0\3abc\0\2\1\2", 18);
	if (at > 0)
		put_16(b.at, 2 + at, value);
}

static void short_registrations(void)
{
	static const char good[] = "bytes 0 recv 0 6 stands 0";
	static const char found[] = "bytes 0 recv 0 6 stands 0 look 1 abc";
	static const unsigned name_lens[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 65535 };
	static const unsigned extra_lens[] = { 0, 1, 2, 3, 4, 5, 6, 65535 };
	unsigned i, n;

	for (n = 1; n <= 18; n++) {
		small_alive2(0, 0);
		b.at[1] = (unsigned char)n;
		b.len = 2 + n;
		scenario(n == 18 ? good : shut, NULL, "ALIVE2 cut down to %u bytes", n);
	}
	for (i = 0; i < sizeof name_lens / sizeof *name_lens; i++) {
		n = name_lens[i];
		small_alive2(9, n);
		scenario(n == 3 ? good : shut, NULL,
		    "ALIVE2 whose name is said to have %u bytes", n);
	}
	for (i = 0; i < sizeof extra_lens / sizeof *extra_lens; i++) {
		n = extra_lens[i];
		small_alive2(14, n);
		scenario(n <= 2 ? found : shut, NULL,
		    "ALIVE2 whose extra is said to have %u bytes", n);
	}
	small_alive2(0, 0);
	put("\0tail", 5);
	b.at[1] = 23;
	scenario(found, NULL, "ALIVE2 with bytes after extra");
	small_alive2(0, 0);
	put8(0);
	scenario("bytes 0 end 0 look 1 abc", NULL,
	    "ALIVE2 with one byte after its packet, in the same segment");
}

static void fields(void)
{
	static const unsigned values[] = { 0, 1, 2, 3, 4, 5, 6, 7, 72, 77, 110, 127, 128, 255, 256,
		1000, 32767, 32768, 65535 };
	static const struct {
		const char *title;
		unsigned *field, max;
		const char *steps;
	} kinds[] = {
		{ "port %u given back", &node.port, 65535, "join 0 * look 1 * list 2 n" },
		{ "highest version %u decides the answer", &node.highest, 65535,
		    "join 0 * look 1 *" },
		{ "lowest version %u given back", &node.lowest, 65535, "join 0 * look 1 *" },
		{ "type %u given back", &node.type, 255, "join 0 * look 1 * list 2 n" },
		{ "protocol %u given back", &node.protocol, 255, "join 0 * look 1 *" },
	};
	size_t i, k;

	for (i = 0; i < sizeof values / sizeof *values; i++)
		for (k = 0; k < sizeof kinds / sizeof *kinds; k++) {
			node = entry_of("fields");
			*kinds[k].field = values[i];
			if (values[i] <= kinds[k].max)
				scenario(kinds[k].steps, NULL, kinds[k].title, values[i]);
		}
}

static void extras(void)
{
	static const unsigned lengths_of[] = { 0, 1, 2, 255, 256, 1018, 1019, 1020, 1021, 1022,
		1500, 2000 };
	static const char *const kinds[] = { "NULs", "letters", "every byte there is" };
	static unsigned char extra[2048];
	size_t i, j, n;

	for (i = 0; i < sizeof lengths_of / sizeof *lengths_of; i++)
		for (j = 0; j < 3; j++) {
			const int is_good = lengths_of[i] <= 1020;

			for (n = 0; n < lengths_of[i]; n++)
				extra[n] = j == 2 ? (unsigned char)n : "\0e"[j];
			node = entry_of("extra");
			node.extra = extra;
			node.extra_len = n;
			scenario(is_good ? "join 0 * look 1 *" : "join 0 *",
			    is_good ? NULL : &refusal, "extra of %u: %s", lengths_of[i], kinds[j]);
		}
}

/* registered, looked up, listed */
static void name_accepted(const char *what, const char *name)
{
	node = entry_of(name);
	scenario("join 0 * look 1 * list 2 n", NULL, "name %s", what);
}

static void name_refused(const char *what, const char *name)
{
	node = entry_of(name);
	scenario("join 0 *", &refusal, "name %s", what);
	node.highest = 5;
	scenario("join 0 *", &old_refusal, "name %s, from an old node", what);
	scenario("look 0 *", NULL, "look-up of name %s", what);
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
	size_t i, j;
	char what[60];

	for (i = 0; i < 4; i++)
		for (j = 0; j < sizeof lengths_of / sizeof *lengths_of; j++) {
			node = entry_of_times(chars[i], lengths_of[j]);
			snprintf(what, sizeof what, "of %u characters of %u bytes", lengths_of[j],
			    (unsigned)strlen(chars[i]));
			if (lengths_of[j] < 255)
				name_accepted(what, node.name);
			else if (lengths_of[j] == 255)
				scenario("join 0 * list 1 n", NULL, "name %s", what);
			else
				name_refused(what, node.name);
		}
}

/* a name of 255 characters can be registered with OTP's epmd, but not looked up */
static void longest_name_is_found(void)
{
	static struct side ours; /* what it must say */
	const struct difference d = { longest, ours.said, ACCEPTED "[1 closed] " };
	unsigned i, bytes;

	for (i = 0; i < 4; i++) {
		bytes = (unsigned)strlen(chars[i]);
		node = entry_of_times(chars[i], 255);
		scenario("look 0 *", &longest_is_found,
		    "look-up of a name of 255 characters of %u bytes", bytes);
		ours.len = 0;
		say(&ours, ACCEPTED "[1 w\\00\\13\\88M\\00\\00\\06\\00\\05\\%02x\\%02x",
		    255 * bytes / 256, 255 * bytes % 256);
		say_bytes(&ours, node.name, node.name_len);
		say(&ours, "\\00\\00 closed] ");
		scenario("join 0 * look 1 *", &d,
		    "look-up of a node whose name has 255 characters of %u bytes", bytes);
	}
}

static void odd_name(const char *steps, const struct difference *d, const void *name, size_t len,
    size_t extra_len, const char *format, unsigned i)
{
	static const unsigned char nuls[1021];

	node = entry_of("");
	node.name = name;
	node.name_len = len;
	node.extra = nuls;
	node.extra_len = extra_len;
	scenario(steps, d, format, i);
}

static void odd_names(void)
{
	static const char closed[] = "alive 0 * end 0", joins[] = "join 0 *";
	static const struct { size_t len; char name[3]; } nuls[] = {
		{ 1, "" }, { 2, "a" }, { 2, "\0a" }, { 3, "a\0b" }, { 2, "\xff" }, { 2, "\0\xff" }
	};
	static const struct difference empty = {
		"an empty name is refused even where extra follows", REFUSED_THEN("closed"),
		ACCEPTED
	};
	char name[3] = "", c1[4] = "a\xc2", letters[2000];
	unsigned i;

	for (i = 0; i < sizeof nuls / sizeof *nuls; i++)
		odd_name(closed, NULL, nuls[i].name, nuls[i].len, 0, "name with a NUL inside, %u",
		    i + 1);
	memset(letters, 'n', sizeof letters);
	letters[0] = 0;
	odd_name(closed, NULL, letters, 300, 0, "name of 300 bytes with a NUL first", 0);
	letters[0] = 'n';
	letters[299] = 0;
	odd_name(closed, NULL, letters, 300, 0, "name of 300 bytes with a NUL last", 0);
	letters[299] = 'n';
	odd_name(closed, NULL, "a\0b", 3, 1021, "name with a NUL inside, and extra too long", 0);
	odd_name(joins, &refusal, letters, 300, 1021, "name too long and extra too long", 0);
	odd_name(joins, &refusal, letters, 2000, 0, "name of 2000 bytes", 0);
	odd_name(closed, NULL, "", 0, 0, "empty name, no extra", 0);
	odd_name(joins, &refusal, "", 0, 1021, "empty name, extra too long", 0);
	odd_name(joins, &empty, "", 0, 2, "empty name, extra of 2", 0);
	for (i = 1; i <= 127; i++) {
		if (i >= 32 && i < 127)
			continue;
		name[0] = (char)i;
		odd_name(joins, &control, name, 1, 0, "name of the control character %u", i);
		name[0] = 'a';
		name[1] = (char)i;
		if (i % 8 == 2)
			odd_name(joins, &control, name, 2, 0,
			    "name of a letter and the control character %u", i);
	}
	for (i = 0x80; i <= 0x9f; i++) {
		c1[2] = (char)i;
		odd_name(joins, &control, c1, 3, 0, "name with the control character U+00%X", i);
	}
}

/* ---- scenarios that are only steps */

#define N10 "nnnnnnnnnn"
#define N100 N10 N10 N10 N10 N10 N10 N10 N10 N10 N10
#define BACK "settle look 1 back list 2 n other 3 back recv 3 4 stands 3 look 1 back list 2 n"
#define NOEXIST(before, after) "STOP of an unknown name answers NOEXIST alone", \
	before "[0 NOEXIST closed] " after, before "[0 NOEXISTSTOPPED closed] " after

/* Daemons have -relaxed_command_check where the title begins so. */
static const char *const scenarios[][5] = { /* title, steps; why they differ, and as which texts */
	{ "look-up with nobody registered", "look 0 nobody" },
	{ "look-up of an empty name", "ask 0 z end 0" },
	{ "look-up in upper case of a name in lower case",
	    "join 0 case look 1 CASE look 1 Case look 1 case" },
	{ "look-up of a beginning, and of more than the name",
	    "join 0 node look 1 nod look 1 node1 look 1 node@host" },
	{ "look-up of a name that ends in a NUL", "join 0 nul send 1 00057a6e756c00 end 1" },
	{ "look-up of a missing name that ends in a NUL", "send 1 00057a6e696c00 end 1" },
	{ "look-up of a name that ends in two NULs", "join 0 nul send 1 00067a6e756c0000 end 1" },
	{ "look-up of a NUL alone", "send 0 00027a00 end 0" },
	{ "look-up of a name with a NUL inside", "join 0 nul send 1 00067a6e756c0078 end 1" },
	{ "look-up of a name with a NUL in front", "join 0 nul send 1 00057a006e756c end 1" },
	{ "look-up, half-closed before the answer", "join 0 half ask 1 zhalf fin 1 end 1" },
	{ "NAMES, half-closed before the answer", "join 0 half ask 1 n fin 1 listing 1" },
	{ "look-up in two pieces, half-closed",
	    "send 0 00057a6e6f settle send 0 7065 fin 0 end 0" },
	{ "a second look-up on one connection", "join 0 one ask 1 zone end 1 ask 1 zone end 1" },
	{ "names that differ in extra are two connections, one name",
	    "join 0 twin join 1 twin2 look 2 twin look 2 twin2" },

	{ "a name is free after close, and can be had again", "join 0 back close 0 " BACK },
	{ "a name is free after half-close, and can be had again",
	    "join 0 back fin 0 end 0 " BACK },
	{ "a name is free after reset, and can be had again", "join 0 back reset 0 " BACK },
	{ "a name is free after a further byte, and can be had again",
	    "join 0 back send 0 00 end 0 " BACK },
	{ "a name is free after a further request, and can be had again",
	    "join 0 back ask 0 n end 0 " BACK },

	/* an asker that resets at once is left out: the reference drops the holder, or not */
	{ "a duplicate costs the holder nothing, where the asker reads it",
	    "join 0 held alive 1 held:6000 recv 1 6 settle stands 0 look 2 held list 3 n" },
	{ "a duplicate costs the holder nothing, where the asker closes at once",
	    "join 0 held alive 1 held:6000 close 1 settle stands 0 look 2 held list 3 n" },
	{ "a duplicate costs the holder nothing, where the asker half-closes at once",
	    "join 0 held alive 1 held:6000 fin 1 end 1 settle stands 0 look 2 held list 3 n" },
	{ "a duplicate is answered, from an old node too",
	    "join 0 held old 1 held recv 1 4 look 2 held" },
	{ "a duplicate's connection", "join 1 held join 0 held", REFUSAL_IS_CLOSED,
	    "[1 X_RESP ok <new>] [1 open] " REFUSED_THEN("closed"),
	    "[1 X_RESP ok <new>] [1 open] " REFUSED_THEN("open") },
	{ "five duplicates, then the holder leaves and one of them may",
	    "join 0 held alive 1 held recv 1 6 alive 2 held recv 2 6 alive 3 held recv 3 6 "
	    "alive 4 held recv 4 6 alive 5 held recv 5 6 close 0 settle join 6 held look 7 held" },

	{ "NAMES of nobody", "fresh list 0 n" },
	{ "NAMES lists the latest first",
	    "fresh join 0 one list 7 n join 1 two list 7 n join 2 three list 7 n join 3 four "
	    "list 7 n join 4 five list 7 n close 2 settle list 7 n close 4 settle list 7 n "
	    "join 2 three list 7 n" },
	{ "DUMP of nobody", "fresh list 0 d" },
	{ "DUMP lists live nodes latest first, then remembered ones oldest first",
	    "fresh join 0 one:5000 join 1 two:5001 join 2 three:5002 join 3 four:5003 "
	    "join 4 five:5004 list 7 d close 3 settle list 7 d close 1 settle list 7 d "
	    "join 5 six list 7 d join 3 four list 7 d" },
	{ "DUMP with bytes after it", "fresh join 0 one ask 1 dmore listing 1" },
	{ "NAMES with bytes after it", "fresh join 0 one ask 1 nmore listing 1" },

	{ "KILL with nobody registered", "fresh ask 0 k end 0 status" },
	{ "KILL with bytes after it", "fresh ask 0 kmore end 0 status" },
	{ "KILL with a node registered", "fresh join 0 alive ask 1 k end 1 stands 0 look 2 alive" },
	{ "KILL once the node has left", "fresh join 0 alive close 0 settle ask 1 k end 1 status" },
	{ "STOP where it is not allowed", "join 0 alive ask 1 salive end 1 stands 0" },
	{ "STOP of nobody where it is not allowed", "ask 1 snobody end 1" },
	{ "STOP of an empty name where it is not allowed", "ask 1 s end 1" },
	{ "relaxed: KILL with a node registered", "fresh join 0 alive ask 1 k end 1 end 0 status" },
	{ "relaxed: STOP of a node",
	    "join 0 alive ask 1 salive end 1 end 0 look 2 alive join 3 alive" },
	{ "relaxed: STOP of one of three",
	    "join 0 one join 1 two join 2 three ask 3 stwo end 3 end 1 stands 0 stands 2 "
	    "list 4 n" },
	{ "relaxed: STOP of nobody", "ask 0 snobody end 0", NOEXIST("", "") },
	{ "relaxed: STOP of a node that has left", "join 0 left close 0 settle ask 0 sleft end 0",
	    NOEXIST("[0 X_RESP ok <new>] [0 open] ", "") },
	{ "relaxed: STOP of a bad name", "ask 0 s\xff end 0", NOEXIST("", "") },
	{ "relaxed: STOP of a name too long", "ask 0 s" N100 N100 N100 " end 0", NOEXIST("", "") },
	{ "relaxed: STOP of a name that ends in a NUL",
	    "join 0 nul send 1 0005736e756c00 end 1 end 0" },
	{ "relaxed: STOP of an empty name", "ask 0 s end 0" },
	{ "relaxed: STOP of a node in another case", "join 1 case ask 0 sCASE end 0 stands 1",
	    NOEXIST("[1 X_RESP ok <new>] [1 open] ", "[1 open] ") },
};

static void play_scenarios(void)
{
	size_t i;

	for (i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
		const char *const *const s = scenarios[i];
		const struct difference d = { s[2], s[3], s[4] };

		options = strncmp(s[0], "relaxed:", 8) == 0 ? " -relaxed_command_check" : "";
		scenario(s[1], d.why != NULL ? &d : NULL, "%s", s[0]);
	}
	options = "";
}

/* ---- what OTP changed: each is done or not with such options, or said in such words */

/* With CVE-2026-42792 came wildcards, but Debian's 27.3.4.1+deb13u4 mends that alone. */
enum { CVE_2026_42792 = 27, WILDCARDS = 29, EPMD_NAMES = 29 };

/* with daemons of their own, which are started so */
static void begin_started(const char *first, const char *more, const char *what)
{
	stop_both();
	before = first;
	options = more;
	snprintf(title, sizeof title, "%s", what);
	begin();
	start_both();
}

/* OTP's did it the first way up to a release, and the second way since */
static void end_since(unsigned since, const char *what, const char *ours, const char *first,
    const char *second)
{
	const struct difference d = { what, ours, release < since ? first : second };

	end(&d);
	stop_both();
	before = options = "";
	logging = 0;
}

static void slow_request(void)
{
	begin_started("", " -packet_timeout 2",
	    "a request that takes 6 s where -packet_timeout is 2");
	b.len = put_request(b.at, 'z', "ab");
	while (parted < b.len) {
		if (parted > 0)
			poll(NULL, 0, 1500);
		tx_bytes(0, 1);
	}
	play("end 0");
	end_since(CVE_2026_42792, "CVE-2026-42792: -packet_timeout is for the whole request",
	    "[0 closed] ", "[0 w\\01 closed] ", "[0 closed] ");
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
	end_since(CVE_2026_42792, "CVE-2026-42792: a shortage of descriptors ends it no longer",
	    "[runs] ", "[ended 1] ", "[runs] ");
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
	snprintf(title, sizeof title, "-address %s", list);
	begin();
	for (s = sides; s < sides + 2; s++)
		if (start_daemon(s))
			say(s, "serves");
		else
			say(s, "ends %d", WEXITSTATUS(s->status));
	end_since(since, what, "serves", first, second);
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
	play("alive 0 a recv 0 6 look 1 a list 1 n");
	sides[0].len = sides[1].len = 0;
	hear_log("daemon = 0", 1);
	hear_log("NAMES_RESP", 0); /* that of launch() */
	hear_log("NAMES_REQ", 1);
	end_since(EPMD_NAMES, "EPMD_ before the names of messages in the log", LOG(""), LOG(""),
	    LOG("EPMD_"));
}

int main(int argc, char **argv)
{
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
	b.len = put_request(b.at, 'z', "pieces");
	pieces("look-up", "end 0");
	node = entry_of("pieces");
	b.len = put_alive2(b.at, &node);
	pieces("ALIVE2", "recv 0 6 stands 0");
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
