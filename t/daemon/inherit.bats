load ../tools/helper

# What a process inherits from who starts it: signals blocked or ignored, limits, a terminal,
# descriptors, other processes' children.

setup() {
    common_setup
    need_no_runner
}

in_state() { # PID STATE
    [ "$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status")" = "$2" ]
}

# signals that are there at once when it goes on, the lowest first
signal_at_once() { # PID SIGNAL...
    local signal
    kill -STOP "$1"
    wait_for in_state "$1" T
    for signal in "${@:2}"; do kill "-$signal" "$1"; done
    kill -CONT "$1"
}

ended_by() { # SIGNAL PID
    ended_with $((128 + $(kill -l "$1"))) "$2"
}

published() { # a -register of `abc`, its process in $PUBLISHER
    : >"$TMP/said"
    background "$@" "$EPMD" -port "$PORT" -register abc 5000 >"$TMP/said" 2>&1
    PUBLISHER=$!
    wait_for grep -qx 'registered abc at port 5000' "$TMP/said"
}

# ---- blocked and ignored signals

@test "signals that are blocked, or ignored, end it all the same" {
    local how signal
    for how in block ignore; do
        for signal in TERM INT; do
            free_port
            EPMD_RUNNER="env --$how-signal" start
            kill -$signal "$EPMD_PID"
            ended "$EPMD_PID"
        done
    done
}

@test "SIGUSR1 logs the counts where it was blocked" {
    EPMD_RUNNER="env --block-signal" start
    kill -USR1 "$EPMD_PID"
    wait_for grep -q ': up since ' "$TMP/log"
    like "$(log | grep '^up since ')" ' refused 0, dropped 0, evicted 0, timed out 0$'
}

@test "-timeout ends a command where SIGALRM is blocked or ignored" {
    mute
    for how in block ignore; do
        is "$(told timeout 20 env --$how-signal=ALRM "$EPMD" -port "$PORT" -timeout 1 -names)" \
            "1||epmd: time is up, with no answer from local epmd, port $PORT"
    done
}

@test "SIGTERM and SIGINT end a command where they are blocked or ignored, SIGHUP but under nohup" {
    start
    for how in block ignore; do
        for signal in TERM INT; do
            published env --$how-signal
            kill -$signal "$PUBLISHER"
            ended_by $signal "$PUBLISHER"
            wait_for unregistered abc
        done
    done
    published env --block-signal --default-signal=HUP
    kill -HUP "$PUBLISHER"
    ended_by HUP "$PUBLISHER"
    wait_for unregistered abc
    published nohup
    signal_at_once "$PUBLISHER" HUP
    wait_for in_state "$PUBLISHER" S
    kill -TERM "$PUBLISHER"
    ended_by TERM "$PUBLISHER"
}

@test "a command does not heed the daemon's SIGUSR1 and SIGUSR2" {
    start
    published
    signal_at_once "$PUBLISHER" USR1 USR2 TERM
    ended_by TERM "$PUBLISHER"
    background "$EPMD" -port "$PORT" -wait 30 -lookup abc >"$TMP/port"
    local waiting=$!
    wait_for in_state $waiting S
    signal_at_once $waiting USR1 USR2
    register abc
    ended $waiting
    is "$(cat "$TMP/port")" 5000
}

# ---- limits, and the terminal

@test "a log that reaches the limit of a file's size does not end it, and goes on with a line of its own" {
    EPMD_RUNNER="prlimit --fsize=4096:unlimited" start
    flood rounds 100 >/dev/null
    is "$(wc -c <"$TMP/log")" 4096
    register abc
    is "$(names)" "name abc at port 5000"
    prlimit --pid "$EPMD_PID" --fsize=unlimited
    is "$(names)" "name abc at port 5000"
    is "$(tail -c +4097 "$TMP/log" | sed 's/^epmd: .*: \*\* //')" "
got NAMES_REQ
sent NAMES_RESP"
}

@test "a command whose output reaches the limit of a file's size says so" {
    start
    hold nodes 1 many 300 6
    run --separate-stderr -1 sh -c "prlimit --fsize=4096 '$EPMD' -port $PORT -names >$TMP/names"
    is "$stderr" 'epmd: cannot write: File too large'
}

@test "in the background of a terminal that stops who writes to it (stty tostop) it serves, and its log is seen" {
    serve "$BUILD/supervisor" -b "$EPMD" -d -port "$PORT" >"$TMP/log"
    adopt
    like "$(ask -t 20000 send "$(alive2 abc)" recv 6)" '^7600'
    wait_for grep -q "registering 'abc:" "$TMP/log"
}

waits() { # DESCRIPTOR: of the daemon's, whether its flags say so
    local flags
    flags=$(sed -n 's/^flags:[^0-9]*//p' "/proc/$EPMD_PID/fdinfo/$1")
    ((!(flags & 04000)))
}

# the log of so many requests is more than a terminal or a pipe holds
answers_all() {
    is "$(timeout 60 "$BUILD/flood" "$PORT" rounds 1000)" 1000
    is "$(names)" ""
}

@test "with -d on a terminal that nobody reads it serves, and leaves the terminal's flags alone" {
    serve "$BUILD/supervisor" -t "$EPMD" -d -port "$PORT"
    adopt
    answers_all
    waits 0
}

@test "so it does where the terminal is another user's, or no /proc and /dev/tty are there" {
    need_root "another user, a mount namespace"
    chmod 755 "$TMP"
    cp "$EPMD" "$TMP/epmd"
    serve "$BUILD/supervisor" -t setpriv --reuid 65534 --regid 65534 --clear-groups \
        setsid -w "$TMP/epmd" -d -port "$PORT"
    adopt
    answers_all
    wait_for waits 0
    end "$EPMD_PID"
    free_port
    serve "$BUILD/supervisor" -t unshare --mount sh -c "umount -l /dev /proc
        mount -t tmpfs none /dev; mount -t tmpfs none /proc
        exec '$EPMD' -d -port $PORT"
    adopt
    answers_all
    wait_for waits 0
}

@test "with -d on a pipe that nobody reads it serves" {
    mkfifo "$TMP/fifo"
    exec 7<>"$TMP/fifo"
    serve "$EPMD" -d -port "$PORT" 2>"$TMP/fifo" 7<&-
    answers_all
    exec 7<&-
    is "$(names)" "" # and where nobody has it any more
}

# ---- descriptors

inherited() { # how many of the daemon's are those of the test
    find "/proc/$EPMD_PID/fd" -lname "$TMP/held" | wc -l
}

# COMMAND... with descriptors 7, 300, 1100 and the highest that there may be, to 70000
holding() {
    local high=$(($(ulimit -Hn) - 1))
    [ $high -lt 70000 ] || high=70000
    prlimit --nofile=$((high + 1)) \
        bash -c "exec 7>'$TMP/held' 300>'$TMP/held' 1100>'$TMP/held' $high>'$TMP/held'"'
        "$@"' bash "$@"
}

@test "-daemon keeps no descriptor of its caller's, however high, nor under a limit that is lower by now" {
    holding "$EPMD" -port "$PORT" -daemon 3>&-
    adopt
    is "$(inherited)" 0
    end "$EPMD_PID"
    holding prlimit --nofile=64 "$EPMD" -port "$PORT" -daemon 3>&-
    adopt
    is "$(inherited)" 0
}

serves_traced() { # waits in poll() for ever
    grep -q 'poll(\[.*, -1' "$TMP/trace"
}

@test "so it does where there is no close_range(2), in a few thousand system calls" {
    holding strace -D -qq -f -o "$TMP/trace" -e inject=close_range:error=ENOSYS \
        "$EPMD" -port "$PORT" -daemon 3>&-
    adopt
    is "$(inherited)" 0
    wait_for serves_traced
    [ "$(wc -l <"$TMP/trace")" -lt 6000 ]
}

@test "-daemon makes no more system calls under a higher limit of open files" {
    local calls=()
    for limit in 2048 "$(ulimit -Hn)"; do
        free_port
        prlimit --nofile="$limit" strace -D -qq -f -o "$TMP/trace" "$EPMD" -port "$PORT" \
            -daemon 3>&-
        adopt
        wait_for serves_traced
        calls+=("$(wc -l <"$TMP/trace")")
        end "$EPMD_PID"
    done
    [ $((calls[1] - calls[0])) -lt 20 ]
}

@test "with -systemd -daemon the sockets stay, and what stands behind them does not" {
    holding "$BUILD/supervisor" -l "127.0.0.1,$PORT" -l "::1,$PORT" "$EPMD" -systemd -daemon 3>&-
    wait_for listening "$PORT"
    adopt
    is "$(inherited)" 0
    is "$(names)" ""
    is "$(ask -a ::1 send "$names_req" eof)" "$(printf '%08x' "$PORT") closed"
}

crowded() { # LIMIT: the daemon on $PORT with descriptors 100 to 1149 of its caller's
    # shellcheck disable=SC2016
    serve prlimit --nofile="$1:$1" bash -c 'for ((fd = 100; fd < 1150; fd++)); do
        eval "exec $fd</dev/null"; done; exec "$@"' bash "$EPMD" -port "$PORT"
}

@test "descriptors that are open when it starts cost nodes, never the look-ups" {
    local limit count
    for limit in 1500 2048 2400; do
        free_port
        crowded $limit
        hold nodes$limit 1 many 1023 6
        count=$(cat "$TMP/nodes$limit.out")
        echo "$count nodes at a limit of $limit"
        [ "$count" -gt $(((limit - 1150) * 2 / 3)) ]
        is_registered nn0001
        flooded flood$limit partial 300
        is_registered nn0001
        end "$EPMD_PID"
    done
    is "$count" 1023
}

# ---- others' children

childless() { # PID
    [ -z "$(ps -o pid= --ppid "$1")" ]
}

# 20 processes whose parent ends before them, in a namespace whose process 1 has the number $1 here
orphans() { # PID
    nsenter -t "$1" -p -m bash -c 'for i in {1..20}; do (sleep 0.1 &) ; done'
}

# HUP: a run of the tests under nohup(1) ignores it.
as_process_1() { # OPTION...: its number here in $EPMD_PID
    background env --default-signal=HUP unshare --pid --fork --kill-child --mount-proc \
        "$EPMD" -port "$PORT" "$@" >"$TMP/log" 2>&1
    UNSHARE=$!
    wait_for child_of "$UNSHARE"
}

child_of() { # PID: into $EPMD_PID
    EPMD_PID=$(ps -o pid= --ppid "$1" | tr -d ' ')
    [ -n "$EPMD_PID" ]
}

@test "as process 1 it serves, leaves no zombie of others' orphans, and SIGTERM, SIGINT and -kill end it with status 0" {
    need_root "process namespaces"
    for signal in TERM INT; do
        as_process_1
        wait_for listening "$PORT"
        orphans "$EPMD_PID"
        wait_for childless "$EPMD_PID"
        like "$(ask send "$(alive2 abc)" recv 6 fin eof)" '^7600'
        is "$(names)" ""
        kill -$signal "$EPMD_PID"
        ended "$UNSHARE"
    done
    as_process_1
    wait_for listening "$PORT"
    is "$(epmd -port "$PORT" -kill)" Killed
    ended "$UNSHARE"
}

@test "as process 1 a command leaves no zombies, and SIGTERM, SIGINT and SIGHUP end it" {
    need_root "process namespaces"
    start
    local daemon=$EPMD_PID
    for signal in TERM INT HUP; do
        as_process_1 -register abc 5000
        wait_for grep -qx 'registered abc at port 5000' "$TMP/log"
        orphans "$EPMD_PID"
        wait_for childless "$EPMD_PID"
        kill -$signal "$EPMD_PID"
        ended_by $signal "$UNSHARE"
        wait_for unregistered abc
    done
    ! gone "$daemon"
}

@test "a child that had ended before it became epmd is no zombie either" {
    serve "$BUILD/supervisor" -z "$EPMD" -port "$PORT"
    wait_for childless "$EPMD_PID"
}

# ---- signals that come together

@test "SIGUSR1 directly followed by SIGTERM logs the counts first" {
    start
    signal_at_once "$EPMD_PID" USR1 TERM
    ended "$EPMD_PID"
    log | grep -q '^up since '
}

delays() { # whether it waits before an accept
    local call
    read -ra call <"/proc/$EPMD_PID/syscall"
    [ "${call[2]}" = 0x0 ] && [ "${call[0]}" != running ]
}

@test "SIGUSR1 while a KILL is served logs the counts first" {
    need_root "/proc/PID/syscall"
    start -delay_accept 60
    hold asks 0 send "$kill_req" recv 2
    wait_for delays
    kill -USR1 "$EPMD_PID" # which ends the delay
    ended "$EPMD_PID"
    log | grep -q '^up since '
}
