/*
 * Fuzz target: the commands, asking an epmd that answers whatever it likes
 *
 * An input is a byte for the command, a byte of flags (1 and 2: -d, 4: -host, 8: -wait 1, 16: standard output is a terminal), a
 * byte for the length of the argument and the argument, and then one answer for each connection that the command opens:
 *
 *     HOW LEN BYTES     HOW % 8: 0 to 3 then the end, 4 a reset, 5 silence, 6 the bytes over and over, 7 no connection at all;
 *                       HOW / 8: so many bytes at a time, 0 all; LEN is 16 bits
 *
 * Checked: a request that is sent is one packet and the right one; nothing but text reaches the terminal, whatever was answered; the
 * status is one that epmd.8 knows; a closed connection is used no more, and none is left open when it tries again; what never ends
 * is under an alarm, but for a registration that succeeded; and what is printed and the status are those of a naive second reading of
 * the answer (of a -status, where it was whole and did not -wait, and not what it asked of the nodes one by one).
 */
#define EPMD_NODE_MAX 4 /* a -status is read into a buffer of so many packets */
#define EPMD_CONN_SPARE 4
#define EPMD_SCRATCH_MAX (EPMD_PACKET_MAX + EPMD_LINE_MAX) /* a line of it into one of these */

#define main epmd_main
#define exit fake_exit
#define _exit fake_exit
#define socket fake_socket
#define connect fake_connect
#define close fake_close
#define send fake_send
#define recv fake_recv
#define getaddrinfo fake_getaddrinfo
#define freeaddrinfo fake_freeaddrinfo
#define isatty fake_isatty
#define alarm fake_alarm
#define signal fake_signal
#define nanosleep fake_nanosleep
#define clock_gettime fake_clock_gettime
#define getenv fake_getenv
#define write fake_write
#define open fake_open
#include "../../epmd.c"
#undef main
#undef exit
#undef write
#undef signal
#undef open
#include "replay.h"
#include <setjmp.h>

enum { FDS = 32, FD = 5, TEXT_MAX = 1 << 22 };
enum { NAMES, DUMP, STARTED, KILL, STOP, LOOKUP, REGISTER, STATUS, COMMANDS };
enum how { END, RESET = 4, SILENCE, FOR_EVER, REFUSED };

struct answer {
    enum how how;
    size_t step, len, at;
    const uint8_t *bytes;
    uint8_t sent[2048];
    size_t sent_len;
    int open;
};

static struct {
    const uint8_t *at;
    size_t left;
} input;
static struct answer answers_given[FDS];
static int opened;             /* connections, refused ones included */
static unsigned alarm_s;
static void (*alarm_handler)(int);
static int is_terminal, with_host;
static int64_t time_ms;
static jmp_buf out;
static struct shown {
    char text[TEXT_MAX];
    size_t len;
} shown, shown_wrong;          /* standard output, standard error */

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

void fake_exit(int status)
{
    longjmp(out, 1 + status);
}

/* What will not go on by itself. */
static void hang(void)
{
    if (alarm_s == 0) {
        MUST(strncmp(shown.text, "registered ", 11) == 0);
        longjmp(out, 1 + 99);
    }
    MUST(alarm_handler != NULL);
    alarm_handler(SIGALRM);
    MUST(!"an alarm ends the command");
}

unsigned fake_alarm(unsigned seconds)
{
    alarm_s = seconds;
    return 0;
}

void (*fake_signal(int number, void (*handler)(int)))(int)
{
    MUST(number == SIGALRM);
    alarm_handler = handler;
    return SIG_DFL;
}

ssize_t fake_write(int fd, const void *text, size_t len)
{
    struct shown *const s = fd == STDOUT_FILENO ? &shown : &shown_wrong;

    MUST(fd == STDOUT_FILENO || fd == STDERR_FILENO);
    MUST(len < TEXT_MAX - s->len);
    memcpy(s->text + s->len, text, len);
    s->len += len;
    s->text[s->len] = '\0';
    return (ssize_t)len;
}

/* All three of standard input, output and error are open. */
int fake_open(const char *path, int flags, ...)
{
    (void)path;
    (void)flags;
    return -1;
}

int fake_socket(int family, int type, int protocol)
{
    (void)family;
    (void)protocol;
    MUST(type == SOCK_STREAM);
    if (opened == FDS)
        hang();
    memset(&answers_given[opened], 0, sizeof answers_given[opened]);
    answers_given[opened].open = 1;
    return FD + opened++;
}

static struct answer *answer_of(int fd)
{
    MUST(fd >= FD && fd < FD + opened && answers_given[fd - FD].open);
    return &answers_given[fd - FD];
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
    if (a->how == REFUSED) {
        errno = ECONNREFUSED;
        return -1;
    }
    a->len = take(2);
    if (a->len > input.left)
        a->len = input.left;
    a->bytes = input.at;
    input.at += a->len;
    input.left -= a->len;
    return 0;
}

ssize_t fake_send(int fd, const void *bytes, size_t len, int flags)
{
    struct answer *const a = answer_of(fd);

    MUST(flags & MSG_NOSIGNAL);
    MUST(a->sent_len + len <= sizeof a->sent);
    memcpy(a->sent + a->sent_len, bytes, len);
    a->sent_len += len;
    return (ssize_t)len;
}

ssize_t fake_recv(int fd, void *room, size_t len, int flags)
{
    struct answer *const a = answer_of(fd);
    size_t n = a->len - a->at;

    MUST(flags == 0 && len > 0);
    if (n == 0 && a->how == FOR_EVER && a->len > 0) {
        if ((time_ms += 1000) > 20000) /* so many times round */
            hang();
        a->at = 0;
        n = a->len;
    }
    if (n == 0 && (a->how == SILENCE || a->how == FOR_EVER))
        hang();
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
int fake_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    static struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    static struct sockaddr_in v4 = { .sin_family = AF_INET };
    static struct addrinfo second = { .ai_family = AF_INET, .ai_addrlen = sizeof v4, .ai_addr = (struct sockaddr *)&v4 };
    static struct addrinfo first = { .ai_family = AF_INET6, .ai_addrlen = sizeof v6, .ai_addr = (struct sockaddr *)&v6, .ai_next = &second };

    MUST(with_host && strcmp(host, "host") == 0 && strcmp(service, "4369") == 0 && hints->ai_socktype == SOCK_STREAM);
    *list = &first;
    return 0;
}

void fake_freeaddrinfo(struct addrinfo *list)
{
    MUST(list->ai_family == AF_INET6);
}

int fake_isatty(int fd)
{
    MUST(fd == STDOUT_FILENO);
    return is_terminal;
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

int fake_clock_gettime(clockid_t clock, struct timespec *now)
{
    MUST(clock == CLOCK_MONOTONIC);
    now->tv_sec = time_ms / 1000;
    now->tv_nsec = time_ms % 1000 * 1000000;
    return 0;
}

char *fake_getenv(const char *name)
{
    (void)name;
    return NULL;
}

/* ---- what must come of it */

/* Neither an escape nor a character that moves the cursor. */
static void check_text(const char *text, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        MUST(text[i] == '\n' || ((uint8_t)text[i] >= 32 && text[i] != 127));
        MUST(i == 0 || (uint8_t)text[i - 1] != 0xc2 || (uint8_t)text[i] < 0x80 || (uint8_t)text[i] >= 0xa0);
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
            MUST(a->sent[2] == request && a->sent_len == 3 + strlen(name) && memcmp(a->sent + 3, name, strlen(name)) == 0);
    }
}

/* The answer that counted: the last, where it was one. */
static const struct answer *last_answer(void)
{
    return opened > 0 && answers_given[opened - 1].how != REFUSED ? &answers_given[opened - 1] : NULL;
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

static void check_list(const struct answer *a, int status)
{
    static char want[TEXT_MAX];
    size_t len, i;

    if (!is_whole(a) || !begins_with_port(a)) {
        MUST(status == 1);
        return;
    }
    len = (size_t)sprintf(want, "epmd: up and running on port %u with data:\n",
                          (unsigned)a->bytes[0] << 24 | (unsigned)a->bytes[1] << 16 | (unsigned)a->bytes[2] << 8 | a->bytes[3]);
    for (i = 4; i < a->len; i++)
        if (a->bytes[i] != 0) {
            want[len] = (char)a->bytes[i];
            if (a->bytes[i] != '\n' && (a->bytes[i] < 32 || a->bytes[i] == 127 ||
                (want[len - 1] == '\xc2' && a->bytes[i] >= 0x80 && a->bytes[i] < 0xa0)))
                want[len] = '?';
            len++;
        }
    want[len] = '\0';
    must_say(want, status, a->how != END);
}

/* The word that came: 15 bytes, or what the end of the connection is behind; what follows a NUL does not count. 0 where none came. */
static int take_word(const struct answer *a, char word[16])
{
    size_t i;

    memset(word, 0, 16);
    if (!is_whole(a) && (a == NULL || a->how != SILENCE || a->len < 15))
        return 0;
    for (i = 0; i < 15 && i < a->len; i++)
        word[i] = (char)a->bytes[i];
    return 1;
}

static void must_not_understand(const char *word, int status)
{
    char said[64], *p = said + sprintf(said, "epmd: local epmd responded with <");
    size_t i;

    for (i = 0; word[i] != '\0'; i++) {
        *p++ = word[i];
        if (((uint8_t)word[i] < 32 && word[i] != '\n') || word[i] == 127 ||
            (i > 0 && word[i - 1] == '\xc2' && (uint8_t)word[i] >= 0x80 && (uint8_t)word[i] < 0xa0))
            p[-1] = '?';
    }
    strcpy(p, ">\n");
    must_say(said, status, 1);
}

static void check_word(int command, const struct answer *a, int status)
{
    char word[16];

    if (a != NULL && a->how == FOR_EVER)
        return;
    if (!take_word(a, word) || (word[0] == '\0' && set.host != NULL))
        must_say("", status, 1);
    else if (command == KILL && strcmp(word, "OK") == 0)
        must_say("Killed\n", status, 0);
    else if (command == KILL && strcmp(word, "NO") == 0)
        must_say("Killing not allowed - living nodes in database.\n", status, 1);
    else if (command == STOP && strcmp(word, "STOPPED") == 0)
        must_say("STOPPED\n", status, 0);
    else if (command == STOP && strncmp(word, "NOEXIST", 7) == 0)
        must_say("NOEXIST\n", status, 0);
    else
        must_not_understand(word, status);
}

static void check_lookup(const struct answer *a, const char *name, int status)
{
    char entry[EPMD_NAME_MAX + 128], type[8];
    size_t nlen, elen = 0;
    int good = 0;

    if (is_whole(a) && a->len >= 14 && a->len <= EPMD_PACKET_MAX && a->bytes[0] == 'w' && a->bytes[1] == 0) {
        nlen = a->bytes[10] * 256u + a->bytes[11];
        if (14 + nlen <= a->len) {
            elen = a->bytes[12 + nlen] * 256u + a->bytes[13 + nlen];
            good = 14 + nlen + elen <= a->len;
        }
    }
    if (!good) {
        if (a != NULL && a->how == END && a->len <= EPMD_PACKET_MAX)
            MUST(status == (a->len >= 2 && a->bytes[0] == 'w' ? 1 + (a->bytes[1] == 0) :
                            a->len > 0 || name_is_good((const uint8_t *)name, strlen(name)) ? 2 : 1));
        else
            MUST(status != 0 || a->how == FOR_EVER || a->len > EPMD_PACKET_MAX);
        return;
    }
    snprintf(type, sizeof type, "%u", a->bytes[4]);
    if (set.debug > 0)
        snprintf(entry, sizeof entry, "name %s\nport %u\ntype %s\nprotocol %u\nversions %u to %u\nextra %u bytes\n", name,
                 a->bytes[2] * 256u + a->bytes[3], a->bytes[4] == 'M' ? "normal" : a->bytes[4] == 'H' ? "hidden" : type, a->bytes[5],
                 a->bytes[8] * 256u + a->bytes[9], a->bytes[6] * 256u + a->bytes[7], (unsigned)elen);
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

static void check_register(const char *name, int status)
{
    char said[EPMD_NAME_MAX + 32] = "";
    const struct answer *a;

    for (a = answers_given; a < answers_given + opened; a++)
        if (a->sent_len > 0 && a->sent[2] == 'x' && (a->len >= 2 || (a->len == 1 && a->how == FOR_EVER)) && a->bytes[a->len > 1] == 0)
            sprintf(said, "registered %s at port 5000\n", name);
    MUST(strcmp(shown.text, said) == 0);
    MUST(status == 1 || (status == 99 && shown.len > 0));
}

/* The cells of a line of a status, or of a dump: what is around `<`, `>` and `,`, the port from its first digit on. 0 where it has none. */
static int read_row(const uint8_t *from, size_t len, int from_dump, char *line, char *cell[6])
{
    size_t n = 0, k;
    char *end;

    for (; len > 0 && *from == 0; from++)
        len--;
    for (; n < len && from[n] != 0; n++)
        line[n] = (from[n] < 32 && (from[n] != '\t' || from_dump)) || from[n] == 127 ||
                  (n > 0 && from[n - 1] == 0xc2 && from[n] >= 0x80 && from[n] < 0xa0) ? '?' : (char)from[n];
    line[n] = '\0';
    if (from_dump) {
        end = strrchr(line, '>');
        cell[0] = strchr(line, '<');
        if (end == NULL || cell[0] == NULL || end < cell[0] || strchr(end, ',') == NULL)
            return 0;
        *strchr(end, ',') = '\0';
        *end = '\0';
        cell[0]++;
        for (cell[1] = end + 1; *cell[1] != '\0' && (*cell[1] < '0' || *cell[1] > '9'); cell[1]++)
            ;
        cell[2] = cell[4] = cell[5] = line + n;
        cell[3] = *line == 'a' ? "active" : "down";
        return strlen(cell[0]) <= 1020;
    }
    for (k = 0; k < 6; k++) {
        cell[k] = line;
        line = strchr(line, '\t');
        if (line == NULL && k < 5)
            return 0;
        if (line != NULL)
            *line++ = '\0';
    }
    return strlen(cell[0]) <= 1020;
}

/* The row at *text: an active node's type and versions are what another answer said. Moves behind it. */
static void must_have_row(const char **text, char *cell[6], int width)
{
    const char *const line_end = strchr(*text, '\n'), *p;
    char want[EPMD_LINE_MAX + 64];
    size_t len;

    MUST(line_end != NULL);
    for (p = cell[0]; *p != '\0'; p++) {
        MUST(*(*text)++ == *p);
        width -= (*p & 0xc0) != 0x80;
    }
    len = (size_t)sprintf(want, "%*s  %5.5s  ", width, "", cell[1]);
    MUST((size_t)(line_end - *text) >= len && memcmp(*text, want, len) == 0);
    *text += len;
    len = (size_t)sprintf(want, "  %-6.16s  %10.10s  %.40s\n", cell[3], cell[4], cell[5]);
    MUST((size_t)(line_end + 1 - *text) >= 16 + len && memcmp(line_end + 1 - len, want, len) == 0);
    MUST(*cell[3] == 'a' || memcmp(*text, "                ", 16) == 0);
    MUST(*cell[3] == 'a' || (size_t)(line_end + 1 - *text) == 16 + len);
    *text = line_end + 1;
}

static void check_status(int status)
{
    static char line[TEXT_MAX];
    const struct answer *a = answers_given;
    const char *text = shown.text;
    char *cell[6], head[EPMD_LINE_MAX + 64];
    int from_dump, width = 4, prints;
    size_t at, len;

    if (set.wait_s > 0)
        return;
    if (status != 0) {
        a = last_answer();
        MUST(!is_whole(a) || !begins_with_port(a) || opened == FDS);
        return;
    }
    while (a->how == REFUSED)
        a++;
    from_dump = a->len < 4;
    if (from_dump)
        for (a++; a->how == REFUSED; a++)
            ;
    MUST(a < answers_given + opened && a->len >= 4);
    if (!is_whole(a))
        return;
    for (prints = 0; prints < 2; prints++) {
        for (at = 4; at < a->len; at += len + 1) {
            for (len = 0; at + len < a->len && a->bytes[at + len] != '\n'; len++)
                ;
            if (!read_row(a->bytes + at, len, from_dump, line, cell))
                continue;
            if (prints)
                must_have_row(&text, cell, width);
            else if (strlen(cell[0]) > (size_t)width)
                width = (int)strlen(cell[0]);
        }
        len = (size_t)sprintf(head, "%-*s   PORT  TYPE    VERSIONS  STATE     CREATION  SINCE\n", width, "NAME");
        if (!prints && is_terminal) {
            MUST(strncmp(text, head, len) == 0);
            text += len;
        }
    }
    MUST(*text == '\0' || (set.debug > 0 && !from_dump));
}

/* ---- a run */

static const char *const command_names_[COMMANDS] = { "-names", "-dump", "-started", "-kill", "-stop", "-lookup", "-register", "-status" };

static void check(int command, const char *name, int status)
{
    static const uint8_t requests[COMMANDS] = { 'n', 'd', 0, 'k', 's', 'z', 0, 0 };

    check_text(shown.text, shown.len);
    check_text(shown_wrong.text, shown_wrong.len);
    check_requests(requests[command], command < STOP ? "" : name);
    MUST(status == 0 || status == 1 || status == 2 || status == 99);
    switch (command) {
    case NAMES:
    case DUMP:
        check_list(last_answer(), status);
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
    size_t len = take(1), i;

    if (len == 255)
        len = take(2) % (EPMD_NAME_MAX + 16);
    if (len > input.left)
        len = input.left;
    for (i = 0; i < len; i++)
        name[i] = (char)(input.at[i] < 32 || input.at[i] == 127 || (i > 0 && name[i - 1] == '\xc2' && input.at[i] < 0xa0) ? '_' : input.at[i]);
    name[len] = '\0';
    input.at += len;
    input.left -= len;
}

static int run(char **argv, int argc)
{
    const int jumped = setjmp(out);

    return jumped == 0 ? epmd_main(argc, argv) : jumped - 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct settings initial;
    static int begun;
    static char name[EPMD_NAME_MAX + 300];
    char *argv[16] = { "epmd" };
    int argc = 1, status, command;
    unsigned flags;

    if (!begun)
        initial = set;
    begun = 1;
    set = initial;
    said_last = 0;
    input.at = bytes;
    input.left = len;
    command = (int)take(1) % COMMANDS;
    flags = take(1);
    take_argument(name);
    with_host = (flags & 4) != 0;
    is_terminal = (flags & 16) != 0;
    opened = 0;
    alarm_s = 0;
    alarm_handler = NULL;
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
    shown.len = 0;
    shown.text[0] = '\0';
    shown_wrong.len = 0;
    shown_wrong.text[0] = '\0';
    status = run(argv, argc);
    check(command, name, status);
    return 0;
}
