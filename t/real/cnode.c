/* A C node: it publishes itself, answers net_adm:ping, and unpublishes itself.
 *
 * usage: cnode NAME COOKIE VERSION HOW
 *
 * It prints "published NODE answer CODE", CODE being the first byte of epmd's
 * answer, and answers pings until a line comes on standard input. Then it
 * unpublishes itself as HOW says, "stop" by STOP_REQ or "close" by closing its
 * connection, prints "unpublished RESULT", and stays until standard input ends.
 *
 * This library knows only VERSION 6. For 5, the version that it sends is
 * overwritten with what the libraries before OTP 23 sent, which is all that told
 * them apart: hence the linker's --wrap for read and write. */

#include <ei.h>
#include <ei_connect.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int version;
static int answer_code = -1;

ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __real_write(int fd, const void *buf, size_t len);
ssize_t __wrap_read(int fd, void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len);

ssize_t __wrap_read(int fd, void *buf, size_t len)
{
	ssize_t got = __real_read(fd, buf, len);

	if (got > 0 && answer_code < 0)
		answer_code = *(unsigned char *)buf;
	return got;
}

/* length:16, 120, port:16, type:8, protocol:8, highest:16, lowest:16 */
ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	unsigned char copy[512];

	if (version != 5 || len < 11 || len > sizeof copy || ((const unsigned char *)buf)[2] != 120)
		return __real_write(fd, buf, len);
	memcpy(copy, buf, len);
	copy[8] = copy[10] = 5;
	return __real_write(fd, copy, len);
}

static void die(const char *what)
{
	fprintf(stderr, "cnode: %s failed, erl_errno %d\n", what, erl_errno);
	exit(1);
}

/* net_adm:ping is a gen_server call: {'$gen_call', {Pid, Ref}, {is_auth, Node}},
 * answered by {Ref, yes}. The tag goes back as it came. */
static void answer_ping(int fd, const ei_x_buff *in)
{
	char atom[MAXATOMLEN_UTF8];
	erlang_pid from;
	ei_x_buff out;
	int arity, start, index = 0, format;

	if (ei_decode_version(in->buff, &index, &format) ||
	    ei_decode_tuple_header(in->buff, &index, &arity) || arity != 3 ||
	    ei_decode_atom(in->buff, &index, atom) || strcmp(atom, "$gen_call") ||
	    ei_decode_tuple_header(in->buff, &index, &arity) || arity != 2 ||
	    ei_decode_pid(in->buff, &index, &from))
		return;
	start = index;
	if (ei_skip_term(in->buff, &index))
		die("decoding the tag");
	ei_x_new_with_version(&out);
	ei_x_encode_tuple_header(&out, 2);
	ei_x_append_buf(&out, in->buff + start, index - start);
	ei_x_encode_atom(&out, "yes");
	if (ei_send(fd, &from, out.buff, out.index) < 0)
		die("ei_send");
	ei_x_free(&out);
}

static void serve_peer(ei_cnode *ec, int lfd)
{
	ErlConnect peer;
	erlang_msg message;
	ei_x_buff in;
	int fd = ei_accept_tmo(ec, lfd, &peer, 5000), got;

	if (fd < 0)
		die("ei_accept");
	ei_x_new(&in);
	do {
		in.index = 0;
		got = ei_xreceive_msg_tmo(fd, &message, &in, 10000);
		if (got == ERL_MSG)
			answer_ping(fd, &in);
	} while (got != ERL_ERROR);
	ei_x_free(&in);
	close(fd);
}

/* One peer at a time will do, and a line on standard input in between. */
static void serve(ei_cnode *ec, int lfd)
{
	struct pollfd p[2] = {{lfd, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
	char line[16];

	while (poll(p, 2, -1) > 0) {
		if (p[0].revents)
			serve_peer(ec, lfd);
		if (p[1].revents) {
			if (read(STDIN_FILENO, line, sizeof line) <= 0)
				exit(1);
			return;
		}
	}
}

int main(int argc, char **argv)
{
	ei_cnode ec;
	int lfd, port = 0, epmd, result;

	if (argc != 5)
		return 2;
	version = atoi(argv[3]);
	ei_init();
	if (ei_connect_init(&ec, argv[1], argv[2], 0) < 0)
		die("ei_connect_init");
	lfd = ei_listen(&ec, &port, 5);
	if (lfd < 0)
		die("ei_listen");
	answer_code = -1;
	epmd = ei_publish(&ec, port);
	if (epmd < 0)
		die("ei_publish");
	printf("published %s answer %d\n", ei_thisnodename(&ec), answer_code);
	fflush(stdout);
	serve(&ec, lfd);
	result = strcmp(argv[4], "stop") == 0 ? ei_unpublish(&ec) : close(epmd);
	printf("unpublished %d\n", result);
	fflush(stdout);
	while (read(STDIN_FILENO, &ec, 1) > 0)
		;
	return 0;
}
