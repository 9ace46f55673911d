/*
 * What searching the table of nodes costs, and what its names and creations come to over time
 *
 * epmd.c's core is compiled by itself, so that each block of it that is run counts a step
 * (-fsanitize-coverage=trace-pc, see table.tap). No test looks at the time. A line a case, as TAP
 * has it.
 */
#include "../../epmd.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void __sanitizer_cov_trace_pc(void);

static unsigned long steps;

void __sanitizer_cov_trace_pc(void)
{
    steps++;
}

static struct epmd_nodes table;
static struct epmd_asker asker = { .now = 1700000000, .local = 1 };
static struct epmd_answer answer;
static int cases;

static void check(int ok, const char *what)
{
    printf("%sok %d - %s\n", ok ? "" : "not ", ++cases, what);
}

static void empty(uint64_t key)
{
    memset(&table, 0, sizeof table);
    table.limit = EPMD_NODE_MAX;
    table.key = key;
}

/* Returns the row, or -1. */
static int registered(const char *name)
{
    uint8_t packet[EPMD_PACKET_MAX] = { 0, 0, EPMD_ALIVE2_REQ, 0, 1, 77, 0, 0, 6, 0, 5 };
    const size_t len = strlen(name);

    packet[0] = (uint8_t)((13 + len) / 256);
    packet[1] = (uint8_t)((13 + len) % 256);
    packet[12] = (uint8_t)len;
    memcpy(packet + 13, name, len);
    epmd_request(&table, &asker, packet, 15 + len, &answer);
    return answer.verdict == EPMD_KEEP ? answer.node : -1;
}

/* A life of the name: its creation. */
static uint32_t lived(const char *name)
{
    const int i = registered(name);

    if (i < 0) {
        printf("Bail out! %s is not registered\n", name);
        exit(1);
    }
    epmd_release(&table, i, asker.now);
    return table.node[i].creation;
}

/* The steps of a look-up, which finds a live node or not. */
static unsigned long look_up(const char *name, int is_live)
{
    uint8_t packet[EPMD_PACKET_MAX] = { 0, 0, EPMD_PORT_PLEASE2_REQ };
    const size_t len = strlen(name);
    const unsigned long before = steps;

    packet[1] = (uint8_t)(1 + len);
    memcpy(packet + 3, name, len);
    epmd_request(&table, &asker, packet, 3 + len, &answer);
    if ((answer.node >= 0) != is_live) {
        printf("Bail out! %s is %sfound\n", name, is_live ? "not " : "");
        exit(1);
    }
    return steps - before;
}

static uint32_t fnv(const char *s)
{
    uint32_t h = 2166136261u;

    while (*s != '\0')
        h = (h ^ (uint8_t)*s++) * 16777619u;
    return h;
}

/* ---- what a search costs */

enum { NAMES = 1000, NAME_LEN = 200, LETTERS = 12 }; /* the names differ in their last letters */

static char names[NAMES][NAME_LEN + 1];

/*
 * NAMES names of one length that FNV-1a gives one hash. It can be undone from the end: for each
 * four last letters, ends_at has the value from which they lead to that hash; then first letters
 * are tried until they come to one of these values.
 */
enum { SLOTS = 1 << 22 };

static uint32_t ends_at[SLOTS], end_of[SLOTS]; /* end_of: which letters, and 1 */

static const uint32_t inverse = 899433627u; /* of 16777619, by which FNV-1a multiplies */

static void letters(char *s, uint32_t v, int len)
{
    for (; len > 0; len--, v /= 26)
        *s++ = (char)('a' + v % 26);
}

static void make_names(void)
{
    const uint32_t aim = 0x12345678u, tails = 26u * 26 * 26 * 26;
    char name[NAME_LEN + 1];
    char *const end = name + NAME_LEN - 4;
    uint32_t v, h, slot;
    int k, made = 0;

    memset(name, 'c', NAME_LEN);
    name[NAME_LEN] = '\0';
    for (v = 0; v < tails; v++) {
        letters(end, v, 4);
        for (h = aim, k = 3; k >= 0; k--)
            h = h * inverse ^ (uint8_t)end[k];
        for (slot = h % SLOTS; end_of[slot] != 0; slot = (slot + 1) % SLOTS)
            ;
        ends_at[slot] = h;
        end_of[slot] = v + 1;
    }
    for (v = 0; made < NAMES; v++) {
        letters(name + NAME_LEN - LETTERS, v, LETTERS - 4);
        *end = '\0';
        h = fnv(name);
        for (slot = h % SLOTS; made < NAMES && end_of[slot] != 0; slot = (slot + 1) % SLOTS) {
            if (ends_at[slot] != h)
                continue;
            letters(end, end_of[slot] - 1, 4);
            if (fnv(name) != aim) {
                puts("Bail out! FNV-1a is another");
                exit(1);
            }
            memcpy(names[made++], name, sizeof name);
        }
    }
}

/* The most steps of a look-up of the first `count` names. */
static unsigned long most(int count, int is_live)
{
    unsigned long max = 0, n;
    int k;

    for (k = 0; k < count; k++) {
        n = look_up(names[k], is_live);
        if (n > max)
            max = n;
    }
    return max;
}

static void ordinary_names(void)
{
    int k;

    for (k = 0; k < NAMES; k++)
        snprintf(names[k], sizeof names[k], "%0*d", NAME_LEN, k);
}

static unsigned long ordinary_steps(void)
{
    int k;

    empty(1);
    ordinary_names();
    for (k = 0; k < NAMES; k++)
        lived(names[k]);
    return most(NAMES, 0);
}

static void colliding(void)
{
    const unsigned long ordinary = ordinary_steps();
    unsigned long worst = 0, n;
    uint64_t key;
    int k;

    make_names();
    for (key = 0; key < 4; key++) {
        empty(key * 0x0123456789abcdefu);
        for (k = 0; k < NAMES; k++)
            lived(names[k]);
        n = most(NAMES, 0);
        if (n > worst)
            worst = n;
    }
    printf("# %lu steps a look-up among 1,000 names that FNV-1a gives one hash, %lu among others\n",
        worst, ordinary);
    check(worst <= 2 * ordinary, "names made to have one hash cost a look-up no more than others");
}

static void growing(void)
{
    unsigned long one, all;
    int k;

    ordinary_names();
    empty(1);
    registered(names[0]);
    one = most(1, 1);
    for (k = 1; k < NAMES; k++)
        registered(names[k]);
    all = most(NAMES, 1);
    printf("# %lu steps a look-up with 1 node, %lu with 1,000\n", one, all);
    check(all <= 2 * one, "a look-up costs at most twice as much with 1,000 nodes as with one");
}

/* ---- what is found and given */

/* The values are another implementation's, which agrees with those that Linux gives. */
static void hash_values(void)
{
    static char many[256];
    static const struct {
        uint64_t key;
        const char *name;
        uint32_t hash;
    } known[] = {
        { 0, "a", 0x86839d13u },
        { 0x0706050403020100u, "node", 0x4ae5194au },
        { 0x0706050403020100u, "rabbit@", 0xeffcd565u },
        { 0xfedcba9876543210u, many, 0x6a61afd5u }
    };
    size_t k;
    int ok = 1;

    memset(many, 'n', 255);
    for (k = 0; k < sizeof known / sizeof known[0]; k++) {
        empty(known[k].key);
        ok = ok && registered(known[k].name) == 0 && table.hash[0] == known[k].hash;
    }
    check(ok, "a name's hash is HalfSipHash-1-3's");
}

static void one_hash(void)
{
    static const char a[] = "n128000", b[] = "n160931"; /* with a key of 0 */
    int ok;

    empty(0);
    ok = registered(a) == 0;
    look_up(b, 0);
    ok = ok && registered(b) == 1 && table.hash[0] == table.hash[1];
    look_up(a, 1);
    ok = ok && answer.node == 0;
    look_up(b, 1);
    ok = ok && answer.node == 1;
    epmd_release(&table, 0, asker.now);
    look_up(a, 0);
    look_up(b, 1);
    check(ok && answer.node == 1, "two names that have one hash are two nodes");
}

/* Lives of other names, until those that have ended are forgotten. */
static void forget(void)
{
    char name[16];
    int k;

    for (k = 0; k < EPMD_NODE_MAX; k++) {
        snprintf(name, sizeof name, "other%d", k);
        lived(name);
    }
}

/* No life of a name has the creation of the one before. */
static void creations(void)
{
    static const uint32_t clocks[] = { 0, 4, 1700000000, 2147483647, 2147483648u, 4294967294u,
        4294967295u, 3, 5, 1700000000 };
    uint32_t before = 0, c;
    size_t k;
    int round, ok = 1, goes_on = 1;

    empty(0);
    for (k = 0; k < sizeof clocks / sizeof clocks[0]; k++) {
        asker.now = clocks[k];
        for (round = 0; round < 4; round++) {
            c = lived("again");
            ok = ok && c >= EPMD_CREATION_MIN && c != before;
            before = c;
            c = lived("again");
            ok = ok && c >= EPMD_CREATION_MIN && c != before;
            before = c;
            forget();
        }
    }
    check(ok, "no creation is below 4, or the one before of its name, remembered or forgotten");

    empty(0);
    asker.now = 4294967295u;
    lived("last");
    forget();
    for (before = 0, round = 0; round < 5; round++, before = c) {
        c = lived("again");
        forget();
        goes_on = goes_on && c != before;
    }
    check(goes_on, "after the last creation they go round, and do not stay at the first");
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    colliding();
    growing();
    hash_values();
    one_hash();
    creations();
    printf("1..%d\n", cases);
    return 0;
}
