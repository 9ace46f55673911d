load ../tools/helper

setup() {
    common_setup
    need_no_runner
    GROUP=
}

teardown() {
    common_teardown
    [ -z "$GROUP" ] || rmdir "$GROUP"
}

# a daemon that may have so many descriptors
start_limited() { # DESCRIPTORS OPTION...
    EPMD_RUNNER="prlimit --nofile=$1:$1" start "${@:2}"
}

# no spinning: under 0.1 s of CPU time in 2 s
is_at_rest() {
    local before used
    before=$(cpu_ms)
    sleep 2
    used=$(($(cpu_ms) - before))
    echo "$used ms of CPU time in 2 s"
    [ "$used" -lt 100 ]
}

# as many nodes as are admitted, under a tag; how many is in $ADMITTED
fill() { # TAG
    hold "$1" 1 many 1023 6
    ADMITTED=$(cat "$TMP/$1.out")
}

@test "200 connections at 64 descriptors cost the registered node nothing, and once they are gone new ones register" {
    start_limited 64
    register kept
    for flood in partial silent; do
        flooded flood $flood 200
        is "$(cat "$TMP/flood.out")" 200
        for i in {1..10}; do
            is_registered kept
            like "$(ask send "$(alive2 "new$i")" recv 6)" '^7600'
        done
        let_go flood
    done
    is_registered kept
    register afterwards
}

@test "at 64 descriptors some are kept from the nodes: one too many is refused, look-ups and lists are answered, nothing spins" {
    start_limited 64
    fill nodes
    [ "$ADMITTED" -gt 30 ]
    [ "$ADMITTED" -lt 60 ]
    is "$(ask send "$(alive2 over)" eof | tail -c 16)" "00000063 closed"
    is "$(names | tr ' ' '\n' | grep -c ^name)" "$ADMITTED"
    is_registered nn0001
    is_at_rest
}

@test "with as few descriptors as it starts with, one node is admitted, and the second one refused" {
    local descriptors=8
    until prlimit --nofile="$descriptors:$descriptors" "$EPMD" -port "$PORT" -daemon 3>&-; do
        descriptors=$((descriptors + 1))
        [ "$descriptors" -lt 32 ]
    done
    adopt
    register one
    is "$(ask send "$(alive2 two)" eof)" "760100000063 closed"
    is "$(names)" "name one at port 5000"
}

@test "with no descriptor left, a look-up waits without spinning, is answered when there is one, and the nodes stay" {
    start_limited 64
    fill nodes
    prlimit --pid "$EPMD_PID" --nofile=8:64
    hold waiting 0 send "$(please nn0001)" recv 2
    is_at_rest
    is "$(cat "$TMP/waiting.out")" ""
    prlimit --pid "$EPMD_PID" --nofile=64:64
    wait_for has_lines "$TMP/waiting.out" 1
    is "$(cat "$TMP/waiting.out")" 7700
    is "$(names | tr ' ' '\n' | grep -c ^name)" "$ADMITTED"
}

@test "where descriptors run out, silent connections make room for a look-up" {
    start_limited 64
    register kept
    flooded flood partial 20
    prlimit --pid "$EPMD_PID" --nofile="$(descriptors)":64
    is_registered kept
    register new
    is_registered kept
}

@test "a list that is cut behind a whole line takes no buffer, and so ends nobody who waits" {
    need strace
    start
    register kept
    flooded flood partial 256
    traced -o "$TMP/calls" -e trace=sendto -e inject=sendto:retval=4:when=1
    is "$(ask send "$names_req" text)" "name kept at port 5000"
    end "$TRACER"
    is "$(grep -c 'closing to make room' "$TMP/log")" 0
}

@test "connections whose descriptors cannot be closed cost no time" {
    need strace
    start
    register kept
    flooded flood partial 3
    traced -o "$TMP/calls" -e trace=close -e inject=close:error=EIO
    let_go flood
    wait_for grep -q 'partial packet' "$TMP/log"
    end "$TRACER"
    is_at_rest
    is_registered kept
}

@test "1024 nodes are admitted, listed and found; the next one is refused; a freed slot is used again" {
    start
    fill nodes
    is "$ADMITTED" 1023
    register last 6000
    is "$(ask send "$(alive2 over)" eof)" "760100000063 closed"
    is "$(ask send "$(alive2 over 5000 77 5)" eof)" "79010063 closed"
    local lines steps
    lines=$(names | sed 's/ name /\nname /g')
    is "$(wc -l <<<"$lines")" 1024
    is "$(sort -u <<<"$lines" | wc -l)" 1024
    # nn0001 and so on, each on a connection of its own
    mapfile -t steps < <(seq 1023 | awk '{
        digits = sprintf("%04d", $1)
        gsub(/./, "3&", digits)
        printf "@%d\nsend\n00077a6e6e%s\nrecv\n4\n", $1, digits
    }')
    is "$(ask "${steps[@]}")" "$(seq 1023 | awk '{ printf "7700%04x\n", $1 }')"
    let_go last
    wait_for unregistered last
    register again
    is "$(ask send "$(alive2 over)" eof)" "760100000063 closed"
    is_at_rest
}

@test "100,000 registrations that come and go leave memory and descriptors where they were" {
    full
    start_quiet
    register kept
    is "$(flood rounds 5000)" 5000
    local memory files
    memory=$(rss_kb) files=$(descriptors)
    is "$(flood rounds 100000)" 100000
    is_registered kept
    wait_for descriptors_are "$files"
    echo "memory: $memory kB, then $(rss_kb) kB"
    [ $(($(rss_kb) - memory)) -lt 100 ]
}

descriptors_are() {
    [ "$(descriptors)" -eq "$1" ]
}

own_kb() { # of memory that is no file's
    sed -n 's/^RssAnon:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$EPMD_PID/status"
}

@test "no flood takes more than 1.4 MB of memory while no node is registered" {
    start_quiet
    local before mode
    before=$(own_kb)
    for mode in "partial 2000" "silent 2000" "deaf 600"; do
        # shellcheck disable=SC2086
        flooded flood $mode
        is "$(names)" ""
        let_go flood
    done
    is "$(flood garbage 5000)" 5000
    is "$(flood resets 5000)" 5000
    is "$(names)" ""
    echo "$before kB, then $(own_kb) kB"
    [ $(($(own_kb) - before)) -lt 1400 ]
}

# a group of processes that may have so much memory: $GROUP
memory_group() { # MEGABYTES
    local top=/sys/fs/cgroup/memory limit=memory.limit_in_bytes
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
        top=/sys/fs/cgroup limit=memory.max
        grep -qw memory "$top/cgroup.subtree_control" || skip 'no memory groups'
    fi
    GROUP=$top/epmd-test-$$
    mkdir "$GROUP" 2>/dev/null || { GROUP=; skip 'memory groups cannot be made'; }
    echo "${1}M" >"$GROUP/$limit"
}

@test "2,000 unfinished requests do not end it where it may have 6 MB of memory, as in docker's least container" {
    ! grep -q __asan_init "$EPMD" || skip 'not here: sanitizers take more'
    memory_group 6
    serve sh -c "echo \$\$ >$GROUP/cgroup.procs; exec '$EPMD' -port $PORT"
    flooded flood partial 2000
    is "$(names)" ""
    register abc
    is "$(names)" "name abc at port 5000"
}
