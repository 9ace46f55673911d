/*
 * Fuzz target: the core, driven as the daemon drives it, beside a naive model of what must be
 * registered
 *
 * An input is a byte of settings (1 relaxed, 2 local_names, then two bits: the nodes admitted, less
 * one) and then steps. A step is a letter and what it takes; WHO is a byte: '0' to '7' a connection
 * on this host, '@' to 'G' one from another; LEN is 16 bits.
 *
 *     p WHO LEN BODY     a request, its length put before it; halves of it are offered first
 *     r WHO LEN BYTES    these bytes, whatever they are
 *     c WHO              the connection ends
 *     l WHO ROOM         the listing asked for last by a connection like this one goes on, in a
 *                        buffer of a line and ROOM * 16
 *     n SECONDS          the clock says so (32 bits)
 *
 * Checked at each step: the invariants of epmd.c's header; the verdict, its reason, the answer's
 * bytes and the name it is about by the model; that nothing but a registration that succeeds, and
 * an end, changes a byte of the table; that a listing has every node that stays once, none twice,
 * none that is not there. A packet and a listing's buffer end where an array ends, for ASan to see
 * what goes beyond: a heap block each takes half the time.
 */
#define EPMD_NODE_MAX 4
#define EPMD_CORE_ONLY
#include "../../epmd.c"
#include "replay.h"
#include <stdarg.h>
#include <string.h>

/* Descriptors have the most digits, for lines of the most bytes. */
enum { SLOTS = 8, CURSORS = 4, FD = 2147483640 };

/* A name's life or its memory, as the model has it. */
struct life {
    unsigned id;           /* in the order of events; 0: unused */
    int live, slot;
    uint8_t name[EPMD_NAME_MAX], extra[EPMD_EXTRA_MAX];
    size_t name_len, extra_len;
    unsigned port, type, protocol, highest, lowest;
    uint32_t creation, since;
};

/* A listing that goes on. */
struct listing {
    struct epmd_cursor cursor;
    unsigned first;        /* the event that came before it was */
    unsigned last_live, last_old; /* the ids listed last */
    unsigned seen[EPMD_NODE_MAX]; /* the id listed last of each of lives[] */
};

struct expected {
    enum epmd_verdict verdict;
    enum epmd_reason reason;
    struct life *life;
    uint8_t out[EPMD_ANSWER_MAX];
    size_t len, name_at, name_len;
};

static struct epmd_nodes table;
static struct epmd_nodes known; /* the table as it was checked last */
static struct life lives[EPMD_NODE_MAX];
static int rows[SLOTS];        /* the row that the connection registered, or -1 */
static struct listing listings[CURSORS];
static struct epmd_asker asker;
static unsigned events;
static uint32_t forgotten;
static struct expected want;

/* ---- names, a second time */

/* The characters, or 0 where they are not well-formed. */
static size_t count_characters(const uint8_t *s, size_t len)
{
    size_t i, chars = 0, n;

    for (i = 0; i < len; i += n, chars++) {
        n = character(s + i, len - i);
        if (n == 0)
            return 0;
    }
    return chars;
}

static int may_be_registered(const uint8_t *s, size_t len)
{
    const size_t chars = count_characters(s, len);
    size_t i;

    for (i = 0; i < len; i++)
        if (s[i] < ' ' || s[i] == 0x7f || (i + 1 < len && s[i] == 0xc2 && s[i + 1] < 0xa0))
            return 0;
    return chars >= 1 && chars <= 255;
}

/* ---- the model */

static struct life *find_life(const uint8_t *name, size_t len)
{
    struct life *l;

    for (l = lives; l < lives + EPMD_NODE_MAX; l++)
        if (l->id != 0 && l->name_len == len && memcmp(l->name, name, len) == 0)
            return l;
    return NULL;
}

static unsigned count_live(void)
{
    struct life *l;
    unsigned n = 0;

    for (l = lives; l < lives + EPMD_NODE_MAX; l++)
        n += l->id != 0 && l->live;
    return n;
}

/* Whether creation a comes after b: creations go round, and the shorter way counts. */
static int comes_after(uint32_t a, uint32_t b)
{
    return b == 0 || (int32_t)(a - b) > 0;
}

/* Unused, or remembered longest. */
static struct life *room_for_life(void)
{
    struct life *l, *oldest = NULL;

    for (l = lives; l < lives + EPMD_NODE_MAX; l++)
        if (l->id == 0)
            return l;
    for (l = lives; l < lives + EPMD_NODE_MAX; l++)
        if (!l->live && (oldest == NULL || l->id < oldest->id))
            oldest = l;
    MUST(oldest != NULL);
    if (comes_after(oldest->creation, forgotten))
        forgotten = oldest->creation;
    return oldest;
}

static uint32_t after(uint32_t creation)
{
    return creation == 0xffffffff || creation < 4 ? 4 : creation + 1;
}

static void say(const char *bytes, size_t len)
{
    memcpy(want.out + want.len, bytes, len);
    want.len += len;
}

static void say_number(uint32_t v, unsigned bytes)
{
    while (bytes-- > 0)
        want.out[want.len++] = (uint8_t)(v >> (8 * bytes));
}

static unsigned number_at(const uint8_t *in, size_t at)
{
    return (unsigned)in[at] << 8 | in[at + 1];
}

static uint32_t told(const struct life *l)
{
    return l->highest >= 6 ? l->creation : l->creation % 3 + 1;
}

/* The answer to a registration; with a life where it succeeds. */
static void expect_alive(unsigned highest, enum epmd_reason reason)
{
    want.verdict = reason == EPMD_OK ? EPMD_KEEP : EPMD_SEND;
    want.reason = reason;
    say_number(highest >= 6 ? 118 : 121, 1);
    say_number(reason != EPMD_OK, 1);
    say_number(reason == EPMD_OK ? told(want.life) : 99, highest >= 6 ? 4 : 2);
}

static void expect_alive2(const uint8_t *in, size_t end)
{
    struct life *l;
    size_t nlen, elen;
    unsigned highest;
    uint32_t creation;

    want.reason = EPMD_NOT_ALLOWED;
    if (!asker.local)
        return;
    want.reason = EPMD_MALFORMED;
    if (end < 16)
        return;
    nlen = number_at(in, 11);
    if (13 + nlen + 2 > end || memchr(in + 13, 0, nlen) != NULL)
        return;
    elen = number_at(in, 13 + nlen);
    if (13 + nlen + 2 + elen > end)
        return;
    want.name_at = 13;
    want.name_len = nlen;
    highest = number_at(in, 7);
    l = find_life(in + 13, nlen);
    if (!may_be_registered(in + 13, nlen)) {
        expect_alive(highest, EPMD_BAD_NAME);
    } else if (elen > 1020) {
        expect_alive(highest, EPMD_BAD_EXTRA);
    } else if (l != NULL && l->live) {
        want.life = l;
        expect_alive(highest, EPMD_TAKEN);
    } else if (count_live() >= table.limit) {
        expect_alive(highest, EPMD_FULL);
    } else {
        if (l != NULL) {
            creation = after(l->creation);
        } else {
            l = room_for_life();
            creation = comes_after(asker.now, forgotten) && asker.now >= 4 ? asker.now :
                after(forgotten);
        }
        l->id = ++events;
        l->live = 1;
        l->slot = asker.owner;
        memcpy(l->name, in + 13, nlen);
        l->name_len = nlen;
        l->port = number_at(in, 3);
        l->type = in[5];
        l->protocol = in[6];
        l->highest = highest;
        l->lowest = number_at(in, 9);
        memcpy(l->extra, in + 13 + nlen + 2, elen);
        l->extra_len = elen;
        l->creation = creation;
        l->since = asker.now;
        want.life = l;
        expect_alive(highest, EPMD_OK);
    }
}

/* The name of a look-up or a stop; 0 where it is none. */
static size_t named(const uint8_t *in, size_t end)
{
    const size_t len = end - 3 - (end > 3 && in[end - 1] == 0);

    want.name_at = 3;
    want.name_len = len;
    if (len > 0 && memchr(in + 3, 0, len) == NULL)
        return len;
    want.reason = EPMD_BAD_NAME;
    return 0;
}

static void expect_port2(const uint8_t *in, size_t end)
{
    const size_t len = named(in, end);
    const struct life *l;

    if (len == 0)
        return;
    if (count_characters(in + 3, len) == 0 || count_characters(in + 3, len) > 255) {
        want.reason = EPMD_BAD_NAME;
        return;
    }
    want.verdict = EPMD_SEND;
    say("w", 1);
    want.life = find_life(in + 3, len);
    if (want.life == NULL || !want.life->live) {
        want.life = NULL;
        want.reason = EPMD_UNKNOWN_NODE;
        say_number(1, 1);
        return;
    }
    l = want.life;
    want.reason = EPMD_OK;
    say_number(0, 1);
    say_number(l->port, 2);
    say_number(l->type, 1);
    say_number(l->protocol, 1);
    say_number(l->highest, 2);
    say_number(l->lowest, 2);
    say_number((uint32_t)l->name_len, 2);
    say((const char *)l->name, l->name_len);
    say_number((uint32_t)l->extra_len, 2);
    say((const char *)l->extra, l->extra_len);
}

static void expect_stop(const uint8_t *in, size_t end)
{
    size_t len;

    want.reason = EPMD_NOT_ALLOWED;
    if (!asker.local || !asker.relaxed)
        return;
    len = named(in, end);
    if (len == 0)
        return;
    want.life = find_life(in + 3, len);
    if (want.life != NULL && !want.life->live)
        want.life = NULL;
    want.verdict = want.life != NULL ? EPMD_STOP : EPMD_SEND;
    want.reason = want.life != NULL ? EPMD_OK : EPMD_UNKNOWN_NODE;
    say(want.life != NULL ? "STOPPED" : "NOEXIST", 7);
}

static void expect_local(enum epmd_verdict verdict, enum epmd_reason reason)
{
    want.verdict = asker.local ? verdict : EPMD_DROP;
    want.reason = asker.local ? reason : EPMD_NOT_ALLOWED;
}

/* Sets want; a registration that must succeed goes into the model. */
static void expect(const uint8_t *in, size_t fill)
{
    const size_t end = fill < 2 ? 0 : 2 + (size_t)number_at(in, 0);

    want.verdict = EPMD_MORE;
    want.reason = EPMD_OK;
    want.life = NULL;
    want.len = want.name_at = want.name_len = 0;
    if (fill < 2)
        return;
    want.verdict = EPMD_DROP;
    want.reason = EPMD_MALFORMED;
    if (end == 2 || end > 3059 || fill > end)
        return;
    if (fill < end) {
        want.verdict = EPMD_MORE;
        want.reason = EPMD_OK;
        return;
    }
    switch (in[2]) {
    case 'x':
        expect_alive2(in, end);
        break;
    case 'z':
        expect_port2(in, end);
        break;
    case 'n':
        want.verdict = EPMD_LIST;
        want.reason = EPMD_OK;
        break;
    case 'd':
    case 'N':
        expect_local(in[2] == 'N' && end > 3 && in[3] == 'c' ? EPMD_COUNTS : EPMD_LIST, EPMD_OK);
        break;
    case 'k':
        if (asker.relaxed || count_live() == 0)
            expect_local(EPMD_QUIT, EPMD_OK);
        else
            expect_local(EPMD_SEND, EPMD_LIVING_NODES);
        break;
    case 's':
        expect_stop(in, end);
        break;
    default:
        want.reason = EPMD_UNKNOWN_REQUEST;
        break;
    }
    if (want.verdict == EPMD_LIST || want.verdict == EPMD_COUNTS)
        say_number(asker.port, 4);
    if (in[2] == 'k' && want.verdict != EPMD_DROP)
        say(want.verdict == EPMD_QUIT ? "OK" : "NO", 2);
}

/* ---- the table */

static int same_name(int i, const struct life *l)
{
    return table.node[i].name_len == l->name_len &&
        memcmp(epmd_name(&table, i), l->name, l->name_len) == 0;
}

static void check_row(int i, int is_live)
{
    const struct epmd_node *const n = &table.node[i];
    const struct life *const l = find_life(epmd_name(&table, i), n->name_len);

    MUST(l != NULL && l->live == is_live && n->live == is_live);
    MUST(may_be_registered(l->name, l->name_len));
    MUST(n->creation == l->creation && n->creation >= EPMD_CREATION_MIN && n->since == l->since);
    MUST(n->port == l->port && n->type == l->type && n->protocol == l->protocol);
    MUST(n->highest == l->highest && n->lowest == l->lowest);
    MUST(n->extra_len == l->extra_len && memcmp(table.extra[i], l->extra, l->extra_len) == 0);
    MUST(n->owner == l->slot && n->fd == FD + l->slot);
    MUST(!is_live || rows[n->owner] == i);
    MUST(node_find(&table, l->name, l->name_len) == i);
}

static void check_order(const struct epmd_order *o, int is_live)
{
    uint16_t k;

    MUST(o->len <= EPMD_NODE_MAX);
    for (k = 0; k < o->len; k++) {
        MUST(o->row[k] < table.top);
        MUST(table.node[o->row[k]].serial <= table.serial);
        MUST(k == 0 || table.node[o->row[k - 1]].serial < table.node[o->row[k]].serial);
        check_row(o->row[k], is_live);
    }
}

static void check_by_hash(void)
{
    int i, k, places;

    MUST(table.by_hash.len == table.top);
    for (k = 1; k < table.top; k++)
        MUST(table.hash[table.by_hash.row[k - 1]] <= table.hash[table.by_hash.row[k]]);
    for (i = 0; i < table.top; i++) {
        for (k = places = 0; k < table.top; k++)
            places += table.by_hash.row[k] == i;
        MUST(places == 1);
    }
}

static void check_table(void)
{
    unsigned remembered = 0;
    struct life *l;

    for (l = lives; l < lives + EPMD_NODE_MAX; l++)
        remembered += l->id != 0 && !l->live;
    MUST(table.top <= EPMD_NODE_MAX);
    MUST(table.live.len + table.old.len == table.top);
    MUST(table.live.len <= table.limit);
    MUST(table.live.len == count_live() && table.old.len == remembered);
    MUST(table.forgotten == forgotten);
    check_order(&table.live, 1);
    check_order(&table.old, 0);
    check_by_hash();
    known = table;
}

static void check_unchanged(void)
{
    MUST(memcmp(&known, &table, sizeof table) == 0);
}

/* ---- steps */

static void end_connection(int slot)
{
    struct life *l;
    const int i = rows[slot];

    if (i < 0)
        return;
    l = find_life(epmd_name(&table, i), table.node[i].name_len);
    MUST(l != NULL && l->live && l->slot == slot);
    l->live = 0;
    l->since = asker.now;
    l->id = ++events;
    rows[slot] = -1;
    epmd_release(&table, i, asker.now);
    check_table();
}

static void start_listing(const struct epmd_cursor *cursor, uint8_t kind)
{
    struct listing *const g = &listings[asker.owner % CURSORS];

    memset(g, 0, sizeof *g);
    MUST(cursor->kind == (asker.local_names && !asker.local ? 0 : kind));
    g->cursor = *cursor;
    g->first = events;
    g->last_live = UINT32_MAX;
}

/* As the daemon does: only what depends on where the peer is, is told. */
static void offer(const uint8_t *bytes, size_t fill)
{
    static uint8_t room[EPMD_PACKET_MAX];
    static struct epmd_answer answer;
    uint8_t *const packet = room + sizeof room - fill;
    struct epmd_answer *const a = &answer;

    if (fill > 0)
        memcpy(packet, bytes, fill);
    a->cursor.kind = 0;
    expect(packet, fill);
    epmd_request(&table, &asker, packet, fill, a);
    MUST(a->len <= EPMD_ANSWER_MAX);
    MUST(a->verdict == want.verdict);
    MUST(a->reason == want.reason);
    MUST(a->len == want.len && memcmp(a->out, want.out, want.len) == 0);
    MUST(a->request == (fill > 2 ? packet[2] : 0));
    MUST(a->name_at == want.name_at && a->name_len == want.name_len);
    MUST((a->node >= 0) == (want.life != NULL));
    MUST(a->node < table.top);
    MUST(want.life == NULL || same_name(a->node, want.life));
    if (a->verdict == EPMD_KEEP) {
        rows[asker.owner] = a->node;
        check_table();
    } else {
        check_unchanged();
    }
    if (a->verdict == EPMD_STOP)
        end_connection(table.node[a->node].owner);
    if (a->verdict == EPMD_LIST)
        start_listing(&a->cursor, a->request);
}

static size_t print(char *out, const char *format, ...)
{
    va_list ap;
    int len;

    va_start(ap, format);
    len = vsnprintf(out, EPMD_LINE_MAX + 1, format, ap);
    va_end(ap);
    return (size_t)len;
}

/* Counted day by day of a year, since a system's time_t may end in 2038. */
static void print_date(char *out, uint32_t seconds)
{
    static const unsigned days_of[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    uint32_t days = seconds / 86400, year = 1970, month = 0, len;

    for (;; year++) {
        len = 365 + ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0);
        if (days < len)
            break;
        days -= len;
    }
    for (;; month++) {
        const uint32_t n = days_of[month] + (month == 1 && len == 366);

        if (days < n)
            break;
        days -= n;
    }
    print(out, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)year, (unsigned)month + 1,
          (unsigned)days + 1, (unsigned)(seconds / 3600 % 24), (unsigned)(seconds / 60 % 60),
          (unsigned)(seconds % 60));
}

static size_t line_of(const struct life *l, uint8_t kind, char *out)
{
    const int len = (int)l->name_len, fd = FD + l->slot;
    const char *const name = (const char *)l->name;
    char date[32];

    switch (kind) {
    case 'n':
        return print(out, "name %.*s at port %u\n", len, name, l->port);
    case 'd':
        if (l->live)
            return print(out, "active name     <%.*s> at port %u, fd = %d\n", len, name, l->port,
                         fd) + 1;
        return print(out, "old/unused name <%.*s>, port = %u, fd = %d \n", len, name, l->port,
                     fd) + 1;
    default:
        print_date(date, l->since);
        return print(out, "%.*s\t%u\t%d\t%s\t%u\t%s\t%u\t%u\t%u\n", len, name, l->port, fd,
                     l->live ? "active" : "down", told(l), date, l->type, l->highest, l->lowest);
    }
}

/* Whose line stands here, in this state, not seen yet. */
static struct life *whose_line(struct listing *g, uint8_t kind, const uint8_t *at, size_t left,
                               size_t *len)
{
    char line[EPMD_LINE_MAX + 1];
    struct life *l;

    for (l = lives; l < lives + EPMD_NODE_MAX; l++) {
        if (l->id == 0 || (kind == 'n' && !l->live))
            continue;
        *len = line_of(l, kind, line);
        MUST(*len <= EPMD_LINE_MAX);
        if (*len <= left && memcmp(at, line, *len) == 0 &&
            (l->live ? l->id < g->last_live : l->id > g->last_old))
            return l;
    }
    return NULL;
}

/* Every node that was there when it began, and is in the same state now, was seen. */
static void check_complete(const struct listing *g, uint8_t kind)
{
    const struct life *l;

    for (l = lives; l < lives + EPMD_NODE_MAX; l++)
        if (l->id != 0 && l->id <= g->first && (kind != 'n' || l->live))
            MUST(g->seen[l - lives] == l->id);
}

/* Returns whether there is more. */
static int go_on(struct listing *g, size_t room)
{
    const uint8_t kind = g->cursor.kind;
    static uint8_t most[EPMD_LINE_MAX + 16 * 255];
    uint8_t *const out = most + sizeof most - room;
    size_t len, at = 0, line_len;
    struct life *l;

    len = epmd_list(&table, &g->cursor, out, room);
    check_unchanged();
    MUST(len <= room);
    MUST(len > 0 || g->cursor.kind == 0);
    MUST(len == 0 || kind != 0);
    while (at < len) {
        l = whose_line(g, kind, out + at, len - at, &line_len);
        MUST(l != NULL);
        *(l->live ? &g->last_live : &g->last_old) = l->id;
        MUST(!l->live || g->last_old == 0);
        MUST(g->seen[l - lives] != l->id);
        g->seen[l - lives] = l->id;
        at += line_len;
    }
    if (kind != 0 && g->cursor.kind == 0)
        check_complete(g, kind);
    return g->cursor.kind != 0;
}

static void set_asker(unsigned who)
{
    asker.owner = who % SLOTS;
    asker.fd = FD + asker.owner;
    asker.local = (who & 0x40) == 0;
}

static void step_bytes(struct input *in, int framed)
{
    static uint8_t packet[EPMD_PACKET_MAX];
    const size_t at = framed ? 2 : 0;
    const uint8_t *bytes;
    size_t len = take(in, 2);

    if (len > sizeof packet - at)
        len = sizeof packet - at;
    bytes = take_bytes(in, &len);
    memcpy(packet + at, bytes, len);
    if (framed) {
        packet[0] = (uint8_t)(len >> 8);
        packet[1] = (uint8_t)len;
    }
    if (framed && len > 0) {
        offer(packet, (at + len) / 2);
        offer(packet, at + len - 1);
    }
    offer(packet, at + len);
}

static void step(struct input *in)
{
    const unsigned what = take(in, 1) % 8;

    if (what == 6) {
        asker.now = take(in, 4);
        return;
    }
    set_asker(take(in, 1));
    switch (what) {
    case 3:
    case 7:
        end_connection(asker.owner);
        break;
    case 4:
    case 5:
        go_on(&listings[asker.owner % CURSORS], EPMD_LINE_MAX + 16 * take(in, 1));
        break;
    default: /* a node that says more ends, and a new connection has its slot */
        end_connection(asker.owner);
        step_bytes(in, what < 2);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct input in = { bytes, len };
    const unsigned settings = take(&in, 1);
    int k;

    memset(&table, 0, sizeof table);
    memset(lives, 0, sizeof lives);
    memset(listings, 0, sizeof listings);
    for (k = 0; k < SLOTS; k++)
        rows[k] = -1;
    events = 0;
    forgotten = 0;
    asker.port = 4369;
    asker.now = 1700000000;
    asker.relaxed = settings & 1;
    asker.local_names = settings >> 1 & 1;
    table.limit = (uint16_t)(1 + (settings >> 2) % 4);
    table.key = settings >> 4;
    known = table;
    while (in.left > 0)
        step(&in);
    for (k = 0; k < CURSORS; k++)
        while (go_on(&listings[k], EPMD_LINE_MAX))
            ;
    return 0;
}
