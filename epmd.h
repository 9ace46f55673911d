/*
 * epmd.h - the Erlang Port Mapper Daemon: the wire, the limits, the core's types and functions
 *
 * It needs no header but the compiler's own, so that a test, a fuzzer, a proof or a client of
 * another project can include it.
 */
#ifndef EPMD_H
#define EPMD_H

#include <stddef.h>
#include <stdint.h>

#define EPMD_VERSION "1.1.0"

/*
 * The wire ("EPMD Protocol" of Erlang's distribution protocol, erl_dist_protocol). All integers are
 * big-endian. A request is `length:16, body`, and the length does not count itself. An answer has
 * no length; the connection is closed behind it, unless it grants a registration. One connection
 * carries one request. A body is its byte and what stands beside it, and behind `->` is its answer.
 * NAME and EXTRA are answered as they came.
 */
#define EPMD_ALIVE2_REQ        120  /* port:16 type:8 protocol:8 highest:16 lowest:16 nlen:16
                                       NAME elen:16 EXTRA -> ALIVE2_X_RESP or ALIVE2_RESP */
#define EPMD_ALIVE2_X_RESP     118  /* result:8 creation:32, if `highest` is 6 or more */
#define EPMD_ALIVE2_RESP       121  /* result:8 creation:16, if it is less; result 0: registered for
                                       as long as the connection lasts; 1: refused, creation 99 */
#define EPMD_PORT_PLEASE2_REQ  122  /* NAME -> PORT2_RESP */
#define EPMD_PORT2_RESP        119  /* 0:8 port:16 type:8 protocol:8 highest:16 lowest:16
                                       nlen:16 NAME elen:16 EXTRA; or 1:8, no node has the name */
#define EPMD_NAMES_REQ         110  /* -> epmdport:32, then a line of text for each node */
#define EPMD_DUMP_REQ          100  /* -> epmdport:32, then a line of text and a NUL for each node,
                                       live or remembered */
#define EPMD_KILL_REQ          107  /* -> "OK" and the daemon ends, or "NO" */
#define EPMD_STOP_REQ          115  /* NAME -> "STOPPED" or "NOEXIST" */
/*
 * Not OTP's but eclus's. The line of each node, live or remembered, is of columns separated by
 * tabs: name, port, descriptor, "active" or "down", creation, since when (UTC); and, beyond
 * eclus's, type, highest and lowest version.
 */
#define EPMD_STATUS_REQ        78   /* -> epmdport:32, then a line of text for each node; if it is
                                       followed by "c", what was counted since the daemon's start,
                                       in Prometheus's text format */

#define EPMD_TYPE_NORMAL       77   /* node types; 110 is an older one's */
#define EPMD_TYPE_HIDDEN       72
#define EPMD_PORT              4369 /* TCP, registered with IANA */
#define EPMD_VERSION_X         6    /* the first distribution version with 32-bit creations */
#define EPMD_REFUSED_CREATION  99
#define EPMD_CREATION_MIN      4    /* of 32 bits: 0 is none, 1 to 3 are an older node's */

/*
 * Limits. Each can be overridden with -D; the relations between them are checked below.
 */
#ifndef EPMD_NODE_MAX
#define EPMD_NODE_MAX 1024             /* nodes, live and remembered together */
#endif
#ifndef EPMD_CONN_SPARE
#define EPMD_CONN_SPARE 256            /* connections beside those of the nodes; each may be slow */
#endif
#ifndef EPMD_LISTEN_MAX
#define EPMD_LISTEN_MAX 32             /* listening sockets */
#endif
#ifndef EPMD_BATCH_MAX
#define EPMD_BATCH_MAX 64              /* connections served from one source in one turn */
#endif
#ifndef EPMD_SCRATCH_MAX
/* bytes of a listing that are made and sent at a time; fewer, if a few nodes need no more */
#define EPMD_SCRATCH_MAX \
	(EPMD_NODE_MAX < 56 ? EPMD_NODE_MAX * EPMD_LINE_MAX + EPMD_PACKET_MAX : 65536)
#endif
#ifndef EPMD_UNREAD_MAX
#define EPMD_UNREAD_MAX 16384          /* bytes of an answer in the kernel; Linux doubles it */
#endif
#define EPMD_CONN_MAX   (EPMD_NODE_MAX + EPMD_CONN_SPARE)
#define EPMD_NAME_CHARS 255            /* characters of a name */
#define EPMD_NAME_MAX   (4 * EPMD_NAME_CHARS) /* bytes of a name: at most four a character */
#define EPMD_BRIEF_MAX  64             /* bytes of a name that is kept in brief[]; most are */
#define EPMD_EXTRA_MAX  1020           /* bytes of a node's extra field */
#define EPMD_PACKET_MAX 3059           /* bytes of a request with its length: OTP's bound */
#define EPMD_ANSWER_MAX (14 + EPMD_NAME_MAX + EPMD_EXTRA_MAX) /* bytes of the longest PORT2_RESP */
#define EPMD_LINE_MAX   (80 + EPMD_NAME_MAX) /* bytes of the longest line of a listing */

#if EPMD_NODE_MAX < 1 || EPMD_NODE_MAX > 32000
#error "EPMD_NODE_MAX must be 1 to 32000"
#endif
#if EPMD_CONN_SPARE < 2 || EPMD_CONN_SPARE > 32000
#error "EPMD_CONN_SPARE must be 2 to 32000: for a listing that waits, and a look-up beside it"
#endif
#if EPMD_LISTEN_MAX < 2
#error "EPMD_LISTEN_MAX must be 2 or more: IPv4 and IPv6"
#endif
#if EPMD_BATCH_MAX < 1
#error "EPMD_BATCH_MAX must be 1 or more"
#endif
#if EPMD_SCRATCH_MAX < EPMD_PACKET_MAX + EPMD_LINE_MAX
#error "EPMD_SCRATCH_MAX must hold what a connection keeps back and a line"
#endif
#if EPMD_PACKET_MAX < 15 + EPMD_NAME_MAX + EPMD_EXTRA_MAX || EPMD_PACKET_MAX < EPMD_ANSWER_MAX
#error "EPMD_PACKET_MAX must hold the longest registration and the longest answer"
#endif

/* Some of the rows in an order, each at most once. */
struct epmd_order {
	uint16_t len;
	uint16_t row[EPMD_NODE_MAX];
};

/*
 * A row of the table: a live node, or one that has ended and is remembered for its creation. Its
 * name and its extra stand in arrays of the table.
 */
struct epmd_node {
	uint64_t serial;       /* counts the registrations and ends of all nodes: this row's last */
	uint32_t creation;     /* EPMD_CREATION_MIN or more */
	uint32_t since;        /* when it became live or remembered: seconds, wall clock */
	int fd;                /* the connection's descriptor, only to be listed */
	uint16_t owner;        /* the connection's slot, as the caller counts slots */
	uint16_t port;
	uint16_t highest;
	uint16_t lowest;
	uint16_t name_len;     /* bytes, 1 to EPMD_NAME_MAX */
	uint16_t extra_len;    /* bytes, to EPMD_EXTRA_MAX */
	uint8_t type;
	uint8_t protocol;
	uint8_t live;
};

/*
 * The table of nodes. A node stays in its row, so a row's index stands for the node. A table of
 * zeros is empty, but needs its `limit` and `key`. A name of up to EPMD_BRIEF_MAX bytes is in
 * brief[], a longer one in name[]; so 1,000 short names touch 16 pages of memory, not 250.
 */
struct epmd_nodes {
	uint64_t key;                  /* the secret of the hash; set while the table is empty */
	uint64_t serial;               /* the last one given to a row */
	uint32_t forgotten;            /* the latest creation of a forgotten name, or 0 */
	uint16_t limit;                /* how many nodes may live, up to EPMD_NODE_MAX */
	uint16_t top;                  /* rows below it are live or remembered, others unused */
	struct epmd_order live;        /* the live rows, by rising serial */
	struct epmd_order old;         /* the remembered rows, by rising serial */
	struct epmd_order by_hash;     /* all rows below top, by rising hash, for a binary search */
	uint32_t hash[EPMD_NODE_MAX];  /* of the names; apart, as a search reads few bytes then */
	struct epmd_node node[EPMD_NODE_MAX];
	uint8_t brief[EPMD_NODE_MAX][EPMD_BRIEF_MAX];
	uint8_t name[EPMD_NODE_MAX][EPMD_NAME_MAX];
	uint8_t extra[EPMD_NODE_MAX][EPMD_EXTRA_MAX];
};

/*
 * Where a listing goes on. If nodes register and end meanwhile, each node that stays is still
 * listed exactly once.
 */
struct epmd_cursor {
	uint64_t serial;       /* of the row listed last; before it UINT64_MAX, of the old ones 0 */
	uint16_t at;           /* its place in its order then, near which the next one stands */
	uint8_t kind;          /* EPMD_NAMES_REQ, EPMD_DUMP_REQ or EPMD_STATUS_REQ; 0 at the end */
	uint8_t old;           /* whether the live rows are done and the remembered ones follow */
};

/* The connection that asks, and the daemon's settings. */
struct epmd_asker {
	uint32_t now;          /* seconds, wall clock; the first creation of a new name */
	int fd;
	uint16_t owner;        /* the connection's slot */
	uint16_t port;         /* the daemon's own */
	uint8_t local;         /* whether the peer is on this host */
	uint8_t relaxed;       /* -relaxed_command_check */
	uint8_t local_names;   /* -local_names */
};

/* What to do with the connection. */
enum epmd_verdict {
	EPMD_MORE,             /* the request is not complete: read on */
	EPMD_DROP,             /* close, with no answer */
	EPMD_SEND,             /* send the answer, then close */
	EPMD_KEEP,             /* send the answer and stay open, as the registration of `node` */
	EPMD_LIST,             /* send the answer and the listing from `cursor` on, then close */
	EPMD_COUNTS,           /* send the answer with the caller's counts behind it, then close */
	EPMD_STOP,             /* close the owner of `node`, then send the answer and close */
	EPMD_QUIT              /* send the answer; the daemon ends */
};

/* Why, for the log. */
enum epmd_reason {
	EPMD_OK,
	EPMD_TAKEN,            /* a live node, `node`, has the name */
	EPMD_FULL,             /* as many live nodes as are admitted */
	EPMD_BAD_NAME,
	EPMD_BAD_EXTRA,
	EPMD_UNKNOWN_NODE,
	EPMD_LIVING_NODES,
	EPMD_MALFORMED,
	EPMD_UNKNOWN_REQUEST,
	EPMD_NOT_ALLOWED
};

struct epmd_answer {
	enum epmd_verdict verdict;
	enum epmd_reason reason;
	int node;              /* a row, or -1 */
	int kind;              /* the request's row in epmd.c's table of requests, or -1 */
	uint8_t request;       /* the request's first byte, or 0 before it came */
	size_t name_at;        /* where in the packet the name is, if it has one */
	size_t name_len;       /* bytes; 0 if it has none */
	size_t len;            /* bytes of out[] */
	struct epmd_cursor cursor;
	uint8_t out[EPMD_ANSWER_MAX];
};

/*
 * Answers the request of which in[0..fill-1], up to EPMD_PACKET_MAX bytes, has come so far, and
 * changes the table if a registration is granted. After the verdict EPMD_KEEP the caller must call
 * epmd_release() for a->node when the connection ends.
 */
void epmd_request(struct epmd_nodes *t, const struct epmd_asker *who, const uint8_t *in,
    size_t fill, struct epmd_answer *a);

/* Ends the node of this live row, so that its name is free, and remembers it. */
void epmd_release(struct epmd_nodes *t, int row, uint32_t now);

/*
 * Writes as many whole lines as fit into out[0..room-1], which must hold at least EPMD_LINE_MAX
 * bytes, and moves the cursor behind them. Returns the bytes written; 0 at the end of the listing.
 */
size_t epmd_list(const struct epmd_nodes *t, struct epmd_cursor *c, uint8_t *out, size_t room);

/* The name of this row, of node[row].name_len bytes, not terminated. */
const uint8_t *epmd_name(const struct epmd_nodes *t, int row);

#endif
