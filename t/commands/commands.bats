# The commands: what they ask, how long they try, what they print and why they fail.
load ../tools/helper

# ---- output

@test "what a command says is written at once" {
    need_no_runner
    start
    hold many 1 many 300 100
    register abc
    for words in -names -dump -status "-lookup abc" "-d -lookup abc" "-stop abc" -help; do
        # shellcheck disable=SC2086
        strace -qq -e trace=write -o "$TMP/trace" "$EPMD" -port "$PORT" $words \
            >"$TMP/out" 2>/dev/null 3>&- || :
        is "$words $(grep -c '^write(1,' "$TMP/trace")" "$words 1"
    done
}

@test "a list that breaks off is shown as far as it came" {
    stranger -r "00001111$(hex "name a at port 5")0a$(hex "name b")+"
    is "$(told epmd -port "$PORT" -timeout 1 -names)" \
        "1|$(headline 4369)
name a at port 5
name b|epmd: the answer broke off: Connection timed out"
}

@test "what a terminal would obey, and what is no UTF-8, is shown as ?" {
    local line lines
    line=$(hex 'name <a')9b$(hex '31m')1b$(hex ']0;')07c29bc3a9e282acf09f9880e282
    line+=$(hex '> at port 5, fd = 3')0a
    lines="name <a?31m?]0;??é€😀??> at port 5, fd = 3"
    stranger -r "00001111$line"
    is "$(epmd -port "$PORT" -names | tail -n 1)" "$lines"
    is "$(epmd -port "$PORT" -dump | tail -n 1)" "$lines"
    free_port
    stranger -r 4f4b9b1b
    for words in -kill "-stop a"; do
        # shellcheck disable=SC2086
        is "$words $(told epmd -port "$PORT" $words)" \
            "$words 1|epmd: local epmd responded with <OK??>|$NO_ANSWER"
    done
}

@test "-status of a stranger shows a daemon's columns, and nothing that a terminal would obey" {
    stranger -r "00001111$(hex a)9b09$(hex $'12345678\t3\tactivexxx\t1\t2026')1b$(
        hex $'\t77\t6\t5')0a"
    is "$(epmd -port "$PORT" -status)" "a?	12345	normal	5-6	active	1	2026?"
}

# ---- -register

@test "-register says so only where the whole answer does" {
    for answer in 4800 7600 76000000 7900 790000 78000000000f 76000000000f00 7600000000; do
        free_port
        stranger -r "$answer"
        is "$answer $(told epmd -port "$PORT" -timeout 1 -register abc 5000)" \
            "$answer 1||$NO_ANSWER"
    done
    ended='epmd: the daemon ended the registration of "abc"'
    for answer in 76000000000f 7900000f; do
        free_port
        stranger -r "$answer"
        is "$answer $(told epmd -port "$PORT" -register abc 5000)" \
            "$answer 1|registered abc at port 5000|$ended"
    done
}

@test "-register ends with status 1 and a line where its output cannot be written" {
    start
    is "$(told closed_output timeout 10 "$EPMD" -port "$PORT" -register abc 5000)" \
        "1||epmd: cannot write: Bad file descriptor"
    is "$(told full_output timeout 10 "$EPMD" -port "$PORT" -register abc 5000)" \
        "1||epmd: cannot write: No space left on device"
    mkfifo "$TMP/fifo"
    exec 5<>"$TMP/fifo" 6>"$TMP/fifo" 5<&-
    is "$(told timeout 10 sh -c "$EPMD_RUNNER '$EPMD' -port $PORT -register abc 5000 >&6")" \
        "1||epmd: cannot write: Broken pipe"
    exec 6>&-
    unregistered abc
}

full_output() { # COMMAND...
    "$@" >/dev/full
}

# ---- how long

@test "a command waits for no reader longer than -timeout" {
    start
    hold nodes 1 many 400 250
    mkfifo "$TMP/fifo"
    exec 5<>"$TMP/fifo"
    head -c 4096 /dev/zero >&5 # the pipe has room, but not for all
    is "$(told timeout 20 sh -c "$EPMD_RUNNER '$EPMD' -port $PORT -timeout 1 -names >&5")" \
        "1||epmd: cannot write: Connection timed out"
    exec 5>&-
    exec 5<>"$TMP/fifo"
    head -c 65536 /dev/zero >&5
    free_port
    is "$(told timeout 20 sh -c "$EPMD_RUNNER '$EPMD' -port $PORT -timeout 1 -names 2>&5")" "1||"
    is "$(told timeout 20 sh -c "$EPMD_RUNNER '$EPMD' -nonsense 2>&5")" "1||"
    exec 5>&-
}

@test "-wait as long as -timeout, or longer, ends with what the last try came to" {
    start
    for wait in 1 2; do
        is "$(told epmd -port "$PORT" -timeout 1 -wait $wait -lookup nobody)" \
            '1||epmd: no such node: "nobody"'
    done
}

@test "-wait gives each try its own -timeout, and none more than is left" {
    local from=$SECONDS
    stranger -m
    is "$(told epmd -port "$PORT" -timeout 1 -wait 4 -lookup abc)" \
        "2||epmd: time is up, with no answer from local epmd, port $PORT"
    [ "$(wc -l <"$TMP/stranger")" -ge 3 ]
    [ $((SECONDS - from)) -ge 3 ]
    [ $((SECONDS - from)) -le 20 ]
}

@test "a last try that has too little time says why the one before it failed" {
    full
    (sleep 1.5 && exec "$BUILD/supervisor" -l "127.0.0.1,$PORT" sleep 60) >/dev/null 3>&- &
    remember $!
    is "$(told timeout 20 "$EPMD" -port "$PORT" -timeout 5 -wait 3 -names)" \
        "1||epmd: Cannot connect to local epmd, port $PORT: Connection refused"
}

@test "the first try has all of -timeout, though -wait is shorter" {
    start -delay_write 2
    is "$(told epmd -port "$PORT" -timeout 20 -wait 1 -lookup abc)" '1||epmd: no such node: "abc"'
}

@test "a host whose first address leads nowhere is asked at its second" {
    two_hosts
    start_on "$HOST_A"
    # nobody has fd77::9
    printf 'fd77::9 both\n10.77.0.1 both\n' >"$TMP/hosts"
    echo 'hosts: files' >"$TMP/nsswitch"
    cat >"$TMP/script" <<END
mount --bind "$TMP/hosts" /etc/hosts && mount --bind "$TMP/nsswitch" /etc/nsswitch.conf || exit 1
$EPMD_RUNNER "$EPMD" "\$@"
END
    is "$(told on "$HOST_B" unshare --mount sh "$TMP/script" -timeout 2 -host both -names)" \
        "0|$(headline 4369)|"
    is "$(told on "$HOST_B" unshare --mount sh "$TMP/script" -host none -names)" \
        '1||epmd: Cannot connect to epmd on "none", port 4369: Name or service not known'
}

# ---- why

@test "a command that cannot connect says why, and where" {
    for words in "1 -names" "1 -status" "1 -dump" "1 -counts" "1 -kill" "1 -stop abc" \
        "2 -lookup abc" "1 -register abc 5000"; do
        read -r expected words <<<"$words"
        # shellcheck disable=SC2086
        is "$words $(told epmd -port "$PORT" $words)" \
            "$words $expected||epmd: Cannot connect to local epmd, port $PORT: Connection refused"
    done
    two_hosts
    is "$(told on "$HOST_A" "$EPMD" -port 5 -host 10.77.0.2 -names)" \
        '1||epmd: Cannot connect to epmd on "10.77.0.2", port 5: Connection refused'
    is "$(told on "$HOST_A" "$EPMD" -host 192.0.2.1 -names)" \
        '1||epmd: Cannot connect to epmd on "192.0.2.1", port 4369: Network is unreachable'
    is "$(told on "$HOST_A" "$EPMD" -timeout 1 -host 10.77.0.9 -names)" \
        '1||epmd: Cannot connect to epmd on "10.77.0.9", port 4369: Connection timed out'
}

@test "a build that looks no names up says so" {
    local why="this epmd takes IP addresses alone"
    # shellcheck disable=SC2086
    ${CC:-cc} -std=c99 -DEPMD_NO_RESOLVER -o "$TMP/epmd" "$ROOT/epmd.c"
    is "$(told "$TMP/epmd" -host localhost -names)" \
        "1||epmd: Cannot connect to epmd on \"localhost\", port 4369: $why"
    start
    is "$("$TMP/epmd" -port "$PORT" -host '[::1]' -names)" "$(headline)"
}

@test "-host takes an IPv6 address with and without brackets" {
    start
    for host in ::1 '[::1]' 127.0.0.1 localhost; do
        is "$host $(epmd -port "$PORT" -host "$host" -names)" \
            "$host epmd: up and running on port $PORT with data:"
    done
}

@test "a name may be given with its host, which is taken off" {
    start
    background "$EPMD" -port "$PORT" -register metrics@here 9100 >"$TMP/register" 2>&1
    wait_for is_registered metrics
    is "$(cat "$TMP/register")" 'epmd: a node is registered without its host: taking "metrics"
registered metrics at port 9100'
    is "$(told epmd -port "$PORT" -lookup metrics@there)" \
        '0|9100|epmd: a node is registered without its host: taking "metrics"'
    is "$(told epmd -port "$PORT" -lookup foo@there)" \
        '1||epmd: a node is registered without its host: taking "foo"
epmd: no such node: "foo"'
}

@test "-stop takes a name with its host, as -lookup does" {
    start -relaxed_command_check
    register abc
    is "$(told epmd -port "$PORT" -stop abc@there)" \
        '0|STOPPED|epmd: a node is registered without its host: taking "abc"'
}

# ---- -status

without_times() { # the last two columns as they are, on standard input
    sed -E 's/[0-9]{9,10}/CREATION/; s/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z/SINCE/'
}

@test "-status is a line of filled columns a node, from one request" {
    start
    was_here gone 5001 72 6 5
    register abc 5000
    register "a b" 5002 104 5 5
    register m 5003 109
    register n 5004 110
    register other 5005 200 7 6
    old=$(epmd -port "$PORT" -status | sed -n 's/^a b.*active\t\([123]\)\t.*/\1/p')
    is "$(epmd -port "$PORT" -status | without_times)" \
        "other	5005	200	6-7	active	CREATION	SINCE
n	5004	normal	5-6	active	CREATION	SINCE
m	5003	normal	5-6	active	CREATION	SINCE
a b	5002	hidden	5-5	active	$old	SINCE
abc	5000	normal	5-6	active	CREATION	SINCE
gone	5001	hidden	5-6	down	CREATION	SINCE"
    is "$(epmd -port "$PORT" -status | cut -f 2 | paste -sd' ')" "5005 5004 5003 5002 5000 5001"
    is "$(log | grep -c 'got PORT2_REQ')" "$(log | grep -c 'sent PORT2_RESP')"
    log | grep -c 'got PORT2_REQ' >"$TMP/before" || :
    epmd -port "$PORT" -status >/dev/null
    is "$(log | grep -c 'got PORT2_REQ')" "$(cat "$TMP/before")"
}

@test "-status on a terminal is an aligned table with a header" {
    start
    register abc 5000
    register żółw_日本 50001 72
    script -qec "$EPMD -port $PORT -status" /dev/null </dev/null | tr -d '\r' >"$TMP/shown"
    is "$(without_times <"$TMP/shown")" \
        "NAME      PORT  TYPE    VERSIONS  STATE     CREATION  SINCE
żółw_日本  50001  hidden  5-6       active  CREATION  SINCE
abc       5000  normal  5-6       active  CREATION  SINCE"
}

@test "-status of OTP's epmd shows what its dump says" {
    [ -x "$REF" ] || skip "no $REF"
    serve "$REF" -port "$PORT" >/dev/null 2>&1
    was_here gone 5001
    register abc 5000
    is "$(told epmd -port "$PORT" -status)" "0|abc	5000	-	-	active	-	-
gone	5001	-	-	down	-	-|"
}

@test "-status of a daemon that has but eclus's columns leaves the others open" {
    stranger -r "00001111$(hex "abc	5000	3	active	7	2026-11-22T11:57:01Z")0a"
    is "$(told epmd -port "$PORT" -status)" \
        "0|abc	5000	-	-	active	7	2026-11-22T11:57:01Z|"
}

# ---- -counts

@test "-counts prints what was counted, in Prometheus's text format" {
    start
    register abc
    was_here other
    ask send "$(alive2 abc)" eof send 0001ff eof
    ask send 0001ff eof
    epmd -port "$PORT" -names >/dev/null
    run --separate-stderr epmd -port "$PORT" -counts
    is "$status:$stderr" "0:"
    is "$(grep -vE '^# TYPE epmd_[a-z_]+ (counter|gauge)$' <<<"$output" |
        grep -vcE '^epmd_[a-z_]+([{][a-z]+="[A-Z0-9.]+"[}])? [0-9]+$' || :)" 0
    # each line behind its TYPE, and none said twice
    is "$(sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' <<<"$output")" \
        "$(sed '/^#/d; s/[{ ].*//' <<<"$output" | uniq)"
    is "$(sed -n 's/^epmd_info{version="\(.*\)"} 1$/epmd \1/p' <<<"$output")" "$(epmd -version)"
    is "$(count nodes) $(count nodes_max) $(count nodes_limit) $(count connections)" "1 2 1024 2"
    is "$(count refused_total) $(count dropped_total)" "1 1"
    is "$(count evicted_total) $(count timed_out_total)" "0 0"
    is "$(count 'requests_total{request="NAMES"}') $(count 'requests_total{request="ALIVE2"}')" \
        "1 3"
    [ "$(count uptime_seconds)" -le 600 ]
}

@test "-counts of an epmd that counts nothing says so, and so does one of another host" {
    local why="it is another kind, or this host may not ask"
    stranger -r "" 00001111
    is "$(told epmd -port "$PORT" -counts)" \
        "1||epmd: no counts from local epmd, port $PORT: $why"
    if [ -x "$REF" ]; then
        free_port
        serve "$REF" -port "$PORT" >/dev/null 2>&1
        is "$(told epmd -port "$PORT" -counts)" \
            "1||epmd: no counts from local epmd, port $PORT: $why"
    fi
    free_port
    stranger -a "HTTP/1.1 400 Bad Request"
    is "$(told epmd -port "$PORT" -counts)" "1||$NO_ANSWER"
}

# ---- -wait -register

@test "-wait -register registers again when the daemon comes back" {
    start
    background "$EPMD" -port "$PORT" -wait 30 -register abc 9100 >"$TMP/out" 2>"$TMP/err"
    local client=$!
    wait_for is_registered abc
    for i in 1 2; do
        kill -KILL "$EPMD_PID"
        wait_for gone "$EPMD_PID"
        wait_for has_lines "$TMP/err" $i
        start
        wait_for is_registered abc
    done
    is "$(sort -u "$TMP/out")" "registered abc at port 9100"
    is "$(wc -l <"$TMP/out")" 3
    is "$(sort -u "$TMP/err")" 'epmd: the daemon ended the registration of "abc"'
    kill $client
    wait_for unregistered abc
}

@test "-wait -register gives up after its time, with status 1 and the last failure" {
    start
    background "$EPMD" -port "$PORT" -wait 1 -register abc 9100 >/dev/null 2>"$TMP/err"
    local client=$!
    wait_for is_registered abc
    kill "$EPMD_PID"
    ended_with 1 $client
    is "$(cat "$TMP/err")" "epmd: the daemon ended the registration of \"abc\"
epmd: Cannot connect to local epmd, port $PORT: Connection refused"
}

# ---- the daemon's part

@test "STATUS has type, highest and lowest version behind eclus's columns" {
    start
    register abc 5000 72 7 3
    like "$(ask send "$(frame 4e)" text | tail -c +5)" \
        "^abc	5000	[0-9]+	active	[0-9]+	20[0-9-]{8}T[0-9:]{8}Z	72	7	3\$"
}

@test "a port that is taken: who has it" {
    local why='Address already in use' holder who
    start
    is "$(told timeout 20 "$EPMD" -port "$PORT")" \
        "1||epmd: cannot listen on 0.0.0.0 port $PORT: $why: an epmd answers there already"
    is "$(names)" ""
    while read -r holder who; do
        free_port
        stranger "$holder" "HTTP/1.1 400 Bad Request"
        for words in "" -daemon; do
            # shellcheck disable=SC2086
            is "$words $(told timeout 20 "$EPMD" -port "$PORT" $words)" \
                "$words 1||epmd: cannot listen on 0.0.0.0 port $PORT: $why: $who"
        done
    done <<<'-a something that is no epmd has it
-m what has it does not answer'
}

@test "-daemon where an epmd serves says that the options were not applied, if there are any" {
    local why="nothing was started, and the options were not applied"
    start
    is "$(told timeout 20 "$EPMD" -port "$PORT" -daemon)" "0||"
    is "$(ERL_EPMD_PORT=$PORT told timeout 20 "$EPMD" -daemon)" "0||"
    is "$(listeners "$PORT")" "$EPMD_PID"
    for words in -d -relaxed_command_check -local_names "-packet_timeout 5" \
        "-address 127.0.0.1" "-user nobody"; do
        # shellcheck disable=SC2086
        is "$words $(told timeout 20 "$EPMD" -port "$PORT" $words -daemon)" \
            "$words 0||epmd: an epmd serves port $PORT already: $why"
    done
}
