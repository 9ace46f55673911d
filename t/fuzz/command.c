/*
 * Fuzz target: the commands, asking an epmd that answers whatever it likes
 *
 * An input is a byte for the command, a byte of flags (1 and 2: -d, 4: -host, 8: -wait 1, 16:
 * standard output is a terminal), a byte for the length of the argument and the argument, and then
 * one answer for each connection that the command opens:
 *
 *     HOW LEN BYTES     HOW % 8: 0 to 3 then the end, 4 a reset, 5 silence, 6 the bytes over and
 *                       over, 7 no connection at all; HOW / 8: so many bytes at a time, 0 all; LEN
 *                       is 16 bits. Where HOW / 8 is odd, it takes a while to connect, and where
 *                       it is 1 and silent for ever.
 *
 * Checked: a request that is sent is one packet and the right one; nothing but text reaches the
 * terminal, whatever was answered; the status is one that epmd.8 knows; a closed connection is used
 * no more, and none is left open when it tries again; nothing waits for longer than -timeout and
 * -wait say, but for a registration that succeeded; and what is printed and the status are those of
 * a naive second reading of the answer (where it was whole).
 */
#define EPMD_NODE_MAX 4
#define EPMD_CONN_SPARE 4
#define EPMD_SCRATCH_MAX (EPMD_PACKET_MAX + EPMD_LINE_MAX) /* of output that is written at once */

/* Before the headers, whose declarations are then those of the functions below. */
#define close fake_close
#define connect fake_connect
#define fcntl fake_fcntl
#define freeaddrinfo fake_freeaddrinfo
#define getaddrinfo fake_getaddrinfo
#define getsockopt fake_getsockopt
#define nanosleep fake_nanosleep
#define poll fake_poll
#define recv fake_recv
#define send fake_send
#define socket fake_socket
#include "world.h"

static int is_terminal, with_host;

#define isatty(fd) GIVES(is_terminal, (fd) == STDOUT_FILENO)
#define open(...) (-1) /* all three of standard input, output and error are open */
#define getenv no_variable

static char *no_variable(const char *name)
{
	(void)name;
	return NULL;
}

#include "../../epmd.c"
#include "again.h"

enum { FDS = 128, FD = 5, READ_MAX = EPMD_PACKET_MAX, HOLDS = 99 };
enum { NAMES, DUMP, STARTED, KILL, STOP, LOOKUP, REGISTER, STATUS, COUNTS, COMMANDS };
enum how { END, RESET = 4, SILENCE, FOR_EVER, REFUSED };

struct answer {
	enum how how;
	size_t step, len, at;
	const uint8_t *bytes;
	uint8_t sent[2048];
	size_t sent_len;
	int open, connects; /* connects: not known yet whether it does */
};

static struct {
	const uint8_t *at;
	size_t left;
} input;
static struct answer answers_given[FDS];
static int opened;             /* connections, refused ones included */

/* ---- the world */

static unsigned take(unsigned bytes)
{
	unsigned v = 0;

	while (bytes-- > 0) {
		v = v << 8 | (input.left > 0 ? *input.at : 0);
		if (input.left > 0) {
			input.at++;
			input.left--;
		}
	}
	return v;
}

/* Nothing more happens: a registration that succeeded waits for that. */
static void hold(void)
{
	MUST(strncmp(shown.text, "registered ", 11) == 0);
	longjmp(out, 1 + HOLDS);
}

int fake_socket(int family, int type, int protocol)
{
	(void)family;
	(void)protocol;
	MUST(type == SOCK_STREAM);
	if (opened == FDS) /* it registers again and again */
		hold();
	memset(&answers_given[opened], 0, sizeof answers_given[opened]);
	answers_given[opened].open = 1;
	return FD + opened++;
}

static struct answer *answer_of(int fd)
{
	MUST(fd >= FD && fd < FD + opened && answers_given[fd - FD].open);
	return &answers_given[fd - FD];
}

int fake_fcntl(int fd, int command, ...)
{
	MUST(answer_of(fd)->sent_len == 0 && (command == F_SETFL || command == F_SETFD));
	return 0;
}

int fake_close(int fd)
{
	answer_of(fd)->open = 0;
	return 0;
}

int fake_connect(int fd, const struct sockaddr *to, socklen_t len)
{
	struct answer *const a = answer_of(fd);
	const unsigned how = input.left > 0 ? take(1) : REFUSED;

	MUST(to->sa_family == (len == sizeof(struct sockaddr_in) ? AF_INET : AF_INET6));
	a->how = how % 8 < 4 ? END : (enum how)(how % 8);
	a->step = how / 8;
	a->connects = a->step % 2;
	if (a->how != REFUSED) {
		a->len = take(2);
		if (a->len > input.left)
			a->len = input.left;
		a->bytes = input.at;
		input.at += a->len;
		input.left -= a->len;
	}
	if (!a->connects && a->how != REFUSED)
		return 0;
	errno = a->connects ? EINPROGRESS : ECONNREFUSED;
	return -1;
}

int fake_getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
	MUST(level == SOL_SOCKET && option == SO_ERROR && *len == sizeof(int));
	answer_of(fd)->connects = 0;
	*(int *)value = answer_of(fd)->how == REFUSED ? ECONNREFUSED : 0;
	return 0;
}

static int is_mute(const struct answer *a)
{
	return a->connects && a->how == SILENCE && a->step == 1;
}

/* Time passes where nothing is ready. */
int fake_poll(struct pollfd *p, nfds_t len, int timeout_ms)
{
	const struct answer *a;
	int n = 0;
	nfds_t k;

	for (k = 0; k < len; k++) {
		p[k].revents = 0;
		if (p[k].fd == STDOUT_FILENO) {
			p[k].revents = POLLOUT;
		} else if (p[k].fd >= 0) {
			a = answer_of(p[k].fd);
			if (a->connects)
				p[k].revents = is_mute(a) ? 0 : POLLOUT;
			else if (a->at < a->len || a->how < SILENCE ||
			    (a->how == FOR_EVER && a->len > 0))
				p[k].revents = POLLIN;
			MUST(p[k].revents == 0 || p[k].revents == p[k].events ||
			    p[k].events == POLLOUT);
		}
		n += p[k].revents != 0;
	}
	if (n == 0 && timeout_ms < 0)
		hold();
	if (n == 0)
		time_ms += timeout_ms;
	return n;
}

ssize_t fake_send(int fd, const void *bytes, size_t len, int flags)
{
	struct answer *const a = answer_of(fd);

	MUST(!a->connects && (flags & MSG_NOSIGNAL));
	MUST(a->sent_len + len <= sizeof a->sent);
	memcpy(a->sent + a->sent_len, bytes, len);
	a->sent_len += len;
	return (ssize_t)len;
}

ssize_t fake_recv(int fd, void *room, size_t len, int flags)
{
	struct answer *const a = answer_of(fd);
	size_t n = a->len - a->at;

	MUST(flags == 0 && len > 0 && !a->connects);
	if (n == 0 && a->how == FOR_EVER && a->len > 0) {
		if ((time_ms += 1000) > 100000) /* so many times round */
			hold();
		a->at = 0;
		n = a->len;
	}
	MUST(n > 0 || a->how < SILENCE);
	if (n == 0) {
		errno = ECONNRESET;
		return a->how == RESET ? -1 : 0;
	}
	if (a->step > 0 && n > a->step)
		n = a->step;
	if (n > len)
		n = len;
	memcpy(room, a->bytes + a->at, n);
	a->at += n;
	return (ssize_t)n;
}

/* A host with two addresses. */
int fake_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
    struct addrinfo **list)
{
	static struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	static struct sockaddr_in v4 = { .sin_family = AF_INET };
	static struct addrinfo second = {
		.ai_family = AF_INET, .ai_addrlen = sizeof v4, .ai_addr = (struct sockaddr *)&v4
	};
	static struct addrinfo first = {
		.ai_family = AF_INET6, .ai_addrlen = sizeof v6, .ai_addr = (struct sockaddr *)&v6,
		.ai_next = &second
	};

	MUST(with_host && strcmp(host, "host") == 0 && strcmp(service, "4369") == 0 &&
	    hints->ai_socktype == SOCK_STREAM);
	MUST(alarm_s > 0 && alarm_s <= 6);
	*list = &first;
	return 0;
}

void fake_freeaddrinfo(struct addrinfo *list)
{
	MUST(list->ai_family == AF_INET6);
}

int fake_nanosleep(const struct timespec *moment, struct timespec *rest)
{
	int k;

	(void)rest;
	for (k = 0; k < opened; k++)
		MUST(!answers_given[k].open);
	time_ms += moment->tv_nsec / 1000000;
	return 0;
}

/* ---- what must come of it */

/* The bytes of the well-formed character at s[i], by RFC 3629's table; 0 where there is none. */
static size_t character(const uint8_t *s, size_t i, size_t n)
{
	static const struct { uint8_t first, last, low, high; size_t len; } kinds[] = {
		{ 0x00, 0x7f, 0x80, 0xbf, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 }
	};
	size_t k, j;

	for (k = 0; k < LENGTH(kinds); k++) {
		if (s[i] < kinds[k].first || s[i] > kinds[k].last || i + kinds[k].len > n)
			continue;
		for (j = 1; j < kinds[k].len; j++)
			if (s[i + j] < (j == 1 ? kinds[k].low : 0x80) ||
			    s[i + j] > (j == 1 ? kinds[k].high : 0xbf))
				return 0;
		return kinds[k].len;
	}
	return 0;
}

/* Appends what a terminal may show of these bytes; returns where it ends. */
static char *show(char *to, const uint8_t *s, size_t len)
{
	size_t i = 0, n;

	for (; i < len; i += n > 0 ? n : 1) {
		n = character(s, i, len);
		if (n == 0 ||
		    (n == 1 && (s[i] < 32 || s[i] == 127) && s[i] != '\n' && s[i] != '\0') ||
		    (n == 2 && s[i] == 0xc2 && s[i + 1] < 0xa0)) {
			*to++ = '?';
		} else if (s[i] != '\0') {
			memcpy(to, s + i, n);
			to += n;
		}
	}
	*to = '\0';
	return to;
}

/* Neither an escape nor a character that moves the cursor; tabs where they part columns. */
static void check_text(const char *text, size_t len, int tabs)
{
	const uint8_t *const s = (const uint8_t *)text;
	size_t i, n;

	for (i = 0; i < len; i += n) {
		n = character(s, i, len);
		MUST(n > 0 &&
		    (s[i] == '\n' || (s[i] == '\t' && tabs) || (s[i] >= 32 && s[i] != 127)));
		MUST(n != 2 || s[i] != 0xc2 || s[i + 1] >= 0xa0);
	}
}

static void check_requests(uint8_t request, const char *name)
{
	const struct answer *a;

	for (a = answers_given; a < answers_given + opened; a++) {
		if (a->how == REFUSED || a->sent_len == 0)
			continue;
		MUST(a->sent_len >= 3 && a->sent_len == 2u + a->sent[0] * 256u + a->sent[1]);
		if (request != 0)
			MUST(a->sent[2] == request && a->sent_len == 3 + strlen(name) &&
			    memcmp(a->sent + 3, name, strlen(name)) == 0);
	}
}

/* The answer that counted: the last, where it was one. */
static const struct answer *last_answer(void)
{
	const struct answer *const a = opened > 0 ? &answers_given[opened - 1] : NULL;

	return a != NULL && a->how != REFUSED ? a : NULL;
}

static int is_whole(const struct answer *a)
{
	return a != NULL && (a->how == END || a->how == RESET);
}

/* The daemon's port, in four bytes of which two are zero, begins it. */
static int begins_with_port(const struct answer *a)
{
	return a->len >= 4 && a->bytes[0] == 0 && a->bytes[1] == 0;
}

/* This alone, and once, with -wait too. */
static void must_say(const char *text, int status, int wanted)
{
	MUST(shown.len == strlen(text) && memcmp(shown.text, text, shown.len) == 0);
	MUST(status == wanted);
}

/* The length of the line at byte `at` of the answer, or of as much as is read at once. */
static size_t line_len(const struct answer *a, size_t at)
{
	size_t len = 0;

	while (at + len < a->len && len < READ_MAX && (len == 0 || a->bytes[at + len - 1] != '\n'))
		len++;
	return len;
}

static void check_list(int command, const struct answer *a, int status)
{
	static char want[TEXT_MAX];
	char *p = want;
	size_t at, len;

	if (!is_whole(a) || !begins_with_port(a) || (command == COUNTS && a->sent[2] != 'N')) {
		MUST(status == 1);
		return;
	}
	*p = '\0';
	if (command != COUNTS)
		p += sprintf(want, "epmd: up and running on port %u with data:\n",
		    a->bytes[2] * 256u + a->bytes[3]);
	for (at = 4; at < a->len; at += len) {
		len = line_len(a, at);
		p = show(p, a->bytes + at, len);
	}
	must_say(want, status, a->how != END);
}

/* The word that came; what follows a NUL does not count. 0 where none came. */
static int take_word(const struct answer *a, char word[READ_MAX + 1])
{
	const size_t len = a == NULL || a->len < READ_MAX ? (a == NULL ? 0 : a->len) : READ_MAX;

	if (!is_whole(a) && (a == NULL || a->how != SILENCE || len < READ_MAX))
		return 0;
	memcpy(word, a->bytes, len);
	word[len] = '\0';
	return len > 0 || set.host == NULL;
}

static void must_not_understand(const char *word, int status)
{
	char said[READ_MAX + 64], *p = said + sprintf(said, "epmd: local epmd responded with <");

	p = show(p, (const uint8_t *)word, strlen(word));
	strcpy(p, ">\n");
	must_say(said, status, 1);
}

static void check_word(int command, const struct answer *a, int status)
{
	static char word[READ_MAX + 1];

	if (a != NULL && a->how == FOR_EVER)
		return;
	if (a == NULL || is_mute(a) || !take_word(a, word))
		must_say("", status, 1);
	else if (command == KILL && strcmp(word, "OK") == 0)
		must_say("Killed\n", status, 0);
	else if (command == KILL && strcmp(word, "NO") == 0)
		must_say("Killing not allowed - living nodes in database.\n", status, 1);
	else if (command == STOP && strcmp(word, "STOPPED") == 0)
		must_say("STOPPED\n", status, 0);
	else if (command == STOP &&
	    (strcmp(word, "NOEXIST") == 0 || strcmp(word, "NOEXISTSTOPPED") == 0))
		must_say("NOEXIST\n", status, 0);
	else
		must_not_understand(word, status);
}

static void check_lookup(const struct answer *a, const char *name, int status)
{
	char entry[EPMD_NAME_MAX + 512], type[8];
	size_t nlen, elen = 0;
	int good = 0;

	if (is_whole(a) && a->len >= 14 && a->len <= EPMD_PACKET_MAX && a->bytes[0] == 'w' &&
	    a->bytes[1] == 0) {
		nlen = a->bytes[10] * 256u + a->bytes[11];
		if (14 + nlen <= a->len) {
			elen = a->bytes[12 + nlen] * 256u + a->bytes[13 + nlen];
			good = 14 + nlen + elen <= a->len;
		}
	}
	if (!good) {
		if (a == NULL || a->how != END || a->len > EPMD_PACKET_MAX)
			MUST(status != 0 || a->how == FOR_EVER || a->len > EPMD_PACKET_MAX);
		else if (a->len >= 2 && a->bytes[0] == 'w')
			MUST(status == 1 + (a->bytes[1] == 0));
		else if (a->len > 0 || name_is_good((const uint8_t *)name, strlen(name)))
			MUST(status == 2);
		else
			MUST(status == 1);
		return;
	}
	snprintf(type, sizeof type, "%u", a->bytes[4]);
	if (a->bytes[4] == 'M' || a->bytes[4] == 'm' || a->bytes[4] == 'n')
		strcpy(type, "normal");
	if (a->bytes[4] == 'H' || a->bytes[4] == 'h')
		strcpy(type, "hidden");
	if (set.debug > 0)
		snprintf(entry, sizeof entry,
		    "name %s\nport %u\ntype %s\nprotocol %u\nversions %u to %u\nextra %u bytes\n",
		    name, a->bytes[2] * 256u + a->bytes[3], type, a->bytes[5],
		    a->bytes[8] * 256u + a->bytes[9], a->bytes[6] * 256u + a->bytes[7],
		    (unsigned)elen);
	else
		snprintf(entry, sizeof entry, "%u\n", a->bytes[2] * 256u + a->bytes[3]);
	must_say(entry, status, 0);
}

static void check_started(int status)
{
	const struct answer *a;
	int starts = 0;

	for (a = answers_given; a < answers_given + opened; a++)
		starts = starts || a->how == FOR_EVER || (a->how != REFUSED && begins_with_port(a));
	MUST(status == 1 || starts);
	MUST(shown.len == 0 && shown_wrong.len == 0);
}

/* Whether the first bytes, and no more with them, say that it is; -1 where that takes time. */
static int says_registered(const struct answer *a)
{
	size_t n = 0, at = 0, need = 1, chunk;

	if (a->sent_len == 0 || a->sent[2] != 'x' || a->len == 0)
		return 0;
	while (n < need) {
		if (at == a->len)
			return a->how == FOR_EVER ? -1 : 0;
		chunk = a->step > 0 && a->step < a->len - at ? a->step : a->len - at;
		at += chunk;
		n += chunk;
		need = a->bytes[0] == 118 ? 6 : 4;
	}
	return n == need && (a->bytes[0] == 118 || a->bytes[0] == 121) && a->bytes[1] == 0;
}

static void check_register(const char *name, int status)
{
	static char said[TEXT_MAX];
	const struct answer *a;
	char *p = said;
	int is;

	*p = '\0';
	for (a = answers_given; a < answers_given + opened; a++) {
		is = says_registered(a);
		if (is < 0)
			return;
		if (is)
			p += sprintf(p, "registered %s at port 5000\n", name);
	}
	MUST(strcmp(shown.text, said) == 0);
	MUST(status == 1 || (status == HOLDS && shown.len > 0));
}

struct row {
	char cell[7][EPMD_NAME_MAX + 1];
};

/* A cell is cut, shown, and a dash where there is none. */
static void take_cell(char *cell, const uint8_t *text, size_t len, size_t max)
{
	show(cell, text, len < max ? len : max);
	if (len == 0)
		strcpy(cell, "-");
}

static const uint8_t *find_last(const uint8_t *s, size_t len, uint8_t c)
{
	while (len > 0 && s[len - 1] != c)
		len--;
	return len > 0 ? s + len - 1 : NULL;
}

/* A decimal number of digits alone, below 2^32 - 1; or -1. */
static long decimal(const void *text, size_t len)
{
	const char *const digits = text;
	long v = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return -1;
		v = v > UINT32_MAX ? v : v * 10 + (digits[i] - '0');
	}
	return len == 0 || v >= UINT32_MAX ? -1 : v;
}

/* The row that stands in a line of a status, or of a dump: 0 where it has none. */
static int read_row(const uint8_t *s, size_t len, int from_dump, struct row *row)
{
	static const size_t max[7] = { EPMD_NAME_MAX, 5, 0, 0, 6, 10, 20 };
	static const int shown_at[9] = { 0, 1, -1, 4, 5, 6, -1, -1, -1 };
	const uint8_t *end, *at;
	char highest[16] = "", lowest[16] = "";
	long v[9];
	size_t n;
	int k;

	memset(row, 0, sizeof *row);
	for (k = 0; k < 7; k++)
		strcpy(row->cell[k], "-");
	if (from_dump && len > 0 && *s == 0) {
		s++;
		len--;
	}
	for (n = 0; n < len && s[n] != 0 && s[n] != '\n'; n++)
		;
	len = n;
	if (from_dump) {
		at = memchr(s, '<', len);
		end = find_last(s, len, '>');
		if (at == NULL || end == NULL || end < at)
			return 0;
		take_cell(row->cell[0], at + 1, (size_t)(end - at - 1), max[0]);
		for (at = end + 1; at < s + len && (*at < '0' || *at > '9'); at++)
			;
		for (n = 0; at + n < s + len && at[n] >= '0' && at[n] <= '9'; n++)
			;
		take_cell(row->cell[1], at, n, max[1]);
		strcpy(row->cell[4], *s == 'a' ? "active" : "down");
		return 1;
	}
	for (k = 0; k < 9; k++) {
		for (n = 0; n < len && s[n] != '\t'; n++)
			;
		v[k] = s == NULL ? -1 : decimal(s, n);
		if (s != NULL && shown_at[k] >= 0)
			take_cell(row->cell[shown_at[k]], s, n, max[shown_at[k]]);
		if (s == NULL && k < 6)
			return 0;
		if (s != NULL && k >= 7)
			take_cell(k == 7 ? highest : lowest, s, n, 5);
		s = n < len ? s + n + 1 : NULL;
		len -= n < len ? n + 1 : len;
	}
	if (v[6] >= 0)
		sprintf(row->cell[2], "%ld", v[6]);
	if (v[6] == 'M' || v[6] == 'm' || v[6] == 'n')
		strcpy(row->cell[2], "normal");
	if (v[6] == 'H' || v[6] == 'h')
		strcpy(row->cell[2], "hidden");
	if (*lowest != '\0')
		strcat(strcat(strcpy(row->cell[3], lowest), "-"), highest);
	return 1;
}

static size_t row_len(const struct row *r)
{
	size_t len = 0;
	int k;

	for (k = 0; k < 7; k++)
		len += strlen(r->cell[k]) + 1;
	return len;
}

static int cell_width(const char *cell)
{
	int width = 0;

	for (; *cell != '\0'; cell++)
		width += (*cell & 0xc0) != 0x80;
	return width;
}

static void check_rows(const struct row *rows, int len)
{
	static char want[TEXT_MAX];
	char *p = want;
	size_t room = EPMD_SCRATCH_MAX;
	int k, c, width = 0;

	if (is_terminal) /* what is written first is measured */
		for (k = 0; k < len && row_len(&rows[k]) <= room; room -= row_len(&rows[k++]))
			if (cell_width(rows[k].cell[0]) > width)
				width = cell_width(rows[k].cell[0]);
	for (k = 0; k < len; k++) {
		c = width - cell_width(rows[k].cell[0]);
		if (is_terminal)
			p += sprintf(p, "%s%*s  %5s  %-6s  %-8s  %-6s  %10s  %s\n", rows[k].cell[0],
			    c < 0 ? 0 : c, "", rows[k].cell[1], rows[k].cell[2], rows[k].cell[3],
			    rows[k].cell[4], rows[k].cell[5], rows[k].cell[6]);
		else
			for (c = 0; c < 7; c++)
				p += sprintf(p, "%s%c", rows[k].cell[c], c < 6 ? '\t' : '\n');
	}
	*p = '\0';
	MUST(strcmp(shown.text, want) == 0);
}

static void check_status(int status)
{
	static struct row rows[TEXT_MAX / 64];
	static const struct row head = {
		{ "NAME", "PORT", "TYPE", "VERSIONS", "STATE", "CREATION", "SINCE" }
	};
	const struct answer *a = last_answer();
	int len = 0, from_dump;
	size_t at, n;

	if (!is_whole(a) || !begins_with_port(a)) {
		MUST(status == 1);
		return;
	}
	MUST(status == (a->how != END));
	MUST(a->sent_len == 3);
	from_dump = a->sent[2] == 'd';
	MUST(from_dump || a->sent[2] == 'N');
	if (is_terminal)
		rows[len++] = head;
	for (at = 4; at < a->len; at += n) {
		n = line_len(a, at);
		len += read_row(a->bytes + at, n, from_dump, &rows[len]);
	}
	check_rows(rows, len);
}

/* ---- a run */

static const char *const command_names_[COMMANDS] = {
	"-names", "-dump", "-started", "-kill", "-stop", "-lookup", "-register", "-status",
	"-counts"
};

static void check(int command, const char *name, int status)
{
	static const uint8_t requests[COMMANDS] = { 'n', 'd', 0, 'k', 's', 'z', 0, 0, 0 };

	check_text(shown.text, shown.len, command == STATUS && !is_terminal);
	check_text(shown_wrong.text, shown_wrong.len, 0);
	MUST(command == REGISTER || time_ms <= 1000 + 5000 + 1000 + 1000);
	check_requests(requests[command], command < STOP ? "" : name);
	MUST(status == 0 || status == 1 || status == 2 || status == HOLDS);
	switch (command) {
	case NAMES:
	case DUMP:
	case COUNTS:
		check_list(command, last_answer(), status);
		break;
	case STARTED:
		check_started(status);
		break;
	case KILL:
	case STOP:
		check_word(command, last_answer(), status);
		break;
	case LOOKUP:
		check_lookup(last_answer(), name, status);
		break;
	case REGISTER:
		check_register(name, status);
		break;
	default:
		check_status(status);
		break;
	}
}

/* The user's own argument: a text without control characters. */
static void take_argument(char *name)
{
	size_t len = take(1);

	if (len == 255)
		len = take(2) % (EPMD_NAME_MAX + 16);
	if (len > input.left)
		len = input.left;
	show(name, input.at, len);
	for (; *name != '\0'; name++)
		if (*name == '\n')
			*name = '_';
	input.at += len;
	input.left -= len;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static char name[EPMD_NAME_MAX + 300];
	char *argv[16] = { "epmd" };
	int argc = 1, status, command;
	unsigned flags;

	begin_program();
	input.at = bytes;
	input.left = len;
	command = (int)take(1) % COMMANDS;
	flags = take(1);
	take_argument(name);
	with_host = (flags & 4) != 0;
	is_terminal = (flags & 16) != 0;
	opened = 0;
	time_ms = 1000;
	if (with_host) {
		argv[argc++] = "-host";
		argv[argc++] = "host";
	}
	if (flags & 8) {
		argv[argc++] = "-wait";
		argv[argc++] = "1";
	}
	argv[argc++] = (char *)command_names_[command];
	if (command == STOP || command == LOOKUP || command == REGISTER)
		argv[argc++] = name;
	if (command == REGISTER)
		argv[argc++] = "5000";
	if (flags & 1)
		argv[argc++] = "-d";
	status = run(argv, argc);
	check(command, name, status);
	return 0;
}
