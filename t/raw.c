/*
 * raw - a TCP client for the tests that sends and shows bytes in hex
 *
 *     raw -p PORT [-a ADDR] [-s SOURCE] [-t MS] STEP...
 *     raw -f       a port that nobody uses, below those that clients get by themselves
 *
 * A connection is opened by the first step that needs it. Each receiving step prints one line. -t limits each of them
 * (30000 ms).
 *
 *     @N           the following steps are for connection N, 0 to 1023 (0 at the start)
 *     connect      open it: "connected", "refused" or another reason
 *     send HEX     send these bytes at once
 *     slow MS HEX  send them one by one, MS milliseconds apart
 *     fin          half-close: no more will be sent
 *     reset        close with a reset (SO_LINGER 0)
 *     close        close
 *     recv N       N bytes, or those that came and why no more: "closed", "reset", "timeout"
 *     eof          all bytes up to the end, and how it ended
 *     text         the same, with the bytes as they are and no word where the end is "closed"
 *     open MS      "open" if nothing comes and nothing ends within MS milliseconds, else what did
 *     rcvbuf N     receive buffer of the connections opened from here on
 *     wait MS      do nothing
 *     many N LEN   register N nodes on connections 1 to N: names of LEN letters that end in the number, which is the port
 *                  too; how many were accepted
 *     hold         keep all connections until a signal
 *
 * Status: 0; 1 where a connection could not be opened; 2 for a mistake on the command line.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONN_MAX = 1024 };
static int conns[CONN_MAX]; /* descriptor + 1, 0 where not open */
static const char *port, *addr = "127.0.0.1", *source;
static int limit_ms = 30000, rcvbuf;

static void die(const char *what, const char *which)
{
    fprintf(stderr, "raw: %s: %s\n", what, which);
    exit(2);
}

static long now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void say(const char *line)
{
    puts(line);
    fflush(stdout);
}

static struct addrinfo *resolve(const char *host, const char *service)
{
    struct addrinfo hints, *ai;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    if (getaddrinfo(host, service, &hints, &ai) != 0)
        die("no such address", host);
    return ai;
}

/* the descriptor, or -1 and errno */
static int dial(void)
{
    struct addrinfo *to = resolve(addr, port), *own = source != NULL ? resolve(source, "0") : NULL;
    int cfd = socket(to->ai_family, SOCK_STREAM, 0);
    const int segment = 536; /* loopback's of 64 kB would make the sender's buffer hold any answer */

    if (cfd >= 0 && rcvbuf > 0) {
        setsockopt(cfd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf);
        setsockopt(cfd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
    }
    if (cfd >= 0 && ((own != NULL && bind(cfd, own->ai_addr, own->ai_addrlen) != 0)
                     || connect(cfd, to->ai_addr, to->ai_addrlen) != 0)) {
        int e = errno;
        close(cfd);
        errno = e;
        cfd = -1;
    }
    freeaddrinfo(to);
    if (own != NULL)
        freeaddrinfo(own);
    return cfd;
}

static int need(int *slot)
{
    if (*slot == 0 && (*slot = dial() + 1) == 0) {
        say(errno == ECONNREFUSED ? "refused" : strerror(errno));
        exit(1);
    }
    return *slot - 1;
}

/* the UDP port of the number is what compare keeps while it uses a port */
static int free_port(void)
{
    int candidate, one = 1;

    for (candidate = 10240 + (int)((now_ms() * 31 + getpid() * 17) % 22000);; candidate = candidate < 32000 ? candidate + 1 : 10240) {
        char text[12];
        struct addrinfo *ai;
        int lfd, ufd, unused;

        sprintf(text, "%d", candidate);
        ai = resolve("0.0.0.0", text);
        lfd = socket(ai->ai_family, SOCK_STREAM, 0);
        ufd = socket(ai->ai_family, SOCK_DGRAM, 0);
        setsockopt(lfd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        unused = bind(lfd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(lfd, 1) == 0 && bind(ufd, ai->ai_addr, ai->ai_addrlen) == 0;
        freeaddrinfo(ai);
        close(lfd);
        close(ufd);
        if (unused)
            return candidate;
    }
}

static void close_conn(int *slot, int reset)
{
    struct linger now = { 1, 0 };
    int cfd = need(slot);
    if (reset)
        setsockopt(cfd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(cfd);
    *slot = 0;
}

/* A peer that has closed makes sending fail, which is for the receiving steps to show. */
static void send_hex(int cfd, const char *hex, int gap_ms)
{
    size_t len = strlen(hex) / 2, sent = 0, i;
    unsigned char *bytes = malloc(len + 1);
    unsigned byte;

    if (bytes == NULL || strlen(hex) % 2 != 0)
        die("not hex", hex);
    for (i = 0; i < len; i++) {
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
            die("not hex", hex);
        bytes[i] = (unsigned char)byte;
    }
    while (sent < len) {
        ssize_t n = send(cfd, bytes + sent, gap_ms < 0 ? len - sent : 1, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        sent += (size_t)n;
        if (gap_ms >= 0 && sent < len)
            poll(NULL, 0, gap_ms);
    }
    free(bytes);
}

/* Print at most max bytes; then why there are no more, or NULL where all max came. */
static const char *receive(int cfd, size_t max, int ms, const char *format, size_t *got)
{
    long until = now_ms() + ms;
    unsigned char bytes[65536];

    for (*got = 0; *got < max;) {
        struct pollfd p = { 0, POLLIN, 0 };
        long left = until - now_ms();
        ssize_t n, i;

        p.fd = cfd;
        if (poll(&p, 1, left > 0 ? (int)left : 0) == 0)
            return "timeout";
        n = recv(cfd, bytes, max - *got < sizeof bytes ? max - *got : sizeof bytes, 0);
        if (n <= 0)
            return n == 0 ? "closed" : errno == ECONNRESET ? "reset" : strerror(errno);
        for (i = 0; i < n; i++)
            printf(format, bytes[i]);
        *got += (size_t)n;
    }
    return NULL;
}

static void show_hex(int cfd, size_t max, int ms, const char *silent)
{
    size_t got;
    const char *end = receive(cfd, max, ms, "%02x", &got);
    if (got == 0 && end != NULL && strcmp(end, "timeout") == 0)
        end = silent;
    printf("%s", got > 0 && end != NULL ? " " : "");
    say(end != NULL ? end : "");
}

static void show_text(int cfd)
{
    size_t got;
    const char *end = receive(cfd, (size_t)-1, limit_ms, "%c", &got);
    if (strcmp(end, "closed") != 0)
        say(end);
    fflush(stdout);
}

static void many(int n, int len)
{
    char name[1100], body[1200], hex[2500];
    int i, k, accepted = 0;

    for (i = 1; i <= n && i < CONN_MAX && len < 1000; i++) {
        unsigned char answer[6];
        int body_len, cfd = need(&conns[i]);

        memset(name, 'n', sizeof name);
        sprintf(name + len - 4, "%04d", i);
        body_len = sprintf(body, "x%c%cM%c%c\6%c\5%c%c%s%c%c", i >> 8, i & 255, 0, 0, 0, len >> 8, len & 255, name, 0, 0);
        sprintf(hex, "%04x", (unsigned)body_len);
        for (k = 0; k < body_len; k++)
            sprintf(hex + 4 + 2 * k, "%02x", (unsigned char)body[k]);
        send_hex(cfd, hex, -1);
        accepted += recv(cfd, answer, 6, MSG_WAITALL) == 6 && answer[1] == 0;
    }
    printf("%d\n", accepted);
    fflush(stdout);
}

static const char *arg(char ***step)
{
    if ((*step)[1] == NULL)
        die("lacks its argument", **step);
    return *++*step;
}

static void run(char **step)
{
    int *slot = conns, n;

    for (; *step != NULL; step++) {
        const char *s = *step;
        if (s[0] == '@') {
            n = atoi(s + 1);
            slot = &conns[n >= 0 && n < CONN_MAX ? n : 0];
        } else if (strcmp(s, "connect") == 0) {
            need(slot);
            say("connected");
        } else if (strcmp(s, "send") == 0) {
            send_hex(need(slot), arg(&step), -1);
        } else if (strcmp(s, "slow") == 0) {
            n = atoi(arg(&step));
            send_hex(need(slot), arg(&step), n);
        } else if (strcmp(s, "fin") == 0) {
            shutdown(need(slot), SHUT_WR);
        } else if (strcmp(s, "reset") == 0 || strcmp(s, "close") == 0) {
            close_conn(slot, s[0] == 'r');
        } else if (strcmp(s, "recv") == 0) {
            show_hex(need(slot), (size_t)atol(arg(&step)), limit_ms, "timeout");
        } else if (strcmp(s, "eof") == 0) {
            show_hex(need(slot), (size_t)-1, limit_ms, "timeout");
        } else if (strcmp(s, "text") == 0) {
            show_text(need(slot));
        } else if (strcmp(s, "open") == 0) {
            show_hex(need(slot), (size_t)-1, atoi(arg(&step)), "open");
        } else if (strcmp(s, "rcvbuf") == 0) {
            rcvbuf = atoi(arg(&step));
        } else if (strcmp(s, "wait") == 0) {
            poll(NULL, 0, atoi(arg(&step)));
        } else if (strcmp(s, "many") == 0) {
            n = atoi(arg(&step));
            many(n, atoi(arg(&step)));
        } else if (strcmp(s, "hold") == 0) {
            pause();
        } else {
            die("no such step", s);
        }
    }
}

int main(int argc, char **argv)
{
    int c;
    while ((c = getopt(argc, argv, "p:a:s:t:f")) != -1)
        switch (c) {
        case 'p': port = optarg; break;
        case 'a': addr = optarg; break;
        case 's': source = optarg; break;
        case 't': limit_ms = atoi(optarg); break;
        case 'f': printf("%d\n", free_port()); return 0;
        default: return 2;
        }
    if (port == NULL)
        die("lacks its argument", "-p");
    run(argv + optind);
    return 0;
}
