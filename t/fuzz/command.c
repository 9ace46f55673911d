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
 * status is one that epmd.8 knows; a closed connection is used no more; what never ends is under an alarm, but for a registration that
 * succeeded; and for -names, -dump, -kill, -stop, -lookup and -started what is printed and the status are those of a naive second
 * reading of the answer.
 */
#define EPMD_NODE_MAX 4 /* a -status is read into a buffer of so many packets */
#define EPMD_CONN_SPARE 4

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
#include "../../epmd.c"
#undef main
#undef exit
#undef write
#undef signal
#include "replay.h"
#include <setjmp.h>

enum { FDS = 32, FD = 5, TEXT_MAX = 1 << 22 };
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
    (void)rest;
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

    if (!is_whole(a) || a->len < 4) {
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

/* What follows a NUL does not count. */
static int is_word(const struct answer *a, const char *word)
{
    const size_t len = strlen(word);

    return a->len >= len && memcmp(a->bytes, word, len) == 0 && (a->len == len || a->bytes[len] == 0);
}

static void check_kill(const struct answer *a, int status)
{
    if (a != NULL && a->how == FOR_EVER)
        return;
    if (is_whole(a) && is_word(a, "OK"))
        must_say("Killed\n", status, 0);
    else if (is_whole(a) && is_word(a, "NO"))
        must_say("Killing not allowed - living nodes in database.\n", status, 1);
    else
        MUST(status == 1 && (set.wait_s > 0 || strncmp(shown.text, "Kill", 4) != 0));
}

static void check_stop(const struct answer *a, int status)
{
    if (a != NULL && a->how == FOR_EVER)
        return;
    if (is_whole(a) && is_word(a, "STOPPED"))
        must_say("STOPPED\n", status, 0);
    else if (is_whole(a) && (is_word(a, "NOEXIST") || is_word(a, "NOEXISTSTOPPED")))
        must_say("NOEXIST\n", status, 0);
    else if (status == 0)
        MUST(a->len >= 7 && memcmp(a->bytes, "NOEXIST", 7) == 0);
}

static void check_lookup(const struct answer *a, int status)
{
    char port[16];
    size_t nlen, elen;
    int good = 0;

    if (is_whole(a) && a->len >= 14 && a->len <= EPMD_PACKET_MAX && a->bytes[0] == 'w' && a->bytes[1] == 0) {
        nlen = a->bytes[10] * 256u + a->bytes[11];
        if (14 + nlen <= a->len) {
            elen = a->bytes[12 + nlen] * 256u + a->bytes[13 + nlen];
            good = 14 + nlen + elen <= a->len;
        }
    }
    if (!good) {
        MUST(status != 0 || a->how == FOR_EVER || a->len > EPMD_PACKET_MAX);
        return;
    }
    MUST(status == 0);
    snprintf(port, sizeof port, "%u\n", a->bytes[2] * 256u + a->bytes[3]);
    MUST(strcmp(shown.text, port) == 0 || strstr(shown.text, port) != NULL);
}

static void check_started(int status)
{
    const struct answer *a;
    int starts = 0;

    for (a = answers_given; a < answers_given + opened; a++)
        starts = starts || a->how == FOR_EVER || (a->how != REFUSED && a->len >= 4 && a->bytes[0] == 0 && a->bytes[1] == 0);
    MUST(status == 1 || starts);
    MUST(shown.len == 0 && shown_wrong.len == 0);
}

static void check_register(const struct answer *a, int status)
{
    MUST(status == 1 || status == 99);
    MUST(status != 99 || a->how == FOR_EVER || (a->len >= 2 && a->bytes[1] == 0 && strncmp(shown.text, "registered ", 11) == 0));
}

/* ---- a run */

enum { NAMES, DUMP, STARTED, KILL, STOP, LOOKUP, REGISTER, STATUS, COMMANDS };
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
        check_kill(last_answer(), status);
        break;
    case STOP:
        check_stop(last_answer(), status);
        break;
    case LOOKUP:
        check_lookup(last_answer(), status);
        break;
    case REGISTER:
        check_register(last_answer(), status);
        break;
    default:
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
