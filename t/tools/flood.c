/*
 * flood - many connections to an epmd at once, or one after the other, for the tests
 *
 *     flood PORT [ADDRESS] MODE...
 *
 *     silent N [RATE]   open N connections, and say nothing on them; "N", then hold them until a
 *                       signal. With RATE, so many a second, whether they come to be or not.
 *     partial N         the same with the first byte of a request on each
 *     deaf N            the same with a NAMES_REQ on each, a receive buffer of 2 kB, and nothing
 *                       read
 *     readers N         keep N lists under way, each read as it comes and asked for again at its
 *                       end; "N" once there are, until a signal
 *     connects RATE S   for S seconds open so many a second and reset them: every third with
 *                       nothing said, with a byte, with a look-up; how many there were
 *     garbage N         N packets that are no request, each on its own connection; N
 *     resets N          N connections, reset before a byte, in a header, in a registration, before
 *                       its answer and after it; N
 *     rounds N          register and end N times, under 3,000 names in turn; how many were accepted
 *     lookups S NAME    look NAME up for S seconds, each on its own connection, a millisecond
 *                       apart; "GOOD of ALL", and the slowest in milliseconds. Bad is what was not
 *                       found within 3 s.
 */
#include "client.h"
#include <stdio.h>
#include <stdlib.h>

static struct sockaddr_in to;
static struct peer peer = { &to, NULL, sizeof to, 0, 3, 0 };

static void hold(int n, const char *first, size_t len, long rate)
{
	int i;

	peer.nonblocking = rate > 0;
	for (i = 0; i < n; i++) {
		if (rate > 0)
			pause_us(1000000 / rate);
		int cfd = dial(&peer);
		if (cfd < 0)
			break;
		if (len > 0)
			send_bytes(cfd, first, len);
	}
	printf("%d\n", i);
	pause();
}

static void readers(int n)
{
	static struct pollfd p[1024];
	static char list[65536];
	int i;

	for (i = 0; i < n && i < 1024; i++)
		p[i].fd = -1;
	for (n = i;;) {
		for (i = 0; i < n; i++) {
			if (p[i].fd >= 0 &&
			    (p[i].revents == 0 || recv(p[i].fd, list, sizeof list, 0) > 0))
				continue;
			if (p[i].fd >= 0)
				close(p[i].fd);
			else if (i == n - 1)
				printf("%d\n", n);
			p[i].fd = dial(&peer);
			p[i].events = POLLIN;
			send_bytes(p[i].fd, "\0\1n", 3);
		}
		poll(p, (nfds_t)n, -1);
	}
}

static void connects(long rate, long seconds)
{
	const long start = now_us(), end = start + seconds * 1000000;
	unsigned char packet[300];
	const size_t len = put_request(packet, 'z', "kept");
	long i, now;

	for (i = 0; (now = now_us()) < end; i++) {
		int cfd = dial(&peer);
		if (cfd >= 0) {
			send_bytes(cfd, packet, i % 3 == 0 ? 0 : i % 3 == 1 ? 1 : len);
			close_with_reset(cfd);
		}
		if (start + i * 1000000 / rate > now)
			pause_us(start + i * 1000000 / rate - now);
	}
	printf("%ld\n", i);
}

static void garbage(int n)
{
	unsigned char bytes[200];
	int i;
	size_t k;

	for (i = 0; i < n; i++) {
		const size_t len = (size_t)(rand() % (int)sizeof bytes);
		int cfd = dial(&peer);
		for (k = 0; k < len; k++)
			bytes[k] = (unsigned char)rand();
		/* never an ALIVE2_REQ from luck alone: they would be names */
		bytes[2] = (unsigned char)(i & 127);
		if (bytes[2] == 'x' || bytes[2] == 'k')
			bytes[2] = 'q';
		if (cfd < 0)
			break;
		send_bytes(cfd, bytes, len);
		close(cfd);
	}
	printf("%d\n", i);
}

static void resets(int n)
{
	unsigned char packet[300], answer[6];
	char name[16];
	struct entry node;
	int i, cfd;
	size_t len;

	for (i = 0; i < n && (cfd = dial(&peer)) >= 0; i++) {
		sprintf(name, "reset%d", i % 100);
		node = entry_of(name);
		len = put_alive2(packet, &node);
		if (i % 5 == 1)
			len = 1;
		else if (i % 5 == 2)
			len = 9;
		if (i % 5 != 0)
			send_bytes(cfd, packet, len);
		if (i % 5 == 4)
			(void)!recv(cfd, answer, sizeof answer, MSG_WAITALL);
		close_with_reset(cfd);
	}
	printf("%d\n", i);
}

static void rounds(int n)
{
	char name[16];
	struct entry node;
	int i, cfd, accepted = 0;

	for (i = 0; i < n && (cfd = dial(&peer)) >= 0; i++) {
		sprintf(name, "round%d", i % 3000);
		node = entry_of(name);
		accepted += is_registered(cfd, &node);
		close_with_reset(cfd);
	}
	printf("%d\n", accepted);
}

static void lookups(long seconds, const char *name)
{
	const long end = now_us() + seconds * 1000000;
	unsigned char packet[300], answer[2];
	const size_t len = put_request(packet, 'z', name);
	long good = 0, all = 0, slowest = 0, start;

	while ((start = now_us()) < end) {
		int cfd = dial(&peer);
		if (cfd >= 0) {
			send_bytes(cfd, packet, len);
			good += recv(cfd, answer, 2, MSG_WAITALL) == 2 && answer[0] == 119 &&
			    answer[1] == 0 && now_us() - start < 3000000;
			close_with_reset(cfd);
		}
		all++;
		if (now_us() - start > slowest)
			slowest = now_us() - start;
		pause_us(1000);
	}
	printf("%ld of %ld %ld\n", good, all, slowest / 1000);
}

int main(int argc, char **argv)
{
	const char *mode;
	int n;

	if (argc < 4)
		return 2;
	to = loopback(atoi(argv[1]));
	argv += inet_pton(AF_INET, argv[2], &to.sin_addr) == 1 ? 3 : 2;
	raise_descriptors();
	setvbuf(stdout, NULL, _IOLBF, 0);
	mode = argv[0];
	if (argv[1] == NULL)
		return 2;
	n = atoi(argv[1]);
	if (strcmp(mode, "silent") == 0)
		hold(n, "", 0, argv[2] != NULL ? atol(argv[2]) : 0);
	else if (strcmp(mode, "partial") == 0)
		hold(n, "", 1, 0);
	else if (strcmp(mode, "deaf") == 0) {
		peer.rcvbuf = 2048;
		hold(n, "\0\1n", 3, 0);
	} else if (strcmp(mode, "readers") == 0)
		readers(n);
	else if (strcmp(mode, "connects") == 0 && argv[2] != NULL)
		connects(n, atol(argv[2]));
	else if (strcmp(mode, "garbage") == 0)
		garbage(n);
	else if (strcmp(mode, "resets") == 0)
		resets(n);
	else if (strcmp(mode, "rounds") == 0)
		rounds(n);
	else if (strcmp(mode, "lookups") == 0 && argv[2] != NULL)
		lookups(n, argv[2]);
	else
		return 2;
	return 0;
}
