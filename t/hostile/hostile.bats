load ../tools/helper

# With FULL=1 the limits of time are tried at their defaults too, which takes a minute. All else has
# its full figures as it is. Squatters on an address are in listen.bats, forged lines in log.bats
# and register.bats, faults of the system in faults.tap.

flood_from() { # NETNS TAG MODE...: to the daemon in $HOST_A, until let_go
    keep "$2" 1 ip netns exec "$1" "$BUILD/flood" 4369 10.77.0.1 "${@:3}"
}

ask_local() { # STEP...
    ask_on "$HOST_A" 10.77.0.1 -t 3000 "$@"
}

# For two seconds each look-up and each registration from this host succeeds within three.
is_served_on() {
    local i
    for ((i = 0; i < 10; i++)); do
        like "$(ask_local send "$(please kept)" eof)" '^7700.* closed$'
        like "$(ask_local send "$(alive2 "new$i")" recv 6)" '^7600'
        sleep 0.2
    done
}

@test "2,000 silent connections from this host, then from another one, keep nobody of this host waiting" {
    full
    two_hosts
    start_on "$HOST_A"
    register_on "$HOST_A" kept 10.77.0.1
    for kind in silent partial; do
        for host in "$HOST_A" "$HOST_B"; do
            flood_from "$host" flood $kind 2000
            is "$(cat "$TMP/flood.out")" 2000
            is_served_on
            let_go flood
        done
    done
}

@test "where the kernel sends no SYN cookies, those who say nothing do not fill the queue before accept" {
    one_host
    need_no_runner
    local good all
    on "$HOST" sysctl -q -w net.ipv4.tcp_syncookies=0 net.ipv4.tcp_max_syn_backlog=128 \
        net.core.somaxconn=128
    start_on "$HOST"
    register_on "$HOST" kept 127.0.0.1
    background on "$HOST" "$BUILD/flood" 4369 silent 100000 300 >"$TMP/silent"
    on "$HOST" "$BUILD/flood" 4369 lookups 2 kept >"$TMP/warm" # by now the queue would be full
    read -r good _ all _ <<<"$(on "$HOST" "$BUILD/flood" 4369 lookups 3 kept)"
    echo "$good of $all look-ups"
    [ "$all" -gt 100 ]
    is "$good" "$all"
}

@test "where room is made, connections from another host go before those from this host" {
    two_hosts
    start_on "$HOST_A"
    keep slow 0 ask_on "$HOST_A" 10.77.0.1 -t 60000 send 0004 wait 4000 send 7a616263 eof
    sleep 0.2
    flood_from "$HOST_B" flood partial 2000
    wait_for has_lines "$TMP/slow.out" 1
    is "$(cat "$TMP/slow.out")" "7701 closed"
    is "$(log | grep -c 'to make room')" $((2001 - 256)) # as many as there are buffers for may wait
}

@test "20,000 connects a second for ten seconds: 99 of 100 look-ups succeed at the first try" {
    full
    need_no_runner
    start_quiet
    register kept
    local made=() good all slowest
    for i in 1 2; do
        background flood connects 10000 10 >"$TMP/connects$i"
        made+=($!)
    done
    read -r good _ all slowest <<<"$(flood lookups 10 kept)"
    wait "${made[@]}"
    connects=$(awk '{ n += $1 } END { print n }' "$TMP"/connects[12])
    echo "# made $connects connects; $good of $all look-ups, the slowest $slowest ms" >&3
    [ "$all" -gt 100 ]
    [ $((100 * good)) -ge $((99 * all)) ]
    is "$(names)" "name kept at port 5000"
}

@test "a request has its time in all: a byte now and then does not renew it" {
    start -packet_timeout 3
    is "$(ask -t 20000 slow 200 "$(please abc)" eof)" "7701 closed"
    is "$(ask -t 20000 slow 500 "$(please abcdefghijkl)" eof | tail -c 7)" closed
    is "$(log | grep -c 'timed out on receive')" 1
    is "$(log | grep -c 'sent PORT2_RESP')" 1
}

# 1,000 nodes with names of 255 characters
crowd() {
    hold crowd 1 many 1000 255
    is "$(cat "$TMP/crowd.out")" 1000
}

holds_at_least() { # DESCRIPTORS
    [ "$(descriptors)" -ge "$1" ]
}

holds_at_most() { # DESCRIPTORS
    [ "$(descriptors)" -le "$1" ]
}

@test "a deadline fires while more connections are ready than one turn serves" {
    need strace
    "${CC:-cc}" -std=c99 -O2 -DEPMD_BATCH_MAX=1 -o "$TMP/epmd" "$ROOT/epmd.c"
    EPMD=$TMP/epmd start -packet_timeout 2
    crowd
    # each send takes so long that the readers have always taken what was sent before
    traced -o /dev/null -e trace=sendto -e inject=sendto:delay_enter=20000
    flooded readers readers 8
    is "$(ask -t 10000 send 0004 eof)" closed
    kill -0 "$(cat "$TMP/readers.pid")"
    is "$(log | grep -c 'timed out on receive')" 1
}

@test "a list has five times -packet_timeout in all, however steadily it is taken" {
    full
    need_no_runner
    start -packet_timeout 3
    crowd
    local steps=() i from=$SECONDS
    for i in {1..400}; do steps+=(recv 300 wait 50); done
    background ask -t 20000 rcvbuf 2048 send "$names_req" "${steps[@]}" eof >"$TMP/list"
    wait_for timed_out send 1
    [ $((SECONDS - from)) -ge 14 ]
}

# of the daemon's connections with another host, those whose answers the kernel holds, and the most
# bytes of one
unread() {
    on "$HOST_A" ss -Htnm 'sport = :4369 and dst 10.77.0.2' |
        sed -n 's/.*skmem:.*,w\([0-9]*\),.*/\1/p' |
        awk '$1 > 0 { n++ } $1 > most { most = $1 } END { print n + 0, most + 0 }'
}

unread_is() { # CONNECTIONS
    local n
    read -r n _ <<<"$(unread)"
    [ "$n" -eq "$1" ]
}

@test "lists that nobody reads hold little of the kernel's memory, and none once their time is over" {
    full
    two_hosts
    need_no_runner
    local most letters
    start_on "$HOST_A" -packet_timeout 3
    for letters in 6 255; do # a list that the kernel takes whole, and one that waits for its reader
        keep nodes 1 ip netns exec "$HOST_A" "$BUILD/raw" -p 4369 many 900 "$letters" hold
        is "$(cat "$TMP/nodes.out")" 900
        flood_from "$HOST_B" flood deaf 200
        read -r _ most <<<"$(unread)"
        echo "most: $most"
        [ "$most" -gt 0 ]
        [ "$most" -le 40000 ]
        wait_for unread_is 0
        let_go flood
        let_go nodes
        wait_for no_names_on
    done
}

no_names_on() {
    [ "$(ask_local send "$names_req" eof)" = "00001111 closed" ]
}

@test "the answer to a look-up that nobody reads leaves the kernel when its time is over" {
    full
    one_host
    need_no_runner
    start_on "$HOST" -packet_timeout 2
    local name k steps=()
    name=$(rep 6e 255)
    keep node 1 ask_on "$HOST" 127.0.0.1 \
        send "$(alive2_hex "$name" 5000 77 6 5 "$(rep ee 1020)")" recv 6 hold
    for k in {1..20}; do steps+=("@$k" send "$(frame "7a$name")"); done
    keep lookups 0 ask_on "$HOST" 127.0.0.1 rcvbuf 1 "${steps[@]}" hold
    wait_for unread_answers 20
    wait_for unread_answers 0
}

unread_answers() { # COUNT
    [ "$(on "$HOST" ss -Htn state fin-wait-1 sport = :4369 | wc -l)" = "$1" ]
}

@test "a list that is closed for its reader ends in a reset, not as if it were whole" {
    start -packet_timeout 1
    crowd
    like "$(ask -t 20000 rcvbuf 2048 send "$names_req" wait 4000 eof | tail -c 10)" ' reset$'
}

@test "64 clients that ask for names and read nothing delay nobody, and are closed at the limit" {
    full
    need_no_runner
    start -packet_timeout 10
    crowd
    register kept
    local files good all slowest
    files=$(descriptors)
    flooded deaf deaf 64
    wait_for holds_at_least $((files + 64))
    read -r good _ all slowest <<<"$(flood lookups 1 kept)"
    is "$good" "$all"
    [ "$slowest" -lt 2000 ]
    [ "$(names | wc -c)" -gt 270000 ]
    wait_for holds_at_most "$files"
    is "$(log | grep -c 'timed out on send')" 64
    is_registered kept
}

timed_out() { # ON COUNT
    [ "$(log | grep -c "timed out on $1")" -ge "$2" ]
}

@test "by default a byte a second is served, and a byte every ten seconds and an unread list are closed after a minute" {
    full
    need_no_runner
    start
    crowd
    local from=$SECONDS
    flooded deaf deaf 64
    background ask -t 100000 slow 10000 "$(please abcd)" eof >"$TMP/slow" 2>&1
    is "$(ask -t 20000 slow 1000 "$(please abcd)" eof)" "7701 closed"
    PATIENCE=100 wait_for timed_out send 64
    PATIENCE=100 wait_for timed_out receive 1
    [ $((SECONDS - from)) -ge 60 ]
    [ $((SECONDS - from)) -le 75 ]
    is "$(log | grep -c 'timed out')" 65
}

@test "a client that reads slowly gets every byte, while nodes come and go" {
    full
    start
    crowd
    background flood rounds 20000 >"$TMP/rounds"
    local steps=() i name
    for i in {1..40}; do steps+=(recv 300 wait 25); done
    ask -t 120000 rcvbuf 2048 send $names_req recv 4 "${steps[@]}" eof >"$TMP/hex"
    tail -n 1 "$TMP/hex" | grep -q ' closed$'
    tail -n +2 "$TMP/hex" | sed 's/ closed$//; s/../\\x&/g' |
        while read -r line; do printf %b "$line"; done >"$TMP/list"
    tail -c 1 "$TMP/list" | od -An -tx1 | grep -q 0a
    is "$(grep -vcE '^name (n{251}[0-9]{4}|round[0-9]+) at port [0-9]+$' "$TMP/list" || :)" 0
    for ((i = 1; i <= 1000; i++)); do
        printf 'name %s%04d at port %d\n' "$(rep n 251)" "$i" "$i"
    done | sort >"$TMP/expected"
    grep '^name n' "$TMP/list" | sort | diff - "$TMP/expected"
}

@test "10,000 connections that are reset at every stage leave no name and no descriptor" {
    need_no_runner
    start
    register kept
    local files
    files=$(descriptors)
    is "$(flood resets 50000)" 50000
    wait_for holds_at_most "$files"
    is "$(names)" "name kept at port 5000"
}

@test "a flood of garbage writes nothing to the log" {
    start_quiet
    register kept
    is "$(flood garbage 20000)" 20000
    is "$(flood resets 5000)" 5000
    is_registered kept
    is "$(names)" "name kept at port 5000"
    is "$(head -n 3 "$TMP/log")" ""
}

@test "the line of a shortage names the peer that most connections are from" {
    two_hosts
    start_on "$HOST_A"
    keep few 1 on "$HOST_A" "$BUILD/flood" 4369 127.0.0.1 partial 100
    flood_from "$HOST_B" flood partial 200
    wait_for logged_like '^no free connection: .* ([0-9]* of 2[0-9]* from 10.77.0.2)$'
}

@test "that connections are free again is said only when they are" {
    full
    need_no_runner
    EPMD_RUNNER='prlimit --nofile=64:64' start_quiet
    flooded flood partial 200
    wait_for logged_like '^no free connection: '
    sleep 12 # more than a shortage lasts that is not met again
    is "$(log | grep 'connections are free again' || :)" ""
    let_go flood
    wait_for logged 'connections are free again'
}

no_names() {
    [ -z "$(names)" ]
}

@test "entering and leaving a shortage writes one line each, however often it is met" {
    full
    need_no_runner
    EPMD_RUNNER='prlimit --nofile=64:64' start_quiet
    local i pids=()
    for i in {1..3}; do
        flooded flood partial 200
        let_go flood
    done
    hold nodes 1 many 100 6
    for i in {1..30}; do
        is "$(ask send "$(alive2 "over$i")" eof)" "760100000063 closed"
    done
    let_go nodes
    wait_for no_names # else poll() has more descriptors than the limit allows, and fails
    prlimit --pid "$EPMD_PID" --nofile=8:64
    for i in {1..5}; do
        ask -t 100 send "$(please over)" eof >"$TMP/waited" || :
    done
    prlimit --pid "$EPMD_PID" --nofile=64:64
    wait_for logged 'new connections are accepted again'
    is "$(log | grep -v ' admits ' | sed 's/([0-9]* of [0-9]* /(N of N /' | sort | head -n 20)" \
        "as many nodes as are admitted: refusing new ones (N of N from 127.0.0.1)
connections are free again
new connections are accepted again
new nodes are admitted again
no free connection: closing those that have waited longest (N of N from 127.0.0.1)
out of file descriptors or memory for a new connection"
}

# the system calls by which it got the secret of its names' hash, in the trace
start_traced() { # STRACE-OPTION...
    serve strace -D -qq -o "$TMP/trace" "$@" -port "$PORT"
    register abc
    is_registered abc
}

@test "the hash of names has a secret, from the kernel and without waiting; where there is none it serves all the same" {
    need_no_runner
    need strace
    start_traced -e trace=getrandom "$EPMD"
    wait_for grep -q 'getrandom(.*, 8, GRND_NONBLOCK) *= 8' "$TMP/trace"
    sed 's/syscall(SYS_getrandom[^)]*)/-1/' "$ROOT/epmd.c" >"$TMP/epmd.c"
    "${CC:-cc}" -std=c99 -I"$ROOT" -o "$TMP/epmd" "$TMP/epmd.c"
    free_port
    start_traced -P /dev/urandom "$TMP/epmd"
    wait_for grep -q '/dev/urandom", O_RDONLY|O_NONBLOCK) *= [0-9]' "$TMP/trace"
    free_port
    start_traced -P /dev/urandom -e inject=openat:error=ENOENT "$TMP/epmd"
    wait_for grep -q '/dev/urandom", O_RDONLY|O_NONBLOCK) *= -1' "$TMP/trace"
}
