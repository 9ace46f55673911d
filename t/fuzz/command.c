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
 * terminal, whatever was answered; the status is one that epmd.8 knows, and 0 only if a whole
 * answer says so; a closed connection is used no more, and none is left open when it tries again;
 * nothing waits for longer than -timeout and -wait say, but for a registration that succeeded. Of
 * each seed, what came of it: command.txt has its line, with its status (99: it holds a
 * registration) and what it printed, standard error behind `2>`.
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

enum { FDS = 128, FD = 5, HOLDS = 99 };
enum { NAMES, DUMP, STARTED, KILL, STOP, LOOKUP, REGISTER, STATUS, COUNTS, COMMANDS };
enum how { END, RESET = 4, SILENCE, FOR_EVER, REFUSED };

struct answer {
	enum how how;
	size_t step, len, at;
	const uint8_t *bytes;
	uint8_t sent[2048];
	size_t sent_len;
	int open, connects; /* connects: not known yet whether it does */
	int resets;         /* a reset is told once, and then it is an end */
};

static struct input input;
static struct answer answers_given[FDS];
static int opened;             /* connections, refused ones included */
static int command;
static char argument[EPMD_NAME_MAX + 300];

/* ---- the world */

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
	const unsigned how = input.left > 0 ? take(&input, 1) : REFUSED;

	MUST(to->sa_family == (len == sizeof(struct sockaddr_in) ? AF_INET : AF_INET6));
	a->how = how % 8 < 4 ? END : (enum how)(how % 8);
	a->step = how / 8;
	a->connects = a->step % 2;
	if (a->how != REFUSED) {
		a->len = take(&input, 2);
		a->bytes = take_bytes(&input, &a->len);
	}
	if (a->connects)
		return fails(EINPROGRESS);
	return a->how == REFUSED ? fails(ECONNREFUSED) : 0;
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
		if (p[k].fd == STDOUT_FILENO || p[k].fd == STDERR_FILENO) {
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
	if (n == 0)
		return a->how == RESET && a->resets++ == 0 ? fails(ECONNRESET) : 0;
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

/* What a terminal may show of these bytes. */
static void show(char *to, const uint8_t *s, size_t len)
{
	size_t i = 0, n;

	for (; i < len; i += n > 0 ? n : 1) {
		n = character(s + i, len - i);
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
}

/* Neither an escape nor a character that moves the cursor; tabs where they part columns. */
static void check_text(const char *text, size_t len, int tabs)
{
	const uint8_t *const s = (const uint8_t *)text;
	size_t i, n;

	for (i = 0; i < len; i += n) {
		n = character(s + i, len - i);
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

/* The daemon's port, in four bytes of which two are zero, begins it. */
static int begins_with_port(const struct answer *a)
{
	return a->len >= 4 && a->bytes[0] == 0 && a->bytes[1] == 0;
}

/* A list that came to its end. Counts are no other request's. */
static void check_list(const struct answer *a, int status)
{
	const int is_good = a != NULL && a->how == END && begins_with_port(a);

	MUST(status == !(is_good && (command != COUNTS || a->sent[2] == 'N')));
}

static int says(const struct answer *a, const char *word)
{
	return a != NULL && a->len >= strlen(word) && memcmp(a->bytes, word, strlen(word)) == 0;
}

static void check_kill(const struct answer *a, int status)
{
	MUST(status != 0 || (says(a, "OK") && strcmp(shown.text, "Killed\n") == 0));
}

static void check_stop(const struct answer *a, int status)
{
	MUST(status != 0 || (says(a, "NOEXIST") && strcmp(shown.text, "NOEXIST\n") == 0) ||
	    (says(a, "STOPPED") && strcmp(shown.text, "STOPPED\n") == 0));
}

/* A whole entry; or none, which a closed connection says too if the name is a bad one. */
static void check_lookup(const struct answer *a, int status)
{
	size_t nlen;

	MUST(status == 0 || shown.len == 0);
	if (a != NULL && a->how == FOR_EVER) /* its bytes come over and over */
		return;
	if (opened == 0) /* a mistake is told before anything is asked */
		MUST(status == 1 &&
		    (*argument == '\0' || *argument == '-' || strlen(argument) > EPMD_NAME_MAX));
	else if (status == 1 && set.wait_s == 0) /* else an earlier try may have said so */
		MUST(a->len >= 2 ? a->bytes[0] == 'w' && a->bytes[1] != 0 :
		    a->len == 0 && !name_is_good((const uint8_t *)argument, strlen(argument)));
	if (status != 0)
		return;
	MUST(a->len >= 14 && a->bytes[0] == 'w' && a->bytes[1] == 0);
	nlen = a->bytes[10] * 256u + a->bytes[11];
	MUST(a->len >= 14 + nlen + a->bytes[12 + nlen] * 256u + a->bytes[13 + nlen]);
}

static void check_started(const struct answer *a, int status)
{
	int starts = 0;

	for (a = answers_given; a < answers_given + opened; a++)
		starts = starts || a->how == FOR_EVER || (a->how != REFUSED && begins_with_port(a));
	MUST(status == 1 || starts);
	MUST(shown.len == 0 && shown_wrong.len == 0);
}

/* Whether the first bytes, and no more with them, say that it is; -1 where that takes time. */
static int says_registered(const struct answer *a)
{
	size_t n = 0, need = 1;

	if (a->sent_len == 0 || a->sent[2] != 'x' || a->len == 0)
		return 0;
	while (n < need) {
		if (n == a->len)
			return a->how == FOR_EVER ? -1 : 0;
		n += a->step > 0 && a->step < a->len - n ? a->step : a->len - n;
		need = a->bytes[0] == 118 ? 6 : 4;
	}
	return n == need && (a->bytes[0] == 118 || a->bytes[0] == 121) && a->bytes[1] == 0;
}

static void check_register(const struct answer *a, int status)
{
	static char said[TEXT_MAX];
	char *p = said;
	int is;

	*p = '\0';
	for (a = answers_given; a < answers_given + opened; a++) {
		is = says_registered(a);
		if (is < 0)
			return;
		if (is)
			p += sprintf(p, "registered %s at port 5000\n", argument);
	}
	MUST(strcmp(shown.text, said) == 0);
	MUST(status == 1 || (status == HOLDS && shown.len > 0));
}

/* ---- a run */

static const struct {
	const char *word;
	uint8_t request; /* or 0: more than one */
	int is_of_node;
	void (*check)(const struct answer *last, int status);
} commands_[COMMANDS] = {
	{ "-names", 'n', 0, check_list },     { "-dump", 'd', 0, check_list },
	{ "-started", 0, 0, check_started },  { "-kill", 'k', 0, check_kill },
	{ "-stop", 's', 1, check_stop },      { "-lookup", 'z', 1, check_lookup },
	{ "-register", 0, 1, check_register }, { "-status", 0, 0, check_list },
	{ "-counts", 0, 0, check_list }
};

static void check(int status)
{
	check_text(shown.text, shown.len, command == STATUS && !is_terminal);
	check_text(shown_wrong.text, shown_wrong.len, 0);
	MUST(command == REGISTER || time_ms <= 1000 + 5000 + 1000 + 1000);
	check_requests(commands_[command].request, commands_[command].is_of_node ? argument : "");
	MUST(status == 0 || status == 1 || status == 2 || status == HOLDS);
	commands_[command].check(last_answer(), status);
}

/* The user's own: a text without control characters. */
static void take_argument(void)
{
	size_t len = take(&input, 1);
	const uint8_t *text;
	char *p;

	if (len == 255)
		len = take(&input, 2) % (EPMD_NAME_MAX + 16);
	text = take_bytes(&input, &len);
	show(argument, text, len);
	for (p = argument; *p != '\0'; p++)
		if (*p == '\n')
			*p = '_';
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *argv[16] = { "epmd" };
	int argc = 1, status;
	unsigned flags;

	begin_program();
	input.at = bytes;
	input.left = len;
	command = (int)take(&input, 1) % COMMANDS;
	flags = take(&input, 1);
	take_argument();
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
	argv[argc++] = (char *)commands_[command].word;
	if (commands_[command].is_of_node)
		argv[argc++] = argument;
	if (command == REGISTER)
		argv[argc++] = "5000";
	if (flags & 1)
		argv[argc++] = "-d";
	status = run(argv, argc);
	check(status);
	tell(" %d", status);
	tell_shown();
	return 0;
}
