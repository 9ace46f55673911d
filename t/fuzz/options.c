/*
 * Fuzz target: the command line, the environment, and the user's entry in /etc/passwd
 *
 * An input is lines. The first is letters of what the world is like: 6 no IPv6, a no IPv6 address,
 * b 127.0.0.1's port is in use, e by an epmd, s nothing can be said, r not root. Then `NAME=VALUE`,
 * the environment, or `passwd=LINE`, a line of that file; then the words of the command line.
 * Addresses that end in 9 are not this host's; its interfaces are lo, 1, and eth0, 2.
 *
 * Checked: what must be so whatever the line is (see there), and in the functions of the world that
 * each call is one that may be made. Of each seed, what came of it: options.txt has its line, with
 * its status, or the settings, [addresses] and user that it serves with, and what it printed,
 * standard error behind `2>`. Words are heap blocks of their exact size.
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
#include "../../epmd.h"
#undef EPMD_VERSION
#define EPMD_VERSION "VERSION" /* so that a release changes no line of options.txt */

enum { WORDS = 64, FDS = 64, FD = 10, PASSWD_FD = 100, OTHER_FD, COOKIES_FD, PID = 42 };
enum { SERVES = 90 }; /* in place of a status: it came to the loop */

enum { NO_IPV6 = '6', NO_ADDRESS6 = 'a', IN_USE = 'b', BY_EPMD = 'e', SILENT = 's', NO_ROOT = 'r' };
static char world[256]; /* by its letter: whether it is like this */
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
#define ctime_r(at, text) ((void)*(at), strcpy(text, "DATE"))
#define time(at) ((time_t)1000000000)

static int is_in_use(void)
{
	return world[IN_USE] || world[BY_EPMD];
}

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
	if (family == AF_INET6 && world[NO_IPV6])
		return fails(EAFNOSUPPORT);
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
	    (v6 && world[NO_ADDRESS6]))
		return fails(EADDRNOTAVAIL);
	if (is_in_use() && !v6 && ntohl(a->v4.sin_addr.s_addr) == 0x7f000001)
		return fails(EADDRINUSE);
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
	return is_in_use() && to->sa_family == AF_INET ? 0 : fails(ECONNREFUSED);
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
	if (!world[BY_EPMD] || s->heard)
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
	if (world[NO_ROOT])
		return fails(EPERM);
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

/* ---- what must be so, whatever the line is */

/* What is shown is whole lines, those of standard error each a message or a record of the log. */
static void check_shown(void)
{
	const char *const wrong = shown_wrong.text;

	MUST(shown.len == 0 || shown.text[shown.len - 1] == '\n');
	MUST(shown_wrong.len == 0 || wrong[shown_wrong.len - 1] == '\n');
	MUST(shown_wrong.len == 0 || strncmp(wrong, "epmd: ", 6) == 0 || wrong[0] == '<');
}

/* Each number is its usual one, or within its limits; the port may be a supervisor's. */
static void check_settings(void)
{
	const struct option *o;

	for (o = options; o < options + LENGTH(options); o++)
		if (o->number != NULL && *o->number != o->usual && o->number != &set.port)
			MUST(*o->number >= o->min && *o->number <= o->max);
	MUST(set.systemd || (set.port >= 1 && set.port <= 65535));
}

/* Each listener has the port and an address of its own, and no other socket was left open. */
static void check_listeners(void)
{
	const struct socket *s, *other;
	int heard = 0;

	for (s = sockets; s < sockets + opened; s++) {
		MUST(s->listens == s->open && (!s->open || address_port(&s->at) == set.port));
		heard += s->open;
		for (other = sockets; other < s; other++)
			MUST(!s->open || !other->open || !address_is_same(&s->at, &other->at));
	}
	MUST(heard == listen_len && heard > 0);
}

static void check_daemon(void)
{
	check_settings();
	MUST(forks == (set.daemon ? 2 : 0));
	MUST((became_uid >= 0) == (set.user != NULL) && (became_gid >= 0) == (set.user != NULL));
	MUST(became_group == became_gid && asked_port[0] == '\0');
	if (!set.systemd)
		check_listeners();
}

/* What failed is tried again for as long as -wait says, and no longer. */
static void check_command(int status)
{
	const int is_mistake = strstr(shown_wrong.text, "see epmd -help\n") != NULL;
	const int was_asked = opened > 0 || asked_port[0] != '\0';

	check_settings();
	MUST(status >= 0 && status <= 2 && forks == 0 && became_uid == -1);
	MUST(status != 0 || shown_wrong.len == 0 || set.daemon ||
	    strstr(shown_wrong.text, "without its host") != NULL);
	MUST(!is_mistake || (status == 1 && !was_asked && shown.len == 0));
	if (was_asked && cli.arg != NULL && status != 0 && !cli.written) /* NULL: the daemon asks */
		MUST(time_ms >= (int64_t)set.wait_s * 1000 - CLI_MOMENT_MS);
	MUST(set.wait_s > 0 || time_ms == 0);
	MUST(connects < 1 || asked_ports[0] == set.port);
	MUST(connects < 2 || asked_ports[1] == set.port);
	MUST(asked_port[0] == '\0' || (strcmp(asked_host, set.host) == 0 &&
	    (uint32_t)atol(asked_port) == set.port && alarm_s == 0));
}

/* ---- and what came of a seed, for options.txt */

static void tell_settings(void)
{
	const struct option *o;

	for (o = options; o < options + LENGTH(options); o++) {
		if (o->number != NULL && *o->number != o->usual)
			tell(" %s %lu", o->name, (unsigned long)*o->number);
		if (o->text != NULL && *o->text != NULL) {
			tell(" %s", o->name);
			tell_text(" ", *o->text, strlen(*o->text));
		}
		if (o->flag != NULL && *o->flag > 0 && strcmp(o->name, "-debug") != 0)
			tell(" %s %d", o->name, *o->flag);
	}
}

static void tell_daemon(void)
{
	char text[ADDRESS_TEXT_MAX];
	int k;

	tell(" serves");
	tell_settings();
	for (k = 0; k < opened; k++) {
		address_text(&sockets[k].at, text);
		if (sockets[k].open)
			tell(" [%s]", text);
	}
	if (became_uid >= 0)
		tell(" as %ld:%ld", became_uid, became_gid);
}

static void tell_seed(int status)
{
	if (status == SERVES) {
		tell_daemon();
	} else {
		tell(" %d", status);
		if (opened > 0 || asked_port[0] != '\0')
			tell_settings();
	}
	tell_shown();
}

/* ---- a run */

static void words_free(struct words *w)
{
	while (w->len > 0)
		free(w->word[--w->len]);
}

/* Which words these are: in front of the first of the line are those of the world. */
static struct words *words_of(const char *text)
{
	const size_t capitals = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");

	if (line.len == 0 && capitals > 0 && text[capitals] == '=')
		return &environment;
	return line.len == 0 && strncmp(text, "passwd=", 7) == 0 ? &passwd : &line;
}

static void read_input(const uint8_t *bytes, size_t len)
{
	struct words *w;
	char *text;
	size_t n;

	for (; len > 0 && *bytes != '\n'; bytes++, len--)
		world[*bytes] = 1;
	is_silent = world[SILENT];
	while (len > 1) {
		bytes++;
		len--;
		for (n = 0; n < len && bytes[n] != '\n' && bytes[n] != '\0'; n++)
			;
		text = malloc(n + 1);
		memcpy(text, bytes, n);
		text[n] = '\0';
		w = words_of(text);
		if (w->len < WORDS)
			w->word[w->len++] = text;
		else
			free(text);
		bytes += n;
		len -= n;
	}
}

static void begin(void)
{
	begin_program();
	memset(world, 0, sizeof world);
	opened = connects = forks = 0;
	asked_host[0] = asked_port[0] = '\0';
	became_uid = became_gid = became_group = -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *argv[WORDS + 2] = { "epmd" };
	int status;

	begin();
	read_input(bytes, len);
	memcpy(argv + 1, line.word, (size_t)line.len * sizeof *argv);
	status = run(argv, line.len + 1);
	check_shown();
	if (status == SERVES)
		check_daemon();
	else
		check_command(status);
	tell_seed(status);
	words_free(&environment);
	words_free(&passwd);
	words_free(&line);
	return 0;
}
