/*
 * epmd - Erlang Port Mapper Daemon
 *
 * A node of distributed Erlang registers its name and port here and keeps the connection open.
 * Others ask at which port a name listens. If the node's connection ends, its name is free again.
 *
 * The daemon is one process with one poll() loop, turn(). A turn serves the connections that are
 * ready, and then accepts new ones. A connection is served as far as it goes without waiting, see
 * conn_run(): its request is read, epmd_request() looks it up in the table of nodes and makes the
 * answer, the answer is sent, the connection is closed. If a step would have to wait, the
 * connection is parked in the kernel's queue (epoll or kqueue; if there is none, in poll()'s own
 * array) until its descriptor is ready or its deadline has come. A node's connection is parked for
 * good. All tables are static: if one is full, the connection that has waited longest is closed,
 * but never a node's. The same program is the client: `epmd -names` and the other commands ask.
 *
 * Words
 *   node        what a program has registered: its name, its port, and more about it
 *   row         a place in the table of nodes, by its number; it never moves
 *   live        a row whose node is registered now
 *   remembered  a row whose node has ended: it keeps the name's creation, until the row is needed
 *   creation    a number that differs from one life of a name to the next
 *   connection  one that was accepted; its slot is its number in conns[]
 *   parked      waiting until its descriptor is ready
 *   held        bytes that a parked connection keeps: of a request, or of an answer
 *   listing     an answer of a line for each row; its cursor says which row was last
 *
 * Sections
 *   core      1 Bytes    2 Names    3 Nodes    4 Listings    5 Requests
 *   daemon    6 Addresses    7 Tables    8 Log    9 Listeners    10 Parking    11 Connections
 *             12 Loop
 *   client    13 Commands
 *   start     14 Process    15 main
 *
 * The core has bytes in and bytes out: no system call, no clock, no log, no static variable. It is
 * what -DEPMD_CORE_ONLY leaves, and the system's headers are included behind it, so that it cannot
 * use them. t/prove/README.md says what is proven of it.
 *
 * What always holds
 *   - A live node has one connection and that connection has this node; nothing but the end of the
 *     connection frees the name.
 *   - No two rows have one name; each is in the order of the live rows or of the remembered ones.
 *   - Serving never blocks. A parked connection has a deadline, if it is no node's.
 *   - While the loop waits, a slot is free, so that a connection can always be accepted.
 *
 * Assumed of the platform: POSIX.1-2008, MSG_DONTWAIT, setgroups(), an int of 32 bits or more,
 * bytes of 8 bits. What only some systems have (epoll, kqueue, TCP_DEFER_ACCEPT, MSG_MORE) makes it
 * cheaper; nothing depends on it.
 */
#define _DEFAULT_SOURCE /* setgroups() */

#include "epmd.h"

/* ==== 1 Bytes: big-endian integers are read, and answers written, at an offset ============= */

static uint16_t get_16(const uint8_t *in, size_t at)
{
	return (uint16_t)(in[at] * 256u + in[at + 1]);
}

/* Each put_ function writes at the offset `at` and returns the offset behind what it wrote. */
static size_t put_8(uint8_t *out, size_t at, unsigned v)
{
	out[at] = (uint8_t)(v % 256u);
	return at + 1;
}

static size_t put_16(uint8_t *out, size_t at, unsigned v)
{
	at = put_8(out, at, v / 256u);
	return put_8(out, at, v);
}

static size_t put_32(uint8_t *out, size_t at, uint32_t v)
{
	at = put_16(out, at, v / 65536u);
	return put_16(out, at, v % 65536u);
}

static size_t put_bytes(uint8_t *out, size_t at, const uint8_t *from, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		out[at + i] = from[i];
	return at + len;
}

static size_t put_text(uint8_t *out, size_t at, const char *text)
{
	while (*text != '\0')
		out[at++] = (uint8_t)*text++;
	return at;
}

/* Writes v in decimal. */
static size_t put_number(uint8_t *out, size_t at, uint32_t v)
{
	uint8_t digit[10];
	size_t n = 0;

	do {
		digit[n++] = (uint8_t)('0' + v % 10u);
		v /= 10u;
	} while (v > 0 && n < sizeof digit);
	while (n > 0)
		out[at++] = digit[--n];
	return at;
}

/* Writes the last digits of v, exactly so many. */
static size_t put_digits(uint8_t *out, size_t at, uint32_t v, size_t digits)
{
	size_t i;

	for (i = digits; i > 0; i--) {
		out[at + i - 1] = (uint8_t)('0' + v % 10u);
		v /= 10u;
	}
	return at + digits;
}

/*
 * Writes a time, in seconds since 1970, as 2026-11-22T11:50:00Z. The years that are counted here
 * begin in March, so that a leap day is the last day of its year.
 */
static size_t put_date(uint8_t *out, size_t at, uint32_t seconds)
{
	const uint32_t day = seconds / 86400u + 719468u; /* since 0000-03-01 */
	const uint32_t era = day / 146097u, of_era = day % 146097u; /* an era is 400 years */
	const uint32_t year = (of_era - of_era / 1460u + of_era / 36524u - of_era / 146096u) / 365u;
	const uint32_t of_year = of_era - (365u * year + year / 4u - year / 100u);
	const uint32_t month = (5u * of_year + 2u) / 153u; /* 0 is March */

	at = put_digits(out, at, era * 400u + year + (month >= 10u), 4);
	at = put_8(out, at, '-');
	at = put_digits(out, at, month < 10u ? month + 3u : month - 9u, 2);
	at = put_8(out, at, '-');
	at = put_digits(out, at, of_year - (153u * month + 2u) / 5u + 1u, 2);
	at = put_8(out, at, 'T');
	at = put_digits(out, at, seconds / 3600u % 24u, 2);
	at = put_8(out, at, ':');
	at = put_digits(out, at, seconds / 60u % 60u, 2);
	at = put_8(out, at, ':');
	at = put_digits(out, at, seconds % 60u, 2);
	return put_8(out, at, 'Z');
}

static int same_bytes(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (a[i] != b[i])
			return 0;
	return 1;
}

static int has_zero(const uint8_t *in, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (in[i] == 0)
			return 1;
	return 0;
}

/* ==== 2 Names: which bytes may be a name, and their hash =================================== */

/* Whether c may be the second, third or fourth byte of a character in UTF-8 (RFC 3629). */
static int is_tail(uint8_t c)
{
	return c >= 0x80 && c <= 0xbf;
}

/*
 * How many bytes the character at s[i] has, 1 to 4; 0 if the bytes from there on to s[n-1] begin
 * with no well-formed character.
 */
static size_t utf8_step(const uint8_t *s, size_t i, size_t n)
{
	const uint8_t c = s[i];

	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4 || n - i < 2 || !is_tail(s[i + 1]))
		return 0;
	if (c < 0xe0)
		return 2;
	if (n - i < 3 || !is_tail(s[i + 2]))
		return 0;
	if (c < 0xf0) {
		if ((c == 0xe0 && s[i + 1] < 0xa0) || (c == 0xed && s[i + 1] > 0x9f))
			return 0; /* an overlong form, or a surrogate */
		return 3;
	}
	if (n - i < 4 || !is_tail(s[i + 3]))
		return 0;
	if ((c == 0xf0 && s[i + 1] < 0x90) || (c == 0xf4 && s[i + 1] > 0x8f))
		return 0; /* an overlong form, or above U+10FFFF */
	return 4;
}

/* Whether s has 1 to EPMD_NAME_CHARS characters, all well-formed. */
static int name_is_text(const uint8_t *s, size_t len)
{
	size_t i = 0, chars = 0, step;

	if (len == 0 || len > EPMD_NAME_MAX)
		return 0;
	while (i < len) {
		step = utf8_step(s, i, len);
		if (step == 0 || chars == EPMD_NAME_CHARS)
			return 0;
		i += step;
		chars++;
	}
	return 1;
}

/*
 * Whether c is the last byte of a control character: one of C0, DEL, or one of C1 (U+0080 to
 * U+009F, which are the bytes 0x80 to 0x9f with 0xc2 before them).
 */
static int is_control(uint8_t before, uint8_t c)
{
	return c < 32 || c == 127 || (before == 0xc2 && c >= 0x80 && c < 0xa0);
}

/* A control character could forge a line of a listing or of the log. */
static int has_control(const uint8_t *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (is_control(i > 0 ? s[i - 1] : 0, s[i]))
			return 1;
	return 0;
}

/* Whether a node may register with this name. */
static int name_is_good(const uint8_t *s, size_t len)
{
	return name_is_text(s, len) && !has_control(s, len);
}

#define ROTATE(x, n) ((x) << (n) | (x) >> (32 - (n)))

static inline void hash_word(uint32_t v[4], uint32_t word)
{
	v[3] ^= word;
	v[0] += v[1];
	v[1] = ROTATE(v[1], 5) ^ v[0];
	v[0] = ROTATE(v[0], 16);
	v[2] += v[3];
	v[3] = ROTATE(v[3], 8) ^ v[2];
	v[0] += v[3];
	v[3] = ROTATE(v[3], 7) ^ v[0];
	v[2] += v[1];
	v[1] = ROTATE(v[1], 13) ^ v[2];
	v[2] = ROTATE(v[2], 16);
	v[0] ^= word;
}

/*
 * HalfSipHash-1-3 of the name. A peer who does not know the key cannot make many names of one
 * hash, which would make a search slow.
 */
static uint32_t name_hash(uint64_t key, const uint8_t *s, size_t len)
{
	const uint32_t low = (uint32_t)(key % 4294967296u), high = (uint32_t)(key / 4294967296u);
	uint32_t v[4] = { low, high, low ^ 0x6c796765u, high ^ 0x74656462u };
	uint32_t last = (uint32_t)(len % 256u) << 24;
	size_t i;

	for (i = 0; i + 4 <= len; i += 4)
		hash_word(v, s[i] | (uint32_t)s[i + 1] << 8 | (uint32_t)s[i + 2] << 16 |
		    (uint32_t)s[i + 3] << 24);
	for (; i < len; i++)
		last |= (uint32_t)s[i] << (8 * (i % 4));
	hash_word(v, last);
	v[2] ^= 0xffu;
	hash_word(v, 0);
	hash_word(v, 0);
	hash_word(v, 0);
	return v[1] ^ v[3];
}

/* ==== 3 Nodes: the table of names, live and remembered ===================================== */

/*
 * When a node ends, its row remembers the name and the creation, so that the next node of this
 * name gets another creation. Only when every row is in use is a remembered one given to another
 * name, the one remembered longest.
 */

const uint8_t *epmd_name(const struct epmd_nodes *t, int row)
{
	return t->node[row].name_len <= EPMD_BRIEF_MAX ? t->brief[row] : t->name[row];
}

/* Puts the row at the end of the order. */
static void order_push(struct epmd_order *o, int row)
{
	if (o->len < EPMD_NODE_MAX)
		o->row[o->len++] = (uint16_t)row;
}

/* Puts the row at this place; the rows from there on move up. */
static void order_insert(struct epmd_order *o, int place, int row)
{
	const int len = o->len;
	int k;

	if (len >= EPMD_NODE_MAX || place < 0 || place > len)
		return; /* never; but no mistake of ours shall write beyond the table */
	for (k = len; k > place; k--)
		o->row[k] = o->row[k - 1];
	o->row[place] = (uint16_t)row;
	o->len = (uint16_t)(len + 1);
}

/* Takes out the row at this place; the rows behind it move down. */
static void order_remove(struct epmd_order *o, int place)
{
	int k, last;

	if (o->len > EPMD_NODE_MAX || place < 0 || place >= o->len)
		return; /* never */
	last = o->len - 1;
	for (k = place; k < last; k++)
		o->row[k] = o->row[k + 1];
	o->len = (uint16_t)last;
}

/* The place of the row, which is in the order. */
static int order_place(const struct epmd_order *o, int row)
{
	int place = o->len - 1;

	while (place > 0 && o->row[place] != row)
		place--;
	return place;
}

/* The first place in by_hash whose row has this hash or a higher one. */
static int hash_place(const struct epmd_nodes *t, uint32_t hash)
{
	int from = 0, to = t->by_hash.len, middle;

	while (from < to) {
		middle = (from + to) / 2;
		if (t->hash[t->by_hash.row[middle]] < hash)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* The row, live or remembered, that has the name, or -1. */
static inline int node_find(const struct epmd_nodes *t, const uint8_t *name, size_t len)
{
	const uint32_t hash = name_hash(t->key, name, len);
	int place, row;

	for (place = hash_place(t, hash); place < t->by_hash.len; place++) {
		row = t->by_hash.row[place];
		if (t->hash[row] != hash)
			break;
		if (t->node[row].name_len == len && same_bytes(epmd_name(t, row), name, len))
			return row;
	}
	return -1;
}

/*
 * Creations. A name that comes back while it is remembered gets the creation after its last one.
 * Any other name gets the time, so that its creation differs from those given before the daemon
 * was restarted; or a later one, if a name that was forgotten since may have had the time.
 */
static uint32_t creation_next(uint32_t last)
{
	return last < UINT32_MAX && last >= EPMD_CREATION_MIN ? last + 1 : EPMD_CREATION_MIN;
}

/*
 * Whether creation a is later than b, which 0 stands before. Creations start again after the
 * highest, so a is later if it is less than half of them ahead of b.
 */
static int creation_later(uint32_t a, uint32_t b)
{
	return b == 0 || a - b - 1u < (uint32_t)INT32_MAX;
}

static uint32_t creation_first(const struct epmd_nodes *t, uint32_t now)
{
	const int is_later = now >= EPMD_CREATION_MIN && creation_later(now, t->forgotten);

	return is_later ? now : creation_next(t->forgotten);
}

/* The creation as it is sent: 32 bits, or 1 to 3 in turn to a node of an older version. */
static uint32_t creation_told(const struct epmd_node *n)
{
	return n->highest >= EPMD_VERSION_X ? n->creation : n->creation % 3u + 1u;
}

/* Sets the row's state, with the time and the next serial. */
static void node_stamp(struct epmd_nodes *t, int row, uint8_t live, uint32_t now)
{
	t->node[row].live = live;
	t->node[row].since = now;
	t->node[row].serial = ++t->serial;
}

/* Makes a row that is in neither order live, the latest of all. */
static void live_add(struct epmd_nodes *t, int row, uint32_t now)
{
	node_stamp(t, row, 1, now);
	order_push(&t->live, row);
}

/* Remembers a row that is in neither order, the latest of all. */
static void old_add(struct epmd_nodes *t, int row, uint32_t now)
{
	node_stamp(t, row, 0, now);
	order_push(&t->old, row);
}

static void old_remove(struct epmd_nodes *t, int row)
{
	order_remove(&t->old, order_place(&t->old, row));
}

static void index_remove(struct epmd_nodes *t, int row)
{
	order_remove(&t->by_hash, order_place(&t->by_hash, row));
}

static void index_add(struct epmd_nodes *t, int row)
{
	order_insert(&t->by_hash, hash_place(t, t->hash[row]), row);
}

/*
 * Returns a row that is in neither order and not in the index: one that was never used or, if there
 * is none, the one remembered longest, whose name is forgotten.
 */
static int node_recycle(struct epmd_nodes *t)
{
	int row;

	if (t->top < EPMD_NODE_MAX) {
		row = t->top++;
		return row;
	}
	row = t->old.row[0];
	old_remove(t, row);
	index_remove(t, row);
	if (creation_later(t->node[row].creation, t->forgotten))
		t->forgotten = t->node[row].creation;
	return row;
}

static void node_copy_name(struct epmd_nodes *t, int row, const uint8_t *name, size_t len)
{
	if (len <= EPMD_BRIEF_MAX) {
		put_bytes(t->brief[row], 0, name, len);
	} else {
		put_bytes(t->name[row], 0, name, len);
	}
}

static void node_set_name(struct epmd_nodes *t, int row, const uint8_t *name, size_t len)
{
	t->hash[row] = name_hash(t->key, name, len);
	t->node[row].name_len = (uint16_t)len;
	node_copy_name(t, row, name, len);
}

/* Gives a name that no row has a row, still in neither order, and its first creation. */
static int node_new(struct epmd_nodes *t, const uint8_t *name, size_t len, uint32_t now)
{
	const int row = node_recycle(t);

	node_set_name(t, row, name, len);
	index_add(t, row);
	t->node[row].creation = creation_first(t, now);
	return row;
}

/*
 * Makes live, and returns, the remembered row that has this good name or, if `row` is -1, a new
 * one. There must be room for one more live row.
 */
static int node_claim(struct epmd_nodes *t, int row, const uint8_t *name, size_t len, uint32_t now)
{
	if (row < 0) {
		row = node_new(t, name, len, now);
	} else {
		old_remove(t, row);
		t->node[row].creation = creation_next(t->node[row].creation);
	}
	live_add(t, row, now);
	return row;
}

void epmd_release(struct epmd_nodes *t, int row, uint32_t now)
{
	order_remove(&t->live, order_place(&t->live, row));
	old_add(t, row, now);
}

/* ==== 4 Listings: lines of text, made from the table as the peer takes them ================ */

/*
 * Nodes may register and end between two calls of epmd_list(). A listing goes through the live
 * rows from the latest to the earliest and then, but for NAMES_REQ, through the remembered ones
 * from the earliest to the latest. The serial of the row listed last tells which rows are still
 * to come.
 */

/*
 * The first place in the order whose row has this serial or a later one. The search begins at
 * `place`, which is near it.
 */
static int serial_place(const struct epmd_nodes *t, const struct epmd_order *o, uint64_t serial,
    int place)
{
	if (place > o->len)
		place = o->len;
	while (place > 0 && t->node[o->row[place - 1]].serial >= serial)
		place--;
	while (place < o->len && t->node[o->row[place]].serial < serial)
		place++;
	return place;
}

/* The next row to list, or -1 at the end. */
static int list_next(const struct epmd_nodes *t, struct epmd_cursor *c)
{
	int place = 0, row = -1;

	if (!c->old) {
		place = serial_place(t, &t->live, c->serial, c->at) - 1;
		if (place >= 0) {
			row = t->live.row[place];
		} else if (c->kind != EPMD_NAMES_REQ) {
			c->old = 1;
			c->serial = 0;
		}
	}
	if (c->old) {
		place = serial_place(t, &t->old, c->serial + 1, c->at);
		if (place < t->old.len)
			row = t->old.row[place];
	}
	if (row >= 0) {
		c->serial = t->node[row].serial;
		c->at = (uint16_t)place;
	}
	return row;
}

static size_t line_names(const struct epmd_nodes *t, int row, uint8_t *out)
{
	size_t at = put_text(out, 0, "name ");

	at = put_bytes(out, at, epmd_name(t, row), t->node[row].name_len);
	at = put_text(out, at, " at port ");
	at = put_number(out, at, t->node[row].port);
	return put_8(out, at, '\n');
}

static size_t line_dump(const struct epmd_nodes *t, int row, uint8_t *out)
{
	const struct epmd_node *n = &t->node[row];
	size_t at = put_text(out, 0, n->live ? "active name     <" : "old/unused name <");

	at = put_bytes(out, at, epmd_name(t, row), n->name_len);
	at = put_text(out, at, n->live ? "> at port " : ">, port = ");
	at = put_number(out, at, n->port);
	at = put_text(out, at, ", fd = ");
	at = put_number(out, at, (uint32_t)n->fd);
	at = put_text(out, at, n->live ? "\n" : " \n");
	return put_8(out, at, 0);
}

static size_t put_column(uint8_t *out, size_t at, uint32_t v)
{
	at = put_8(out, at, '\t');
	return put_number(out, at, v);
}

static size_t line_status(const struct epmd_nodes *t, int row, uint8_t *out)
{
	const struct epmd_node *n = &t->node[row];
	size_t at = put_bytes(out, 0, epmd_name(t, row), n->name_len);

	at = put_column(out, at, n->port);
	at = put_column(out, at, (uint32_t)n->fd);
	at = put_text(out, at, n->live ? "\tactive" : "\tdown");
	at = put_column(out, at, creation_told(n));
	at = put_8(out, at, '\t');
	at = put_date(out, at, n->since);
	at = put_column(out, at, n->type);
	at = put_column(out, at, n->highest);
	at = put_column(out, at, n->lowest);
	return put_8(out, at, '\n');
}

/* Writes the line of this row, of EPMD_LINE_MAX bytes at most. */
static size_t list_line(const struct epmd_nodes *t, int row, uint8_t kind, uint8_t *out)
{
	switch (kind) {
	case EPMD_NAMES_REQ:
		return line_names(t, row, out);
	case EPMD_DUMP_REQ:
		return line_dump(t, row, out);
	default:
		return line_status(t, row, out);
	}
}

size_t epmd_list(const struct epmd_nodes *t, struct epmd_cursor *c, uint8_t *out, size_t room)
{
	size_t at = 0;
	int row;

	while (c->kind != 0 && at <= room - EPMD_LINE_MAX) {
		row = list_next(t, c);
		if (row < 0)
			c->kind = 0;
		else
			at += list_line(t, row, c->kind, out + at);
	}
	return at;
}

/* ==== 5 Requests: a packet in, a verdict and an answer out ================================= */

/* Offsets in a packet, from its length on. */
enum {
	AT_REQUEST = 2,
	AT_NAME = 3,           /* of PORT_PLEASE2_REQ and STOP_REQ: the name reaches to the end */
	AT_PORT = 3,           /* of ALIVE2_REQ, as the others below */
	AT_TYPE = 5,
	AT_PROTOCOL = 6,
	AT_HIGHEST = 7,
	AT_LOWEST = 9,
	AT_NLEN = 11,
	AT_ALIVE_NAME = 13,
	ALIVE2_MIN = 16        /* bytes of the shortest ALIVE2_REQ: one of name, none of extra */
};

/*
 * The requests: who may ask for each, and what the log calls it. An answer's kind is an index of
 * this table. The frequent ones stand first. A new request needs a row here, a case in
 * epmd_request() and a function that answers; and a case in log_sent() if -d is to name its answer.
 */
enum { BY_ANYBODY, BY_THIS_HOST, BY_THIS_HOST_IF_RELAXED };
static const struct {
	uint8_t byte;          /* the request's first */
	uint8_t right;         /* BY_* */
	const char *text;
} requests[] = {
	{ EPMD_PORT_PLEASE2_REQ, BY_ANYBODY, "PORT2" },
	{ EPMD_ALIVE2_REQ, BY_THIS_HOST, "ALIVE2" },
	{ EPMD_NAMES_REQ, BY_ANYBODY, "NAMES" },
	{ EPMD_DUMP_REQ, BY_THIS_HOST, "DUMP" },
	{ EPMD_STATUS_REQ, BY_THIS_HOST, "STATUS" },
	{ EPMD_KILL_REQ, BY_THIS_HOST, "KILL" },
	{ EPMD_STOP_REQ, BY_THIS_HOST_IF_RELAXED, "STOP" }
};
enum { REQUEST_KINDS = sizeof requests / sizeof requests[0] };

static void decide(struct epmd_answer *a, enum epmd_verdict verdict, enum epmd_reason reason)
{
	a->verdict = verdict;
	a->reason = reason;
}

/* Writes ALIVE2_X_RESP or, to a node whose highest version does not know it, ALIVE2_RESP. */
static void alive2_resp(struct epmd_answer *a, unsigned highest, unsigned result, uint32_t creation)
{
	const int is_x = highest >= EPMD_VERSION_X;
	size_t at = put_8(a->out, 0, is_x ? EPMD_ALIVE2_X_RESP : EPMD_ALIVE2_RESP);

	at = put_8(a->out, at, result);
	a->len = is_x ? put_32(a->out, at, creation) : put_16(a->out, at, creation);
}

/* Sets what a registration says of its node, but the name. */
static void alive2_describe(struct epmd_nodes *t, int row, const struct epmd_asker *who,
    const uint8_t *in, size_t nlen, size_t elen)
{
	struct epmd_node *const n = &t->node[row];

	n->fd = who->fd;
	n->owner = who->owner;
	n->port = get_16(in, AT_PORT);
	n->type = in[AT_TYPE];
	n->protocol = in[AT_PROTOCOL];
	n->highest = get_16(in, AT_HIGHEST);
	n->lowest = get_16(in, AT_LOWEST);
	n->extra_len = (uint16_t)elen;
	put_bytes(t->extra[row], 0, in + AT_ALIVE_NAME + nlen + 2, elen);
}

/*
 * Registers the node of a request that alive2_request() has checked, or refuses it and changes
 * nothing. Sets *row to the node's row, to that of the live node that has the name, or to -1.
 */
static enum epmd_reason alive2_register(struct epmd_nodes *t, const struct epmd_asker *who,
    const uint8_t *in, size_t nlen, size_t elen, int *row)
{
	int i = node_find(t, in + AT_ALIVE_NAME, nlen);

	*row = -1;
	if (i >= 0 && t->node[i].live) {
		*row = i;
		return EPMD_TAKEN;
	}
	if (t->live.len >= t->limit)
		return EPMD_FULL;
	i = node_claim(t, i, in + AT_ALIVE_NAME, nlen, who->now);
	alive2_describe(t, i, who, in, nlen, elen);
	*row = i;
	return EPMD_OK;
}

static void alive2_answer(const struct epmd_nodes *t, int row, enum epmd_reason reason,
    unsigned highest, struct epmd_answer *a)
{
	a->node = row;
	decide(a, reason == EPMD_OK ? EPMD_KEEP : EPMD_SEND, reason);
	if (reason == EPMD_OK)
		alive2_resp(a, highest, 0, creation_told(&t->node[row]));
	else
		alive2_resp(a, highest, 1, EPMD_REFUSED_CREATION);
}

/* What follows the extra is ignored, since a later version of the protocol may need it. */
static void alive2_request(struct epmd_nodes *t, const struct epmd_asker *who, const uint8_t *in,
    size_t end, struct epmd_answer *a)
{
	size_t nlen, elen;
	enum epmd_reason reason;
	int row = -1;

	decide(a, EPMD_DROP, EPMD_MALFORMED);
	if (end < ALIVE2_MIN)
		return;
	nlen = get_16(in, AT_NLEN);
	if (nlen > end - AT_ALIVE_NAME - 2 || has_zero(in + AT_ALIVE_NAME, nlen))
		return;
	elen = get_16(in, AT_ALIVE_NAME + nlen);
	if (elen > end - AT_ALIVE_NAME - nlen - 2)
		return;
	if (nlen > EPMD_NAME_MAX || !name_is_good(in + AT_ALIVE_NAME, nlen))
		reason = EPMD_BAD_NAME;
	else if (elen > EPMD_EXTRA_MAX)
		reason = EPMD_BAD_EXTRA;
	else
		reason = alive2_register(t, who, in, nlen, elen, &row);
	alive2_answer(t, row, reason, get_16(in, AT_HIGHEST), a);
	a->name_at = AT_ALIVE_NAME;
	a->name_len = nlen;
}

/*
 * Takes the name of a PORT_PLEASE2_REQ or STOP_REQ, and finds the live node that has it. A NUL at
 * its end, which jinterface sends, is no part of it.
 */
static void take_name(const struct epmd_nodes *t, const uint8_t *in, size_t end,
    struct epmd_answer *a)
{
	int row;

	a->name_at = AT_NAME;
	a->name_len = end - AT_NAME;
	if (a->name_len > 0 && in[end - 1] == 0)
		a->name_len--;
	row = node_find(t, in + AT_NAME, a->name_len);
	a->node = row >= 0 && t->node[row].live ? row : -1;
}

static void port2_resp(const struct epmd_nodes *t, int row, struct epmd_answer *a)
{
	const struct epmd_node *const n = &t->node[row];
	size_t at;

	at = put_8(a->out, 0, EPMD_PORT2_RESP);
	at = put_8(a->out, at, 0);
	at = put_16(a->out, at, n->port);
	at = put_8(a->out, at, n->type);
	at = put_8(a->out, at, n->protocol);
	at = put_16(a->out, at, n->highest);
	at = put_16(a->out, at, n->lowest);
	at = put_16(a->out, at, n->name_len);
	at = put_bytes(a->out, at, epmd_name(t, row), n->name_len);
	at = put_16(a->out, at, n->extra_len);
	a->len = put_bytes(a->out, at, t->extra[row], n->extra_len);
}

/*
 * A name that a node has is well-formed, since the node has registered with it: so a name is
 * checked only if no node has it.
 */
static void port2_request(const struct epmd_nodes *t, const uint8_t *in, struct epmd_answer *a)
{
	size_t at;

	if (a->node >= 0) {
		decide(a, EPMD_SEND, EPMD_OK);
		port2_resp(t, a->node, a);
	} else if (!name_is_text(in + AT_NAME, a->name_len) ||
	    has_zero(in + AT_NAME, a->name_len)) {
		decide(a, EPMD_DROP, EPMD_BAD_NAME);
	} else {
		decide(a, EPMD_SEND, EPMD_UNKNOWN_NODE);
		at = put_8(a->out, 0, EPMD_PORT2_RESP);
		a->len = put_8(a->out, at, 1);
	}
}

/*
 * NAMES_REQ, DUMP_REQ and STATUS_REQ. What follows the request byte is ignored, but for the `c`
 * of a STATUS_REQ. With -local_names a peer on another host gets a list without a line.
 */
static void list_request(const struct epmd_asker *who, const uint8_t *in, size_t end,
    struct epmd_answer *a)
{
	const uint8_t kind = in[AT_REQUEST];

	a->len = put_32(a->out, 0, who->port);
	if (kind == EPMD_STATUS_REQ && end > AT_NAME && in[AT_NAME] == 'c') {
		decide(a, EPMD_COUNTS, EPMD_OK);
		return;
	}
	decide(a, EPMD_LIST, EPMD_OK);
	a->cursor.kind = who->local_names && !who->local ? 0 : kind;
	a->cursor.old = 0;
	a->cursor.at = EPMD_NODE_MAX;
	a->cursor.serial = UINT64_MAX;
}

static void kill_request(const struct epmd_nodes *t, const struct epmd_asker *who,
    struct epmd_answer *a)
{
	if (t->live.len > 0 && !who->relaxed) {
		decide(a, EPMD_SEND, EPMD_LIVING_NODES);
		a->len = put_text(a->out, 0, "NO");
	} else {
		decide(a, EPMD_QUIT, EPMD_OK);
		a->len = put_text(a->out, 0, "OK");
	}
}

static void stop_request(const uint8_t *in, struct epmd_answer *a)
{
	if (a->node >= 0) {
		decide(a, EPMD_STOP, EPMD_OK);
		a->len = put_text(a->out, 0, "STOPPED");
	} else if (a->name_len == 0 || has_zero(in + AT_NAME, a->name_len)) {
		decide(a, EPMD_DROP, EPMD_BAD_NAME);
	} else {
		decide(a, EPMD_SEND, EPMD_UNKNOWN_NODE);
		a->len = put_text(a->out, 0, "NOEXIST");
	}
}

void epmd_request(struct epmd_nodes *t, const struct epmd_asker *who, const uint8_t *in,
    size_t fill, struct epmd_answer *a)
{
	const uint8_t byte = fill > AT_REQUEST ? in[AT_REQUEST] : 0;
	size_t end;
	int kind = 0;
	uint8_t right;

	while (kind < REQUEST_KINDS && requests[kind].byte != byte)
		kind++;
	a->request = byte;
	a->kind = kind < REQUEST_KINDS ? kind : -1;
	a->node = -1;
	a->len = 0;
	a->name_at = 0;
	a->name_len = 0;
	decide(a, EPMD_MORE, EPMD_OK);
	if (fill < AT_REQUEST)
		return;
	end = (size_t)AT_REQUEST + get_16(in, 0);
	if (end == AT_REQUEST || end > EPMD_PACKET_MAX || fill > end) {
		decide(a, EPMD_DROP, EPMD_MALFORMED);
		return;
	}
	if (fill < end)
		return;
	if (kind == REQUEST_KINDS) {
		decide(a, EPMD_DROP, EPMD_UNKNOWN_REQUEST);
		return;
	}
	right = requests[kind].right;
	if (right != BY_ANYBODY && !(who->local && (right == BY_THIS_HOST || who->relaxed))) {
		decide(a, EPMD_DROP, EPMD_NOT_ALLOWED);
		return;
	}
	switch (byte) {
	case EPMD_ALIVE2_REQ:
		alive2_request(t, who, in, end, a);
		break;
	case EPMD_PORT_PLEASE2_REQ:
		take_name(t, in, end, a);
		port2_request(t, in, a);
		break;
	case EPMD_NAMES_REQ:
	case EPMD_DUMP_REQ:
	case EPMD_STATUS_REQ:
		list_request(who, in, end, a);
		break;
	case EPMD_KILL_REQ:
		kill_request(t, who, a);
		break;
	case EPMD_STOP_REQ:
		take_name(t, in, end, a);
		stop_request(in, a);
		break;
	default:
		break;
	}
}

#ifndef EPMD_CORE_ONLY /* above, bytes in and bytes out; below, what touches the world */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#ifndef EPMD_NO_RESOLVER
#include <netdb.h>
#endif
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#ifndef GRND_NONBLOCK
#define GRND_NONBLOCK 1u /* <sys/random.h>'s, which an older libc lacks */
#endif
#if !defined EPMD_NO_EPOLL && !defined __TINYC__ /* whose struct epoll_event is not packed */
#include <sys/epoll.h>
#define USE_EPOLL
#endif
#endif
#if (defined __FreeBSD__ || defined __NetBSD__ || defined __OpenBSD__ || defined __DragonFly__ || \
    defined __APPLE__ || defined EPMD_KQUEUE) && !defined EPMD_NO_KQUEUE
#include <sys/event.h>
#include <sys/time.h>
#define USE_KQUEUE
#endif
#ifndef _PATH_LOG
#define _PATH_LOG "/dev/log"
#endif
#if defined __linux__ && !defined IPV6_V6ONLY
#define IPV6_V6ONLY 26 /* dietlibc has no name for it */
#endif
#ifndef MSG_MORE
#define MSG_MORE 0 /* Linux: the answer leaves together with the close */
#endif

/* ==== 6 Addresses: IPv4 and IPv6, as text and as the kernel has them ======================= */

#define ADDRESS_TEXT_MAX 64 /* bytes: an IPv6 address, a `%`, an interface's name */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Whether text is a decimal number below 2^32 - 1 and no more; sets *v to it. */
static int is_number(const char *text, uint32_t *v)
{
	char *end;
	const unsigned long number = strtoul(text, &end, 10);

	*v = (uint32_t)number;
	return *text >= '0' && *text <= '9' && *end == '\0' && number < UINT32_MAX;
}

/*
 * Sets *a from a text. Returns -1 if that is no IP address, or not of this host's interfaces: only
 * a link-local one is.
 */
static int address_parse(const char *text, uint16_t port, union address *a)
{
	const char *const scope = strchr(text, '%');
	char ip[ADDRESS_TEXT_MAX];
	uint32_t number;

	memset(a, 0, sizeof *a);
	if (inet_pton(AF_INET, text, &a->v4.sin_addr) == 1) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons(port);
		return 0;
	}
	snprintf(ip, sizeof ip, "%.*s", (int)strcspn(text, "%"), text);
	if (inet_pton(AF_INET6, ip, &a->v6.sin6_addr) != 1)
		return -1;
	a->v6.sin6_family = AF_INET6;
	a->v6.sin6_port = htons(port);
	if (scope == NULL)
		return 0;
	number = if_nametoindex(scope + 1);
	if (number == 0 && (!is_number(scope + 1, &number) || number == 0))
		return -1;
	a->v6.sin6_scope_id = number;
	return IN6_IS_ADDR_LINKLOCAL(&a->v6.sin6_addr) ? 0 : -1;
}

/* Why a socket cannot have this address. */
static const char *address_error(int error, const char *text)
{
	if (error == EINVAL && strncmp(text, "fe80:", 5) == 0)
		return "Invalid argument: a link-local address needs its interface, fe80::1%eth0";
	return strerror(error);
}

static socklen_t address_len(const union address *a)
{
	return a->any.sa_family == AF_INET6 ? sizeof a->v6 : sizeof a->v4;
}

/* The IP address in network order; *len is 4, 16, or 0 if it is none. */
static const uint8_t *address_bytes(const union address *a, size_t *len)
{
	if (a->any.sa_family == AF_INET6) {
		*len = 16;
		return a->v6.sin6_addr.s6_addr;
	}
	*len = a->any.sa_family == AF_INET ? 4 : 0;
	return (const uint8_t *)&a->v4.sin_addr;
}

/* The interface of a scoped address, or 0. */
static uint32_t address_scope(const union address *a)
{
	return a->any.sa_family == AF_INET6 ? a->v6.sin6_scope_id : 0;
}

/* 0 if it is no IP address. */
static uint16_t address_port(const union address *a)
{
	if (a->any.sa_family == AF_INET6)
		return ntohs(a->v6.sin6_port);
	return a->any.sa_family == AF_INET ? ntohs(a->v4.sin_port) : 0;
}

/* 127/8, ::1, ::ffff:127/104 */
static int address_is_loopback(const union address *a)
{
	static const uint8_t v4_mapped[13] = { [10] = 255, [11] = 255, [12] = 127 };
	static const uint8_t v6[16] = { [15] = 1 };
	size_t len;
	const uint8_t *const bytes = address_bytes(a, &len);

	if (len == 4)
		return bytes[0] == 127;
	return len == 16 &&
	    (memcmp(bytes, v6, sizeof v6) == 0 || memcmp(bytes, v4_mapped, sizeof v4_mapped) == 0);
}

/* 0.0.0.0, :: */
static int address_is_any(const union address *a)
{
	static const uint8_t any[16];
	size_t len;
	const uint8_t *const bytes = address_bytes(a, &len);

	return len > 0 && memcmp(bytes, any, len) == 0;
}

/* The same host, whatever the ports. */
static int address_is_same(const union address *a, const union address *b)
{
	size_t a_len, b_len;
	const uint8_t *const a_bytes = address_bytes(a, &a_len);
	const uint8_t *const b_bytes = address_bytes(b, &b_len);

	return a_len == b_len && memcmp(a_bytes, b_bytes, a_len) == 0 &&
	    address_scope(a) == address_scope(b);
}

/* As inet_pton(3) reads it, with the interface of a scoped one; `?` if it is no IP address. */
static void address_text(const union address *a, char text[ADDRESS_TEXT_MAX])
{
	const uint32_t scope = address_scope(a);
	char ip[INET6_ADDRSTRLEN], interface[IF_NAMESIZE] = "";
	size_t len;

	if (inet_ntop(a->any.sa_family, address_bytes(a, &len), ip, sizeof ip) == NULL)
		strcpy(ip, "?");
	if (scope != 0 && if_indextoname(scope, interface) == NULL)
		snprintf(interface, sizeof interface, "%lu", (unsigned long)scope);
	snprintf(text, ADDRESS_TEXT_MAX, "%s%s%s", ip, scope != 0 ? "%" : "", interface);
}

/* What a socket is bound to or, if `peer`, connected to; an address of no family if it has none. */
static union address socket_address(int fd, int peer)
{
	union address a;
	socklen_t len = sizeof a;

	memset(&a, 0, sizeof a);
	if ((peer ? getpeername(fd, &a.any, &len) : getsockname(fd, &a.any, &len)) < 0)
		a.any.sa_family = AF_UNSPEC;
	return a;
}

/* ==== 7 Tables: the settings and what the daemon keeps; nothing grows after its start ====== */

#define LENGTH(a) (sizeof (a) / sizeof (a)[0])
#define NEVER INT64_MAX

/* From the environment and the options; constant once the daemon serves, but for `debug`. */
struct settings {
	uint32_t port;
	const char *addresses;         /* NULL: all */
	const char *user;              /* to become, or NULL */
	int debug;                     /* how many -d; SIGUSR2 switches it */
	int daemon;
	int relaxed;
	int local_names;
	int systemd;
	uint32_t packet_timeout_s;
	uint32_t exit_idle_s;          /* 0: never */
	uint32_t delay_accept_s;
	uint32_t delay_write_s;
	const char *host;              /* commands: whose epmd to ask; NULL: this host's */
	uint32_t timeout_s;            /* commands: for an answer */
	uint32_t wait_s;               /* commands: to try again for */
};
static struct settings set;

/*
 * A connection's life. Section 11 assigns the states: conn_close() alone gives back the node and
 * the slot.
 *
 *   FREE    -> READING   accepted
 *   READING -> SENDING   the request is complete and has an answer
 *   SENDING -> KEPT      the answer is sent, and the connection is a node's registration
 *   any     -> FREE      the answer is sent; the request is refused; the peer ended it; its time is
 *                        up; another connection needs its slot or buffer; its node was stopped
 */
enum conn_state { CONN_FREE, CONN_READING, CONN_SENDING, CONN_KEPT };

struct conn {
	int fd;
	int node;                      /* the row registered through it, or -1 */
	int next;                      /* of a free slot: the next free one, or EPMD_CONN_MAX */
	uint8_t state;
	uint8_t is_local;              /* the peer is on this host */
	uint8_t was_refused;           /* its registration was */
	uint8_t is_long;               /* its answer may be more than the peer takes at once */
	short want;                    /* if it is parked: POLLIN or POLLOUT */
	uint8_t parked;                /* 0, or one of PARKED_* */
	uint8_t holds;                 /* it has a buffer, held[buffer] */
	uint16_t buffer;
	uint16_t fill;                 /* bytes of the request so far, or held of the answer */
	int64_t since_ms;              /* waiting since, monotonic; 0: it has not waited yet */
	int64_t deadline_ms;
	struct epmd_cursor cursor;     /* of its listing; kind 0: there is none, or no more of it */
};

static struct epmd_nodes nodes;
static struct conn conns[EPMD_CONN_MAX];
static int conn_top;                         /* slots ever used */
static int conn_free = EPMD_CONN_MAX;        /* the first free one below conn_top, if any */
static int conn_limit;                       /* slots in use at most, by the limit of open files */
static unsigned conns_used;                  /* slots in use */

/* Buffers of the connections that wait; a node's connection needs none. */
static uint8_t held[EPMD_CONN_SPARE][EPMD_PACKET_MAX];
static uint8_t held_taken[EPMD_CONN_SPARE];

/*
 * What poll() looks at: the pipe of the signals, the kernel's queue, the listeners, then the parked
 * connections that are not in the queue, slot for slot.
 */
enum { POLL_SIGNAL, POLL_QUEUE, POLL_LISTEN };
static struct pollfd polled[POLL_LISTEN + EPMD_LISTEN_MAX + EPMD_CONN_MAX];
static int listen_len;
static int polled_slots;                     /* those of higher slots are not looked at */

static int64_t earlier(int64_t a_ms, int64_t b_ms)
{
	return a_ms < b_ms ? a_ms : b_ms;
}

/* Milliseconds, monotonic. */
static int64_t clock_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		return 0;
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ==== 8 Log: lines to standard error, or to syslog once detached; counts; shortages ======== */

#define LOG_MAX  (EPMD_LINE_MAX + 256) /* bytes of a line */
#define LOG_NOTE (-1)                  /* levels of log_at(): for information, without -d */
#define LOG_RAW  (-2)                  /* of a table, which has no dates; its caller looks at -d */

static int journal;                          /* a line begins with its priority, for systemd */
static enum { STDERR_WAITS, STDERR_SOCKET, STDERR_SHARED, STDERR_OWN } stderr_is; /* open_log() */
static const char *error_prefix = "epmd: ";
static int log_socket = -1;                  /* to the syslog daemon, once detached */

/* The characters in a buffer of `room` bytes if snprintf() returned len. */
static size_t text_len(int len, size_t room)
{
	const size_t whole = len > 0 ? (size_t)len : 0;

	return whole < room ? whole : room - 1;
}

/*
 * Writes a line, and loses what does not fit: a reader that has stopped reading must not stop the
 * daemon, nor a command, or a start that fails, for longer than -timeout. For the daemon poll()
 * would not do, since a terminal is ready as soon as it has room for a byte. If the flags are
 * others' as well, O_NONBLOCK is set for the moment of the write alone, not at all for a socket.
 */
static void write_stderr(const char *line, size_t len)
{
	static int is_cut;             /* the line before, as of a disk that was full */
	struct pollfd p = { STDERR_FILENO, POLLOUT, 0 };
	ssize_t n;
	int flags = -1;

	if (stderr_is == STDERR_WAITS && poll(&p, 1, (int)set.timeout_s * 1000) != 1)
		return;
	if (stderr_is == STDERR_SOCKET) {
		(void)send(STDERR_FILENO, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		return;
	}
	if (stderr_is == STDERR_SHARED)
		flags = fcntl(STDERR_FILENO, F_GETFL);
	if (flags != -1)
		(void)fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
	if (is_cut)
		is_cut = write(STDERR_FILENO, "\n", 1) != 1;
	if (!is_cut) {
		n = write(STDERR_FILENO, line, len);
		is_cut = n > 0 && (size_t)n < len;
	}
	if (flags != -1)
		(void)fcntl(STDERR_FILENO, F_SETFL, flags);
}

/*
 * Logs if at least `level` -d were given; level 0 always, as a warning. To the syslog daemon by
 * RFC 3164: not by syslog(3), which waits for a daemon that has stopped reading, and takes memory.
 */
static void log_at(int level, const char *format, ...)
{
	static const struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = _PATH_LOG };
	const int priority = level == LOG_NOTE ? LOG_INFO : level == 0 ? LOG_WARNING : LOG_DEBUG;
	char text[LOG_MAX], line[LOG_MAX], date[32];
	va_list ap;
	time_t now;
	int len;

	if (level > set.debug)
		return;
	now = time(NULL);
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	if (set.daemon)
		len = snprintf(line, sizeof line, "<%d>epmd[%ld]: %s", LOG_DAEMON | priority,
		    (long)getpid(), text);
	else if (journal)
		len = snprintf(line, sizeof line, "<%d>%s\n", priority, text);
	else if (level != LOG_RAW)
		len = snprintf(line, sizeof line, "epmd: %.24s: %s\n",
		    ctime_r(&now, date) != NULL ? date : "", text);
	else
		len = snprintf(line, sizeof line, "%s\n", text);
	if (set.daemon)
		(void)sendto(log_socket, line, text_len(len, sizeof line),
		    MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&to, sizeof to);
	else
		write_stderr(line, text_len(len, sizeof line));
}

#define HEX_COLUMNS 16
#define HEX_MAX     1024 /* bytes of a packet that are shown */

static void log_bytes(const uint8_t *bytes, size_t len)
{
	static const char digit[] = "0123456789abcdef";
	char hex[3 * HEX_COLUMNS + 1], text[HEX_COLUMNS + 1];
	size_t at, i;

	log_at(2, "got %lu bytes", (unsigned long)len);
	for (at = 0; at < len && at < HEX_MAX; at += HEX_COLUMNS) {
		memset(hex, ' ', sizeof hex - 1);
		hex[sizeof hex - 1] = '\0';
		memset(text, '\0', sizeof text);
		for (i = 0; at + i < len && i < HEX_COLUMNS; i++) {
			hex[3 * i] = digit[bytes[at + i] / 16u];
			hex[3 * i + 1] = digit[bytes[at + i] % 16u];
			text[i] = '.';
			if (bytes[at + i] > 31 && bytes[at + i] < 127)
				text[i] = (char)bytes[at + i];
		}
		log_at(LOG_RAW, "***** %08lx  %.24s %.24s |%s|", (unsigned long)at, hex, hex + 24,
		    text);
	}
	if (at < len)
		log_at(LOG_RAW, "***** ......and more");
}

/*
 * A name for the log, from the network or the table: as it is if it may be registered, else with a
 * `?` for each byte that could harm. The text is there until the next call.
 */
static const char *printable(const uint8_t *name, size_t len)
{
	static char text[EPMD_NAME_MAX + 1];
	size_t i;
	int is_good;

	if (len > EPMD_NAME_MAX)
		len = EPMD_NAME_MAX;
	is_good = name_is_good(name, len);
	for (i = 0; i < len; i++) {
		text[i] = (char)name[i];
		if (is_control(0, name[i]) || (name[i] > 126 && !is_good))
			text[i] = '?';
	}
	text[len] = '\0';
	return text;
}

/* -d -d -d: all nodes, live and remembered. */
static void log_tables(void)
{
	const struct epmd_node *n;
	char where[48];
	int k, i, is_live;

	if (set.debug < 3)
		return;
	for (is_live = 1; is_live >= 0; is_live--) {
		const struct epmd_order *const order = is_live ? &nodes.live : &nodes.old;

		k = is_live ? order->len - 1 : 0;
		for (; k >= 0 && k < order->len; k += is_live ? -1 : 1) {
			i = order->row[k];
			n = &nodes.node[i];
			snprintf(where, sizeof where, " at port %d, fd = %d", n->port, n->fd);
			log_at(LOG_RAW, "*****     %s \"%s#%lu\"%s",
			    is_live ? "active name    " : "old/unused name",
			    printable(epmd_name(&nodes, i), n->name_len),
			    (unsigned long)creation_told(n), is_live ? where : "");
		}
		log_at(LOG_RAW, "*****     %s count%s: %d",
		    is_live ? "reg calculated" : "unreg calculated", is_live ? "  " : "",
		    order->len);
	}
}

/* ---- what was counted since the start ---- */

static struct {
	int64_t since_ms;              /* the daemon's start, monotonic */
	int nodes_max;
	unsigned long requests[REQUEST_KINDS];
	unsigned long refused;         /* registrations */
	unsigned long dropped;         /* connections closed for what came */
	unsigned long evicted;         /* connections closed to make room */
	unsigned long timed_out;       /* connections */
} counts;

static void count_request(const struct epmd_answer *a)
{
	if (a->verdict == EPMD_MORE)
		return;
	if (a->kind >= 0)
		counts.requests[a->kind]++;
	if (a->verdict == EPMD_DROP)
		counts.dropped++;
	if (a->request == EPMD_ALIVE2_REQ && a->verdict == EPMD_SEND)
		counts.refused++;
	if (nodes.live.len > counts.nodes_max)
		counts.nodes_max = nodes.live.len;
}

/*
 * Puts what fits of a text behind the first `at` bytes of line[0..room-1]; returns where it ends.
 */
static size_t add_text(char *line, size_t room, size_t at, const char *format, ...)
{
	char text[LOG_MAX];
	size_t i;
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	for (i = 0; at < room - 1 && text[i] != '\0'; i++)
		line[at++] = text[i];
	if (at < room)
		line[at] = '\0';
	return at;
}

/* Seconds since the daemon's start, however the wall clock was set meanwhile. */
static uint32_t uptime(void)
{
	return (uint32_t)((clock_ms() - counts.since_ms) / 1000);
}

/* SIGUSR1. */
static void log_counts(void)
{
	const uint32_t now = (uint32_t)time(NULL), up = uptime();
	char line[512] = "";
	uint8_t since[24];
	size_t at;
	int k;

	since[put_date(since, 0, now > up ? now - up : 0)] = '\0';
	at = add_text(line, sizeof line - 1, 0, "up since %s; nodes %d, at most %d;",
	    (const char *)since, nodes.live.len, counts.nodes_max);
	for (k = 0; k < REQUEST_KINDS; k++)
		at = add_text(line, sizeof line - 1, at, " %s_REQ %lu,", requests[k].text,
		    counts.requests[k]);
	(void)add_text(line, sizeof line - 1, at,
	    " refused %lu, dropped %lu, evicted %lu, timed out %lu", counts.refused,
	    counts.dropped, counts.evicted, counts.timed_out);
	log_at(LOG_NOTE, "%s", line);
}

/* The same in Prometheus's text format, behind an answer. */
static void answer_counts(struct epmd_answer *a)
{
	const struct { const char *name, *type; unsigned long value; } metrics[] = {
		{ "uptime_seconds", "gauge", uptime() },
		{ "nodes", "gauge", nodes.live.len },
		{ "nodes_max", "gauge", (unsigned long)counts.nodes_max },
		{ "nodes_limit", "gauge", nodes.limit },
		{ "connections", "gauge", conns_used },
		{ "refused_total", "counter", counts.refused },
		{ "dropped_total", "counter", counts.dropped },
		{ "evicted_total", "counter", counts.evicted },
		{ "timed_out_total", "counter", counts.timed_out }
	};
	char *const out = (char *)a->out;
	const size_t room = sizeof a->out;
	size_t k;

	for (k = 0; k < LENGTH(metrics); k++)
		a->len = add_text(out, room, a->len, "# TYPE epmd_%s %s\nepmd_%s %lu\n",
		    metrics[k].name, metrics[k].type, metrics[k].name, metrics[k].value);
	a->len = add_text(out, room, a->len, "# TYPE epmd_info gauge\n"
	    "epmd_info{version=\"" EPMD_VERSION "\"} 1\n# TYPE epmd_requests_total counter\n");
	for (k = 0; k < REQUEST_KINDS; k++)
		a->len = add_text(out, room, a->len, "epmd_requests_total{request=\"%s\"} %lu\n",
		    requests[k].text, counts.requests[k]);
}

/* ---- a request and what became of it; the texts are OTP's, and people search for them ---- */

static void log_request(const struct epmd_answer *a, const uint8_t *in, size_t fill, int is_local)
{
	const struct epmd_node *const n = a->node >= 0 ? &nodes.node[a->node] : NULL;
	const char *const request = a->kind < 0 ? "unknown" : requests[a->kind].text;
	const char *const name = printable(in + a->name_at, a->name_len);
	const unsigned long len = get_16(in, 0), got = fill - 2;
	const int is_malformed = a->reason == EPMD_MALFORMED;

	if (a->verdict == EPMD_MORE)
		return;
	if (a->kind >= 0 && (!is_malformed || got <= len))
		log_at(a->request == EPMD_STATUS_REQ ? 2 : 1, "** got %s_REQ", request);
	if (is_malformed && (len == 0 || len > EPMD_PACKET_MAX - 2))
		log_at(1, "invalid packet size (%lu)", len);
	else if (is_malformed && got > len)
		log_at(1, "got %lu bytes in packet, expected %lu", got, len);
	else if (is_malformed)
		log_at(1, "malformed %s_REQ (%lu)", request, len);
	else if (a->reason == EPMD_NOT_ALLOWED)
		log_at(1, is_local ? "Disallowed %s_REQ, no relaxed_command_check" :
		    "%s_REQ from non local address", request);
	else if (a->reason == EPMD_UNKNOWN_REQUEST)
		log_at(1, "got garbage");
	else if (a->reason == EPMD_LIVING_NODES)
		log_at(1, "Disallowed KILL_REQ, live nodes");
	else if (a->reason == EPMD_UNKNOWN_NODE && a->request == EPMD_STOP_REQ)
		log_at(1, "trying to unregister node with unknown name %s", name);
	else if (a->reason == EPMD_TAKEN)
		log_at(1, "node name already occupied %s", name);
	else if (a->reason == EPMD_FULL)
		log_at(1, "no room for node %s", name);
	else if (a->reason == EPMD_BAD_NAME)
		log_at(1, "invalid node name %s", name);
	else if (a->reason == EPMD_BAD_EXTRA)
		log_at(1, "extra data is too long");
	else if (a->verdict == EPMD_QUIT)
		log_at(1, "epmd killed");
	if (a->verdict != EPMD_KEEP || n == NULL)
		return;
	log_at(1, "registering '%s:%lu', port %d", name, (unsigned long)creation_told(n), n->port);
	log_at(1, "type %d proto %d highvsn %d lowvsn %d", n->type, n->protocol, n->highest,
	    n->lowest);
	log_tables();
}

static void log_sent(const struct epmd_answer *a, const uint8_t *in)
{
	const int is_ok = a->reason == EPMD_OK;
	const char *const name = printable(in + a->name_at, a->name_len);

	if (set.debug > 1)
		log_bytes(a->out, a->len);
	if (a->request == EPMD_ALIVE2_REQ)
		log_at(1, "** sent ALIVE2_RESP for \"%s\"", name);
	else if (a->request == EPMD_PORT_PLEASE2_REQ)
		log_at(1, "** sent PORT2_RESP (%s) for \"%s\"", is_ok ? "ok" : "error", name);
	else if (a->request == EPMD_STOP_REQ)
		log_at(1, "** sent STOP_RESP %s", is_ok ? "STOPPED" : "NOEXIST");
	else if (a->request == EPMD_NAMES_REQ)
		log_at(1, "** sent NAMES_RESP");
	else if (a->request == EPMD_DUMP_REQ)
		log_at(1, "** sent DUMP_RESP");
	else if (a->verdict == EPMD_QUIT)
		log_at(1, "got KILL_REQ - terminates normal");
}

/* ---- peers, and shortages ---- */

static void log_peer(int level, const struct conn *c, const char *what)
{
	union address peer;
	char text[ADDRESS_TEXT_MAX];

	if (level > set.debug)
		return;
	peer = socket_address(c->fd, 1);
	address_text(&peer, text);
	log_at(level, "%s on file descriptor %d from %s port %d", what, c->fd, text,
	    address_port(&peer));
}

/*
 * Logs a shortage, and the peer that most connections are from: of the nodes' connections, or of
 * the others. By majority vote: if no peer has more than half, it is any of them.
 */
static void log_shortage(const char *begins, int of_nodes)
{
	union address most, a;
	char address[ADDRESS_TEXT_MAX];
	unsigned long votes = 0, all = 0, count = 0;
	int pass, is_same;
	const struct conn *c;

	memset(&most, 0, sizeof most);
	for (pass = 0; pass < 2; pass++) {
		for (c = conns; c < conns + conn_top; c++) {
			if (c->state == CONN_FREE || (c->node >= 0) != of_nodes)
				continue;
			a = socket_address(c->fd, 1);
			if (pass == 0 && votes == 0)
				most = a;
			is_same = address_is_same(&a, &most);
			votes = is_same ? votes + 1 : votes - 1;
			all += pass == 1;
			count += is_same && pass == 1;
		}
	}
	address_text(&most, address);
	if (count > 0)
		log_at(0, "%s (%lu of %lu from %s)", begins, count, all, address);
	else
		log_at(0, "%s", begins);
}

/*
 * A shortage is logged when it begins, and when it has been over for SHORTAGE_MS: so no peer can
 * fill the log with it.
 */
#define SHORTAGE_MS 10000
enum { SHORT_CONNS, SHORT_FDS, SHORT_NODES, SHORT_KINDS };
static struct {
	int64_t until_ms;              /* it ends then, if not met again; NEVER: there is none */
	const char *begins, *ends;
} shortage[SHORT_KINDS] = {
	{ NEVER, "no free connection: closing those that have waited longest",
	    "connections are free again" },
	{ NEVER, "out of file descriptors or memory for a new connection",
	    "new connections are accepted again" },
	{ NEVER, "as many nodes as are admitted: refusing new ones",
	    "new nodes are admitted again" }
};

static void shortage_begin(int kind)
{
	if (shortage[kind].until_ms == NEVER)
		log_shortage(shortage[kind].begins, kind == SHORT_NODES);
	shortage[kind].until_ms = clock_ms() + SHORTAGE_MS;
}

/*
 * Logs the shortages that are over. One of nodes or connections lasts as long as there is no room
 * for more.
 */
static void shortage_end(int64_t now_ms)
{
	int k;

	for (k = 0; k < SHORT_KINDS; k++) {
		if (now_ms < shortage[k].until_ms)
			continue;
		shortage[k].until_ms = NEVER;
		if ((k == SHORT_NODES && nodes.live.len >= nodes.limit) ||
		    (k == SHORT_CONNS && conns_used + 1 >= (unsigned)conn_limit))
			shortage[k].until_ms = now_ms + SHORTAGE_MS;
		else
			log_at(0, "%s", shortage[k].ends);
	}
}

/* ---- the daemon's end, and a start that fails ---- */

static volatile sig_atomic_t ended;          /* by this signal, or END_REASON */
#define END_REASON (-1)
static char end_reason[ADDRESS_TEXT_MAX + 32];

/* The loop ends after this turn, and the log says why. */
static void end_for(const char *why, const char *object)
{
	snprintf(end_reason, sizeof end_reason, "%s%s", why, object);
	ended = END_REASON;
}

static void log_end(void)
{
	if (ended == END_REASON || set.daemon || journal)
		log_at(LOG_NOTE, "epmd ends: %s",
		    ended == SIGTERM ? "SIGTERM" : ended == SIGINT ? "SIGINT" : end_reason);
}

#define MISTAKE (-1) /* on the command line: fail() says where to find help */

/* Ends with status 1 and a line that says why, and what `error` means if that is an errno. */
static void fail(int error, const char *format, ...)
{
	char text[LOG_MAX], line[LOG_MAX + 128];
	va_list ap;
	int len;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	len = snprintf(line, sizeof line, "%s%s%s%s\n", error_prefix, text, error > 0 ? ": " : "",
	    error > 0 ? strerror(error) : error == MISTAKE ? "\nsee epmd -help" : "");
	write_stderr(line, text_len(len, sizeof line));
	exit(1);
}

/* ==== 9 Listeners: the sockets that accept connections, ours or a supervisor's ============= */

#define BACKLOG 4096 /* connections that wait to be accepted, if the kernel's own limit allows it */

static int set_flags(int fd)
{
	if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
		return -1;
	return fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 ? -1 : 0;
}

static void listen_add(int lfd)
{
	const int room = EPMD_UNREAD_MAX;
#ifdef TCP_DEFER_ACCEPT
	/*
	 * Linux: a connection is accepted once its request is there, and a silent one after a
	 * second. The silent ones wait in the queue of half-open connections. If that is full only
	 * SYN cookies let others in, so they must be enabled.
	 */
	const int wait_s = 1, fd = open("/proc/sys/net/ipv4/tcp_syncookies", O_RDONLY);
	char cookies = '0';

	if (fd >= 0 && read(fd, &cookies, 1) == 1 && cookies != '0')
		(void)setsockopt(lfd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &wait_s, sizeof wait_s);
	if (fd >= 0)
		(void)close(fd);
#endif
	/* Accepted connections inherit it. */
	(void)setsockopt(lfd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	polled[POLL_LISTEN + listen_len].fd = lfd;
	polled[POLL_LISTEN + listen_len++].events = POLLIN;
}

/*
 * 0 if it is listened on; 1 if this host has no such address or protocol, or if a policy such as
 * seccomp refuses the protocol; else -1. errno says why not.
 */
static int listen_on(const union address *a)
{
	const int on = 1, lfd = socket(a->any.sa_family, SOCK_STREAM, 0);
	int refused = 0, error;

	if (lfd < 0 || (a->any.sa_family == AF_INET6 &&
	    setsockopt(lfd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0)) {
		refused = errno == EPERM || errno == EACCES;
	} else if (setsockopt(lfd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
	    set_flags(lfd) == 0 && bind(lfd, &a->any, address_len(a)) == 0 &&
	    listen(lfd, BACKLOG) == 0) {
		listen_add(lfd);
		return 0;
	}
	error = errno;
	if (lfd >= 0)
		(void)close(lfd);
	errno = error;
	refused |= error == EADDRNOTAVAIL || error == EAFNOSUPPORT || error == EPROTONOSUPPORT;
	return refused ? 1 : -1;
}

/* Adds each address of the list to the first `len`, unless it is there; returns their number. */
static int listen_parse(const char *list, union address a[EPMD_LISTEN_MAX], int len)
{
	static const char separators[] = ", \t", name[] = "ERL_EPMD_ADDRESS";
	const char *const variable = getenv(name);
	const char *const from = variable != NULL && set.addresses == variable ? name : "-address";
	const int beside = len;
	char text[ADDRESS_TEXT_MAX];
	union address next = { .any = { .sa_family = AF_UNSPEC } };
	size_t end;
	int k;

	list += strspn(list, separators);
	if (*list == '\0')
		fail(0, "%s: the list is empty", from);
	for (; *list != '\0'; list += end + strspn(list + end, separators)) {
		end = strcspn(list, separators);
		snprintf(text, sizeof text, "%.*s", (int)end, list);
		if (end >= sizeof text || address_parse(text, (uint16_t)set.port, &next) < 0)
			fail(0, "%s: not an IP address: \"%s\" (%s)", from, text,
			    strchr(text, '%') != NULL ?
			    "only a link-local one has an interface, and that must exist" :
			    "it takes no name, bracket or port");
		for (k = 0; k < len && !address_is_same(&a[k], &next); k++)
			;
		if (k == EPMD_LISTEN_MAX)
			fail(0, "%s: too many: beside 127.0.0.1 and ::1 there may be %d",
			    from, EPMD_LISTEN_MAX - beside);
		a[k] = next;
		if (k == len)
			len++;
	}
	return len;
}

/*
 * Listens on all that was asked for: on the wildcards, then on the others, as the log names them. A
 * wildcard covers the other addresses of its family. The default addresses, which begin the list,
 * may be absent. On failure returns -1 with errno, and the address in `on`; the sockets opened so
 * far stay open.
 */
static int listen_open(char on[ADDRESS_TEXT_MAX])
{
	const int all = set.addresses == NULL;
	union address a[EPMD_LISTEN_MAX];
	int covered[2] = { 0, 0 }; /* IPv4, IPv6 */
	int len, defaults, k, any, is_v6, failed;

	len = defaults = listen_parse(all ? "0.0.0.0 ::" : "127.0.0.1 ::1", a, 0);
	if (!all)
		len = listen_parse(set.addresses, a, len);
	for (any = 1; any >= 0; any--) {
		for (k = 0; k < len; k++) {
			is_v6 = a[k].any.sa_family == AF_INET6;
			if (address_is_any(&a[k]) != any || covered[is_v6])
				continue;
			covered[is_v6] = any;
			address_text(&a[k], on);
			failed = listen_on(&a[k]);
			if (failed != 0 && (k >= defaults || failed < 0))
				return -1;
		}
	}
	return listen_len > 0 ? 0 : -1;
}

/*
 * How many sockets the supervisor opened, from descriptor 3 on, by sd_listen_fds(3); one too many
 * if there are more than EPMD_LISTEN_MAX.
 */
static int listen_handed(void)
{
	const char *const pid = getenv("LISTEN_PID"), *const fds = getenv("LISTEN_FDS");
	uint32_t n;

	if (pid == NULL || !is_number(pid, &n) || (long)n != (long)getpid() ||
	    fds == NULL || !is_number(fds, &n))
		return 0;
	return n <= EPMD_LISTEN_MAX ? (int)n : EPMD_LISTEN_MAX + 1;
}

static void listen_inherit(void)
{
	const int count = listen_handed();
	union address own;
	int lfd, listens = 0;
	socklen_t len = sizeof listens;

	if (count < 1)
		fail(0, "systemd provides no sockets");
	if (count > EPMD_LISTEN_MAX)
		fail(0, "systemd provides too many sockets");
	for (lfd = 3; lfd < 3 + count; lfd++) {
		if (getsockopt(lfd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) < 0 || !listens)
			fail(0, "systemd provides what is no listening socket");
		own = socket_address(lfd, 0);
		if (address_port(&own) == 0)
			fail(0, "systemd provides a socket that is not of TCP");
		if (set_flags(lfd) < 0)
			fail(errno, "cannot use a socket from systemd");
		set.port = address_port(&own);
		listen_add(lfd);
	}
}

/* So that the next epmd can bind the port at once. */
static void listen_close(void)
{
	int k, lfd;

	for (k = 0; k < listen_len; k++) {
		lfd = polled[POLL_LISTEN + k].fd;
		if (lfd >= 0)
			(void)close(lfd);
		polled[POLL_LISTEN + k].fd = -1;
	}
}

/* ==== 10 Parking: a connection that has to wait is in the kernel's queue, or else in polled[]  */

#ifdef USE_EPOLL
static int queue_open(void)
{
	return epoll_create1(EPOLL_CLOEXEC);
}

/*
 * Waits for POLLIN or POLLOUT. `has`: the connection is in the queue already. Returns -1 if the
 * kernel refuses; then the connection is not in the queue.
 */
static int queue_set(int fd, int slot, short want, int has)
{
	struct epoll_event e;

	memset(&e, 0, sizeof e);
	e.events = want == POLLIN ? EPOLLIN : EPOLLOUT;
	e.data.u64 = (uint64_t)fd * EPMD_CONN_MAX + (uint64_t)slot;
	if (epoll_ctl(polled[POLL_QUEUE].fd, has ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e) == 0)
		return 0;
	if (has)
		(void)epoll_ctl(polled[POLL_QUEUE].fd, EPOLL_CTL_DEL, fd, &e);
	return -1;
}

/*
 * The slots that are ready; returns their number. If a descriptor could not be closed it may still
 * be in the queue, though its slot is another connection's by now: then it is taken out.
 */
static int queue_ready(int slot[EPMD_BATCH_MAX])
{
	struct epoll_event ready[EPMD_BATCH_MAX];
	const int n = epoll_wait(polled[POLL_QUEUE].fd, ready, EPMD_BATCH_MAX, 0);
	int k, fd, found = 0;

	for (k = 0; k < n; k++) {
		fd = (int)(ready[k].data.u64 / EPMD_CONN_MAX);
		slot[found] = (int)(ready[k].data.u64 % EPMD_CONN_MAX);
		if (conns[slot[found]].fd == fd && conns[slot[found]].state != CONN_FREE)
			found++;
		else
			(void)epoll_ctl(polled[POLL_QUEUE].fd, EPOLL_CTL_DEL, fd, &ready[k]);
	}
	return found;
}
#elif defined USE_KQUEUE
static int queue_open(void)
{
	const int fd = kqueue();

	if (fd >= 0)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

static int queue_change(int fd, int slot, short want, unsigned short action)
{
	const uintptr_t data = (uintptr_t)slot;
	struct kevent e;

	memset(&e, 0, sizeof e);
	e.ident = (uintptr_t)fd;
	e.filter = want == POLLIN ? EVFILT_READ : EVFILT_WRITE;
	e.flags = action;
	/* It is a pointer, or on older NetBSD an integer of that size. */
	memcpy(&e.udata, &data, sizeof e.udata);
	return kevent(polled[POLL_QUEUE].fd, &e, 1, NULL, 0, NULL);
}

/* As above. Reading and writing are two events here, of which one is waited for. */
static int queue_set(int fd, int slot, short want, int has)
{
	if (has)
		(void)queue_change(fd, slot, want == POLLIN ? POLLOUT : POLLIN, EV_DELETE);
	if (queue_change(fd, slot, want, EV_ADD) == 0)
		return 0;
	if (has)
		(void)queue_change(fd, slot, want, EV_DELETE);
	return -1;
}

static int queue_ready(int slot[EPMD_BATCH_MAX])
{
	static const struct timespec at_once = { 0, 0 };
	struct kevent ready[EPMD_BATCH_MAX];
	const int n = kevent(polled[POLL_QUEUE].fd, NULL, 0, ready, EPMD_BATCH_MAX, &at_once);
	uintptr_t data;
	int k, found = 0;

	for (k = 0; k < n; k++) {
		memcpy(&data, &ready[k].udata, sizeof data);
		slot[found] = (int)data;
		if (conns[slot[found]].fd == (int)ready[k].ident &&
		    conns[slot[found]].state != CONN_FREE)
			found++;
		else
			(void)queue_change((int)ready[k].ident, slot[found],
			    ready[k].filter == EVFILT_READ ? POLLIN : POLLOUT, EV_DELETE);
	}
	return found;
}
#else
static int queue_open(void)
{
	return -1;
}

static int queue_set(int fd, int slot, short want, int has)
{
	(void)fd, (void)slot, (void)want, (void)has;
	return -1;
}

static int queue_ready(int slot[EPMD_BATCH_MAX])
{
	(void)slot;
	return 0;
}
#endif

enum { PARKED_QUEUE = 1, PARKED_POLL };

static int slot_of(const struct conn *c)
{
	return (int)(c - conns);
}

static struct pollfd *park_entry(int slot)
{
	return &polled[POLL_LISTEN + listen_len + slot];
}

/* Waits for POLLIN or POLLOUT. */
static void park(struct conn *c, short want)
{
	const int slot = slot_of(c);

	if (c->parked && c->want == want)
		return;
	c->want = want;
	if (c->parked != PARKED_POLL && queue_set(c->fd, slot, want, c->parked != 0) == 0) {
		c->parked = PARKED_QUEUE;
		return;
	}
	for (; polled_slots <= slot; polled_slots++)
		park_entry(polled_slots)->fd = -1;
	c->parked = PARKED_POLL;
	park_entry(slot)->fd = c->fd;
	park_entry(slot)->events = want;
	park_entry(slot)->revents = 0;
}

/* ==== 11 Connections: opened, read, answered, kept, expired, evicted, closed =============== */

#define LONG_ANSWER 512 /* bytes; that of a look-up is seldom longer */

static int64_t conns_deadline_ms = NEVER;    /* no connection's deadline is earlier */
static int64_t idle_ms = NEVER;              /* -exit_idle: when the daemon ends */
static int progress;                         /* this turn accepted, read, sent or closed */

/* The request at hand, and its answer. */
static uint8_t received[EPMD_PACKET_MAX];
static struct epmd_answer answer;
static uint8_t chunk[EPMD_SCRATCH_MAX];      /* of a listing, while it is made and sent */

/* ---- closing, and making room by it ---- */

static void conn_let_go(struct conn *c)
{
	if (c->holds)
		held_taken[c->buffer] = 0;
	c->holds = 0;
	c->fill = 0;
}

static void conn_close(struct conn *c)
{
	const int row = c->node;

	if (set.debug > 1)
		log_at(2, "closing connection on file descriptor %d", c->fd);
	if (row >= 0) {
		const struct epmd_node *const n = &nodes.node[row];

		log_at(1, "unregistering '%s:%lu', port %d",
		    printable(epmd_name(&nodes, row), n->name_len),
		    (unsigned long)creation_told(n), n->port);
		epmd_release(&nodes, row, (uint32_t)time(NULL));
		log_tables();
	} else if (c->was_refused) {
		log_at(1, "trying to unregister node with unknown file descriptor %d", c->fd);
	}
	if (c->parked == PARKED_POLL) /* the queue drops it when it is closed */
		park_entry(slot_of(c))->fd = -1;
	while (polled_slots > 0 && park_entry(polled_slots - 1)->fd < 0)
		polled_slots--;
	conn_let_go(c);
	(void)close(c->fd);
	progress = 1;
	c->state = CONN_FREE;
	conns_used--;
	c->next = conn_free;
	conn_free = slot_of(c);
}

/*
 * Closes a connection that did not take its answer, with what the kernel holds of that: else the
 * kernel would go on offering it to the peer.
 */
static void conn_abort(struct conn *c)
{
	const struct linger reset = { 1, 0 };

	if (c->state == CONN_SENDING)
		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	conn_close(c);
}

/*
 * Makes room: of the connections that wait, and of those that hold a buffer if `holding`, closes
 * the one that has waited longest, and one from another host before one from this host. Never that
 * of a registered node. Returns it, or NULL if there is none.
 */
static const struct conn *conn_evict(int holding)
{
	struct conn *longest = NULL, *c;

	for (c = conns; c < conns + conn_top; c++) {
		if (c->state == CONN_FREE || c->node >= 0 || c->since_ms == 0 ||
		    (holding && !c->holds))
			continue;
		if (longest == NULL || c->is_local < longest->is_local ||
		    (c->is_local == longest->is_local && c->since_ms < longest->since_ms))
			longest = c;
	}
	if (longest == NULL)
		return NULL;
	counts.evicted++;
	log_peer(1, longest, "closing to make room");
	conn_abort(longest);
	return longest;
}

/*
 * Keeps bytes[at] to bytes[end - 1] behind those that the connection holds, as many as there is
 * room for. If no buffer is free, one is taken from another connection. Returns 0 if there is none.
 */
static int conn_hold(struct conn *c, const uint8_t *bytes, size_t at, size_t end)
{
	const struct conn *closed;
	size_t fill = c->fill;
	uint8_t *own;
	uint16_t k = 0;

	if (!c->holds) {
		while (k < EPMD_CONN_SPARE && held_taken[k])
			k++;
		if (k == EPMD_CONN_SPARE) {
			closed = conn_evict(1);
			if (closed == NULL)
				return 0;
			shortage_begin(SHORT_CONNS);
			k = closed->buffer;
		}
		held_taken[k] = 1;
		c->buffer = k;
		c->holds = 1;
	}
	own = held[c->buffer];
	while (at < end && fill < EPMD_PACKET_MAX)
		own[fill++] = bytes[at++];
	c->fill = (uint16_t)fill;
	return 1;
}

/* ---- the steps of a connection ---- */

/* What becomes of the connection behind a step. */
enum step { STEP_NEXT, STEP_PARK, STEP_CLOSE };

static int64_t timeout_ms(void)
{
	return (int64_t)set.packet_timeout_s * 1000;
}

/* To play a busy host (-delay_accept, -delay_write). */
static void delay(uint32_t seconds)
{
	(void)poll(NULL, 0, (int)(seconds * 1000));
}

/* Whether what failed may work the next time. */
static int is_temporary(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ENOBUFS ||
	    error == ENOMEM;
}

static int is_ready(int fd, short want)
{
	struct pollfd p = { fd, want, 0 };

	return poll(&p, 1, 0) == 1;
}

/* Reads more of the request. If it comes in pieces they are held, else it is in received[]. */
static enum step conn_read(struct conn *c)
{
	const ssize_t n = recv(c->fd, received, sizeof received - c->fill, MSG_DONTWAIT);

	if (n < 0 && is_temporary(errno))
		return STEP_PARK;
	if (n <= 0) {
		log_at(1, "got partial packet only on file descriptor %d (%lu)", c->fd,
		    (unsigned long)c->fill);
		return STEP_CLOSE;
	}
	progress = 1;
	if (set.debug > 1)
		log_bytes(received, (size_t)n);
	if (!c->holds)
		c->fill = (uint16_t)n;
	else
		(void)conn_hold(c, received, 0, (size_t)n);
	return STEP_NEXT;
}

/*
 * If a node has ended, but its connection was not served yet, closes that, which frees the name,
 * and returns 1.
 */
static int owner_is_gone(int row)
{
	struct conn *owner = &conns[nodes.node[row].owner];

	if (!is_ready(owner->fd, POLLIN))
		return 0;
	conn_close(owner);
	return 1;
}

/* Asks the core what becomes of the request so far, counts and logs it. */
static enum step conn_ask(struct conn *c)
{
	const uint8_t *const in = c->holds ? held[c->buffer] : received;
	const size_t fill = c->fill;
	struct epmd_asker who;
	int row;                       /* of a node that is in the way, but may have ended */

	who.now = (uint32_t)time(NULL);
	who.fd = c->fd;
	who.owner = (uint16_t)slot_of(c);
	who.port = (uint16_t)set.port;
	who.local = c->is_local;
	who.relaxed = set.relaxed != 0;
	who.local_names = set.local_names != 0;
	do {
		epmd_request(&nodes, &who, in, fill, &answer);
		row = answer.reason == EPMD_TAKEN ? answer.node :
		    answer.reason == EPMD_LIVING_NODES ? nodes.live.row[0] : -1;
	} while (row >= 0 && owner_is_gone(row));
	if (answer.reason == EPMD_FULL)
		shortage_begin(SHORT_NODES);
	count_request(&answer);
	if (set.debug > 0)
		log_request(&answer, in, fill, c->is_local);
	if (answer.reason != EPMD_OK && answer.reason != EPMD_UNKNOWN_NODE)
		log_peer(1, c, "refused what came");
	if (answer.verdict == EPMD_DROP)
		return STEP_CLOSE;
	if (answer.verdict != EPMD_MORE)
		return STEP_NEXT;
	if (c->holds)
		return STEP_PARK;
	c->fill = 0;
	return conn_hold(c, received, 0, fill) ? STEP_PARK : STEP_CLOSE;
}

/*
 * Sends these bytes of the answer, the first ones or those held, and what its listing has, as much
 * as the peer takes. What was not sent is held: of a listing, the rest of the line that was cut,
 * as the lines behind that are made again later.
 */
static enum step conn_send(struct conn *c, const uint8_t *bytes, size_t len)
{
	const struct epmd_cursor from = c->cursor;
	const size_t room = sizeof chunk - EPMD_PACKET_MAX;
	size_t end = len, lines;
	ssize_t sent;
	int flags = MSG_DONTWAIT | MSG_NOSIGNAL;

	if (from.kind != 0) {
		put_bytes(chunk, 0, bytes, len);
		bytes = chunk;
		end += epmd_list(&nodes, &c->cursor, chunk + len, room);
	}
	if (c->node < 0 && c->cursor.kind == 0)
		flags |= MSG_MORE;
	if (set.delay_write_s > 0)
		delay(set.delay_write_s);
	sent = send(c->fd, bytes, end, flags);
	if (sent < 0 && !is_temporary(errno))
		return STEP_CLOSE;
	if (sent < 0)
		sent = 0;
	else if (c->since_ms != 0) /* each step has -packet_timeout, all of them five times that */
		c->deadline_ms = earlier(clock_ms() + timeout_ms(), c->since_ms + 5 * timeout_ms());
	progress |= sent > 0;
	if ((size_t)sent < end && from.kind != 0) {
		/* Sets the cursor behind the line that was cut: makes the lines up to it again. */
		c->cursor = from;
		end = len;
		if ((size_t)sent > len) {
			lines = (size_t)sent - len - 1;
			if (lines > room - EPMD_LINE_MAX)
				lines = room - EPMD_LINE_MAX;
			end += epmd_list(&nodes, &c->cursor, chunk + len, lines + EPMD_LINE_MAX);
		}
	}
	if ((size_t)sent < end) {
		c->fill = 0;
		return conn_hold(c, bytes, (size_t)sent, end) ? STEP_PARK : STEP_CLOSE;
	}
	conn_let_go(c);
	if (c->cursor.kind != 0)
		return STEP_PARK;
	if (c->node >= 0) {
		c->state = CONN_KEPT;
		return STEP_PARK;
	}
#ifdef TCP_USER_TIMEOUT
	if (c->is_long || !c->is_local) {
		/*
		 * Linux: else a peer who reads nothing keeps the rest of it in the kernel for ever.
		 */
		const int rest_ms = (int)timeout_ms();

		(void)setsockopt(c->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &rest_ms, sizeof rest_ms);
	}
#endif
	return STEP_CLOSE;
}

/* Carries out the core's verdict on a whole request. */
static enum step conn_answer(struct conn *c)
{
	union address peer;
	char text[ADDRESS_TEXT_MAX];

	if (answer.verdict == EPMD_STOP && answer.node >= 0) {
		conn_close(&conns[nodes.node[answer.node].owner]);
		log_at(1, "epmd connection stopped");
	}
	if (answer.verdict == EPMD_QUIT) {
		peer = socket_address(c->fd, 1);
		address_text(&peer, text);
		end_for("killed by request of ", text);
		listen_close(); /* before the asker, who may start the next epmd, has the answer */
	}
	if (answer.verdict == EPMD_COUNTS)
		answer_counts(&answer);
	if (set.debug > 0)
		log_sent(&answer, c->holds ? held[c->buffer] : received);
	c->state = CONN_SENDING;
	c->since_ms = 0;
	c->node = answer.verdict == EPMD_KEEP ? answer.node : -1;
	c->was_refused = answer.request == EPMD_ALIVE2_REQ && answer.verdict == EPMD_SEND;
	c->is_long = answer.verdict == EPMD_LIST || answer.len > LONG_ANSWER;
	if (answer.verdict == EPMD_LIST)
		c->cursor = answer.cursor;
	return conn_send(c, answer.out, answer.len);
}

/*
 * Waits until there is more to do: for a request or for a reader up to -packet_timeout, for the end
 * of a node with no limit. Then a slot must be free for the next connection.
 */
static void conn_park(struct conn *c)
{
	if (c->state == CONN_KEPT) {
		c->deadline_ms = NEVER;
	} else if (c->since_ms == 0) {
		c->since_ms = clock_ms();
		c->deadline_ms = c->since_ms + timeout_ms();
	}
	conns_deadline_ms = earlier(conns_deadline_ms, c->deadline_ms);
	park(c, c->state == CONN_SENDING ? POLLOUT : POLLIN);
	if (conn_free == EPMD_CONN_MAX && conn_top >= conn_limit && conn_evict(0) != NULL)
		shortage_begin(SHORT_CONNS);
}

/* Runs a connection that is new or ready, until it has to wait or is closed. */
static void conn_run(struct conn *c)
{
	enum step step = STEP_CLOSE; /* if kept: its end and more bytes both end the registration */

	if (c->state == CONN_FREE) /* closed in this turn already */
		return;
	if (c->state == CONN_READING) {
		step = conn_read(c);
		if (step == STEP_NEXT)
			step = conn_ask(c);
		if (step == STEP_NEXT)
			step = conn_answer(c);
	} else if (c->state == CONN_SENDING) {
		step = conn_send(c, held[c->buffer], c->fill);
	}
	if (step == STEP_PARK)
		conn_park(c);
	else
		conn_close(c);
}

/* ---- all of them ---- */

/*
 * Takes a slot; NULL if there is none. The peer is on this host if its address is a loopback one or
 * is the one that it connected to, which is this host's.
 */
static struct conn *conn_open(int cfd, const union address *peer)
{
	struct conn *c;
	union address own;

	if (conn_free < EPMD_CONN_MAX) {
		c = &conns[conn_free];
		conn_free = c->next;
	} else if (conn_top < conn_limit) {
		c = &conns[conn_top++];
	} else {
		(void)close(cfd);
		return NULL;
	}
	memset(c, 0, sizeof *c);
	c->fd = cfd;
	c->node = -1;
	c->state = CONN_READING;
	c->is_local = (uint8_t)address_is_loopback(peer);
	if (!c->is_local && address_port(peer) != 0) {
		own = socket_address(cfd, 0);
		c->is_local = (uint8_t)address_is_same(peer, &own);
	}
	conns_used++;
	if (set.debug > 1)
		log_peer(2, c, "opening connection");
	return c;
}

/*
 * Closes the connections whose time is up, and finds the next deadline. What a connection waits for
 * may have come, with its event still behind others in the queue: then it is served, which may
 * renew its time.
 */
static void conns_expire(int64_t now_ms)
{
	struct conn *c;

	conns_deadline_ms = NEVER;
	for (c = conns; c < conns + conn_top && !ended; c++) {
		if (c->state != CONN_FREE && c->deadline_ms <= now_ms && is_ready(c->fd, c->want))
			conn_run(c);
		if (c->state == CONN_FREE)
			continue;
		if (c->deadline_ms <= now_ms) {
			counts.timed_out++;
			log_peer(1, c, c->state == CONN_READING ?
			    "closing because timed out on receive" :
			    "closing because timed out on send");
			conn_abort(c);
		} else {
			conns_deadline_ms = earlier(conns_deadline_ms, c->deadline_ms);
		}
	}
}

/* ==== 12 Loop: one turn after the other, each of bounded length ============================ */

#define TRY_TURNS     64    /* from one turn that accepts more than one to the next */
#define NOTIFY_MS     100   /* until READY=1 is sent again, if the supervisor's socket is full */
#define POLL_FAILURES 1000  /* in a row, 10 ms apart, before the daemon gives up */

static int64_t notify_ms = NEVER;            /* READY=1 is to be sent again then */
static int notify_socket = -1;               /* to the supervisor, until then */
static int signal_pipe = -1;                 /* its writing end */
static volatile sig_atomic_t counts_wanted;  /* by SIGUSR1 */
static volatile sig_atomic_t debug_wanted;   /* by SIGUSR2: on, or off */

/* Returns whether to go on accepting at once. */
static int accept_one(int lfd)
{
	union address peer;
	socklen_t len = sizeof peer;
	struct conn *c;
	int cfd;

	idle_ms = NEVER; /* somebody is there, even if accept() fails */
	if (set.delay_accept_s > 0)
		delay(set.delay_accept_s);
	memset(&peer, 0, sizeof peer); /* if the peer has gone, some systems leave it as it is */
	cfd = accept(lfd, &peer.any, &len);
	if (cfd >= 0) {
		progress = 1;
		c = conn_open(cfd, &peer);
		if (c != NULL)
			conn_run(c);
		return 1;
	}
	switch (errno) {
	case EAGAIN:
#if EWOULDBLOCK != EAGAIN
	case EWOULDBLOCK:
#endif
	case EINTR:
	case EPROTO:
		return 0; /* nobody waits */
	case ECONNABORTED:
		progress = 1; /* who waited has gone: by that no peer shall make others wait */
		return 0;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		shortage_begin(SHORT_FDS);
		return conn_evict(0) != NULL;
	default:
		log_at(1, "accept: %s", strerror(errno));
		return 0;
	}
}

static void turn_parked(void)
{
	int slot[EPMD_BATCH_MAX], k, n = 0;

	if (polled[POLL_QUEUE].revents != 0)
		n = queue_ready(slot);
	for (k = 0; k < n && !ended; k++) /* no node registers behind a KILL that was granted */
		conn_run(&conns[slot[k]]);
	for (k = 0; k < polled_slots && !ended; k++)
		if (park_entry(k)->fd >= 0 && park_entry(k)->revents != 0)
			conn_run(&conns[k]);
}

/*
 * Accepts from each listener one connection; EPMD_BATCH_MAX if more than one was there in the turn
 * before, and in each TRY_TURNS-th turn, to find that out. So many clients cost no poll() each, and
 * a lone one hardly an accept() in vain.
 */
static void turn_listeners(void)
{
	static int turns, were_there;
	const int quota = were_there > 1 || turns == 0 ? EPMD_BATCH_MAX : 1;
	int k, n, lfd;

	turns = (turns + 1) % TRY_TURNS;
	were_there = 0;
	for (k = 0; k < listen_len; k++) {
		lfd = polled[POLL_LISTEN + k].fd;
		if (lfd < 0 || polled[POLL_LISTEN + k].revents == 0)
			continue;
		if ((polled[POLL_LISTEN + k].revents & (POLLHUP | POLLNVAL)) != 0) {
			/* By another process: it never accepts again, and poll() would not wait. */
			log_at(0, "a listening socket was shut down");
			exit(1);
		}
		for (n = 0; n < quota && !ended && accept_one(lfd); n++)
			;
		if (n > were_there)
			were_there = n;
	}
}

static void turn_signals(void)
{
	static int debug_level = 1;    /* how many -d SIGUSR2 switches on */
	char bytes[16];

	if (polled[POLL_SIGNAL].revents != 0)
		progress |= read(polled[POLL_SIGNAL].fd, bytes, sizeof bytes) > 0;
	if (counts_wanted) {
		counts_wanted = 0;
		log_counts();
	}
	if (debug_wanted) {
		debug_wanted = 0;
		debug_level = set.debug > 0 ? set.debug : debug_level;
		set.debug = set.debug > 0 ? 0 : debug_level;
		log_at(LOG_NOTE, "SIGUSR2: -d is %s", set.debug > 0 ? "on" : "off");
	}
}

/* Tells the supervisor that the daemon serves, sd_notify(3). */
static void notify_ready(void)
{
	static const char ready[] = "READY=1";
	const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;

	notify_ms = NEVER;
	if (send(notify_socket, ready, sizeof ready - 1, flags) < 0 && is_temporary(errno))
		notify_ms = clock_ms() + NOTIFY_MS;
	else
		(void)close(notify_socket);
}

/* -exit_idle: its time begins when the last connection has ended, and anew with the next one. */
static void turn_idle(int64_t now_ms)
{
	char seconds[24];

	if (idle_ms == NEVER && conns_used == 0)
		idle_ms = now_ms + (int64_t)set.exit_idle_s * 1000;
	if (now_ms < idle_ms)
		return;
	snprintf(seconds, sizeof seconds, "%lu s", (unsigned long)set.exit_idle_s);
	end_for("no node and no connection for ", seconds);
}

/* When the next thing is due. */
static int64_t next_due(void)
{
	int64_t due_ms = earlier(earlier(conns_deadline_ms, idle_ms), notify_ms);
	int k;

	for (k = 0; k < SHORT_KINDS; k++)
		due_ms = earlier(due_ms, shortage[k].until_ms);
	return due_ms;
}

/* Does what is due, and returns when the next thing is. */
static int64_t turn_clock(void)
{
	int64_t now_ms;

	if (set.exit_idle_s == 0 && next_due() == NEVER)
		return NEVER;
	now_ms = clock_ms();
	if (now_ms >= conns_deadline_ms)
		conns_expire(now_ms);
	shortage_end(now_ms);
	if (now_ms >= notify_ms)
		notify_ready();
	if (set.exit_idle_s > 0)
		turn_idle(now_ms);
	return next_due();
}

/* For poll(): -1 for ever. */
static int ms_until(int64_t next_ms)
{
	int64_t left_ms;

	if (next_ms == NEVER)
		return -1;
	left_ms = next_ms - clock_ms();
	return left_ms < 0 ? 0 : left_ms < 60000 ? (int)left_ms : 60000;
}

/*
 * Waits, and serves. Closed connections come before new ones, which may want the name of a node
 * that has ended; deadlines come last. Returns when the next one is. If a system call fails and
 * goes on failing, poll() says each time that there is something to do: then a turn lasts 10 ms,
 * else the daemon would spin.
 */
static int64_t turn(int64_t next_ms)
{
	static const struct timespec moment = { 0, 10000000 };
	static int failures;
	const nfds_t len = (nfds_t)(POLL_LISTEN + listen_len + polled_slots);
	const int ready = poll(polled, len, ms_until(next_ms));

	progress = ready == 0;
	if (ready >= 0) {
		failures = 0;
		turn_signals();
		turn_parked();
		turn_listeners();
	} else if (!is_temporary(errno) && ++failures == POLL_FAILURES) {
		log_at(0, "poll: %s", strerror(errno));
		exit(1);
	}
	if (!progress && !ended)
		(void)nanosleep(&moment, NULL);
	return turn_clock();
}

/* ==== 13 Commands: one question to an epmd, here or elsewhere, and its answer as text ====== */

#define CLI_ADDRESS_MAX 8    /* addresses of a host that are tried */
#define CLI_NEXT_MS     1000 /* for each but the last of them, if -timeout leaves so much */
#define CLI_MOMENT_MS   100  /* between two tries of -wait */
#define NO_EPMD         (-1) /* to complain(): no epmd could be asked, or none answered */

/* An option adds one to its flag, or takes a number or a text. A command runs, last. */
struct option {
	const char *name;
	const char *variable;          /* of the environment; the option goes before it */
	int *flag;
	const char **text;
	uint32_t *number, min, max;
	uint32_t usual;                /* the number if the option is not given */
	const char *needs;             /* in words: the text, or a command's arguments */
	int (*run)(void);              /* a command; returns 0, or what complain() returned */
	enum { OF_DAEMON, OF_COMMAND, OF_BOTH, USES } use;
	uint8_t request;               /* of a command that shares its function */
	uint8_t args;                  /* how many arguments a command takes */
	uint8_t is_alone;              /* a command that asks no daemon */
	const char *help;              /* its lines in -help, or NULL */
};

/*
 * The client half's state. run_command() tries a command again and again for as long as -wait says.
 * In a try, cli_ask() sends a request, and cli_read() alone fills in[] with the answer; cli_put()
 * gathers output in out[], and complain() keeps why the try failed. Both are written after the last
 * try. Output that does not fit into out[] is written at once, and then there is no other try.
 */
static struct {
	const struct option *command;
	char **arg;                    /* its arguments */
	int status;                    /* its exit status, if it failed */
	int status_none;               /* that of NO_EPMD */
	int quiet;                     /* why it failed is not written */
	int fd;                        /* the connection, or -1 */
	int error;                     /* errno of its failure; ETIMEDOUT: the time is up */
	uint8_t list;                  /* the request that a list answers */
	const char *late;              /* what on_alarm() says */
	int cut;                       /* this try has less time than -timeout says */
	int written;                   /* some output was written */
	int width;                     /* of a table's first column, in characters; 0: no table */
	int64_t deadline_ms;           /* of this try */
	int64_t until_ms;              /* -wait's */
	size_t len;                    /* of the answer in in[] */
	size_t out_len;
	char daemon[LOG_MAX];          /* the one that is asked, for messages */
	char why[2 * LOG_MAX];
	uint8_t in[EPMD_PACKET_MAX + 1]; /* the last byte is for a NUL */
	char out[EPMD_SCRATCH_MAX + 1];
} cli;

/* ---- why it failed, and what it prints ---- */

/*
 * Keeps why a command failed and its status, and returns that. If it failed only because -wait left
 * this try too little time, those of the try before are kept.
 */
static int complain(int status, const char *format, ...)
{
	va_list ap;

	if (cli.cut && cli.error == ETIMEDOUT && *cli.why != '\0')
		return status;
	cli.status = status == NO_EPMD ? cli.status_none : status;
	va_start(ap, format);
	vsnprintf(cli.why, sizeof cli.why, format, ap);
	va_end(ap);
	return status;
}

static void cli_tell(void)
{
	char line[2 * LOG_MAX + 16];
	const int len = snprintf(line, sizeof line, "%s%s\n", error_prefix, cli.why);

	write_stderr(line, text_len(len, sizeof line));
	*cli.why = '\0';
}

/* Waits until the descriptor is ready. Returns 0, with errno ETIMEDOUT, if it is not in time. */
static int cli_wait(int fd, short want, int64_t until_ms)
{
	struct pollfd p = { fd, want, 0 };
	int n;

	do
		n = poll(&p, 1, ms_until(until_ms));
	while ((n < 0 && errno == EINTR) || (n == 0 && clock_ms() < until_ms));
	errno = ETIMEDOUT;
	return n > 0;
}

/* Ends a command that waits in write() or getaddrinfo(), which have no limit of time. */
static void on_alarm(int signal)
{
	(void)signal;
	if (!cli.quiet)
		write_stderr(cli.late, strlen(cli.late));
	_exit(cli.written ? 1 : cli.status_none);
}

/* Until alarm(0), on_alarm() comes at that time, or less than a second later. */
static void limit_time(int64_t until_ms, const char *late)
{
	const int64_t left_ms = until_ms - clock_ms();

	cli.late = late;
	(void)signal(SIGALRM, on_alarm);
	(void)alarm(left_ms > 0 ? (unsigned)((left_ms + 999) / 1000) : 1);
}

/* Writes all of it in time, in one piece if it may be: so nothing comes between. */
static void cli_write(const char *text, size_t len)
{
	ssize_t n;

	for (cli.written = 1; len > 0; len -= (size_t)n) {
		n = -1;
		if (cli_wait(STDOUT_FILENO, POLLOUT, cli.deadline_ms)) {
			limit_time(cli.deadline_ms, "epmd: cannot write: Connection timed out\n");
			n = write(STDOUT_FILENO, text, len);
			(void)alarm(0);
		}
		if (n < 0)
			fail(errno, "cannot write");
		text += n;
	}
}

/* Cuts a line at each `mark` into so many parts; those that it does not have are NULL. */
static void split(char *line, char mark, char *part[], int parts)
{
	int k;

	for (k = 0; k < parts; k++) {
		part[k] = line;
		line = line != NULL ? strchr(line, mark) : NULL;
		if (line != NULL)
			*line++ = '\0';
	}
}

/* The characters of a row's first column. */
static int row_width(const char *row)
{
	int width = 0;

	for (; *row != '\t' && *row != '\0'; row++)
		width += ((unsigned char)*row & 0xc0) != 0x80;
	return width;
}

/* Writes out[], a table for a terminal aligned to the longest of the names written first. */
static void cli_flush(void)
{
	char line[2 * LOG_MAX], *c[7], *row, *next;
	int pad, len;

	cli.out[cli.out_len] = '\0';
	if (cli.width == 0)
		cli_write(cli.out, cli.out_len);
	for (row = cli.out; !cli.written && *row != '\0'; row += strcspn(row, "\n") + 1)
		if (row_width(row) > cli.width)
			cli.width = row_width(row);
	for (row = cli.out; cli.width > 0 && *row != '\0'; row = next) {
		next = row + strcspn(row, "\n") + 1;
		next[-1] = '\0';
		split(row, '\t', c, 7);
		pad = cli.width - row_width(c[0]);
		len = snprintf(line, sizeof line, "%s%*s  %5s  %-6s  %-8s  %-6s  %10s  %s\n", c[0],
		    pad > 0 ? pad : 0, "", c[1], c[2], c[3], c[4], c[5], c[6]);
		cli_write(line, text_len(len, sizeof line));
	}
	cli.out_len = 0;
}

/* Adds to out[], which is written first if it has too little room. */
static void cli_put(const void *text, size_t len)
{
	if (len > EPMD_SCRATCH_MAX - cli.out_len)
		cli_flush();
	memcpy(cli.out + cli.out_len, text, len);
	cli.out_len += len;
}

static int cli_say(const char *format, ...)
{
	char line[LOG_MAX];
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	cli_put(line, text_len(len, sizeof line));
	return 0;
}

/*
 * Replaces each control character, which a terminal would obey, and each byte that is no UTF-8 by a
 * `?`, and drops NULs, which end the lines of a dump. Returns the length of the rest.
 */
static size_t clean(void *bytes, size_t len)
{
	uint8_t *const text = bytes;
	size_t i, step, kept = 0;

	for (i = 0; i < len; i += step > 0 ? step : 1) {
		step = utf8_step(text, i, len);
		if (step == 0 ||
		    (text[i] != '\n' && text[i] != '\0' && has_control(text + i, step))) {
			text[kept++] = '?';
		} else if (text[i] != '\0') {
			memmove(text + kept, text + i, step);
			kept += step;
		}
	}
	return kept;
}

/* ---- a request, and the answer as it comes ---- */

static void cli_close(void)
{
	if (cli.fd >= 0)
		(void)close(cli.fd);
	cli.fd = -1;
}

/* Finds a host's addresses by its name. Returns how many there are; if none, *reason says why. */
static int cli_resolve(union address to[CLI_ADDRESS_MAX], const char **reason)
{
#ifdef EPMD_NO_RESOLVER
	(void)to;
	*reason = "this epmd takes IP addresses alone";
	return 0;
#else
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	const int64_t end_ms = cli.until_ms > cli.deadline_ms ? cli.until_ms : cli.deadline_ms;
	struct addrinfo *list = NULL, *a;
	char port[8];
	int error, n = 0;

	snprintf(port, sizeof port, "%u", (unsigned)set.port);
	limit_time(end_ms, "epmd: time is up, and the host's name has no address yet\n");
	error = getaddrinfo(set.host, port, &hints, &list);
	(void)alarm(0);
	*reason = gai_strerror(error);
	if (error != 0)
		return 0;
	for (a = list; a != NULL && n < CLI_ADDRESS_MAX; a = a->ai_next)
		if (a->ai_addrlen <= sizeof to[n])
			memcpy(&to[n++], a->ai_addr, a->ai_addrlen);
	freeaddrinfo(list);
	return n;
#endif
}

/* Finds the addresses of the epmd to ask, as cli_resolve() does. */
static int cli_addresses(union address to[CLI_ADDRESS_MAX], const char **reason)
{
	const uint16_t port = (uint16_t)set.port;
	char host[ADDRESS_TEXT_MAX] = "::1", second[] = "127.0.0.1";
	const size_t len = set.host != NULL ? strlen(set.host) : 0;
	const size_t brackets = len > 2 && set.host[0] == '[' && set.host[len - 1] == ']';

	if (set.host != NULL)
		snprintf(host, sizeof host, "%.*s", (int)(len - 2 * brackets), set.host + brackets);
	if (len - 2 * brackets >= sizeof host || address_parse(host, port, &to[0]) != 0)
		return cli_resolve(to, reason);
	return set.host == NULL && address_parse(second, port, &to[1]) == 0 ? 2 : 1;
}

#define ASK_MAX (ALIVE2_MIN + EPMD_NAME_MAX) /* bytes of a registration that has no extra */

/* Connects, and sends a request: its byte and a name, or another body. Returns 0, or NO_EPMD. */
static int cli_ask(uint8_t request, const void *body, size_t len)
{
	union address to[CLI_ADDRESS_MAX];
	socklen_t size = sizeof cli.error;
	const char *reason = "";
	uint8_t packet[AT_REQUEST + ASK_MAX];
	int64_t share_ms;
	size_t at;
	int count, k;

	if (request != EPMD_ALIVE2_REQ && len > EPMD_NAME_MAX)
		fail(0, "a name has at most %d bytes", EPMD_NAME_MAX);
	at = put_16(packet, 0, (unsigned)len + 1);
	at = put_8(packet, at, request);
	at = put_bytes(packet, at, body, len);
	cli.len = 0;
	cli.error = 0;
	count = cli_addresses(to, &reason);
	for (k = 0; k < count; k++) {
		share_ms = (cli.deadline_ms - clock_ms()) / (count - k);
		if (k < count - 1)
			share_ms = earlier(share_ms, CLI_NEXT_MS);
		cli_close();
		cli.error = 0;
		cli.fd = socket(to[k].any.sa_family, SOCK_STREAM, 0);
		if (cli.fd < 0 || set_flags(cli.fd) < 0 ||
		    (connect(cli.fd, &to[k].any, address_len(&to[k])) < 0 &&
		    errno != EINPROGRESS) ||
		    !cli_wait(cli.fd, POLLOUT, clock_ms() + share_ms))
			cli.error = errno;
		else
			(void)getsockopt(cli.fd, SOL_SOCKET, SO_ERROR, &cli.error, &size);
		if (cli.error == 0 && send(cli.fd, packet, at, MSG_NOSIGNAL) != (ssize_t)at)
			cli.error = errno;
		if (cli.error == 0)
			return 0;
		reason = address_error(cli.error, set.host != NULL ? set.host : "");
	}
	return complain(NO_EPMD, "Cannot connect to %s: %s", cli.daemon, reason);
}

/* Reads until in[] has that many bytes. Returns 0 if the answer or the time ends before. */
static int cli_read(size_t want)
{
	ssize_t n;

	while (cli.len < want && cli.len < EPMD_PACKET_MAX) {
		n = -1;
		errno = ETIMEDOUT;
		if (clock_ms() < cli.deadline_ms && cli_wait(cli.fd, POLLIN, cli.deadline_ms))
			n = recv(cli.fd, cli.in + cli.len, EPMD_PACKET_MAX - cli.len, 0);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			continue;
		cli.error = n < 0 ? errno : 0;
		if (n <= 0)
			return 0;
		cli.len += (size_t)n;
	}
	return cli.len >= want;
}

/* Complains of a peer that does not answer, or not as an epmd does. */
static int cli_no_answer(void)
{
	if (cli.error == ETIMEDOUT)
		return complain(NO_EPMD, "time is up, with no answer from %s", cli.daemon);
	return complain(NO_EPMD, cli.len > 0 ? "unexpected answer from %s: is it one?" :
	    "no answer from %s: is it one, and may this host ask?", cli.daemon);
}

/* ---- lists: -names, -dump, -counts, -status, -started ---- */

#define LIST_AT 4 /* the daemon's port goes before the lines */

/*
 * Asks for a list, and for the second one if the connection is closed, as it is by an epmd that
 * does not know the request. Returns the daemon's port, which begins a list, or NO_EPMD.
 */
static int cli_ask_list(uint8_t request, const char *what, uint8_t second)
{
	for (cli.list = request; cli_ask(cli.list, what, strlen(what)) == 0; cli.list = second) {
		if (cli_read(LIST_AT) && get_16(cli.in, 0) == 0)
			return get_16(cli.in, 2);
		if (cli.list == second || cli.len >= LIST_AT || cli.error == ETIMEDOUT)
			return cli_no_answer();
		what = "";
	}
	return NO_EPMD;
}

/* A node's type in a word, if it has one; older nodes have their own numbers for both types. */
static const char *type_text(uint32_t type, char number[12])
{
	if (type == EPMD_TYPE_NORMAL || type == 109 || type == 110)
		return "normal";
	if (type == EPMD_TYPE_HIDDEN || type == 104)
		return "hidden";
	snprintf(number, 12, "%lu", (unsigned long)type);
	return number;
}

/*
 * Adds a row of -status, if the line is a node's: in a dump, its name, its port, and whether it is
 * active. An unknown value is a dash, so that no column is empty, and one that is longer than any
 * daemon's is cut.
 */
static void cli_say_row(char *line, size_t len)
{
	enum { NAME, PORT, FD, STATE, CREATION, SINCE, TYPE, HIGHEST, LOWEST, COLUMNS };
	static const uint16_t max[COLUMNS] = { EPMD_NAME_MAX, 5, 5, 6, 10, 20, 5, 5, 5 };
	static const char digits[] = "0123456789";
	static char active[] = "active", down[] = "down", dash[] = "-";
	char *c[COLUMNS] = { NULL }, number[12], *end;
	const char *type = dash;
	uint32_t v;
	int k, has_versions;

	line[line[len - 1] == '\n' ? len - 1 : len] = '\0';
	if (cli.list == EPMD_DUMP_REQ) {
		line += len > 1 && *line == '\0'; /* this NUL ends the line before */
		c[NAME] = strchr(line, '<');
		end = strrchr(line, '>');
		if (c[NAME] == NULL || end == NULL || end < c[NAME])
			return;
		c[NAME]++;
		*end++ = '\0';
		c[PORT] = end + strcspn(end, digits);
		c[PORT][strspn(c[PORT], digits)] = '\0';
		c[STATE] = *line == 'a' ? active : down;
	} else {
		split(line, '\t', c, COLUMNS);
		if (c[SINCE] == NULL) /* an older daemon's last; other lines have fewer */
			return;
	}
	has_versions = c[LOWEST] != NULL;
	if (c[TYPE] != NULL && is_number(c[TYPE], &v))
		type = type_text(v, number);
	for (k = 0; k < COLUMNS; k++) {
		if (c[k] == NULL || *c[k] == '\0')
			c[k] = dash;
		if (strlen(c[k]) > max[k])
			c[k][max[k]] = '\0';
		c[k][clean(c[k], strlen(c[k]))] = '\0';
	}
	(void)cli_say("%s\t%s\t%s\t%s%s%s\t%s\t%s\t%s\n", c[NAME], c[PORT], type, c[LOWEST],
	    has_versions ? "-" : "", has_versions ? c[HIGHEST] : "", c[STATE], c[CREATION],
	    c[SINCE]);
}

/* Adds the lines of a list as they are, or as rows of -status; of a line what fits into in[]. */
static int cli_say_list(int as_rows)
{
	const uint8_t *end;
	size_t at = LIST_AT, len;

	for (;;) {
		end = memchr(cli.in + at, '\n', cli.len - at);
		if (end == NULL) {
			cli.len -= at;
			memmove(cli.in, cli.in + at, cli.len);
			at = 0;
			if (cli_read(cli.len + 1))
				continue;
		}
		len = end != NULL ? (size_t)(end - cli.in) + 1 - at : cli.len;
		if (!as_rows)
			cli_put(cli.in + at, clean(cli.in + at, len));
		else if (len > 0)
			cli_say_row((char *)cli.in + at, len);
		at += len;
		if (end == NULL && len < EPMD_PACKET_MAX) /* the end, or a failure */
			break;
	}
	return cli.error == 0 ? 0 : complain(1, "the answer broke off: %s", strerror(cli.error));
}

/* -names, -dump: the daemon's port, and its lines. */
static int command_list(void)
{
	const int port = cli_ask_list(cli.command->request, "", cli.command->request);

	if (port < 0)
		return NO_EPMD;
	(void)cli_say("epmd: up and running on port %d with data:\n", port);
	return cli_say_list(0);
}

/* -counts: the daemon's lines. An epmd without counts is told from what is no epmd. */
static int command_counts(void)
{
	if (cli_ask_list(EPMD_STATUS_REQ, "c", EPMD_NAMES_REQ) < 0)
		return NO_EPMD;
	if (cli.list == EPMD_STATUS_REQ)
		return cli_say_list(0);
	return complain(1, "no counts from %s: it is another kind, or this host may not ask",
	    cli.daemon);
}

/* -status: from STATUS_REQ, or from DUMP_REQ if the daemon does not know that. */
static int command_status(void)
{
	if (cli_ask_list(EPMD_STATUS_REQ, "", EPMD_DUMP_REQ) < 0)
		return NO_EPMD;
	cli.width = isatty(STDOUT_FILENO);
	if (cli.width > 0)
		(void)cli_say("NAME\tPORT\tTYPE\tVERSIONS\tSTATE\tCREATION\tSINCE\n");
	return cli_say_list(1);
}

/*
 * -started: whether an epmd answers. `epmd -daemon`, which erl runs at every start, asks it too, so
 * an epmd here is asked for what it does not log at -d, which one on another host would refuse.
 */
static int command_started(void)
{
	const uint8_t request = set.host == NULL ? EPMD_STATUS_REQ : EPMD_NAMES_REQ;

	return cli_ask_list(request, set.host == NULL ? "c" : "", EPMD_NAMES_REQ) < 0 ? NO_EPMD : 0;
}

/* ---- one name, or none: -kill, -stop, -lookup, -register, -version ---- */

/* Cuts off the host behind a node's name, since the node is registered without. */
static void cut_host(char *name)
{
	char *const at = strchr(name, '@');

	if (at == NULL)
		return;
	*at = '\0';
	(void)complain(0, "a node is registered without its host: taking \"%s\"", name);
	cli_tell();
}

/* -kill, -stop: a word is the answer, or none. OTP's epmd sends two for a name without a node. */
static int command_word(void)
{
	const int kill = cli.command->request == EPMD_KILL_REQ;
	const char *const name = kill ? "" : cli.arg[0];
	char *const word = (char *)cli.in;

	if (!kill)
		cut_host(cli.arg[0]);
	if (cli_ask(cli.command->request, name, strlen(name)) != 0)
		return NO_EPMD;
	(void)cli_read(EPMD_PACKET_MAX);
	word[cli.len] = '\0';
	if (cli.error == ETIMEDOUT || (cli.len == 0 && set.host != NULL))
		return cli_no_answer();
	if (strcmp(word, kill ? "OK" : "STOPPED") == 0)
		return cli_say(kill ? "Killed\n" : "STOPPED\n");
	if (!kill && (strcmp(word, "NOEXIST") == 0 || strcmp(word, "NOEXISTSTOPPED") == 0))
		return cli_say("NOEXIST\n");
	if (kill && strcmp(word, "NO") == 0) {
		(void)cli_say("Killing not allowed - living nodes in database.\n");
	} else {
		(void)cli_say("epmd: local epmd responded with <");
		cli_put(word, clean(word, strlen(word)));
		(void)cli_say(">\n");
	}
	if (strcmp(word, kill ? "NO" : "") != 0)
		return cli_no_answer();
	return complain(1, "not allowed, unless the daemon runs with -relaxed_command_check");
}

/*
 * Asks for a node's port. Returns 0 if in[] has a whole PORT2_RESP with an entry, or what
 * complain() did: of a name that is not a good one, a closed connection says that no node has it.
 */
static int cli_ask_port(const char *name)
{
	const size_t len = strlen(name);
	size_t nlen = EPMD_PACKET_MAX;

	if (cli_ask(EPMD_PORT_PLEASE2_REQ, name, len) != 0)
		return NO_EPMD;
	(void)cli_read(EPMD_PACKET_MAX);
	if ((cli.len >= 2 && cli.in[0] == EPMD_PORT2_RESP && cli.in[1] != 0) ||
	    (cli.len == 0 && cli.error == 0 && !name_is_good((const uint8_t *)name, len)))
		return complain(1, "no such node: \"%s\"", name);
	if (cli.len >= 14 && cli.in[0] == EPMD_PORT2_RESP && cli.error != ETIMEDOUT)
		nlen = get_16(cli.in, 10);
	if (cli.len < 14 + nlen || cli.len < 14 + nlen + get_16(cli.in, 12 + nlen))
		return cli_no_answer();
	return 0;
}

/* -lookup: the port alone; with -d the whole entry. */
static int command_lookup(void)
{
	char *const name = cli.arg[0], number[12];
	const uint8_t *const in = cli.in;
	int failed;

	cut_host(name);
	failed = cli_ask_port(name);
	if (failed != 0)
		return failed;
	if (set.debug == 0)
		return cli_say("%u\n", get_16(in, 2));
	return cli_say("name %s\nport %u\ntype %s\nprotocol %u\nversions %u to %u\n"
	    "extra %u bytes\n", name, get_16(in, 2), type_text(in[4], number), in[5],
	    get_16(in, 8), get_16(in, 6), get_16(in, 12u + get_16(in, 10)));
}

static uint32_t number_parse(const char *from, const char *text, uint32_t min, uint32_t max)
{
	uint32_t v;

	if (!is_number(text, &v) || v < min || v > max)
		fail(0, "%s: not a number from %u to %u: \"%s\"", from, (unsigned)min,
		    (unsigned)max, text);
	return v;
}

/*
 * -register: registers a hidden node for as long as both this process and the daemon live; with
 * -wait, again when the daemon comes back.
 */
static int command_register(void)
{
	const uint16_t port = (uint16_t)number_parse("-register", cli.arg[1], 1, 65535);
	char *const name = cli.arg[0];
	uint8_t body[ASK_MAX];
	size_t at, len;

	cut_host(name);
	len = strlen(name);
	if (!name_is_good((const uint8_t *)name, len))
		fail(0, "not registered: not a good name: \"%s\"", name);
	at = put_16(body, 0, port);
	at = put_8(body, at, EPMD_TYPE_HIDDEN);
	at = put_8(body, at, 0);
	at = put_16(body, at, EPMD_VERSION_X);
	at = put_16(body, at, EPMD_VERSION_X - 1);
	at = put_16(body, at, (unsigned)len);
	at = put_bytes(body, at, (const uint8_t *)name, len);
	at = put_16(body, at, 0);
	if (cli_ask(EPMD_ALIVE2_REQ, body, at) != 0)
		return NO_EPMD;
	/* An epmd that does not know version 6 answers as to an older node. */
	len = cli_read(1) && cli.in[0] == EPMD_ALIVE2_RESP ? 4 : 6;
	(void)cli_read(len);
	if (cli.len == 0 && cli.error == 0)
		return complain(1, "not registered: the connection was closed; "
		    "only a node's own host may register");
	if (cli.len < 2 || cli.in[0] != (len == 4 ? EPMD_ALIVE2_RESP : EPMD_ALIVE2_X_RESP) ||
	    (cli.in[1] == 0 && cli.len != len))
		return cli_no_answer();
	if (cli.in[1] != 0)
		return complain(1, cli_ask_port(name) == 0 ?
		    "not registered: the name is taken: \"%s\"" :
		    "not registered: no room for another node: \"%s\"", name);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)cli_say("registered %s at port %u\n", name, port);
	cli_flush();
	cli.deadline_ms = NEVER;
	do
		cli.len = 0;
	while (cli_read(1));
	(void)complain(1, "the daemon ended the registration of \"%s\"", name);
	if (set.wait_s > 0) {
		cli_tell();
		cli.written = 0;
		cli.until_ms = clock_ms() + (int64_t)set.wait_s * 1000;
	}
	return 1;
}

static int command_version(void)
{
	return cli_say("epmd %s\n", EPMD_VERSION);
}

/* ---- any of them ---- */

/*
 * Tries a command until it succeeds or the time of -wait is up, and returns its exit status. The
 * first try has all of -timeout, each other one no more than is left of -wait.
 */
static int run_command(const struct option *command, char **arg)
{
	static const struct timespec moment = { 0, CLI_MOMENT_MS * 1000000 };
	const int64_t limit_ms = (int64_t)set.timeout_s * 1000;
	int64_t left_ms = limit_ms;
	int failed;

	cli.command = command;
	cli.arg = arg;
	cli.status_none = command->run == command_lookup ? 2 : 1; /* 1: no such node */
	cli.quiet = command->run == command_started;
	cli.fd = -1;
	cli.until_ms = clock_ms() + (int64_t)set.wait_s * 1000;
	if (set.host == NULL)
		snprintf(cli.daemon, sizeof cli.daemon, "local epmd, port %u", (unsigned)set.port);
	else
		snprintf(cli.daemon, sizeof cli.daemon, "epmd on \"%.*s\", port %u", EPMD_NAME_MAX,
		    set.host, (unsigned)set.port);
	for (;;) {
		cli.cut = left_ms < limit_ms;
		cli.deadline_ms = clock_ms() + earlier(left_ms, limit_ms);
		failed = command->run();
		left_ms = cli.until_ms - clock_ms() - CLI_MOMENT_MS;
		if (!failed || cli.written || left_ms <= 0)
			break;
		cli_close();
		cli.out_len = 0;
		(void)nanosleep(&moment, NULL);
	}
	cli_flush();
	if (failed && !cli.quiet)
		cli_tell();
	return failed ? cli.status : 0;
}

/* ==== 14 Process: descriptors, signals, limits, rights, the background, the supervisor ===== */

/* ---- what the caller left: descriptors and signals ---- */

/*
 * Opens /dev/null as standard input, output and error: as those that are closed, so that no socket
 * takes their place, or as all. In an empty root, the root is as good: it cannot be read.
 */
static void null_stdio(int all)
{
	int fd, k;

	do {
		fd = open("/dev/null", O_RDONLY);
		if (fd < 0)
			fd = open("/", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	for (k = 0; k <= STDERR_FILENO && all && fd >= 0; k++)
		(void)dup2(fd, k);
	if (fd >= 0)
		(void)close(fd);
}

#define FD_BLOCK 256 /* the stack that it takes stays in memory */

/*
 * Counts the descriptors from `first` on that are closed, until it has `want` of them or comes to
 * *end; sets *end to where it stopped. With close_open, it closes the others. poll() says POLLNVAL
 * of a closed one, and takes as many at a time as the soft limit of open files.
 */
static rlim_t find_closed(rlim_t first, rlim_t *end, rlim_t want, int close_open)
{
	struct rlimit limit = { FD_BLOCK, FD_BLOCK };
	struct pollfd block[FD_BLOCK];
	rlim_t fd = first, len = 1, found = 0, k;

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	while (fd < *end && found < want && len > 0) {
		len = *end - fd < FD_BLOCK ? *end - fd : FD_BLOCK;
		len = len < limit.rlim_cur ? len : limit.rlim_cur;
		for (k = 0; k < len; k++)
			block[k] = (struct pollfd){ .fd = (int)(fd + k) };
		(void)poll(block, (nfds_t)len, 0);
		for (k = 0; k < len && found < want; k++, fd++) {
			if ((block[k].revents & POLLNVAL) != 0)
				found++;
			else if (close_open)
				(void)close((int)fd);
		}
	}
	*end = fd;
	return found;
}

/* Closes what the caller left open, so that no file, pipe or lock is held as long as the daemon. */
static void close_inherited(int first)
{
	rlim_t end = 1048576; /* Linux's own limit */

#ifdef SYS_close_range
	if (syscall(SYS_close_range, (unsigned)first, ~0u, 0u) == 0)
		return;
#endif
	(void)find_closed((rlim_t)first, &end, end, 1);
}

static void set_signal(int number, void (*handler)(int), int flags)
{
	struct sigaction act;

	memset(&act, 0, sizeof act);
	(void)sigemptyset(&act.sa_mask);
	act.sa_handler = handler;
	act.sa_flags = flags;
	(void)sigaction(number, &act, NULL);
}

/* Ends by the signal's default action, which the caller sees. Process 1 has none, and exits. */
static void on_early_end(int signal)
{
	(void)kill(getpid(), signal);
	_exit(128 + signal);
}

/*
 * Undoes what the caller blocked, ignored or set, but for SIGHUP under nohup(1). SIGUSR1 and
 * SIGUSR2 are ignored, since they may reach a command, or the daemon before it serves; and SIGXFSZ,
 * so that a write beyond the limit of a file's size fails.
 */
static void reset_signals(void)
{
	const int once = SA_NODEFER | (int)SA_RESETHAND;
	struct sigaction hangup;
	sigset_t none;

	set_signal(SIGUSR1, SIG_IGN, 0);
	set_signal(SIGUSR2, SIG_IGN, 0);
	set_signal(SIGXFSZ, SIG_IGN, 0);
	set_signal(SIGCHLD, SIG_DFL, 0); /* or detach() would learn nothing of its child */
	set_signal(SIGTERM, on_early_end, once);
	set_signal(SIGINT, on_early_end, once);
	if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
		set_signal(SIGHUP, on_early_end, once);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)alarm(0);
}

/* Process 1 gets other processes' orphans as children: none may stay as a zombie. */
static void ignore_children(void)
{
	set_signal(SIGCHLD, SIG_IGN, 0);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* ---- the start of the daemon ---- */

/*
 * Finds out whether standard error is systemd's journal, and makes sure that no write to it blocks,
 * stops or ends the daemon. A terminal or a pipe is opened anew, since its flags are the caller's
 * as well; the daemon's own terminal as /dev/tty, which needs no right to the terminal's file.
 */
static void open_log(void)
{
	const char *const stream = getenv("JOURNAL_STREAM");
	struct stat s;
	char text[48];
	int fd = -1;

	set_signal(SIGTTOU, SIG_IGN, 0);
	set_signal(SIGPIPE, SIG_IGN, 0);
	journal = set.systemd;
	stderr_is = STDERR_OWN;
	if (fstat(STDERR_FILENO, &s) < 0)
		return;
	snprintf(text, sizeof text, "%llu:%llu", (unsigned long long)s.st_dev,
	    (unsigned long long)s.st_ino);
	if (stream != NULL && strcmp(stream, text) == 0) {
		journal = 1;
		error_prefix = "<3>";
	}
	if (S_ISREG(s.st_mode))
		return;
	if (S_ISCHR(s.st_mode) || S_ISFIFO(s.st_mode))
		fd = open(tcgetpgrp(STDERR_FILENO) != -1 ? "/dev/tty" : "/proc/self/fd/2",
		    O_WRONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
		stderr_is = S_ISSOCK(s.st_mode) ? STDERR_SOCKET : STDERR_SHARED;
	if (fd >= 0)
		(void)close(fd);
}

static void on_signal(int signal)
{
	const int error = errno;

	if (signal == SIGUSR1)
		counts_wanted = 1;
	else if (signal == SIGUSR2)
		debug_wanted = 1;
	else
		ended = signal;
	(void)!write(signal_pipe, "", 1);
	errno = error;
}

/* Sets handlers, since the kernel keeps signals that have none from process 1. */
static void catch_signals(void)
{
	int end[2];

	if (pipe(end) < 0 || set_flags(end[0]) < 0 || set_flags(end[1]) < 0)
		fail(errno, "pipe");
	polled[POLL_SIGNAL].fd = end[0];
	polled[POLL_SIGNAL].events = POLLIN;
	signal_pipe = end[1];
	set_signal(SIGTERM, on_signal, 0);
	set_signal(SIGINT, on_signal, 0);
	set_signal(SIGUSR1, on_signal, 0);
	set_signal(SIGUSR2, on_signal, 0);
	set_signal(SIGHUP, SIG_IGN, 0);
}

static void open_queue(void)
{
	polled[POLL_QUEUE].fd = queue_open();
	polled[POLL_QUEUE].events = POLLIN;
}

#define FD_RESERVE 3 /* beside the connections: for the queue, for syslog, and one for a moment */

/*
 * Raises the soft limit of open files as far as the tables need. If the hard limit is lower, fewer
 * nodes are admitted, so that look-ups keep their room. Descriptors that are open now are taken to
 * stay open.
 */
static void set_limits(void)
{
	const rlim_t want = EPMD_CONN_MAX + FD_RESERVE;
	struct rlimit limit;
	rlim_t room = want, spare, end;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		end = limit.rlim_max;
		room = find_closed(0, &end, want, 0);
		if (end > limit.rlim_cur) {
			limit.rlim_cur = end;
			if (setrlimit(RLIMIT_NOFILE, &limit) < 0) {
				(void)getrlimit(RLIMIT_NOFILE, &limit);
				room = find_closed(0, &limit.rlim_cur, want, 0);
			}
		}
	}
	if (room < FD_RESERVE + 3)
		fail(0, "the limit of open files is too low: %lu, and %lu are needed",
		    (unsigned long)limit.rlim_cur,
		    (unsigned long)(limit.rlim_cur + FD_RESERVE + 3 - room));
	room -= FD_RESERVE;
	spare = room / 4 < EPMD_CONN_SPARE ? room / 4 : EPMD_CONN_SPARE;
	if (spare < 2)
		spare = 2;
	conn_limit = (uint16_t)room;
	nodes.limit = (uint16_t)(room - spare < EPMD_NODE_MAX ? room - spare : EPMD_NODE_MAX);
}

/* Logs what is admitted and where; in the foreground only if the limit of open files lowers it. */
static void log_start(void)
{
	char where[EPMD_LINE_MAX] = "", text[ADDRESS_TEXT_MAX], lowered[64] = "";
	struct rlimit limit;
	union address own;
	size_t at = 0;
	int k;

	if (conn_limit < EPMD_CONN_MAX && getrlimit(RLIMIT_NOFILE, &limit) == 0)
		snprintf(lowered, sizeof lowered, ", lowered by the limit of open files (%lu)",
		    (unsigned long)limit.rlim_cur);
	else if (!set.daemon && !journal)
		return;
	for (k = 0; k < listen_len; k++) {
		own = socket_address(polled[POLL_LISTEN + k].fd, 0);
		address_text(&own, text);
		at = add_text(where, sizeof where, at, "%s%s", k > 0 ? ", " : "", text);
	}
	log_at(*lowered != '\0' ? 0 : LOG_NOTE,
	    "epmd %s admits %d nodes and %d connections%s, at port %u of %s", EPMD_VERSION,
	    nodes.limit, conn_limit, lowered, (unsigned)set.port, where);
}

/*
 * Becomes -user for good: a user of /etc/passwd, by name or number, and its group; or a number that
 * is not there, which is the group's too. getpwnam(3) would allocate memory, and need shared
 * libraries in a static binary. The part of a line that does not fit into line[] is skipped.
 */
static void become_user(void)
{
	uint32_t number, uid = 0, gid = 0;
	const int numeric = is_number(set.user, &number); /* it sets errno with some libc */
	const int fd = open("/etc/passwd", O_RDONLY);
	char line[1024], *field[5], *end = line;
	gid_t group;
	off_t at = 0;
	ssize_t n = 0;
	int begins, found = 0;

	if (fd < 0 && errno != ENOENT)
		fail(errno, "cannot read /etc/passwd");
	while (fd >= 0 && !found && (n = pread(fd, line, sizeof line - 1, at)) > 0) {
		begins = end != NULL;
		end = memchr(line, '\n', (size_t)n);
		at += end != NULL ? end - line + 1 : n;
		line[end != NULL ? end - line : n] = '\0';
		split(line, ':', field, 5); /* name:password:uid:gid: */
		found = begins && field[4] != NULL && is_number(field[2], &uid) &&
		    is_number(field[3], &gid) &&
		    (strcmp(field[0], set.user) == 0 || (numeric && uid == number));
	}
	if (n < 0)
		fail(errno, "cannot read /etc/passwd");
	if (fd >= 0)
		(void)close(fd);
	if (!found && !numeric)
		fail(0, "no such user: \"%s\"", set.user);
	if (!found)
		uid = gid = number;
	group = (gid_t)gid;
	if (setgroups(1, &group) < 0 || setgid(group) < 0 || setuid((uid_t)uid) < 0)
		fail(errno, "cannot become user \"%s\"", set.user);
	if (uid != 0 && setuid(0) == 0)
		fail(0, "cannot give up root for user \"%s\"", set.user);
}

/*
 * Sets the secret of the names' hash without waiting for entropy, which a device may lack while it
 * boots. Then the clock, the process and the stack's address have to do.
 */
static void set_key(void)
{
	struct timespec now = { 0, 0 };
	uint64_t random = 0;
	int fd = -1;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	nodes.key = (uint64_t)now.tv_sec << 32 ^ (uint64_t)now.tv_nsec << 16 ^ (uint64_t)getpid() ^
	    (uint64_t)(uintptr_t)&now;
#ifdef SYS_getrandom
	if (syscall(SYS_getrandom, &random, sizeof random, GRND_NONBLOCK) != (long)sizeof random)
#endif
		fd = open("/dev/urandom", O_RDONLY | O_NONBLOCK);
	if (fd >= 0) {
		(void)!read(fd, &random, sizeof random);
		(void)close(fd);
	}
	nodes.key ^= random;
}

/* Gives up rights that the daemon does not need, for the case that a peer takes it over. */
static void give_up_rights(void)
{
#ifdef PR_SET_NO_NEW_PRIVS
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#endif
#ifdef __OpenBSD__
	tzset(); /* while its file can be read */
	if (pledge("stdio inet unix", NULL) < 0)
		log_at(0, "pledge: %s", strerror(errno));
#endif
}

/*
 * Goes to the background: the daemon is the child of a child. The caller waits for the first child,
 * so that no zombie is left to a parent that knows nothing of it. It ends with a true status, since
 * all that can fail was done before.
 */
static void detach(void)
{
	pid_t pid = fork();
	int status = 0;

	if (pid > 0) {
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		_exit(status == 0 && !ended ? 0 : 1);
	}
	if (pid == 0) {
		(void)setsid();
		pid = fork();
	}
	if (pid < 0)
		fail(errno, "fork");
	if (pid > 0)
		_exit(0);
	(void)!chdir("/");
	log_socket = socket(AF_UNIX, SOCK_DGRAM, 0);
	null_stdio(1);
}

/* Opens the socket to the supervisor, and tells it that the daemon serves, as sd_notify(3) does. */
static void open_notify(void)
{
	const char *const path = getenv("NOTIFY_SOCKET");
	const size_t len = path != NULL ? strlen(path) : 0;
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	if (len == 0 || len >= sizeof to.sun_path)
		return;
	memcpy(to.sun_path, path, len);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	notify_socket = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (notify_socket < 0)
		return;
	if (connect(notify_socket, (const struct sockaddr *)&to,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == 0)
		notify_ready();
	else
		(void)close(notify_socket);
}

/* ==== 15 main: the options, the environment, then a command or the daemon ================== */

static int command_help(void); /* which lists options[] */

/* The daemon's options, the commands, and their options: -help begins a part where that changes. */
static const struct option options[] = {
	{ "-port", "ERL_EPMD_PORT", .number = &set.port, .min = 1, .max = 65535,
	    .usual = EPMD_PORT, .use = OF_BOTH, .help =
	    "-port Number         TCP port, of the commands too (4369, or ERL_EPMD_PORT)" },
	{ "-address", "ERL_EPMD_ADDRESS", .text = &set.addresses, .needs = "IP addresses", .help =
	    "-address List        IP addresses to listen on beside loopback, separated by\n"
	    "                       commas (all, or ERL_EPMD_ADDRESS)" },
	{ "-d", .flag = &set.debug, .help =
	    "-d, -debug           log what happens; twice: bytes too; thrice: tables too" },
	{ "-debug", .flag = &set.debug },
	{ "-daemon", .flag = &set.daemon, .use = OF_BOTH, .help =
	    "-daemon              go to the background, and log to syslog" },
	{ "-user", .text = &set.user, .needs = "a name", .help =
	    "-user Name           become this user once the sockets are open" },
	{ "-systemd", .flag = &set.systemd, .help =
	    "-systemd             take the sockets from a supervisor" },
	{ "-local_names", "ERL_EPMD_LOCAL_NAMES", .flag = &set.local_names, .help =
	    "-local_names         list names to this host only (ERL_EPMD_LOCAL_NAMES)" },
	{ "-relaxed_command_check", "ERL_EPMD_RELAXED_COMMAND_CHECK", .flag = &set.relaxed, .help =
	    "-relaxed_command_check\n"
	    "                       allow -stop, and -kill while nodes are registered\n"
	    "                       (ERL_EPMD_RELAXED_COMMAND_CHECK)" },
	{ "-packet_timeout", .number = &set.packet_timeout_s, .min = 1, .max = 86400, .usual = 60,
	    .help = "-packet_timeout Seconds\n"
	    "                       limit for a request, or for a pause in reading (60)" },
	{ "-exit_idle", "ERL_EPMD_EXIT_IDLE", .number = &set.exit_idle_s, .min = 1,
	    .max = 365 * 86400, .help =
	    "-exit_idle Seconds   end when there was no node and no connection for so long\n"
	    "                       (never, or ERL_EPMD_EXIT_IDLE)" },
	{ "-delay_accept", .number = &set.delay_accept_s, .max = 86400, .help =
	    "-delay_accept Seconds, -delay_write Seconds\n"
	    "                       play a busy host, for tests (0)" },
	{ "-delay_write", .number = &set.delay_write_s, .max = 86400 },

	{ "-names", .run = command_list, .request = EPMD_NAMES_REQ, .help =
	    "-names               list the registered nodes and their ports" },
	{ "-lookup", .run = command_lookup, .args = 1, .needs = "a name", .help =
	    "-lookup Name         print the port of a node; with -d the whole entry" },
	{ "-status", .run = command_status, .help =
	    "-status              print a table of all nodes" },
	{ "-counts", .run = command_counts, .help =
	    "-counts              print what was counted, for Prometheus" },
	{ "-register", .run = command_register, .args = 2, .needs = "a name and a port", .help =
	    "-register Name Port  register a name while this runs; with -wait again after\n"
	    "                       a restart of the daemon" },
	{ "-started", .run = command_started, .help =
	    "-started             only the exit status: 0 if a daemon answers" },
	{ "-kill", .run = command_word, .request = EPMD_KILL_REQ, .help =
	    "-kill                end the daemon" },
	{ "-stop", .run = command_word, .request = EPMD_STOP_REQ, .args = 1, .needs = "a name",
	    .help = "-stop Name           end the registration of a node" },
	{ "-dump", .run = command_list, .request = EPMD_DUMP_REQ, .help =
	    "-dump                list nodes and remembered names with descriptors" },
	{ "-help", .run = command_help, .is_alone = 1, .help = "-help, -version" },
	{ "-h", .run = command_help, .is_alone = 1 },
	{ "-version", .run = command_version, .is_alone = 1 },
	{ "-V", .run = command_version, .is_alone = 1 },

	{ "-host", .text = &set.host, .needs = "a host's name or address", .use = OF_COMMAND,
	    .help = "-host Name           ask the daemon there: a name or an IP address" },
	{ "-timeout", .number = &set.timeout_s, .min = 1, .max = 86400, .usual = 5,
	    .use = OF_COMMAND, .help =
	    "-timeout Seconds     limit for an answer (5)" },
	{ "-wait", .number = &set.wait_s, .max = 86400, .use = OF_COMMAND, .help =
	    "-wait Seconds        try again until it succeeds, for so long (0)" }
};

static int command_help(void)
{
	const struct option *o;

	(void)cli_say("usage: epmd [OPTION]...            be the daemon, in the foreground\n"
	    "       epmd [OPTION]... COMMAND    ask a daemon\n\nDaemon:\n");
	for (o = options; o < options + LENGTH(options); o++) {
		if (o->run != NULL && o[-1].run == NULL)
			(void)cli_say("\nCommands:\n");
		if (o->run == NULL && o > options && o[-1].run != NULL)
			(void)cli_say("\nOptions of the commands:\n");
		if (o->help != NULL)
			(void)cli_say("  %s\n", o->help);
	}
	return cli_say("\nExamples:\n"
	    "  epmd -address 127.0.0.1 -daemon\n"
	    "  epmd -wait 30 -lookup rabbit\n"
	    "  epmd -host 192.0.2.1 -names\n"
	    "\nsee epmd(8)\n");
}

/* What the command line says, beside the settings. */
struct command_line {
	const struct option *command;      /* or NULL */
	char **arg;                        /* its arguments */
	const struct option *last[USES];   /* the last option of each use, or NULL */
};

/* Finds a row by its name, which may be written with two dashes. Returns NULL if there is none. */
static const struct option *option_find(const char *word)
{
	const struct option *o;

	word += strncmp(word, "--", 2) == 0;
	for (o = options; o < options + LENGTH(options); o++)
		if (strcmp(o->name, word) == 0)
			return o;
	return NULL;
}

/*
 * Says that a word is no option and no command, and which one is most like it, if any is: letters
 * that both have at the beginning count twice, those at the end once.
 */
static const char *unknown_word(const char *word, char text[LOG_MAX])
{
	const char *const begin = word + strspn(word, "-"), *const equals = strchr(word, '=');
	const size_t len = strcspn(begin, "=");
	const struct option *o, *like = NULL;
	union address address;
	const char *value = "";
	size_t at, first, last, o_len, most = len < 2 ? 0 : 2;

	for (o = options; o < options + LENGTH(options); o++) {
		o_len = strlen(o->name) - 1;
		for (first = 0; first < len && begin[first] == o->name[1 + first]; first++)
			;
		for (last = 0; first + last < len && first + last < o_len &&
		    begin[len - 1 - last] == o->name[o_len - last]; last++)
			;
		if (2 * first + last > most) {
			most = 2 * first + last;
			like = o;
		}
	}
	at = add_text(text, LOG_MAX, 0, *word == '-' ? "option: %s" : "command: \"%s\"", word);
	if (like != NULL && like->flag == NULL && equals != NULL)
		value = equals + 1;
	if (address_parse(word, 0, &address) == 0)
		(void)add_text(text, LOG_MAX, at, " (the addresses of -address have commas between "
		    "them)");
	else if (like != NULL)
		(void)add_text(text, LOG_MAX, at, " (did you mean %s%s%s?)", like->name,
		    *value != '\0' ? " " : "", value);
	return text;
}

/* Sets an option's value, from the line or the environment. */
static void set_value(const struct option *o, const char *from, const char *text)
{
	const char *const colon = strrchr(text, ':');
	uint32_t port;

	if (colon != NULL && o->text == &set.user)
		fail(MISTAKE, "-user takes a user, and the group is that user's: \"%s\"", text);
	if (colon != NULL && o->text == &set.host && is_number(colon + 1, &port) &&
	    (strchr(text, ':') == colon || colon[-1] == ']'))
		fail(MISTAKE, "-host takes no port: \"%s\" (did you mean -host %.*s -port %s?)",
		    text, (int)(colon - text), text, colon + 1);
	if (o->number != NULL)
		*o->number = number_parse(from, text, o->min, o->max);
	else
		*o->text = text;
}

/*
 * Sets what the options say, and what the environment says of the others. Behind a command there
 * are its arguments and -d alone.
 */
static void read_settings(char **argv, struct command_line *line)
{
	uint8_t is_given[LENGTH(options)] = { 0 };
	char text[LOG_MAX];
	const struct option *o;
	const char *value;
	int k;

	for (o = options; o < options + LENGTH(options); o++)
		if (o->number != NULL)
			*o->number = o->usual;
	for (; *argv != NULL; argv++) {
		o = option_find(*argv);
		if (line->command != NULL && o == NULL)
			fail(MISTAKE, "nothing goes behind %s: \"%s\"", line->command->name, *argv);
		if (line->command != NULL && o->run != NULL)
			fail(MISTAKE, "one command at a time: %s, or %s", line->command->name,
			    o->name);
		if (line->command != NULL && o->flag != &set.debug)
			fail(MISTAKE, "%s goes before %s", o->name, line->command->name);
		if (o == NULL)
			fail(MISTAKE, "unknown %s", unknown_word(*argv, text));
		if (o->run != NULL) {
			line->command = o;
			line->arg = argv + 1;
		} else {
			is_given[o - options] = 1;
			line->last[o->use] = o;
		}
		for (k = o->run != NULL ? o->args : o->flag == NULL; k > 0; k--)
			if (*++argv == NULL)
				fail(MISTAKE, "%s needs %s", o->name,
				    o->number != NULL ? "a number" : o->needs);
			else if ((**argv == '-' || **argv == '\0') && o->number == NULL &&
			    o->request != EPMD_STOP_REQ) /* OTP's takes any name there */
				fail(MISTAKE, "%s needs %s, not \"%s\"", o->name, o->needs, *argv);
		if (o->flag != NULL)
			++*o->flag;
		else if (o->run == NULL)
			set_value(o, o->name, *argv);
	}
	for (o = options; o < options + LENGTH(options); o++) {
		value = o->variable != NULL ? getenv(o->variable) : NULL;
		if (value == NULL || is_given[o - options])
			continue;
		if (line->command != NULL && (o->use == OF_DAEMON || line->command->is_alone))
			continue;
		if (o->flag != NULL)
			*o->flag = 1;
		else if (*value != '\0' && !(o->number == &set.port && set.systemd))
			set_value(o, o->variable, value); /* one that is empty counts as not set */
	}
}

/*
 * Opens all listening sockets. If another epmd has the port, `epmd -daemon`, which erl runs at
 * every start, has nothing to do; it says so if it was given other options.
 */
static void open_sockets(int has_options)
{
	char on[ADDRESS_TEXT_MAX];
	int error, is_epmd = 0;

	if (listen_open(on) == 0)
		return;
	error = errno;
	listen_close();
	if (error == EADDRINUSE) {
		set.wait_s = 1; /* one that has just bound it may need a moment until it listens */
		is_epmd = run_command(option_find("-started"), NULL) == 0;
	}
	if (is_epmd && set.daemon) {
		(void)complain(0, "an epmd serves port %u already: nothing was started, "
		    "and the options were not applied", (unsigned)set.port);
		if (has_options)
			cli_tell();
		exit(0);
	}
	fail(0, "cannot listen on %s port %u: %s%s", on, (unsigned)set.port,
	    address_error(error, on), error != EADDRINUSE ? "" :
	    is_epmd ? ": an epmd answers there already" :
	    cli.error == ETIMEDOUT ? ": what has it does not answer" :
	    ": something that is no epmd has it");
}

/*
 * The order of the steps matters:
 *   - Standard input, output and error are open before any other descriptor is, and open_log()
 *     comes before the daemon may write to the last of them.
 *   - The environment is read after the options, since it counts only for those not given.
 *   - What the caller left open is closed before the daemon opens descriptors; and all but
 *     FD_RESERVE of those are open before set_limits() counts how many are left.
 *   - What may take root comes before become_user(): a port below 1024, /dev/urandom, /etc/passwd.
 *     A chroot would belong there, between reading that file and setuid().
 *   - What may fail comes before detach(), so that the caller's status is true. A kqueue is opened
 *     after it, as no child inherits it; and children are ignored, as detach() waits for one.
 *   - Rights are given up when nothing is left that needs them; then the supervisor is told.
 */
int main(int argc, char **argv)
{
	struct command_line line = { .command = NULL };
	int64_t next_ms;

	(void)argc;
	null_stdio(0);
	reset_signals();
	read_settings(argv + 1, &line);
	if (line.command != NULL) {
		ignore_children();
		return run_command(line.command, line.arg);
	}
	if (line.last[OF_COMMAND] != NULL)
		fail(MISTAKE, "%s is for a command, and there is none",
		    line.last[OF_COMMAND]->name);
	open_log();
	if (set.daemon)
		close_inherited(STDERR_FILENO + 1 + (set.systemd ? listen_handed() : 0));
	if (set.systemd)
		listen_inherit();
	else
		open_sockets(line.last[OF_DAEMON] != NULL);
	catch_signals();
	set_limits();
	set_key();
	if (set.user != NULL)
		become_user();
	if (set.daemon)
		detach();
	open_queue();
	ignore_children();
	give_up_rights();
	if (set.systemd)
		open_notify();
	counts.since_ms = clock_ms();
	log_start();
	log_at(1, "epmd running - daemon = %d", set.daemon);
	for (next_ms = turn_clock(); !ended; next_ms = turn(next_ms))
		;
	turn_signals(); /* the counts may still be wanted */
	log_end();
	return 0;
}

#endif /* EPMD_CORE_ONLY */
