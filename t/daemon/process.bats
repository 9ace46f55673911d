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

@test "-daemon prints nothing" {
    run --separate-stderr daemon
    is "$status:$output:$stderr" "0::"
    adopt
}

@test "-daemon lets go of standard input, output and error" {
    # a reader to the end of file would wait for ever
    is "$(timeout 10 "$EPMD" -port "$PORT" -daemon 2>&1 </dev/null 3>&-; echo "status $?")" \
        "status 0"
    adopt
    for fd in 0 1 2; do
        is "$(readlink "/proc/$EPMD_PID/fd/$fd")" /dev/null
    done
}

@test "-daemon keeps no descriptor that it was started with" {
    timeout 10 "$EPMD" -port "$PORT" -daemon 7</dev/null 8>"$TMP/eight" 3>&-
    adopt
    is "$(find "/proc/$EPMD_PID/fd" -lname "$TMP/eight")" ""
}

@test "-daemon is in a session of its own, without a terminal, and keeps no folder busy" {
    cd "$TMP"
    daemon
    is "$(ps -o tty= -p "$EPMD_PID" | tr -d ' ')" "?"
    [ "$(ps -o sid= -p "$EPMD_PID" | tr -d ' ')" != "$(ps -o sid= -p $$ | tr -d ' ')" ]
    is "$(readlink "/proc/$EPMD_PID/cwd")" /
}

@test "-daemon where an epmd answers already has nothing to do: status 0, no message" {
    start
    run --separate-stderr timeout 10 "$EPMD" -port "$PORT" -daemon
    is "$status:$output:$stderr" "0::"
    is "$(listeners "$PORT")" "$EPMD_PID"
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
    run --separate-stderr timeout 4 "$EPMD" -port "$PORT" -address 127.0.0.3,127.0.0.2 -daemon
    is "$status:$output" "0:"
}

@test "-daemon where a stranger has the port is an error, and says whether that answers" {
    local stranger what
    while read -r stranger what; do
        free_port
        "$BUILD/supervisor" "$stranger" "127.0.0.1,$PORT" HTTP/1.1 >"$TMP/stranger" 3>&- &
        remember $!
        wait_for listening "$PORT"
        run --separate-stderr timeout 20 "$EPMD" -port "$PORT" -daemon
        is "$status:$output" "1:"
        like "$stderr" "^epmd: .*port $PORT: Address already in use: $what\$"
    done <<<"-a something that is no epmd has it
-m what has it does not answer"
}

@test "-daemon with an address that cannot be had is an error" {
    run --separate-stderr timeout 10 "$EPMD" -port "$PORT" -address 192.0.2.77 -daemon
    is "$status:$output" "1:"
    like "$stderr" '^epmd: .*192.0.2.77'
    run --separate-stderr listening "$PORT"
    is "$status" 1
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

@test "-daemon -d logs to syslog" {
    need_root "mount namespaces"
    # a /dev/log of our own
    cat >"$TMP/script" <<END
mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 || exit 1
"$BUILD/supervisor" -n /dev/log >"$TMP/syslog" &
until [ -S /dev/log ]; do sleep 0.02; done
"$EPMD" -d -daemon -port $PORT || exit 1
"$BUILD/raw" -p $PORT send "$(please nobody)" eof
"$EPMD" -port $PORT -kill
until grep -q 'PORT2_RESP (error)' "$TMP/syslog"; do sleep 0.02; done
kill \$!
END
    is "$(timeout $PATIENCE unshare --mount sh "$TMP/script")" "7701 closed
Killed"
    like "$(cat "$TMP/syslog")" '^<[0-9]+>.*epmd\[[0-9]+\]: epmd running - daemon = 1'
    like "$(cat "$TMP/syslog")" '\*\* sent PORT2_RESP \(error\) for "nobody"'
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
    for signal in PIPE HUP; do
        kill -$signal "$EPMD_PID"
    done
    register abc
    is "$(names)" "name abc at port 5000"
}

@test "as PID 1 of a namespace it serves, and SIGTERM and SIGINT end it with status 0" {
    need_root "process namespaces"
    for signal in TERM INT; do
        free_port
        unshare --pid --fork --mount-proc "$EPMD" -d -port "$PORT" >"$TMP/log" 2>&1 3>&- &
        remember $!
        wait_for listening "$PORT"
        like "$(ask send "$(alive2 abc)" recv 6)" '^7600'
        kill -$signal "$(ps -o pid= --ppid $!)"
        ended $!
    done
}

@test "once -kill returns, the next one can be started: the port is free before the answer" {
    need_no_runner
    need strace
    strace -D -qq -o /dev/null -e trace=close -e inject=close:delay_exit=200000 "$EPMD" \
        -port "$PORT" 3>&- &
    EPMD_PID=$!
    remember "$EPMD_PID"
    wait_for listening "$PORT"
    is "$(epmd -port "$PORT" -kill)" Killed
    epmd -port "$PORT" -daemon 3>&-
    adopt
    ended "$!"
    epmd -port "$PORT" -started
}

@test "as PID 1 it ends with -kill" {
    need_root "process namespaces"
    unshare --pid --fork --mount-proc "$EPMD" -port "$PORT" 3>&- &
    remember $!
    wait_for listening "$PORT"
    is "$(epmd -port "$PORT" -kill)" Killed
    ended $!
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

activated() { # SUPERVISOR-OPTION... -- EPMD-OPTION...
    local listen=()
    while [ "$1" != -- ]; do
        listen+=("$1")
        shift
    done
    "$BUILD/supervisor" "${listen[@]}" "$EPMD" -d -systemd "${@:2}" >"$TMP/log" 2>&1 3>&- &
    EPMD_PID=$!
    remember $EPMD_PID
}

@test "-systemd serves on the sockets that it is handed, and opens none of its own" {
    need ss
    activated -l "127.0.0.1,$PORT" --
    wait_for listening "$PORT"
    like "$(ask send "$(alive2 abc)" recv 6)" '^7600'
    is "$(ss -Hltnp | grep -c "pid=$EPMD_PID,")" 1
}

@test "-systemd takes several sockets, IPv4 and IPv6" {
    activated -l "127.0.0.1,$PORT" -l "::1,$PORT" -l "127.0.0.2,$PORT" --
    wait_for listening "$PORT"
    register abc
    for address in 127.0.0.1 127.0.0.2 ::1; do
        like "$(ask -a $address send "$(please abc)" eof)" '^7700'
    done
}

@test "-systemd answers NAMES with the port it is really on" {
    activated -l "127.0.0.1,$PORT" --
    wait_for listening "$PORT"
    is "$(ask send "$names_req" eof)" "$(printf '%08x' "$PORT") closed"
}

@test "-systemd tells NOTIFY_SOCKET READY=1 once it serves" {
    for path in "$TMP/notify" "@epmd-test-$$"; do
        free_port
        "$BUILD/supervisor" -n "$path" >"$TMP/notified" 3>&- &
        remember $!
        wait_for grep -q -- "$path" /proc/net/unix
        NOTIFY_SOCKET=$path activated -l "127.0.0.1,$PORT" --
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
    NOTIFY_SOCKET=$TMP/notify activated -l "127.0.0.1,$PORT" -- 7>&-
    wait_for listening "$PORT"
    is "$(names)" ""
    run grep READY "$TMP/notified"
    is "$status" 1
    exec 7>&-
    wait_for grep -qx READY=1 "$TMP/notified"
    is "$(names)" ""
}

@test "-systemd without a NOTIFY_SOCKET, or with one that nobody reads, serves" {
    NOTIFY_SOCKET=$TMP/nobody activated -l "127.0.0.1,$PORT" --
    wait_for listening "$PORT"
    is "$(names)" ""
}

@test "-systemd without sockets is an error" {
    run --separate-stderr timeout 5 "$EPMD" -port "$PORT" -systemd
    is "$status:$output:$stderr" "1::epmd: systemd provides no sockets"
    LISTEN_FDS=0 LISTEN_PID=$$ run --separate-stderr timeout 5 "$EPMD" -port "$PORT" -systemd
    is "$status" 1
    for fds in abc -1 99999 ""; do
        LISTEN_FDS=$fds run --separate-stderr "$BUILD/supervisor" -p 1 timeout 5 "$EPMD" \
            -port "$PORT" -systemd
        is "$fds $status" "$fds 1"
    done
}

@test "-systemd takes no sockets that are another process's" {
    run --separate-stderr timeout 5 "$BUILD/supervisor" -p 1 -l "127.0.0.1,$PORT" "$EPMD" -systemd
    is "$status:$output:$stderr" "1::epmd: systemd provides no sockets"
}

@test "-systemd with a descriptor that is no listening socket is an error" {
    run --separate-stderr timeout 5 "$BUILD/supervisor" -u "127.0.0.1,$PORT" "$EPMD" -systemd
    is "$status:$output" "1:"
    like "$stderr" '^epmd: '
    is "$(wc -l <<<"$stderr")" 1
}

@test "without -systemd, sockets that are handed over are not used" {
    local other=$PORT
    free_port
    "$BUILD/supervisor" -l "127.0.0.1,$other" "$EPMD" -port "$PORT" 3>&- &
    remember $!
    wait_for listening "$PORT"
    is "$(names)" ""
}

@test "a -systemd daemon that ends leaves the supervisor its sockets" {
    activated -l "127.0.0.1,$PORT" --
    wait_for listening "$PORT"
    is "$(epmd -port "$PORT" -kill)" Killed
    ended "$EPMD_PID"
}

@test "a socket that its supervisor shuts down ends it with a line and status 1, one of several too" {
    need_no_runner
    local sockets
    for sockets in "-l 127.0.0.1,$PORT" "-l 127.0.0.1,$PORT -l ::1,$PORT"; do
        rm -f "$TMP/shut"
        # shellcheck disable=SC2086
        activated -x "$TMP/shut" $sockets --
        wait_for listening "$PORT"
        is "$(names)" ""
        : >"$TMP/shut"
        wait_for gone "$EPMD_PID"
        status=0
        ended "$EPMD_PID" || status=$?
        is "$status" 1
        logged "a listening socket was shut down"
    done
}

@test "a listener that ss -K destroys ends it with a line and status 1" {
    need_root "network namespaces"
    HOST=$(netns)
    start_on "$HOST"
    on "$HOST" ss -K -l 'sport = :4369' >"$TMP/killed" 2>&1 || skip 'not here: ss cannot'
    [ "$(wc -l <"$TMP/killed")" -gt 1 ] || skip 'not here: no CONFIG_INET_DIAG_DESTROY'
    wait_for gone "$EPMD_PID"
    status=0
    ended "$EPMD_PID" || status=$?
    is "$status" 1
    logged "a listening socket was shut down"
}

# ---- -exit_idle

ms_since() { # EPOCHREALTIME
    echo $(((${EPOCHREALTIME/./} - ${1/./}) / 1000))
}

@test "-exit_idle ends it with status 0 and a line, when nobody has come for so long" {
    local from=$EPOCHREALTIME
    $EPMD_RUNNER "$EPMD" -d -port "$PORT" -exit_idle 1 >"$TMP/log" 2>&1 3>&- &
    EPMD_PID=$!
    remember "$EPMD_PID"
    ended "$EPMD_PID"
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
    is "$(ERL_EPMD_EXIT_IDLE=abc epmd -port "$PORT" -names)" \
        "epmd: up and running on port $PORT with data:"
    ended "$EPMD_PID"
    logged 'epmd ends: no node and no connection for 10 s'
}

# the system calls that 50 look-ups take it
calls() { # OPTION...
    free_port
    "$EPMD" -port "$PORT" "$@" 3>&- &
    EPMD_PID=$!
    remember $!
    wait_for listening "$PORT"
    unregistered abc
    strace -qq -o "$TMP/calls" -p "$EPMD_PID" 3>&- &
    remember $!
    wait_for grep -q '^TracerPid:.*[1-9]' "/proc/$EPMD_PID/status"
    local i
    for i in {1..50}; do unregistered abc; done
    end "$EPMD_PID"
    sed 's/(.*//' "$TMP/calls" | grep -v '^poll\|^---\|^+++\|^exit' | sort | uniq -c
}

@test "-exit_idle costs a look-up no system call" {
    need_no_runner
    command -v strace >/dev/null || skip 'no strace'
    is "$(calls -exit_idle 1000)" "$(calls)"
}
