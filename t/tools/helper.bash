# What every *.bats file shares: a directory of its own for each test, daemons on free ports, raw
# connections, and an end of everything that the test started.
#
#   EPMD         the binary under test (ROOT/epmd)
#   EPMD_RUNNER  words before it, as "qemu-s390x-static" or "valgrind -q"
#   REF          OTP's epmd, for comparisons (/usr/bin/epmd)

bats_require_minimum_version 1.5.0

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
EPMD=$(realpath -m "${EPMD:-$ROOT/epmd}")
REF=${REF:-/usr/bin/epmd}
BUILD=$ROOT/t/build
PATIENCE=30 # seconds until a condition that was waited for counts as failed
unset ERL_EPMD_PORT ERL_EPMD_ADDRESS ERL_EPMD_RELAXED_COMMAND_CHECK ERL_EPMD_EXIT_IDLE LISTEN_FDS \
    LISTEN_PID NOTIFY_SOCKET

setup() {
    common_setup
}

teardown() {
    common_teardown
}

common_setup() {
    TMP=$(mktemp -d)
    : >"$TMP/pids"
    : >"$TMP/netns"
    free_port
}

common_teardown() {
    local pid ns
    while read -r pid; do
        end "$pid"
    done <"$TMP/pids"
    while read -r ns; do
        ip netns pids "$ns" | while read -r pid; do end "$pid"; done
        ip netns del "$ns"
    done <"$TMP/netns"
    rm -rf "$TMP"
}

# ---- checks

is() { # ACTUAL EXPECTED
    [ "$1" = "$2" ] || {
        printf 'got:      %s\nexpected: %s\n' "$1" "$2" >&2
        return 1
    }
}

like() { # ACTUAL EXTENDED-REGEX
    [[ $1 =~ $2 ]] || {
        printf 'got:      %s\nexpected: %s\n' "$1" "$2" >&2
        return 1
    }
}

# what a command says: STATUS, standard output and standard error, in lines
told() { # COMMAND...
    run --separate-stderr "$@"
    printf '%s|%s|%s\n' "$status" "$output" "$stderr"
}

# a mistake: one line on standard error that is like this, no standard output, status 1
fails() { # EXTENDED-REGEX COMMAND...
    echo "${*:2}"
    like "$(told timeout 20 "${@:2}")" "^1\|\|epmd: $1"$'[^\n]*$'
}

wait_for() { # COMMAND... until it is true
    local until=$((SECONDS + PATIENCE))
    until "$@"; do
        [ "$SECONDS" -lt "$until" ] || {
            echo "waited in vain for: $*" >&2
            return 1
        }
        sleep 0.02
    done
}

# ---- what a test needs, without which it is left out; in words that t/run counts

need() { # COMMAND
    command -v "$1" >/dev/null || skip "no $1"
}

need_root() { # WHAT-FOR
    [ "$(id -u)" = 0 ] || skip "needs root: $1"
    case $1 in *network*) need ip ;; esac
}

# takes long, or a package that is for few tests
full() {
    [ -n "${FULL-}" ] || skip 'FULL=1 has it'
}

# ---- processes

# Everything is ended by its process number, never by its name. Asked first, then forced.
end() { # PID
    local i
    kill "$1" 2>/dev/null || return 0
    for i in {1..100}; do
        gone "$1" && return 0
        sleep 0.02
    done
    kill -9 "$1" 2>/dev/null || :
}

# a zombie has ended too: its parent may be somebody else
gone() { # PID
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
    stat=${stat##*) }
    [ "${stat%% *}" = Z ]
}

remember() { # PID: to be ended with the test
    echo "$1" >>"$TMP/pids"
}

free_port() { # into $PORT
    PORT=$("$BUILD/raw" -f)
}

listening() { # PORT: on IPv4; connects to nothing
    local hex
    printf -v hex %04X "$1"
    grep -q ":$hex 00000000:0000 0A" /proc/net/tcp
}

listening_on() { # NETNS PORT
    ip netns exec "$1" grep -q "$(printf ":%04X 00000000:0000 0A" "$2")" /proc/net/tcp
}

epmd() { # the binary under test, in the foreground
    $EPMD_RUNNER "$EPMD" "$@"
}

closed_output() { # COMMAND...
    "$@" >&-
}

# a process that ends with the test, at the latest; if it is no function, $! is its number
background() { # COMMAND...
    "$@" 3>&- &
    remember $!
}

# what is to listen on $PORT until the test ends, its process in $EPMD_PID
serve() { # COMMAND...
    background "$@"
    EPMD_PID=$!
    wait_for listening "$PORT"
}

# a daemon on $PORT, its log in $TMP/log
start_quiet() { # OPTION...
    serve $EPMD_RUNNER "$EPMD" -port "$PORT" "$@" >"$TMP/log" 2>&1
}

# the same with -d
start() { # OPTION...
    start_quiet -d "$@"
}

# the same on the sockets of a supervisor, on $PORT of 127.0.0.1 and others
activated() { # SUPERVISOR-OPTION...
    serve "$BUILD/supervisor" -l "127.0.0.1,$PORT" "$@" "$EPMD" -d -systemd >"$TMP/log" 2>&1
}

# strace looks at the daemon, as process $TRACER
traced() { # STRACE-OPTION...
    background strace -qq "$@" -p "$EPMD_PID"
    TRACER=$!
    wait_for grep -q '^TracerPid:.*[1-9]' "/proc/$EPMD_PID/status"
}

listening_sockets() { # PORT: their inodes
    awk -v port="$(printf :%04X "$1")" '$4 == "0A" && index($2, port) { print $10 }' /proc/net/tcp \
        /proc/net/tcp6 2>/dev/null
}

listeners() { # PORT: the processes that listen there
    local inode
    for inode in $(listening_sockets "$1"); do
        find /proc/[0-9]*/fd -lname "socket:\[$inode\]" 2>/dev/null
    done | cut -d / -f 3 | sort -u
}

# a daemon that -daemon left behind on $PORT
adopt() {
    EPMD_PID=$(listeners "$PORT" | head -n 1)
    [ -n "$EPMD_PID" ] && remember "$EPMD_PID"
}

# the status that process $1 of ours ended with
ended() { # PID
    wait_for gone "$1"
    wait "$1"
}

ended_with() { # STATUS PID
    local status=0
    ended "$2" || status=$?
    is "$status" "$1"
}

# the log without dates, the priorities of -systemd, and OTP's carriage returns
log() {
    sed -E 's/^<[0-9]>//; s/^epmd: [A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [0-9]{4}: //
        s/\r$//' "$TMP/log"
}

logged() { # LINE, whole
    log | grep -qxF -- "$1"
}

logged_like() { # REGEX
    log | grep -q -- "$1"
}

# ---- bytes

hex() { # TEXT, without a process for it
    local LC_ALL=C i n out=
    for ((i = 0; i < ${#1}; i++)); do
        printf -v n %d "'${1:i:1}"
        printf -v n %02x $((n & 255))
        out+=$n
    done
    printf %s "$out"
}

rep() { # HEX COUNT
    local s
    printf -v s "%$2s" ''
    printf %s "${s// /$1}"
}

frame() { # BODY-HEX
    printf '%04x%s' $((${#1} / 2)) "$1"
}

alive2_hex() { # NAME-HEX [PORT [TYPE [HIGHEST [LOWEST [EXTRA-HEX [PROTOCOL]]]]]]
    local body
    printf -v body '78%04x%02x%02x%04x%04x%04x%s%04x%s' "${2:-5000}" "${3:-77}" "${7:-0}" \
        "${4:-6}" "${5:-5}" \
        $((${#1} / 2)) "$1" $((${#6} / 2)) "${6:-}"
    frame "$body"
}

alive2() { # NAME [PORT ...]
    alive2_hex "$(hex "$1")" "${@:2}"
}

please() { # NAME
    frame "7a$(hex "$1")"
}

stop_req() { # NAME
    frame "73$(hex "$1")"
}

names_req=00016e
dump_req=000164
kill_req=00016b

# ---- connections

ask() { # STEP...: see raw.c
    "$BUILD/raw" -p "$PORT" "$@"
}

headline() { # PORT: what -names prints first
    echo "epmd: up and running on port ${1:-$PORT} with data:"
}

names() { # the lines of NAMES, latest first, in one
    ask send $names_req text | tail -c +5 | tr '\n' ' ' | sed 's/ $//'
}

# a process that stays until let_go, under a tag; returns once it has printed LINES lines
keep() { # TAG LINES COMMAND...
    : >"$TMP/$1.out" # what another one of this tag said is not this one's
    background "${@:3}" >"$TMP/$1.out"
    echo $! >"$TMP/$1.pid"
    wait_for has_lines "$TMP/$1.out" "$2"
}

count() { # NAME: its value by -counts
    epmd -port "$PORT" -counts | sed -n "s/^epmd_$1 //p"
}

# connections that stay open
hold() { # TAG LINES STEP...
    keep "$1" "$2" "$BUILD/raw" -p "$PORT" "${@:3}" hold
}

has_lines() { # FILE COUNT
    [ "$(wc -l <"$1")" -ge "$2" ]
}

# a node that lives until let_go NAME; what it was answered is in $ANSWER
register() { # NAME [PORT [TYPE [HIGHEST ...]]]
    local len=6
    [ "${4:-6}" -ge 6 ] || len=4
    hold "$1" 1 send "$(alive2 "$@")" recv $len
    ANSWER=$(cat "$TMP/$1.out")
    like "$ANSWER" '^7[69]00'
}

# one that was registered, and has gone
was_here() { # NAME [PORT [TYPE [HIGHEST ...]]]
    register "$@"
    let_go "$1"
    wait_for unregistered "$1"
}

let_go() { # TAG
    local pid
    pid=$(cat "$TMP/$1.pid")
    kill "$pid"
    wait "$pid" 2>/dev/null || :
}

flood() { # MODE...: see flood.c
    "$BUILD/flood" "$PORT" "$@"
}

# the same, which holds its connections until let_go
flooded() { # TAG MODE...
    keep "$1" 1 "$BUILD/flood" "$PORT" "${@:2}"
}

# the creation in an answer, in decimal
creation() { # ANSWER-HEX
    echo $((16#${1:4}))
}

unregistered() { # NAME
    [ "$(ask send "$(please "$1")" eof)" = "7701 closed" ]
}

# who has the port answers so; the connections are lines in $TMP/stranger, what a command says of it
# is in $NO_ANSWER
stranger() { # SUPERVISOR-OPTION ARGUMENT...
    NO_ANSWER="epmd: unexpected answer from local epmd, port $PORT: is it one?"
    background "$BUILD/supervisor" "$1" "127.0.0.1,$PORT" "${@:2}" >"$TMP/stranger"
    wait_for listening "$PORT"
}

# a listener that never answers
mute() {
    background "$BUILD/supervisor" -l "127.0.0.1,$PORT" sleep 60
    wait_for listening "$PORT"
}

# ---- what the daemon takes

# the binary itself is watched: a runner's memory, descriptors and time are not its own
need_no_runner() {
    [ -z "$EPMD_RUNNER" ] || skip 'not through a runner'
}

descriptors() {
    find "/proc/$EPMD_PID/fd" -type l | wc -l
}

rss_kb() {
    sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$EPMD_PID/status"
}

cpu_ms() { # used so far, in steps of the kernel's tick
    local stat
    read -r stat <"/proc/$EPMD_PID/stat"
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    echo $(((${12} + ${13}) * 1000 / $(getconf CLK_TCK)))
}

is_registered() { # NAME
    [[ $(ask -t 3000 send "$(please "$1")" eof) =~ ^7700 ]]
}

# ---- namespaces

# a network of its own with loopback up; prints its name
netns() {
    local ns
    ns=epmd$$_$(wc -l <"$TMP/netns")
    ip netns add "$ns"
    echo "$ns" >>"$TMP/netns"
    ip -n "$ns" link set lo up
    echo "$ns"
}

# a host of its own: $HOST
one_host() {
    need_root "network namespaces"
    HOST=$(netns)
}

# two hosts on one wire: $HOST_A, or $HOST, is 10.77.0.1 and fd77::1, $HOST_B .2, the devices are wa
# and wb
two_hosts() {
    one_host
    HOST_A=$HOST
    HOST_B=$(netns)
    ip link add wa netns "$HOST_A" type veth peer name wb netns "$HOST_B"
    ip -n "$HOST_A" addr add 10.77.0.1/24 dev wa
    ip -n "$HOST_B" addr add 10.77.0.2/24 dev wb
    ip -n "$HOST_A" addr add fd77::1/64 dev wa nodad
    ip -n "$HOST_B" addr add fd77::2/64 dev wb nodad
    ip -n "$HOST_A" link set wa up
    ip -n "$HOST_B" link set wb up
}

on() { # NETNS COMMAND...
    ip netns exec "$@"
}

# a daemon with -d on the standard port of a namespace
start_on() { # NETNS OPTION...
    background ip netns exec "$1" $EPMD_RUNNER "$EPMD" -d "${@:2}" >"$TMP/log" 2>&1
    EPMD_PID=$!
    wait_for listening_on "$1" 4369
}

ask_on() { # NETNS ADDRESS STEP...
    ip netns exec "$1" "$BUILD/raw" -p 4369 -a "$2" "${@:3}"
}

# a node that lives until let_go NAME
register_on() { # NETNS NAME ADDRESS
    keep "$2" 1 ip netns exec "$1" "$BUILD/raw" -p 4369 -a "$3" send "$(alive2 "$2")" recv 6 hold
}
