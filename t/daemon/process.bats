load ../tools/helper

# ---- -daemon

daemon() { # OPTION...: on $PORT, to be ended with the test
    local status=0
    $EPMD_RUNNER "$EPMD" -port "$PORT" -daemon "$@" 3>&- || status=$?
    adopt
    return $status
}

@test "-daemon listens before it returns" {
    for i in 1 2 3 4 5; do
        free_port
        $EPMD_RUNNER "$EPMD" -port "$PORT" -daemon
        listening "$PORT"
        like "$(ask send "$(alive2 abc)" recv 6)" '^7600'
        adopt
    done
}

@test "-daemon prints nothing, and lets go of standard input, output and error" {
    # a reader to the end of file would wait for ever
    is "$(timeout 10 "$EPMD" -port "$PORT" -daemon 2>&1 </dev/null 3>&-; echo "status $?")" \
        "status 0"
    adopt
    for fd in 0 1 2; do
        is "$(readlink "/proc/$EPMD_PID/fd/$fd")" /dev/null
    done
}

@test "-daemon is in a session of its own, without a terminal, and keeps no folder busy" {
    cd "$TMP"
    daemon
    is "$(ps -o tty= -p "$EPMD_PID" | tr -d ' ')" "?"
    [ "$(ps -o sid= -p "$EPMD_PID" | tr -d ' ')" != "$(ps -o sid= -p $$ | tr -d ' ')" ]
    is "$(readlink "/proc/$EPMD_PID/cwd")" /
}

@test "ten that are started with -daemon at once leave one, and all have status 0" {
    local i pids=()
    for i in {1..10}; do
        "$EPMD" -port "$PORT" -daemon 3>&- &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i"; done
    adopt
    is "$(listeners "$PORT")" "$EPMD_PID"
    is "$(names)" ""
}

@test "-daemon with an address more than the epmd that serves has nothing to do, at once" {
    start -address 127.0.0.2
    like "$(told timeout 4 "$EPMD" -port "$PORT" -address 127.0.0.3,127.0.0.2 -daemon)" '^0\|\|'
}

@test "-daemon with an address that cannot be had is an error" {
    fails '.*192.0.2.77' "$EPMD" -port "$PORT" -address 192.0.2.77 -daemon
    run -1 listening "$PORT"
}

@test "-daemon leaves no zombie under an init that waits for its own child alone" {
    need_root "process namespaces"
    is "$(unshare --pid --fork --mount-proc "$BUILD/supervisor" -i "$EPMD" -port "$PORT" -daemon)" \
        "status 0, zombies 0"
}

@test "-daemon leaves no child behind to a caller that waits for it" {
    daemon
    is "$(ps -o ppid= -p "$EPMD_PID" | tr -d ' ' | grep -cx "$$" || :)" 0
}

@test "-daemon serves where there is no syslog" {
    need_root "mount namespaces"
    cat >"$TMP/script" <<END
mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 || exit 1
"$EPMD" -d -daemon -port $PORT && "$EPMD" -port $PORT -kill
END
    is "$(unshare --mount sh "$TMP/script")" Killed
}

@test "-daemon without the three standard descriptors serves all the same" {
    "$EPMD" -port "$PORT" -daemon <&- >&- 2>&- 3>&-
    adopt
    like "$(ask send "$(alive2 abc)" recv 6)" '^7600'
}

@test "the foreground without the three standard descriptors serves all the same" {
    "$EPMD" -d -port "$PORT" <&- >&- 2>&- 3>&- &
    remember $!
    wait_for listening "$PORT"
    like "$(ask send "$(alive2 abc)" recv 6)" '^7600'
    is "$(names)" ""
}

# ---- signals

@test "SIGTERM and SIGINT end it with status 0" {
    for signal in TERM INT; do
        free_port
        start
        kill -$signal "$EPMD_PID"
        ended "$EPMD_PID"
    done
}

@test "SIGTERM frees the port and ends the nodes' connections" {
    start
    hold node 2 send "$(alive2 abc)" recv 6 eof &
    wait_for grep -q registering "$TMP/log"
    kill "$EPMD_PID"
    ended "$EPMD_PID"
    wait_for has_lines "$TMP/node.out" 2
    is "$(tail -n 1 "$TMP/node.out")" closed
    is "$(ask connect)" refused
}

@test "SIGPIPE and SIGHUP do not end it" {
    start
    for signal in PIPE HUP; do kill -$signal "$EPMD_PID"; done
    register abc
    is "$(names)" "name abc at port 5000"
}

@test "once -kill returns, the next one can be started: the port is free before the answer" {
    need_no_runner
    need strace
    serve strace -D -qq -o /dev/null -e trace=close -e inject=close:delay_exit=200000 "$EPMD" \
        -port "$PORT"
    is "$(epmd -port "$PORT" -kill)" Killed
    epmd -port "$PORT" -daemon 3>&-
    adopt
    ended "$!"
    epmd -port "$PORT" -started
}

@test "a reader of the log that goes away does not end it" {
    "$EPMD" -d -d -d -port "$PORT" 2>&1 3>&- </dev/null | head -n 1 >"$TMP/head" &
    wait_for listening "$PORT"
    adopt
    for i in 1 2 3; do names; done
    register abc
    is "$(names)" "name abc at port 5000"
}

# ---- a supervisor's sockets

@test "-systemd serves on the sockets that it is handed, opens none of its own, and NAMES has their port" {
    need ss
    activated
    like "$(ask send "$(alive2 abc)" recv 6 fin eof)" '^7600'
    is "$(ask send "$names_req" eof)" "$(printf '%08x' "$PORT") closed"
    is "$(ss -Hltnp | grep -c "pid=$EPMD_PID,")" 1
}

@test "-systemd takes several sockets, IPv4 and IPv6" {
    activated -l "::1,$PORT" -l "127.0.0.2,$PORT"
    register abc
    for address in 127.0.0.1 127.0.0.2 ::1; do
        like "$(ask -a $address send "$(please abc)" eof)" '^7700'
    done
}

@test "-systemd tells NOTIFY_SOCKET READY=1 once it serves" {
    for path in "$TMP/notify" "@epmd-test-$$"; do
        free_port
        background "$BUILD/supervisor" -n "$path" >"$TMP/notified"
        wait_for grep -q -- "$path" /proc/net/unix
        NOTIFY_SOCKET=$path activated
        wait_for grep -qx READY=1 "$TMP/notified"
        is "$(names)" ""
    done
}

@test "-systemd serves where NOTIFY_SOCKET is full, and tells it READY=1 once there is room" {
    mkfifo "$TMP/go"
    "$BUILD/supervisor" -f "$TMP/notify" <"$TMP/go" >"$TMP/notified" 3>&- &
    remember $!
    exec 7>"$TMP/go"
    wait_for grep -qx full "$TMP/notified"
    NOTIFY_SOCKET=$TMP/notify activated 7>&-
    is "$(names)" ""
    run -1 grep READY "$TMP/notified"
    exec 7>&-
    wait_for grep -qx READY=1 "$TMP/notified"
    is "$(names)" ""
}

@test "-systemd without a NOTIFY_SOCKET, or with one that nobody reads, serves" {
    NOTIFY_SOCKET=$TMP/nobody activated
    is "$(names)" ""
}

@test "-systemd with a socket that is not of TCP is an error" {
    need strace
    need_no_runner
    is "$(told timeout 20 "$BUILD/supervisor" -l "127.0.0.1,$PORT" strace -D -qq -o /dev/null \
        -e trace=getsockname -e inject=getsockname:error=EOPNOTSUPP "$EPMD" -systemd)" \
        "1||epmd: systemd provides a socket that is not of TCP"
}

@test "-systemd without sockets, or with those of another process, is an error" {
    local error="1||epmd: systemd provides no sockets"
    is "$(told timeout 5 "$EPMD" -port "$PORT" -systemd)" "$error"
    LISTEN_FDS=0 LISTEN_PID=$$ run -1 timeout 5 "$EPMD" -port "$PORT" -systemd
    for fds in abc -1 99999 ""; do
        LISTEN_FDS=$fds run -1 "$BUILD/supervisor" -p 1 timeout 5 "$EPMD" -port "$PORT" -systemd
    done
    is "$(told timeout 5 "$BUILD/supervisor" -p 1 -l "127.0.0.1,$PORT" "$EPMD" -systemd)" "$error"
}

@test "-systemd with a descriptor that is no listening socket is an error" {
    fails '' "$BUILD/supervisor" -u "127.0.0.1,$PORT" "$EPMD" -systemd
}

@test "without -systemd, sockets that are handed over are not used" {
    local other=$PORT
    free_port
    serve "$BUILD/supervisor" -l "127.0.0.1,$other" "$EPMD" -port "$PORT"
    is "$(names)" ""
}

@test "a -systemd daemon that ends leaves the supervisor its sockets" {
    activated
    is "$(epmd -port "$PORT" -kill)" Killed
    ended "$EPMD_PID"
}

@test "a socket that its supervisor shuts down ends it with a line and status 1, one of several too" {
    need_no_runner
    local sockets
    for sockets in "" "-l ::1,$PORT"; do
        rm -f "$TMP/shut"
        # shellcheck disable=SC2086
        activated -x "$TMP/shut" $sockets
        is "$(names)" ""
        : >"$TMP/shut"
        ended_with 1 "$EPMD_PID"
        logged "a listening socket was shut down"
    done
}

@test "a listener that ss -K destroys ends it with a line and status 1" {
    one_host
    start_on "$HOST"
    on "$HOST" ss -K -l 'sport = :4369' >"$TMP/killed" 2>&1 || skip 'not here: ss cannot'
    [ "$(wc -l <"$TMP/killed")" -gt 1 ] || skip 'not here: no CONFIG_INET_DIAG_DESTROY'
    ended_with 1 "$EPMD_PID"
    logged "a listening socket was shut down"
}

# ---- -exit_idle

ms_since() { # EPOCHREALTIME
    echo $(((${EPOCHREALTIME/./} - ${1/./}) / 1000))
}

@test "-exit_idle ends it with status 0 and a line, when nobody has come for so long" {
    local from=$EPOCHREALTIME
    background $EPMD_RUNNER "$EPMD" -d -port "$PORT" -exit_idle 1 >"$TMP/log" 2>&1
    ended $!
    [ "$(ms_since "$from")" -ge 1000 ]
    logged 'epmd ends: no node and no connection for 1 s'
}

@test "-exit_idle counts no time while somebody waits whom it cannot accept" {
    need strace
    need_no_runner
    EPMD_RUNNER="strace -D -qq -o $TMP/trace -e trace=accept -e inject=accept:error=ENFILE" \
        start -exit_idle 2
    is "$(ask connect send 00 open 4000)" "connected
open"
    ! gone "$EPMD_PID"
}

@test "-exit_idle waits while a node is registered, or anybody is connected, and counts anew with each who comes" {
    full
    local from i
    start -exit_idle 8
    register abc
    sleep 9
    is "$(names)" "name abc at port 5000"
    let_go abc
    hold slow 0 send 0004
    sleep 9
    let_go slow
    for i in {1..6}; do
        sleep 2
        from=$EPOCHREALTIME
        unregistered abc
    done
    ended "$EPMD_PID"
    [ "$(ms_since "$from")" -ge 8000 ]
}

not_listening() {
    ! listening "$PORT"
}

@test "ERL_EPMD_EXIT_IDLE is -exit_idle, for the epmd that erl starts too; -exit_idle beats it, and no command heeds it" {
    ERL_EPMD_EXIT_IDLE=1 $EPMD_RUNNER "$EPMD" -port "$PORT" -daemon 3>&-
    wait_for not_listening
    ERL_EPMD_EXIT_IDLE=abc start -exit_idle 10
    is "$(ERL_EPMD_EXIT_IDLE=abc epmd -port "$PORT" -names)" "$(headline)"
    ended "$EPMD_PID"
    logged 'epmd ends: no node and no connection for 10 s'
}

# the system calls that 50 look-ups take it
calls() { # OPTION...
    free_port
    start_quiet "$@"
    unregistered abc
    traced -o "$TMP/calls"
    local i
    for i in {1..50}; do unregistered abc; done
    end "$EPMD_PID"
    sed 's/(.*//' "$TMP/calls" | grep -v '^poll\|^---\|^+++\|^exit' | sort | uniq -c
}

@test "-exit_idle costs a look-up no system call" {
    need_no_runner
    need strace
    is "$(calls -exit_idle 1000)" "$(calls)"
}
