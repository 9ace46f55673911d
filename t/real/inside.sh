# The first process of a case's namespaces. It makes the host that the case runs on, then reads the
# case, whose steps use what is defined here:
#
#   $dir        the case's folder, and HOME
#   $EPMD       the binary that serves, which is also /usr/bin/epmd and the epmd that erl starts
#   $OTP        not empty if that is OTP's
#   $epmd_bin   the file behind both of them
#
# The host is called real. Its names are real, cb.local and nimbus; the port is a free one of its
# own in ERL_EPMD_PORT.
# shellcheck shell=bash disable=SC2119,SC2120,SC2154
set -eEu -o pipefail
export HOME=$dir

fail() {
    echo "FAILED: $*"
    exit 1
}

# Which command of the case it was, from the step down to it.
failed_at() { # command
    local i where=''
    for ((i = 1; i < ${#BASH_SOURCE[@]}; i++)); do
        where="${BASH_SOURCE[i]##*/}:${BASH_LINENO[i - 1]} $where"
    done
    fail "$where$1"
}
trap 'failed_at "$BASH_COMMAND"' ERR

step() { echo "- $*"; }
skip() {
    echo "$*"
    exit 77
}
versions() { printf '%s\n' "$@" >"$dir/versions"; } # product-and-version...
upstream_version() { dpkg-query -W -f '${source:Upstream-Version}' "$1"; } # package

# Asks every 20 ms, since there is nothing to wait on but the answer.
within() { # seconds command...
    local limit=$1 end=$((${EPOCHREALTIME/./} + $1 * 1000000))
    shift
    until "$@"; do
        [ "${EPOCHREALTIME/./}" -lt "$end" ] || fail "not within $limit s: $*"
        sleep 0.02
    done
}

wait_for() { within 20 "$@"; } # what has no time of its own

same() { # what wanted got
    [ "$2" = "$3" ] || fail "$1: wanted
$2
got
$3"
}

has() { # text line-pattern
    grep -q -e "$2" <<<"$1" || fail "no '$2' in: $1"
}

not() { ! "$@"; }

# --- the host --------------------------------------------------------------

# /etc/hosts gives each name a line of its own: the first name of a line is what a node takes for
# its host.
make_hosts() {
    printf '127.0.0.1 %s\n' real localhost cb.local nimbus
    printf '::1 %s\n' real localhost
}

# erl runs the epmd in its own BINDIR, whatever PATH says.
erts_epmd() {
    readlink -f /usr/bin/epmd
}

put_epmd_in_place() { # binary
    [ -e /usr/bin/epmd ] || return 0
    [ "$1" -ef /usr/bin/epmd ] || mount --bind "$1" "$(erts_epmd)"
}

make_host() {
    ip link set lo up
    hostname real
    make_hosts >"$dir/hosts"
    mount --bind "$dir/hosts" /etc/hosts
    if [ -n "$OTP" ]; then EPMD=$REF; fi
    epmd_bin=$(readlink -f "$EPMD")
    put_epmd_in_place "$epmd_bin"
    export ERL_EPMD_PORT=$((21000 + RANDOM % 10000))
}

# --- epmd ------------------------------------------------------------------

names() { epmd -names 2>/dev/null | sed -n 's/^name \(.*\) at port [0-9]*$/\1/p'; }
port_of() { epmd -names 2>/dev/null | sed -n "s/^name $1 at port //p"; }
known() { names | grep -qx -e "$1"; }
known_are() { [ "$(names | sort | xargs)" = "$*" ]; }
up() { epmd -names >/dev/null 2>&1; }

epmd_pids() { pgrep -x epmd || true; }

start_epmd() {
    epmd -daemon "$@"
    wait_for up
}

kill_epmd() {
    local pid
    pid=$(epmd_pids)
    kill -9 "$pid"
    wait_for not kill -0 "$pid" 2>/dev/null
}

listeners() { # port
    ss -ltnpH "sport = :$1" | grep -o 'pid=[0-9]*' | cut -d = -f 2 | sort -u
}

# Nodes register with the next epmd by themselves.
epmd_killed() { # name...
    step 'epmd is killed and started again: all are back within 3 s'
    kill_epmd
    start_epmd
    are_back "$@"
}

# What is asked may not find them yet: only that it starts epmd is asked here.
epmd_left_dead() { # names, in one word; then what the product does next
    step 'it is killed and left dead: what the product starts next starts it'
    kill_epmd
    "${@:2}" >/dev/null 2>&1 || true
    # shellcheck disable=SC2086
    are_back $1
}

are_back() { # name...
    local start=${EPOCHREALTIME/./} name
    for name in "$@"; do within 3 known "$name"; done
    echo "  after $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
    check_binary
}

# No case says anything about us if another binary has answered: neither what is called epmd nor
# who has the port.
check_binary() {
    local pid
    for pid in $(epmd_pids) $(listeners "${ERL_EPMD_PORT:-4369}" || true); do
        [ "/proc/$pid/exe" -ef "$epmd_bin" ] ||
            fail "another epmd serves: $(readlink "/proc/$pid/exe")"
    done
}

# --- Erlang nodes ----------------------------------------------------------

cookie=real
declare -A pid_of=()

otp_version() { # words before erl...
    "$@" erl -noinput -boot no_dot_erlang -eval '
        {ok, V} = file:read_file(filename:join([code:root_dir(), "releases",
            erlang:system_info(otp_release), "OTP_VERSION"])),
        io:put_chars(["OTP ", string:trim(V)]), halt().'
}

# One scheduler a node: fifty of them share the machine.
node_start() { # -sname|-name name [erl arguments...]
    local kind=$1 name=$2
    shift 2
    erl +S 1:1 -noinput "$kind" "$name" -setcookie "$cookie" "$@" &
    pid_of[$name]=$!
}

# Waits until the processes are gone, as whoever asks epmd next would.
node_kill() { # name...
    local name
    for name in "$@"; do
        kill -KILL "${pid_of[$name]}"
        wait "${pid_of[$name]}" 2>/dev/null || true
    done
}

# Evaluates in a running node; prints the result.
ask() { # -sname|-name name expression
    local answer
    answer=$(erl_call "$1" "$2" -c "$cookie" -e <<<"$3.") || return 1
    answer=${answer#\{ok, }
    printf '%s\n' "${answer%\}}"
}

answers() { [ "$(ask "$1" "$2" 'erlang:node()' 2>/dev/null)" != '' ]; }

nodes_up() { # -sname|-name name...
    local kind=$1 name
    shift
    for name in "$@"; do within 60 answers "$kind" "$name"; done
    check_binary
}

nodes_start() { # -sname|-name name...
    local name
    for name in "${@:2}"; do node_start "$1" "$name"; done
    nodes_up "$@"
}

at_ports() { # first [last]: the arguments of erl that have a node listen there
    echo "-kernel inet_dist_listen_min $1 inet_dist_listen_max ${2:-$1}"
}

# A process that is told lines and says lines, until talk_end.
talk() { # name command...
    mkfifo "$dir/in" "$dir/out"
    "${@:2}" <"$dir/in" >"$dir/out" &
    pid_of[$1]=$!
    exec 5>"$dir/in" 6<"$dir/out"
    rm "$dir/in" "$dir/out"
}
telling() { # word answer
    echo "$1" >&5
    same "$1" "$2" "$(said)"
}
said() { local line; read -r -t 20 -u 6 line; echo "$line"; }
talk_end() { # name
    exec 5>&-
    wait "${pid_of[$1]}"
    exec 6<&-
}

crowd() { # number of nodes
    step "$1 nodes at once, each looked up and pinged by one of them"
    local i all=()
    for ((i = 1; i <= $1; i++)); do
        all+=("n$i")
        node_start -sname "n$i" -connect_all false
    done
    nodes_up -sname "${all[@]}"
    same found "$1" "$(ask -sname n1 "length([ok || I <- lists:seq(1,$1),
        {port,_,_} <- [erl_epmd:port_please(\"n\" ++ integer_to_list(I), \"real\")]])")"
    same pinged "$1" "$(ask -sname n1 "length([ok || I <- lists:seq(1,$1),
        pong <- [net_adm:ping(list_to_atom(\"n\" ++ integer_to_list(I) ++ \"@real\"))]])")"
    node_kill "${all[@]}"
    wait_for known_are
}

make_host
# shellcheck source=/dev/null
. "$root/t/real/$case.sh"
run_steps
check_binary
