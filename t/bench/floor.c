/*
 * The two servers that epmd is measured against: what the kernel asks for one
 * connection, one request and one answer, with nothing checked.
 *
 *   floor PORT          accept, read, write, close
 *   floor PORT limit    the same, but accept waits for the request to be there
 *                       (TCP_DEFER_ACCEPT) and the answer waits for the close
 *                       (MSG_MORE), so that data and FIN leave together
 *
 * Every answer is the PORT2_RESP of a node with a name of eight letters, as
 * long as the answers that epmd gives load.c.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char answer[] =
	"\167\0" "\0\1" "\115" "\0" "\0\6" "\0\5" "\0\10" "node0000" "\0";

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int listen_on(int port, int limit)
{
	struct sockaddr_in sa;
	int on = 1, second = 1;
	int lfd = socket(AF_INET, SOCK_STREAM, 0);

	if (lfd < 0)
		die("socket");
	memset(&sa, 0, sizeof sa);
	sa.sin_family = AF_INET;
	sa.sin_port = htons((unsigned short)port);
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(lfd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (limit && setsockopt(lfd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &second, sizeof second) < 0)
		die("TCP_DEFER_ACCEPT");
	if (bind(lfd, (struct sockaddr *)&sa, sizeof sa) < 0 || listen(lfd, 128) < 0)
		die("bind");
	return lfd;
}

int main(int argc, char **argv)
{
	int limit = argc == 3 && strcmp(argv[2], "limit") == 0;
	int lfd;
	char request[512];

	if (argc != 2 && !limit) {
		fputs("usage: floor PORT [limit]\n", stderr);
		return 2;
	}
	lfd = listen_on(atoi(argv[1]), limit);
	for (;;) {
		int cfd = accept(lfd, NULL, NULL);

		if (cfd < 0)
			continue;
		/* A peer that left early has no answer to miss. */
		if (read(cfd, request, sizeof request) > 0)
			(void)!(limit ? send(cfd, answer, sizeof answer, MSG_MORE | MSG_NOSIGNAL)
			    : send(cfd, answer, sizeof answer, MSG_NOSIGNAL));
		close(cfd);
	}
}
