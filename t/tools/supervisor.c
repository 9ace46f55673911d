/*
 * supervisor - plays the parts of those who start a daemon, and of who holds a port
 *
 *     supervisor [-p PID] [-l ADDR,PORT]... COMMAND...
 *         listens on each, and becomes COMMAND with these sockets from descriptor 3 on, LISTEN_FDS
 *         and LISTEN_PID (its own, or PID) set: systemd's socket activation. A COMMAND that knows
 *         nothing of it is a stranger on those ports.
 *     supervisor -x PATH -l ADDR,PORT... COMMAND...
 *         the same, and a process that stays behind shuts the first of these sockets down once
 *         there is a file PATH
 *     supervisor -u ADDR,PORT COMMAND...
 *         the same with a socket that does not listen
 *     supervisor -a ADDR,PORT TEXT
 *         answers every connection there with TEXT, and closes it: a stranger that speaks
 *     supervisor -r ADDR,PORT HEX...
 *         the same with bytes, other ones to each request: the first to the first, the last to all
 *         that follow; a `+` at their end keeps the connection open
 *     supervisor -m ADDR,PORT
 *         accepts every connection there, prints a line for it, and says nothing: a mute one
 *     supervisor -n PATH
 *         receives datagrams at a Unix socket and prints each as a line: the part of systemd's
 *         NOTIFY_SOCKET and of syslogd; "@NAME" is an abstract one
 *     supervisor -f PATH
 *         the same, but reads nothing until its standard input ends, and fills the socket meanwhile
 *     supervisor -t COMMAND...
 *         runs COMMAND on a terminal of its own that nobody reads
 *     supervisor -b COMMAND...
 *         runs COMMAND in the background of a terminal under `stty tostop`, and prints what it says
 *     supervisor -z COMMAND...
 *         becomes COMMAND with a child that has ended and was not waited for
 *     supervisor -i COMMAND...
 *         runs COMMAND to its end, as an init that waits for its own child alone, and prints the
 *         child's status and the number of zombies that it has then
 */
#define _XOPEN_SOURCE 700 /* posix_openpt() */
#include <dirent.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(2);
}

/* "ADDR,PORT" */
static int open_socket(char *where, int listens)
{
	struct addrinfo hints, *ai;
	char *comma = strrchr(where, ',');
	int one = 1, lfd;

	memset(&hints, 0, sizeof hints);
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	if (comma == NULL)
		die(where);
	*comma = '\0';
	if (getaddrinfo(where, comma + 1, &hints, &ai) != 0)
		die(where);
	lfd = socket(ai->ai_family, SOCK_STREAM, 0);
	setsockopt(lfd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (ai->ai_family == AF_INET6)
		setsockopt(lfd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (bind(lfd, ai->ai_addr, ai->ai_addrlen) != 0 || (listens && listen(lfd, 16) != 0))
		die(where);
	freeaddrinfo(ai);
	return lfd;
}

/* Until no more fits. */
static void fill(const struct sockaddr *to, socklen_t len)
{
	char byte;
	const int out = socket(AF_UNIX, SOCK_DGRAM, 0);

	while (sendto(out, "x", 1, MSG_DONTWAIT, to, len) == 1)
		;
	close(out);
	puts("full");
	while (read(0, &byte, 1) > 0)
		;
}

static void print_datagrams(const char *path, int filled)
{
	struct sockaddr_un sa;
	char text[4096];
	const size_t path_len = strlen(path);
	const socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_len);
	ssize_t n;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	memset(&sa, 0, sizeof sa);
	sa.sun_family = AF_UNIX;
	if (path_len >= sizeof sa.sun_path)
		die("path too long");
	memcpy(sa.sun_path, path, path_len);
	if (path[0] == '@')
		sa.sun_path[0] = '\0';
	if (bind(fd, (struct sockaddr *)&sa, len) != 0)
		die(path);
	if (filled)
		fill((struct sockaddr *)&sa, len);
	while ((n = recv(fd, text, sizeof text - 1, 0)) >= 0) {
		text[n] = '\0';
		puts(text);
	}
}

static void shut_down_later(const char *path)
{
	const pid_t starter = getpid();

	if (fork() != 0)
		return;
	while (kill(starter, 0) == 0 && access(path, F_OK) != 0)
		poll(NULL, 0, 20);
	shutdown(3, SHUT_RDWR);
	_exit(0);
}

/* A text; or bytes, other ones to each request. */
static void answer_all(int lfd, char **answer, int is_hex)
{
	char request[512], bytes[2048];
	unsigned byte;
	size_t len;
	int cfd;

	while ((cfd = accept(lfd, NULL, NULL)) >= 0) {
		len = 0;
		while (is_hex && len < sizeof bytes && sscanf(*answer + 2 * len, "%2x", &byte) == 1)
			bytes[len++] = (char)byte;
		if (recv(cfd, request, sizeof request, 0) > 0)
			send(cfd, is_hex ? bytes : *answer, is_hex ? len : strlen(*answer),
			    MSG_NOSIGNAL);
		if (!is_hex || strchr(*answer, '+') == NULL)
			close(cfd);
		answer += is_hex && answer[1] != NULL;
	}
}

static void accept_all(int lfd)
{
	while (accept(lfd, NULL, NULL) >= 0)
		puts("accepted");
}

static int zombies(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int n = 0;

	while (proc != NULL && (entry = readdir(proc)) != NULL) {
		char path[300], state = ' ';
		FILE *f;
		snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
		f = atoi(entry->d_name) > 0 ? fopen(path, "r") : NULL;
		if (f == NULL)
			continue;
		n += fscanf(f, "%*d (%*[^)]) %c", &state) == 1 && state == 'Z';
		fclose(f);
	}
	closedir(proc);
	return n;
}

static void play_init(char **command)
{
	int status, wait_ms;
	pid_t pid = fork();

	if (pid == 0) {
		execvp(command[0], command);
		die(command[0]);
	}
	waitpid(pid, &status, 0);
	/* what is left over shows at once; a moment is for who ends later */
	for (wait_ms = 0; wait_ms < 300 && zombies() == 0; wait_ms += 20)
		poll(NULL, 0, 20);
	printf("status %d, zombies %d\n",
	    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), zombies());
}

/* On its terminal, as its session's leader or, in the background, as that one's child. */
static void run_on_terminal(const char *path, int in_background, char **command)
{
	struct termios how;
	int fd, k;

	setsid();
	fd = open(path, O_RDWR);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) < 0 || tcgetattr(fd, &how) < 0)
		die(path);
	how.c_lflag |= TOSTOP;
	if (in_background && (tcsetattr(fd, TCSANOW, &how) < 0 || fork() > 0)) {
		wait(NULL);
		exit(0);
	}
	if (in_background)
		setpgid(0, 0);
	for (k = 0; k < 3; k++)
		dup2(fd, k);
	if (fd > 2)
		close(fd);
	execvp(command[0], command);
	die(command[0]);
}

static void play_terminal(int in_background, char **command)
{
	const int fd = posix_openpt(O_RDWR | O_NOCTTY);
	char text[4096];
	ssize_t n;

	if (fd < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0)
		die("posix_openpt");
	if (fork() == 0)
		run_on_terminal(ptsname(fd), in_background, command);
	while (in_background && (n = read(fd, text, sizeof text)) > 0)
		(void)!write(1, text, (size_t)n);
	wait(NULL);
}

static void leave_zombie(void)
{
	siginfo_t info;
	const pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
}

int main(int argc, char **argv)
{
	char pid[24], fds[24];
	const char *shut_down_at = NULL;
	int c, next = 3;

	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	for (c = 3; c < 64; c++)
		close(c); /* what a test's shell had open */
	while ((c = getopt(argc, argv, "+p:l:u:a:r:m:n:f:itbzx:")) != -1)
		switch (c) {
		case 'p': snprintf(pid, sizeof pid, "%s", optarg); break;
		case 'l':
		case 'u':
			if (open_socket(optarg, c == 'l') != next++)
				die("descriptors are not in a row");
			break;
		case 'a':
		case 'r': answer_all(open_socket(optarg, 1), argv + optind, c == 'r'); return 1;
		case 'm': accept_all(open_socket(optarg, 1)); return 1;
		case 'n':
		case 'f': print_datagrams(optarg, c == 'f'); return 1;
		case 'x': shut_down_at = optarg; break;
		case 't':
		case 'b': play_terminal(c == 'b', argv + optind); return 0;
		case 'z': leave_zombie(); break;
		case 'i': play_init(argv + optind); return 0;
		default: return 2;
		}
	snprintf(fds, sizeof fds, "%d", next - 3);
	setenv("LISTEN_FDS", fds, 1);
	setenv("LISTEN_PID", pid, 1);
	if (shut_down_at != NULL)
		shut_down_later(shut_down_at);
	execvp(argv[optind], argv + optind);
	die(argv[optind]);
}
