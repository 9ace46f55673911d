/*
 * Fuzz target: the command line, the environment, and the user's entry in /etc/passwd
 *
 * An input is lines. The first is letters of what the world is like: 6 no IPv6, a no IPv6 address,
 * b 127.0.0.1's port is in use, e by an epmd, s nothing can be said, r not root. Then `NAME=VALUE`,
 * the environment, or `passwd=LINE`, a line of that file; then the words of the command line.
 * Addresses that end in 9 are not this host's; its interfaces are lo, 1, and eth0, 2.
 *
 * Checked: which of usage, mistake, command or daemon it comes to, with which settings, sockets and
 * user, and the very words that are said, by a second reading of the line that shares nothing with
 * the first but the system's inet_pton(). Words are heap blocks of their exact size.
 */
#define EPMD_NODE_MAX 4
#define EPMD_CONN_SPARE 4
#define EPMD_LISTEN_MAX 4
/* Before the headers, whose declarations are then those of the functions below. */
#define bind fake_bind
#define close fake_close
#define connect fake_connect
#define getaddrinfo fake_getaddrinfo
#define getsockname fake_getsockname
#define getsockopt fake_getsockopt
#define if_indextoname fake_if_indextoname
#define listen fake_listen
#define nanosleep fake_nanosleep
#define open fake_open
#define poll fake_poll
#define pread fake_pread
#define read fake_read
#define recv fake_recv
#define send fake_send
#define sendto fake_sendto
#define setgroups fake_setgroups
#define setuid fake_setuid
#define sigaction(number, act, old) fake_sigaction(number, act, old)
#define socket fake_socket
#define syscall fake_syscall
#include "world.h"

enum { WORDS = 64, FDS = 64, FD = 10, PASSWD_FD = 100, OTHER_FD, COOKIES_FD, PID = 42 };
enum { SERVES = 90 }; /* in place of a status: it came to the loop */

static struct {
	int no_ipv6, no_address6, in_use, by_epmd, no_root;
} world;
static struct words {
	char *word[WORDS + 1];
	int len;
} environment, passwd, line;
static int opened, connects, forks;
static char asked_host[8192], asked_port[16];
static uint16_t asked_ports[2];
static long became_uid, became_gid, became_group;

/* ---- the world: calls that always come to the same, and then those that do not */

#define chdir(path) GIVES(0, strcmp(path, "/") == 0)
#define dup2(from, to) GIVES(to, (from) == OTHER_FD && (to) <= STDERR_FILENO)
#define epoll_create1(flags) OTHER_FD
#define fcntl(fd, command, ...) GIVES(0, (fd) >= 0 && (command) != F_GETFD)
#define fork() (forks++, 0) /* in the child that goes on */
#define fstat(fd, s) \
	GIVES((memset(s, 0, sizeof *(s)), (s)->st_mode = S_IFREG, 0), (fd) == STDERR_FILENO)
#define getenv(name) ((char *)value_of(&environment, name))
#define getpid() PID
#define getrlimit(what, limit) ((limit)->rlim_cur = (limit)->rlim_max = 4096, 0)
#define if_nametoindex(name) (strcmp(name, "lo") == 0 ? 1u : strcmp(name, "eth0") == 0 ? 2u : 0u)
#define pipe(ends) ((ends)[0] = (ends)[1] = OTHER_FD, 0)
#define prctl(what, ...) GIVES(0, (what) == PR_SET_NO_NEW_PRIVS)
#define setgid(gid) GIVES((became_gid = (long)(gid), 0), became_uid == -1)
#define setsid() GIVES(PID, forks == 1)
#define setsockopt(fd, level, option, value, len) \
	GIVES(0, (fd) >= 3 && (value) != NULL && (len) == sizeof(int))
#define sigprocmask(how, mask, old) \
	GIVES(0, (how) == SIG_SETMASK && (mask) != NULL && (old) == NULL)
#define waitpid(pid, status, how) \
	GIVES((errno = ECHILD, -1), (pid) == -1 && (status) == NULL && (how) == WNOHANG)
#define time(at) ((time_t)1000000000)

static const char *value_of(const struct words *w, const char *name)
{
	const size_t len = strlen(name);
	int i;

	for (i = 0; i < w->len; i++)
		if (strncmp(w->word[i], name, len) == 0 && w->word[i][len] == '=')
			return w->word[i] + len + 1;
	return NULL;
}

#include "../../epmd.c"
#include "again.h"

static struct socket {
	union address at;
	int open, bound, listens, heard;
} sockets[FDS];

/* No time passes where it cannot be waited for: a day of -wait is 100 tries here. */
int fake_nanosleep(const struct timespec *moment, struct timespec *rest)
{
	(void)rest;
	MUST(moment->tv_sec == 0);
	time_ms += set.wait_s > 100 ? set.wait_s * 10 : moment->tv_nsec / 1000000;
	return 0;
}

int fake_sigaction(int number, const struct sigaction *act, struct sigaction *old)
{
	MUST(number > 0 && (act != NULL || old != NULL));
	if (act != NULL)
		MUST(act->sa_handler != SIG_DFL || number == SIGCHLD);
	else
		old->sa_handler = SIG_DFL;
	return 0;
}

int fake_open(const char *path, int flags, ...)
{
	if (strcmp(path, "/proc/sys/net/ipv4/tcp_syncookies") == 0)
		return COOKIES_FD;
	if (strcmp(path, "/etc/passwd") != 0)
		return OTHER_FD;
	MUST(flags == O_RDONLY);
	return PASSWD_FD;
}

int fake_close(int fd)
{
	if (fd >= FD && fd < FD + opened)
		sockets[fd - FD].open = 0;
	return 0;
}

ssize_t fake_read(int fd, void *room, size_t len)
{
	MUST(fd == COOKIES_FD && len == 1);
	*(char *)room = "01"[opened % 2];
	return 1;
}

/* The lines of /etc/passwd, the last one without a newline. */
ssize_t fake_pread(int fd, void *room, size_t len, off_t from)
{
	size_t fill = 0;
	const char *at;
	off_t pos = 0;
	int i;

	MUST(fd == PASSWD_FD && from >= 0);
	for (i = 0; i < passwd.len; i++) {
		for (at = passwd.word[i] + 7; *at != '\0' || i + 1 < passwd.len; at++) {
			if (pos++ >= from && fill < len)
				((char *)room)[fill++] = *at != '\0' ? *at : '\n';
			if (*at == '\0')
				break;
		}
	}
	return (ssize_t)fill;
}

/*
 * All is ready for a command; no descriptor is open that is asked for nothing; `polled` is the
 * loop's.
 */
int fake_poll(struct pollfd *p, nfds_t len, int timeout_ms)
{
	nfds_t k;
	int n = 0;

	(void)timeout_ms;
	if (p == polled)
		longjmp(out, 1 + SERVES);
	for (k = 0; k < len; k++) {
		p[k].revents = p[k].events == 0 ? POLLNVAL : p[k].events;
		if (p[k].fd < 0)
			p[k].revents = 0;
		n += p[k].revents != 0;
	}
	return n;
}

int fake_socket(int family, int type, int protocol)
{
	(void)protocol;
	if (family == AF_UNIX)
		return OTHER_FD;
	MUST(type == SOCK_STREAM);
	if (family == AF_INET6 && world.no_ipv6) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	MUST(opened < FDS || set.wait_s > 0);
	opened %= FDS;
	memset(&sockets[opened], 0, sizeof sockets[opened]);
	sockets[opened].open = 1;
	return FD + opened++;
}

/*
 * The secret of the names' hash; close_range() of what was inherited, but for a supervisor's
 * sockets.
 */
long fake_syscall(long number, ...)
{
	va_list ap;
	unsigned first;
	const int handed = set.systemd ? listen_handed() : 0;

	if (number == SYS_getrandom)
		return (long)sizeof nodes.key;
	va_start(ap, number);
	first = va_arg(ap, unsigned);
	va_end(ap);
	MUST(number == SYS_close_range && set.daemon && first == 3 + (unsigned)handed);
	return 0;
}

static struct socket *socket_of(int fd)
{
	MUST(fd >= FD && fd < FD + opened && sockets[fd - FD].open);
	return &sockets[fd - FD];
}

/* A supervisor's sockets: 3, 4 and 5 listen; 6 is something else. */
int fake_getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
	MUST(level == SOL_SOCKET && *len == sizeof(int));
	MUST(option == (fd < FD ? SO_ACCEPTCONN : SO_ERROR));
	*(int *)value = fd <= 5;
	return 0;
}

int fake_getsockname(int fd, struct sockaddr *room, socklen_t *len)
{
	union address *const a = (union address *)room;

	MUST(*len == sizeof *a);
	if (fd >= FD) {
		*a = socket_of(fd)->at;
	} else {
		memset(a, 0, sizeof *a);
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons((uint16_t)(7000 + fd));
	}
	return 0;
}

/* The last byte of the address says whether it is to be had. */
int fake_bind(int fd, const struct sockaddr *to, socklen_t len)
{
	struct socket *const s = socket_of(fd);
	const union address *const a = (const union address *)to;
	const int v6 = to->sa_family == AF_INET6;

	MUST(len == (v6 ? sizeof a->v6 : sizeof a->v4));
	memcpy(&s->at, a, len);
	if ((v6 ? a->v6.sin6_addr.s6_addr[15] : ntohl(a->v4.sin_addr.s_addr) % 256) == 9 ||
	    (v6 && world.no_address6)) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	if (world.in_use && !v6 && ntohl(a->v4.sin_addr.s_addr) == 0x7f000001) {
		errno = EADDRINUSE;
		return -1;
	}
	s->bound = 1;
	return 0;
}

int fake_listen(int fd, int backlog)
{
	MUST(socket_of(fd)->bound && backlog > 0);
	socket_of(fd)->listens = 1;
	return 0;
}

/* Nobody answers, or who has the daemon's port. */
int fake_connect(int fd, const struct sockaddr *to, socklen_t len)
{
	const union address *const a = (const union address *)to;

	if (to->sa_family == AF_UNIX) {
		MUST(fd == OTHER_FD && len <= sizeof(struct sockaddr_un));
		return 0;
	}
	MUST(socket_of(fd)->bound == 0 && len >= sizeof a->v4);
	asked_ports[connects++ % 2] = ntohs(
	    to->sa_family == AF_INET ? a->v4.sin_port : a->v6.sin6_port);
	if (world.in_use && to->sa_family == AF_INET)
		return 0;
	errno = ECONNREFUSED;
	return -1;
}

ssize_t fake_send(int fd, const void *bytes, size_t len, int flags)
{
	if (fd == OTHER_FD)
		MUST(len == 7 && memcmp(bytes, "READY=1", 7) == 0 && (flags & MSG_DONTWAIT));
	else
		(void)socket_of(fd);
	MUST(bytes != NULL && (flags & MSG_NOSIGNAL));
	return (ssize_t)len;
}

ssize_t fake_sendto(int fd, const void *bytes, size_t len, int flags, const struct sockaddr *to,
    socklen_t to_len)
{
	MUST(fd == OTHER_FD && bytes != NULL && (flags & MSG_NOSIGNAL));
	MUST(to->sa_family == AF_UNIX && to_len <= sizeof(struct sockaddr_un));
	return (ssize_t)len;
}

ssize_t fake_recv(int fd, void *room, size_t len, int flags)
{
	struct socket *const s = socket_of(fd);

	MUST(flags == 0 && len >= 4);
	if (!world.by_epmd || s->heard)
		return 0;
	s->heard = 1;
	memset(room, 0, 4);
	return 4;
}

int fake_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
    struct addrinfo **list)
{
	MUST(hints->ai_socktype == SOCK_STREAM && list != NULL);
	MUST(alarm_s > 0 &&
	    alarm_s <= (set.wait_s > set.timeout_s ? set.wait_s : set.timeout_s) + 1);
	snprintf(asked_host, sizeof asked_host, "%s", host);
	snprintf(asked_port, sizeof asked_port, "%s", service);
	return EAI_NONAME;
}

char *fake_if_indextoname(unsigned index, char name[IF_NAMESIZE])
{
	return index == 1 || index == 2 ? strcpy(name, index == 1 ? "lo" : "eth0") : NULL;
}

int fake_setgroups(size_t len, const gid_t *list)
{
	MUST(len == 1 && became_group == -1);
	if (world.no_root) {
		errno = EPERM;
		return -1;
	}
	became_group = (long)list[0];
	return 0;
}

int fake_setuid(uid_t uid)
{
	if (became_uid > 0)
		return -1;
	MUST(became_group >= 0 && became_gid >= 0);
	became_uid = (long)uid;
	return 0;
}

/* ---- a second reading of the line */

enum {
	DEBUG, DAEMON, SYSTEMD, RELAXED, LOCAL, PORT, PACKET, IDLE, ACCEPT, WRITE, ADDRESS, USER,
	HOST, TIMEOUT, WAIT, SETTINGS,
	NAMES = SETTINGS, LOOKUP, REGISTER, STATUS, COUNTS, DUMP, STARTED, KILL, STOP, HELP,
	VERSION, NONE
};

static struct want {
	int command, status;
	const struct word *of_command; /* the last option that a daemon has no use for */
	long number[SETTINGS];
	int given[SETTINGS];
	const char *text[SETTINGS];
	long group;
	char **arg;
	char wrong[4 * 8192]; /* standard error */
} want;

/* What is said of it: `cut` characters at most, and what is behind the text whatever its length. */
enum { FAIL_MAX = 6 + LOG_MAX - 1, WHY_MAX = 6 + 2 * CLI_TEXT_MAX - 1 };

static int said_of(size_t cut, const char *behind, const char *format, ...)
{
	static char text[2 * 8192];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	if (strlen(text) > cut)
		text[cut] = '\0';
	strcat(strcat(want.wrong, text), behind);
	want.status = 1;
	return 0;
}

/* fail() cuts its text alone; the reason and the line feed are put behind. */
#define FAILS(...) said_of(FAIL_MAX, "\n", __VA_ARGS__)
#define COMPLAINS(...) said_of(WHY_MAX, "\n", __VA_ARGS__)
#define MISTAKES(...) said_of(FAIL_MAX, "\nepmd -help lists them\n", __VA_ARGS__)

/* In the order in which they are thought of: options, commands, options of the commands. */
static const struct word {
	const char *name;
	int is, args;
	const char *needs;
} known[] = {
	{ "-port", PORT, 1, "a number" }, { "-address", ADDRESS, 1, "IP addresses" },
	{ "-d", DEBUG, 0, NULL }, { "-debug", DEBUG, 0, NULL }, { "-daemon", DAEMON, 0, NULL },
	{ "-user", USER, 1, "a name" }, { "-systemd", SYSTEMD, 0, NULL },
	{ "-local_names", LOCAL, 0, NULL }, { "-relaxed_command_check", RELAXED, 0, NULL },
	{ "-packet_timeout", PACKET, 1, "a number" }, { "-exit_idle", IDLE, 1, "a number" },
	{ "-delay_accept", ACCEPT, 1, "a number" }, { "-delay_write", WRITE, 1, "a number" },
	{ "-names", NAMES, 0, NULL }, { "-lookup", LOOKUP, 1, "a name" },
	{ "-status", STATUS, 0, NULL }, { "-counts", COUNTS, 0, NULL },
	{ "-register", REGISTER, 2, "a name and a port" }, { "-started", STARTED, 0, NULL },
	{ "-kill", KILL, 0, NULL }, { "-stop", STOP, 1, "a name" }, { "-dump", DUMP, 0, NULL },
	{ "-help", HELP, 0, NULL }, { "-h", HELP, 0, NULL }, { "-version", VERSION, 0, NULL },
	{ "-V", VERSION, 0, NULL }, { "-host", HOST, 1, "a host's name or address" },
	{ "-timeout", TIMEOUT, 1, "a number" }, { "-wait", WAIT, 1, "a number" }
};

/* The known word, of two dashes or one; or NULL. */
static const struct word *known_of(const char *text)
{
	const struct word *w;

	if (text[0] == '-' && text[1] == '-')
		text++;
	for (w = known; w < known + LENGTH(known); w++)
		if (strcmp(text, w->name) == 0)
			return w;
	return NULL;
}

/*
 * The first of those that have most letters in common with it from the beginning: two, or the only
 * one that it has; or NULL.
 */
static const struct word *alike(const char *text, size_t len)
{
	const struct word *w;
	size_t letters;

	for (letters = len; letters >= 1 && (letters >= 2 || len == 1); letters--)
		for (w = known; w < known + LENGTH(known); w++)
			if (strncmp(w->name + 1, text, letters) == 0)
				return w;
	return NULL;
}

static int want_unknown(const char *text)
{
	const char *const bare = text + strspn(text, "-"), *const value = strchr(text, '=');
	const struct word *const w = alike(bare, strcspn(bare, "="));
	char what[CLI_TEXT_MAX];

	snprintf(what, sizeof what, *text == '-' ? "unknown option: %s" : "unknown command: \"%s\"",
	    text);
	if (w == NULL)
		return MISTAKES("epmd: %s", what);
	if (value != NULL)
		return MISTAKES("epmd: %s (did you mean %s %s?)", what, w->name, value + 1);
	return MISTAKES("epmd: %s (did you mean %s?)", what, w->name);
}

/* 1, or 0 at a mistake. */
static int want_value(int setting, const char *name, const char *text)
{
	const int from_0 = setting == ACCEPT || setting == WRITE || setting == WAIT;
	const long max = setting == PORT ? 65535 : setting == IDLE ? 31536000 : 86400;
	size_t colon = strlen(text);

	want.text[setting] = text;
	while (colon > 0 && text[colon - 1] != ':')
		colon--;
	if (setting == USER && colon > 0)
		return MISTAKES("epmd: -user takes a user, and the group is that user's: \"%s\"",
		    text);
	if (setting == HOST && colon > 0 &&
	    (memchr(text, ':', colon - 1) == NULL || text[colon - 2] == ']'))
		return MISTAKES(
		    "epmd: -host takes no port: \"%s\" (did you mean -host %.*s -port %s?)", text,
		    (int)colon - 1, text, text + colon);
	if (setting >= ADDRESS && setting <= HOST)
		return 1;
	want.number[setting] = decimal(text, strlen(text));
	if (want.number[setting] < !from_0 || want.number[setting] > max)
		return FAILS("epmd: %s: not a number from %d to %ld: \"%s\"", name, !from_0,
		    max, text);
	return 1;
}

/* What the line did not say. */
static int want_environment(void)
{
	const char *text;

	text = value_of(&environment, "ERL_EPMD_PORT");
	if (text != NULL && *text != '\0' && !want.given[PORT] && !want.given[SYSTEMD] &&
	    !want_value(PORT, "ERL_EPMD_PORT", text))
		return 0;
	if (want.command != NONE)
		return 1;
	want.number[RELAXED] += value_of(&environment, "ERL_EPMD_RELAXED_COMMAND_CHECK") != NULL;
	want.number[LOCAL] += value_of(&environment, "ERL_EPMD_LOCAL_NAMES") != NULL;
	text = value_of(&environment, "ERL_EPMD_ADDRESS");
	if (text != NULL && *text != '\0' && !want.given[ADDRESS])
		want.text[ADDRESS] = text;
	text = value_of(&environment, "ERL_EPMD_EXIT_IDLE");
	if (text == NULL || *text == '\0' || want.given[IDLE])
		return 1;
	return want_value(IDLE, "ERL_EPMD_EXIT_IDLE", text);
}

static int want_behind(const struct word *command, int i)
{
	const struct word *w;

	want.arg = line.word + i;
	if (line.len - i < command->args)
		return MISTAKES("epmd: %s needs %s", command->name, command->needs);
	for (i += command->args; i < line.len; i++) {
		w = known_of(line.word[i]);
		if (w == NULL)
			return MISTAKES("epmd: nothing goes behind %s: \"%s\"", command->name,
			    line.word[i]);
		if (w->is >= SETTINGS)
			return MISTAKES("epmd: one command at a time: %s, or %s", command->name,
			    w->name);
		if (w->is != DEBUG)
			return MISTAKES("epmd: %s goes before %s", w->name, command->name);
		want.number[DEBUG]++;
	}
	want.command = command->is;
	return 1;
}

static int want_line(void)
{
	const struct word *w;
	int i;

	for (i = 0; i < line.len; i++) {
		w = known_of(line.word[i]);
		if (w == NULL)
			return want_unknown(line.word[i]);
		if (w->is >= SETTINGS)
			return want_behind(w, i + 1);
		want.given[w->is] = 1;
		if (w->is >= HOST)
			want.of_command = w;
		if (w->args == 0)
			want.number[w->is]++;
		else if (++i == line.len)
			return MISTAKES("epmd: %s needs %s", w->name, w->needs);
		else if (!want_value(w->is, w->name, line.word[i]))
			return 0;
	}
	want.command = NONE;
	return 1;
}

/* ---- the addresses */

static struct listener {
	int size; /* 4, or 16 */
	uint8_t bytes[16];
	uint32_t scope;
} listeners[EPMD_LISTEN_MAX];
static int listeners_len;

/* An address, with an interface's name or number behind a `%`; 0 if it is none. */
static int read_address(const char *text, size_t len, struct listener *l)
{
	char copy[64], *scope;
	long v;

	memset(l, 0, sizeof *l);
	if (len >= sizeof copy)
		return 0;
	memcpy(copy, text, len);
	copy[len] = '\0';
	l->size = 4;
	if (inet_pton(AF_INET, copy, l->bytes) == 1)
		return 1;
	l->size = 16;
	scope = strchr(copy, '%');
	if (scope != NULL)
		*scope++ = '\0';
	if (inet_pton(AF_INET6, copy, l->bytes) != 1)
		return 0;
	if (scope == NULL)
		return 1;
	v = decimal(scope, strlen(scope));
	if (strcmp(scope, "lo") == 0)
		v = 1;
	if (strcmp(scope, "eth0") == 0)
		v = 2;
	l->scope = (uint32_t)v;
	return v > 0;
}

static int all_zero(const uint8_t *bytes, int size)
{
	while (size > 0 && bytes[size - 1] == 0)
		size--;
	return size == 0;
}

static int want_port_taken(void)
{
	int k, options = 0;

	if (!world.by_epmd || want.number[DAEMON] == 0)
		return 0;
	for (k = 0; k < SETTINGS; k++)
		options |= want.given[k] && k != PORT && k != DAEMON;
	want.wrong[0] = '\0';
	if (options)
		(void)COMPLAINS("epmd: an epmd serves port %ld already: nothing was started, "
		    "and the options were not applied", want.number[PORT]);
	want.status = 0;
	return 0;
}

/*
 * The list's addresses behind the first `len`, each once; how many there are then, or -1 at a
 * mistake.
 */
static int want_addresses(const char *list, struct listener l[EPMD_LISTEN_MAX + 1], int len,
    int beside)
{
	size_t n;
	int i;

	for (; *list != '\0'; list += n + (list[n] != '\0')) {
		n = strcspn(list, ", \t");
		if (n == 0)
			continue;
		if (!read_address(list, n, &l[len]))
			return FAILS("epmd: not an IP address: \"%.*s\"",
			    n < 63 ? (int)n : 63, list) - 1;
		for (i = 0; memcmp(&l[i], &l[len], sizeof l[i]) != 0; i++)
			;
		len += i == len;
		if (len > EPMD_LISTEN_MAX)
			return FAILS("epmd: too many addresses: beside 127.0.0.1 and ::1 "
			    "there may be %d", EPMD_LISTEN_MAX - beside) - 1;
	}
	return len;
}

/* One more socket; 0 at a mistake. */
static int want_listener(const struct listener *l, int by_default)
{
	char text[64];
	int i, error = 0;

	for (i = 0; i < listeners_len; i++)
		if (listeners[i].size == l->size && all_zero(listeners[i].bytes, l->size))
			return 1;
	if (l->size == 16 && world.no_ipv6)
		error = EAFNOSUPPORT;
	else if (l->bytes[l->size - 1] == 9 || (l->size == 16 && world.no_address6))
		error = EADDRNOTAVAIL;
	else if (l->size == 4 && world.in_use && memcmp(l->bytes, "\177\0\0\1", 4) == 0)
		error = EADDRINUSE;
	if (error == 0)
		listeners[listeners_len++] = *l;
	if (error == 0 || (by_default && error != EADDRINUSE))
		return 1;
	inet_ntop(l->size == 4 ? AF_INET : AF_INET6, l->bytes, text, sizeof text);
	if (l->scope == 1 || l->scope == 2)
		strcat(text, l->scope == 1 ? "%lo" : "%eth0");
	else if (l->scope != 0)
		snprintf(text + strlen(text), 12, "%%%lu", (unsigned long)l->scope);
	(void)FAILS("epmd: cannot listen on %s port %ld: %s%s", text, want.number[PORT],
	    strerror(error), error != EADDRINUSE ? "" : world.by_epmd ?
	    ": an epmd answers there already" : ": something that is no epmd has it");
	return error == EADDRINUSE ? want_port_taken() : 0;
}

static int want_sockets(void)
{
	struct listener l[EPMD_LISTEN_MAX + 1];
	const int all = want.text[ADDRESS] == NULL;
	int len = want_addresses(all ? "0.0.0.0,::" : "127.0.0.1,::1", l, 0, 0), i, any;

	if (!all && (len = want_addresses(want.text[ADDRESS], l, len, len)) < 0)
		return 0;
	if (!all && want.text[ADDRESS][strspn(want.text[ADDRESS], ", \t")] == '\0')
		return FAILS("epmd: the list of addresses is empty");
	for (any = 1; any >= 0; any--)
		for (i = 0; i < len; i++)
			if (all_zero(l[i].bytes, l[i].size) == any && !want_listener(&l[i], i < 2))
				return 0;
	return 1;
}

/* sd_listen_fds(3) */
static int want_inherited(void)
{
	const char *const pid = value_of(&environment, "LISTEN_PID");
	const char *const fds = value_of(&environment, "LISTEN_FDS");
	const long count = fds != NULL ? decimal(fds, strlen(fds)) : 0;

	if (pid == NULL || decimal(pid, strlen(pid)) != PID || count < 1)
		return FAILS("epmd: systemd provides no sockets");
	if (count > EPMD_LISTEN_MAX)
		return FAILS("epmd: systemd provides too many sockets");
	if (count > 3)
		return FAILS("epmd: systemd provides what is no listening socket");
	return 1;
}

/* ---- what must come of it */

/* Standard error: these words; a daemon that logs says more. */
static void must_complain(const char *words)
{
	if (is_silent)
		return;
	MUST(strcmp(shown_wrong.text, words) == 0);
}

static void check_settings(void)
{
	MUST(set.port == want.number[PORT] || want.number[SYSTEMD] > 0);
	MUST(set.packet_timeout_s == want.number[PACKET] && set.exit_idle_s == want.number[IDLE]);
	MUST(set.delay_accept_s == want.number[ACCEPT] && set.delay_write_s == want.number[WRITE]);
	MUST(set.timeout_s == want.number[TIMEOUT] && set.wait_s == want.number[WAIT]);
	MUST(set.debug == want.number[DEBUG] && !set.daemon == !want.number[DAEMON]);
	MUST(!set.relaxed == !want.number[RELAXED] && !set.local_names == !want.number[LOCAL]);
}

static void check_listeners(void)
{
	const struct socket *s = sockets;
	const union address *a;
	int i;

	for (i = 0; i < listeners_len; i++, s++) {
		while (s < sockets + opened && !(s->open && s->listens))
			s++;
		MUST(s < sockets + opened);
		a = &s->at;
		MUST(a->any.sa_family == (listeners[i].size == 4 ? AF_INET : AF_INET6));
		if (listeners[i].size == 4)
			MUST(memcmp(&a->v4.sin_addr, listeners[i].bytes, 4) == 0 &&
			    ntohs(a->v4.sin_port) == want.number[PORT]);
		else
			MUST(memcmp(&a->v6.sin6_addr, listeners[i].bytes, 16) == 0 &&
			    ntohs(a->v6.sin6_port) == want.number[PORT] &&
			    a->v6.sin6_scope_id == listeners[i].scope);
	}
	for (; s < sockets + opened; s++)
		MUST(!s->open); /* what could not be bound was closed */
	MUST(listen_len == listeners_len);
}

/*
 * The third and the fourth field of an entry, which a colon ends; 0 where it has no such numbers.
 */
static int entry_numbers(const char *entry, long *uid, long *gid)
{
	const char *field[5];
	int k;

	for (k = 0; k < 4; k++) {
		field[k] = entry;
		entry = strchr(entry, ':');
		if (entry == NULL)
			return 0;
		entry++;
	}
	field[4] = entry;
	*uid = decimal(field[2], (size_t)(field[3] - field[2] - 1));
	*gid = decimal(field[3], (size_t)(field[4] - field[3] - 1));
	return *uid >= 0 && *gid >= 0;
}

/* The user's numbers: what the first entry of that name or number says, or the number itself. */
static int want_user(void)
{
	const char *const name = want.text[USER];
	char entry[1024]; /* more of a line is not looked at */
	const size_t len = strlen(name);
	const long number = decimal(name, len);
	long uid, gid;
	int i;

	want.number[USER] = want.group = number;
	for (i = 0; i < passwd.len; i++) {
		snprintf(entry, sizeof entry, "%s", passwd.word[i] + 7);
		if (entry_numbers(entry, &uid, &gid) &&
		    ((strncmp(entry, name, len) == 0 && entry[len] == ':') || uid == number)) {
			want.number[USER] = uid;
			want.group = gid;
			break;
		}
	}
	if (want.number[USER] < 0)
		return FAILS("epmd: no such user: \"%s\"", name);
	if (world.no_root)
		return said_of(FAIL_MAX, ": Operation not permitted\n",
		    "epmd: cannot become user \"%s\"", name);
	return 1;
}

static void want_daemon(void)
{
	if (!(want.number[SYSTEMD] > 0 ? want_inherited() : want_sockets()))
		return;
	if (want.text[USER] == NULL || want_user())
		want.status = SERVES;
}

/* Under a supervisor, that it serves and on which of its sockets. */
static void want_start(void)
{
	const char *const fds = value_of(&environment, "LISTEN_FDS");
	const long count = decimal(fds, strlen(fds));
	int i, len;

	len = snprintf(want.wrong, sizeof want.wrong,
	    "<6>epmd " EPMD_VERSION " admits 4 nodes and 8 connections, at port %ld of",
	    7002 + count);
	for (i = 0; i < count; i++)
		len += snprintf(want.wrong + len, 16, "%s 0.0.0.0", i > 0 ? "," : "");
	strcat(want.wrong, "\n");
}

static void check_daemon(int status)
{
	MUST(status == want.status);
	if (status == SERVES && want.number[SYSTEMD] > 0 && want.number[DAEMON] == 0)
		want_start();
	if (status == SERVES && set.debug > 0)
		MUST(
		    strncmp(shown_wrong.text, want.wrong, is_silent ? 0 : strlen(want.wrong)) == 0);
	else
		must_complain(want.wrong);
	if (status != SERVES)
		return;
	check_settings();
	if (want.number[SYSTEMD] == 0)
		check_listeners();
	MUST(forks == (want.number[DAEMON] > 0 ? 2 : 0));
	MUST(became_uid == (want.text[USER] != NULL ? want.number[USER] : -1));
	MUST(became_gid == (want.text[USER] != NULL ? want.group : -1) &&
	    became_group == became_gid);
}

/* -h, -help, -V, -version */
static void check_told(int status)
{
	const char *const begins = want.command < VERSION ? "usage: epmd [OPTION]" :
	    "epmd " EPMD_VERSION "\n";

	MUST(opened == 0 && asked_host[0] == '\0' && status == is_silent);
	MUST(is_silent || strncmp(shown.text, begins, strlen(begins)) == 0);
}

/*
 * Whether it may be asked at all with these arguments; else `want` says how it ends. A host behind
 * a name is taken off.
 */
static int want_arguments(void)
{
	char *const name = want.arg[0], *at;
	const int takes_name = want.command == LOOKUP || want.command == REGISTER ||
	    want.command == STOP;
	long port;

	if (want.command == REGISTER) {
		port = decimal(want.arg[1], strlen(want.arg[1]));
		if (port < 1 || port > 65535)
			return FAILS("epmd: -register: not a number from 1 to 65535: \"%s\"",
			    want.arg[1]);
	}
	at = takes_name && want.command != STOP ? strchr(name, '@') : NULL;
	if (at != NULL) {
		*at = '\0';
		COMPLAINS("epmd: a node is registered without its host: taking \"%s\"", name);
	}
	/* core.c has a second opinion on names */
	if (want.command == REGISTER && !name_is_good((const uint8_t *)name, strlen(name)))
		return FAILS("epmd: not registered: not a good name: \"%s\"", name);
	return takes_name && strlen(name) > 1020 ? FAILS("epmd: name is too long") : 1;
}

/*
 * Who has the port at an IPv4 address closes the connection, an epmd behind four zeros. What is
 * said is said once, with -wait too.
 */
static int want_heard(char said[8192])
{
	const int epmd = world.by_epmd, lists = want.command == NAMES || want.command == DUMP;
	const char *const name = want.arg[0], *const host = want.text[HOST];

	if (want.command == STARTED)
		return !epmd;
	if (epmd && lists)
		sprintf(said, "epmd: up and running on port 0 with data:\n");
	if (epmd && (lists || want.command == STATUS || want.command == COUNTS))
		return 0;
	if ((want.command == KILL || want.command == STOP) && (epmd || host == NULL))
		sprintf(said, "epmd: local epmd responded with <>\n");
	if (want.command == STOP && (epmd || host == NULL))
		return !COMPLAINS(
		    "epmd: not allowed, unless the daemon runs with -relaxed_command_check");
	if (want.command == REGISTER && !epmd)
		return !COMPLAINS("epmd: not registered: the connection was closed; "
		    "only a node's own host may register");
	/* the closing is how an epmd answers a bad name */
	if (want.command == LOOKUP && !epmd && !name_is_good((const uint8_t *)name, strlen(name)))
		return !COMPLAINS("epmd: no such node: \"%s\"", name);
	(void)COMPLAINS("epmd: no answer from epmd: is it one, and may this host ask?");
	return 1 + (want.command == LOOKUP);
}

/* Nobody answers, but at an IPv4 address where the port is in use. */
static void check_asked(int status)
{
	const char *host = want.text[HOST], *why = strerror(ECONNREFUSED);
	size_t len = host != NULL ? strlen(host) : 0;
	char port[16], said[8192] = "";
	struct listener at = { 0, { 0 }, 0 };
	int none = 0, is_name = 0;

	check_settings();
	if (len > 2 && host[0] == '[' && host[len - 1] == ']')
		is_name = !read_address(host + 1, len - 2, &at);
	else if (host != NULL)
		is_name = !read_address(host, len, &at);
	if (is_name) {
		snprintf(port, sizeof port, "%ld", want.number[PORT]);
		MUST(strcmp(asked_host, host) == 0 && strcmp(asked_port, port) == 0);
		MUST(connects == 0 && alarm_s == 0);
		why = gai_strerror(EAI_NONAME);
	} else {
		MUST(asked_host[0] == '\0' && (connects > 0 || (at.size == 16 && world.no_ipv6)));
		MUST(connects < 1 || asked_ports[0] == want.number[PORT]);
		MUST(connects < 2 || asked_ports[1] == want.number[PORT]);
		if (at.size == 16 && world.no_ipv6)
			why = strerror(EAFNOSUPPORT);
		none = !world.in_use || at.size == 16;
	}
	len = strlen(want.wrong);
	if (none || is_name) {
		if (host != NULL)
			(void)COMPLAINS("epmd: Cannot connect to epmd on \"%.1020s\", port %ld: %s",
			    host, want.number[PORT], why);
		else
			(void)COMPLAINS("epmd: Cannot connect to local epmd, port %ld: %s",
			    want.number[PORT], why);
		want.status = 1 + (want.command == LOOKUP);
	} else {
		want.status = want_heard(said);
	}
	if (want.command == STARTED)
		want.wrong[len] = '\0';
	MUST(want.status == 0 || time_ms >= want.number[WAIT] * 1000 - 100);
	MUST(want.number[WAIT] > 0 || time_ms == 0);
	MUST(strcmp(shown.text, is_silent ? "" : said) == 0);
	MUST(status == (is_silent && said[0] != '\0' ? 1 : want.status));
	must_complain(want.wrong);
}

static void check(int status)
{
	want.number[PORT] = 4369;
	want.number[PACKET] = 60;
	want.number[TIMEOUT] = 5;
	if (!want_line() ||
	    ((want.command < HELP || want.command == NONE) && !want_environment())) {
		MUST(status == 1 && opened == 0 && shown.len == 0);
		must_complain(want.wrong);
	} else if (want.command == NONE && want.of_command != NULL) {
		(void)MISTAKES("epmd: %s is for a command, and there is none",
		    want.of_command->name);
		MUST(status == 1 && opened == 0 && shown.len == 0);
		must_complain(want.wrong);
	} else if (want.command == NONE) {
		want_daemon();
		check_daemon(status);
	} else if (want.command >= HELP) {
		check_told(status);
	} else if (!want_arguments()) {
		MUST(status == 1 && opened == 0 && asked_host[0] == '\0');
		must_complain(want.wrong);
	} else {
		check_asked(status);
	}
}

/* ---- a run */

static void words_add(struct words *w, const uint8_t *text, size_t len)
{
	char *const word = malloc(len + 1);

	memcpy(word, text, len);
	word[len] = '\0';
	w->word[w->len++] = word;
}

static void words_free(struct words *w)
{
	while (w->len > 0)
		free(w->word[--w->len]);
}

static int is_variable(const uint8_t *text, size_t len)
{
	static const char *const names[] = {
		"ERL_EPMD_PORT=", "ERL_EPMD_ADDRESS=", "ERL_EPMD_RELAXED_COMMAND_CHECK=",
		"ERL_EPMD_LOCAL_NAMES=", "ERL_EPMD_EXIT_IDLE=", "LISTEN_PID=", "LISTEN_FDS=",
		"NOTIFY_SOCKET="
	};
	size_t k, n;

	for (k = 0; k < LENGTH(names); k++) {
		n = strlen(names[k]);
		if (len >= n && memcmp(text, names[k], n) == 0)
			return 1;
	}
	return 0;
}

static void read_input(const uint8_t *bytes, size_t len)
{
	struct words *w;
	size_t n;

	for (; len > 0 && *bytes != '\n'; bytes++, len--) {
		world.no_ipv6 |= *bytes == '6';
		world.no_address6 |= *bytes == 'a';
		world.in_use |= *bytes == 'b' || *bytes == 'e';
		world.by_epmd |= *bytes == 'e';
		is_silent |= *bytes == 's';
		world.no_root |= *bytes == 'r';
	}
	while (len > 1) {
		bytes++;
		len--;
		for (n = 0; n < len && bytes[n] != '\n' && bytes[n] != '\0'; n++)
			;
		w = &line;
		if (line.len == 0 && is_variable(bytes, n))
			w = &environment;
		else if (line.len == 0 && n > 6 && memcmp(bytes, "passwd=", 7) == 0)
			w = &passwd;
		if (w->len < WORDS)
			words_add(w, bytes, n);
		bytes += n;
		len -= n;
	}
}

static void begin(void)
{
	begin_program();
	memset(&world, 0, sizeof world);
	memset(&want, 0, sizeof want);
	listeners_len = opened = connects = forks = 0;
	asked_host[0] = asked_port[0] = '\0';
	became_uid = became_gid = became_group = -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static char name[] = "epmd";
	char **argv;
	int status, k;

	begin();
	read_input(bytes, len);
	argv = malloc((size_t)(line.len + 2) * sizeof *argv);
	argv[0] = name;
	for (k = 0; k < line.len; k++) /* it may change its own */
		argv[k + 1] = strdup(line.word[k]);
	argv[line.len + 1] = NULL;
	status = run(argv, line.len + 1);
	check(status);
	while (k > 0)
		free(argv[k--]);
	free(argv);
	words_free(&environment);
	words_free(&passwd);
	words_free(&line);
	return 0;
}
