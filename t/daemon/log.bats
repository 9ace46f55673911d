load ../tools/helper

# without the lines that OTP's does not have: whose request was refused
otp_log() {
    log | grep -v '^refused what came'
}

# what differs from one run to the next: creations, descriptors
masked() {
    otp_log | sed "s/^\(.*registering '.*\):[0-9]*'/\1:N'/; s/descriptor [0-9]*/descriptor N/"
}

@test "one -d logs what OTP's epmd logs, line for line" {
    start
    register abc 35383 77 5 5
    register xyz 42802 77 5 5
    ask send "$(alive2 abc 40000 77 5 5)" recv 4 close
    wait_for logged_like "unknown file descriptor"
    register test 32781 77 5 5
    ask send "$(please test)" eof
    let_go xyz
    wait_for unregistered_quietly xyz
    let_go test
    wait_for unregistered_quietly test
    is "$(masked)" "epmd running - daemon = 0
** got ALIVE2_REQ
registering 'abc:N', port 35383
type 77 proto 0 highvsn 5 lowvsn 5
** sent ALIVE2_RESP for \"abc\"
** got ALIVE2_REQ
registering 'xyz:N', port 42802
type 77 proto 0 highvsn 5 lowvsn 5
** sent ALIVE2_RESP for \"xyz\"
** got ALIVE2_REQ
node name already occupied abc
** sent ALIVE2_RESP for \"abc\"
trying to unregister node with unknown file descriptor N
** got ALIVE2_REQ
registering 'test:N', port 32781
type 77 proto 0 highvsn 5 lowvsn 5
** sent ALIVE2_RESP for \"test\"
** got PORT2_REQ
** sent PORT2_RESP (ok) for \"test\"
unregistering 'xyz:N', port 42802
unregistering 'test:N', port 32781"
}

unregistered_quietly() { # NAME, without asking, which would be logged
    logged_like "unregistering '$1:"
}

@test "the creation that is logged is the one that was answered" {
    start
    register new
    logged "registering 'new:$(creation "$ANSWER")', port 5000"
    register old 5001 72 5 4 "" 1
    logged "registering 'old:$(creation "$ANSWER")', port 5001"
    logged "type 72 proto 1 highvsn 5 lowvsn 4"
}

@test "every line begins with epmd and the date as ctime(3) prints it, and ends in a newline alone" {
    start -d
    register abc
    ask send "$names_req" eof
    local date='[A-Z][a-z]{2} [A-Z][a-z]{2} [ 1-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-6][0-9] 20[0-9]{2}'
    [ "$(grep -c '' "$TMP/log")" -gt 8 ]
    is "$(grep -vE "^epmd: $date: |^\*\*\*\*\* " "$TMP/log")" ""
    is "$(tr -cd '\r' <"$TMP/log" | wc -c)" 0
    is "$(tail -c 1 "$TMP/log" | od -An -tx1 | tr -d ' ')" 0a
}

@test "NAMES, DUMP, what is not allowed, and a name that nobody holds are logged as OTP's epmd does" {
    start
    register abc
    ask send "$names_req" eof @1 send "$dump_req" eof @2 send "$kill_req" eof \
        @3 send "$(stop_req abc)" eof @4 send "$(please nobody)" eof
    is "$(otp_log | tail -n +6)" '** got NAMES_REQ
** sent NAMES_RESP
** got DUMP_REQ
** sent DUMP_RESP
** got KILL_REQ
Disallowed KILL_REQ, live nodes
** got STOP_REQ
Disallowed STOP_REQ, no relaxed_command_check
** got PORT2_REQ
** sent PORT2_RESP (error) for "nobody"'
}

@test "STOP and KILL are logged as OTP's epmd does" {
    start -relaxed_command_check
    register abc 5000 77 5 5
    ask send "$(stop_req abc)" eof @1 send "$kill_req" eof
    ended "$EPMD_PID"
    is "$(masked | tail -n +6)" "** got STOP_REQ
unregistering 'abc:N', port 5000
epmd connection stopped
** sent STOP_RESP STOPPED
** got KILL_REQ
epmd killed
got KILL_REQ - terminates normal
epmd ends: killed by request of 127.0.0.1"
}

@test "what is no request is logged as OTP's epmd does" {
    start
    ask send 0000 eof @1 send ffff eof @2 send "$(frame 41)" eof @3 send "${names_req}00" eof \
        @4 send 0004 fin eof
    is "$(otp_log | tail -n +2 | sed 's/ *$//; s/descriptor [0-9]*/descriptor N/')" \
        "invalid packet size (0)
invalid packet size (65535)
got garbage
got 2 bytes in packet, expected 1
got partial packet only on file descriptor N (2)"
}

@test "what another host may not do is logged" {
    two_hosts
    start_on "$HOST_A"
    for request in "$dump_req" "$kill_req" "$(stop_req abc)" "$(alive2 abc)"; do
        ask_on "$HOST_B" 10.77.0.1 send "$request" eof
    done
    is "$(log | grep -c ' from non local address$')" 4
}

@test "-d names the peer of what is refused" {
    two_hosts
    start_on "$HOST_A"
    register_on "$HOST_A" abc 127.0.0.1
    ask_on "$HOST_A" ::1 send "$(alive2 abc)" eof
    ask_on "$HOST_A" fd77::1 send 0000 eof
    ask_on "$HOST_B" 10.77.0.1 send "$dump_req" eof
    ask_on "$HOST_B" fd77::1 send "$(please nobody)" eof
    is "$(log |
        sed -n 's/^refused what came on file descriptor [0-9]* from \(.*\) port [1-9][0-9]*$/\1/p' |
        tr '\n' ' ')" \
        "::1 fd77::1 10.77.0.2 "
}

@test "-d names the peer of what is closed to make room, and of what is timed out" {
    two_hosts
    need_no_runner
    start_on "$HOST_A" -packet_timeout 4
    background ask_on "$HOST_B" 10.77.0.1 -t 20000 send 0004 eof >"$TMP/first"
    wait_for has_descriptors 1
    background on "$HOST_A" "$BUILD/flood" 4369 127.0.0.1 partial 256 >"$TMP/flood.out"
    wait_for has_lines "$TMP/first" 1
    like "$(log | grep 'make room')" \
        '^closing to make room on file descriptor [0-9]+ from 10.77.0.2 port [0-9]+$'
    wait_for logged_like \
        'timed out on receive on file descriptor [0-9]* from 127.0.0.1 port [0-9]*$'
}

has_descriptors() { # of connections
    [ "$(on "$HOST_A" ss -Htn state established 'sport = :4369' | wc -l)" -ge "$1" ]
}

@test "without -d, nothing that a peer does is logged" {
    start_quiet
    register abc
    ask send "$(alive2 abc)" eof @1 send 0000 eof @2 send ffff eof @3 send "$(frame 41)" eof \
        @4 send "$names_req" eof \
        @5 send "$(frame 7aff)" eof @6 send "$(alive2_hex ff)" eof @7 send "$kill_req" eof \
        @8 send 00 close @9 connect reset
    is "$(names)" "name abc at port 5000"
    let_go abc
    wait_for unregistered abc
    is "$(cat "$TMP/log")" ""
}

@test "in the foreground, its start and its end by a signal are not logged" {
    start_quiet
    kill "$EPMD_PID"
    ended "$EPMD_PID"
    is "$(cat "$TMP/log")" ""
}

@test "a KILL is logged without -d too, with who asked for it" {
    for address in 127.0.0.1 ::1; do
        free_port
        start_quiet
        is "$(ask -a $address send "$kill_req" eof)" '4f4b closed'
        ended "$EPMD_PID"
        is "$(log)" "epmd ends: killed by request of $address"
    done
}

@test "a limit of open files that leaves too few is an error that says how many" {
    need_no_runner
    for ((limit = 6; limit < 64; limit++)); do # with those that bats has open
        said=$(told timeout 5 prlimit --nofile="$limit" "$EPMD" -port "$PORT")
        [[ $said != *"too low"* ]] || break
    done
    like "$said" \
        '^1\|\|epmd: the limit of open files is too low: [0-9]+, and [0-9]+ are needed$'
}

@test "a limit of open files that lowers what is admitted is a warning, in the foreground too" {
    need_no_runner
    EPMD_RUNNER='prlimit --nofile=64' start_quiet -address 127.0.0.1
    like "$(log)" "^$(epmd -version) admits ([0-9]+) nodes and ([0-9]+) connections, \
lowered by the limit of open files \(64\), at port $PORT of 127.0.0.1, ::1\$"
    is "$((BASH_REMATCH[1] < 64 && BASH_REMATCH[2] < 64))" 1
    is "$(ask many 100 6)" "${BASH_REMATCH[1]}"
}

@test "SIGUSR2 switches -d on and off, and back to as many as there were" {
    start_quiet
    ask send "$(please abc)" eof
    kill -USR2 "$EPMD_PID"
    wait_for logged 'SIGUSR2: -d is on'
    ask send "$(please abc)" eof
    kill -USR2 "$EPMD_PID"
    wait_for logged 'SIGUSR2: -d is off'
    ask send "$(please abc)" eof
    is "$(log)" 'SIGUSR2: -d is on
** got PORT2_REQ
** sent PORT2_RESP (error) for "abc"
SIGUSR2: -d is off'
    end "$EPMD_PID"
    free_port
    start_quiet -d -d
    wait_for logged 'epmd running - daemon = 0'
    kill -USR2 "$EPMD_PID"
    wait_for logged 'SIGUSR2: -d is off'
    kill -USR2 "$EPMD_PID"
    wait_for logged 'SIGUSR2: -d is on'
    is "$(log | grep -c 'on file descriptor' || :)" 0
    ask send "$(please abc)" eof
    logged 'got 6 bytes'
}

@test "-daemon logs its start and its end as information, a lowered limit as a warning, what -d says for debugging" {
    need_root "mount namespaces"
    need_no_runner
    # a /dev/log of our own
    cat >"$TMP/script" <<END
mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 || exit 1
"$BUILD/supervisor" -n /dev/log >"$TMP/syslog" &
until [ -S /dev/log ]; do sleep 0.02; done
lines() { until [ "\$(wc -l <"$TMP/syslog")" = \$1 ]; do sleep 0.02; done; }
"$EPMD" -daemon -address 127.0.0.1 -port $PORT || exit 1
"$EPMD" -port $PORT -kill && lines 2 || exit 1
prlimit --nofile=64 "$EPMD" -d -daemon -port $PORT || exit 1
"$BUILD/raw" -p $PORT send "$(please nobody)" eof
lines 6
kill "\$(sed -n '4s/.*epmd\[\([0-9]*\)\].*/\1/p' "$TMP/syslog")"
lines 7
kill \$!
END
    is "$(timeout 60 unshare --mount sh "$TMP/script")" "Killed
7701 closed"
    local version
    version=$(epmd -version)
    is "$(sed 's/\[[0-9]*\]//; s/ [0-9]* nodes and [0-9]* connections, l/ fewer, l/' \
        "$TMP/syslog")" \
        "<30>epmd: $version admits 1024 nodes and 1280 connections, at port $PORT of 127.0.0.1, ::1
<30>epmd: epmd ends: killed by request of ::1
<28>epmd: $version admits fewer, \
lowered by the limit of open files (64), at port $PORT of 0.0.0.0, ::
<31>epmd: epmd running - daemon = 1
<31>epmd: ** got PORT2_REQ
<31>epmd: ** sent PORT2_RESP (error) for \"nobody\"
<30>epmd: epmd ends: SIGTERM"
}

@test "with -systemd a line begins with its priority, and has neither date nor name" {
    local version
    version=$(epmd -version)
    serve "$BUILD/supervisor" -l "127.0.0.1,$PORT" \
        $EPMD_RUNNER "$EPMD" -systemd -d -d -d >"$TMP/log" 2>&1
    register abc
    ask send "$kill_req" eof
    let_go abc
    wait_for grep -q unregistering "$TMP/log"
    kill -INT "$EPMD_PID"
    ended "$EPMD_PID"
    is "$(sed -n '1,2p;$p' "$TMP/log")" \
        "<6>$version admits 1024 nodes and 1280 connections, at port $PORT of 127.0.0.1
<7>epmd running - daemon = 0
<6>epmd ends: SIGINT"
    grep -qx '<7>\*\* got ALIVE2_REQ' "$TMP/log"
    grep -qx '<7>\*\*\*\*\* 00000000  00 01 6b  *|..k|' "$TMP/log"
    is "$(grep -cv '^<[67]>' "$TMP/log" || :)" 0
}

@test "so it does where JOURNAL_STREAM names its standard error, and not where it names another" {
    touch "$TMP/log"
    JOURNAL_STREAM=$(stat -c %d:%i "$TMP/log") start_quiet
    kill -USR1 "$EPMD_PID"
    wait_for grep -q '^<6>up since ' "$TMP/log"
    end "$EPMD_PID"
    is "$(sed 's/up since.*/up/; s/admits.*/admits/' "$TMP/log")" "<6>$(epmd -version) admits
<6>up
<6>epmd ends: SIGTERM"
    export JOURNAL_STREAM
    JOURNAL_STREAM=$(stat -c %d:%i "$TMP")
    start_quiet -d
    logged 'epmd running - daemon = 0'
}

@test "what it cannot start for is an error of the journal" {
    touch "$TMP/log"
    export JOURNAL_STREAM
    JOURNAL_STREAM=$(stat -c %d:%i "$TMP/log")
    run -1 sh -c "timeout 5 '$EPMD' -systemd 2>>'$TMP/log'"
    is "$(cat "$TMP/log")" '<3>systemd provides no sockets'
}

@test "-d -d adds the bytes in hex" {
    start -d
    register abc 5000
    ask send "$(please abc)" eof
    logged "got 18 bytes"
    logged "***** 00000000  00 10 78 13 88 4d 00 00  06 00 05 00 03 61 62 63  |..x..M.......abc|"
    logged "***** 00000010  00 00                                             |..|"
    logged "got 17 bytes"
    logged "***** 00000000  77 00 13 88 4d 00 00 06  00 05 00 03 61 62 63 00  |w...M.......abc.|"
    logged "** sent PORT2_RESP (ok) for \"abc\""
}

@test "-d -d tells when connections come and go" {
    start -d
    unregistered abc
    wait_for logged_like "closing connection on file descriptor"
    like "$(log | grep "opening connection")" \
        '^opening connection on file descriptor [0-9]+ from 127.0.0.1 port [0-9]+$'
}

@test "-d -d -d adds the tables" {
    start -d -d
    register old 5001
    let_go old
    wait_for unregistered_quietly old
    register abc 5000
    like "$(log)" "[*]{5}     active name     \"abc#$(creation \
        "$ANSWER")\" at port 5000, fd = [0-9]+"
    like "$(log)" '[*]{5}     old/unused name "old#[0-9]+"'
}

@test "-d changes nothing but the log: more than five names are remembered" {
    start -d -d
    for i in {1..9}; do
        ask send "$(alive2 "n$i")" recv 6 fin eof
    done
    is "$(ask send "$dump_req" text | tail -c +5 | tr '\0' '\n' |
        grep -c '^old/unused name <n[1-9]>')" 9
}

@test "bytes from a peer reach the log as printable text only" {
    start
    ask send "$(frame "7a$(hex $'a\x1b[2J\x07\x0d')")" eof @1 send "$(alive2_hex 610a622a2a)" eof \
        @2 send "$(frame 7aff9b)" eof
    is "$(LC_ALL=C tr -d '\n\40-\176' <"$TMP/log" | wc -c)" 0
    is "$(grep -cv '^epmd: ' "$TMP/log" || :)" 0
}

@test "a name as long as can be sent does not make a line without end" {
    start
    ask send "$(frame "7a$(rep 61 3000)")" eof @1 send "$(alive2_hex "$(rep 62 2000)")" eof
    [ "$(wc -L <"$TMP/log")" -lt 1200 ]
}

@test "a socket that is standard error keeps its flags, which may be another process's as well" {
    need strace
    need_no_runner
    mute
    exec 5<>"/dev/tcp/127.0.0.1/$PORT"
    free_port
    serve strace -D -qq -s 200 -o "$TMP/trace" "$EPMD" -d -port "$PORT" 2>&5
    register abc
    is "$(grep -c 'sendto(2, "epmd: .*registering' "$TMP/trace") $(grep -c 'fcntl(2, F_SETFL' \
        "$TMP/trace")" "1 0"
    exec 5>&-
}
