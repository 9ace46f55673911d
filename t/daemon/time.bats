load ../tools/helper

# What may happen to time while it serves. The machine's own clock is left alone: libfaketime gives
# the daemon another.

# a daemon whose wall clock is what jump says; its monotonic clock is the machine's
start_faked() { # OPTION...
    local library
    full
    library=$(find /usr/lib /usr/local/lib -name libfaketime.so.1 2>/dev/null | head -n 1)
    [ -n "$library" ] || skip 'no libfaketime'
    need_no_runner
    [ -f "$TMP/clock" ] || jump +0
    EPMD_RUNNER="env LD_PRELOAD=$library FAKETIME_TIMESTAMP_FILE=$TMP/clock FAKETIME_NO_CACHE=1
        FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1
        ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0" start "$@"
}

jump() { # OFFSET from the true time, as +1d
    echo "$1" >"$TMP/clock.new"
    mv "$TMP/clock.new" "$TMP/clock"
}

wall() { # the daemon's clock, in seconds, by what a name of its own gets as its first creation
    creation "$(ask send "$(alive2 "$1")" recv 6)"
}

near() { # SECONDS SECONDS: within a minute
    [ $(($1 - $2)) -gt -60 ]
    [ $(($1 - $2)) -lt 60 ]
}

@test "the wall clock jumps a day forth and two back: no node is lost, no deadline fires, no creation comes twice" {
    local before forth back again
    start_faked -packet_timeout 10
    register kept
    before=$(wall before)
    near "$before" "$(date +%s)"
    background ask -t 10000 send 0004 wait 2500 send 7a6162 wait 2500 send 63 eof >"$TMP/slow"
    local slow=$!
    sleep 1
    jump +1d
    forth=$(wall forth)
    near "$forth" $((before + 86400))
    is_registered kept
    sleep 1
    jump -1d
    is_registered kept
    back=$(wall back)
    [ "$back" -ne "$forth" ]
    # a name that comes back gets another creation than it had, though the clock stands still
    jump '2030-01-01 00:00:00'
    back=$(wall forth)
    again=$(wall forth)
    [ "$again" -ne "$back" ]
    wait "$slow"
    is "$(cat "$TMP/slow")" "7701 closed"
    is "$(log | grep -c 'timed out')" 0
    is_registered kept
}

@test "a deadline comes when it is due, though the wall clock was set back a day meanwhile" {
    start_faked -packet_timeout 1
    background ask -t 10000 send 0004 eof >"$TMP/slow"
    local slow=$! from=$SECONDS
    sleep 0.5
    jump -1d
    wait "$slow"
    is "$(cat "$TMP/slow")" closed
    [ $((SECONDS - from)) -lt 5 ]
}

@test "stopped for ten seconds and continued: what came meanwhile is served, no deadline fires on it, no node is lost" {
    full
    start -packet_timeout 3
    register kept
    local steps=() i
    for i in {1..150}; do steps+=("@$i" send 0004); done
    steps+=(wait 1500)
    for i in {1..150}; do steps+=("@$i" send 7a616263); done
    for i in {1..150}; do steps+=("@$i" eof); done
    background ask -t 20000 "${steps[@]}" >"$TMP/halves"
    local halves=$!
    sleep 1
    kill -STOP "$EPMD_PID"
    hold late 0 -t 20000 send "$(alive2 late)" recv 6
    hold reader 0 -t 20000 send "$names_req" recv 24
    sleep 10
    kill -CONT "$EPMD_PID"
    wait "$halves"
    is "$(sort "$TMP/halves" | uniq -c | tr -s ' ')" " 150 7701 closed"
    wait_for has_lines "$TMP/late.out" 1
    like "$(cat "$TMP/late.out")" '^7600'
    wait_for has_lines "$TMP/reader.out" 1
    is "$(log | grep -c 'timed out')" 0
    is_registered kept
    is_registered late
}

@test "on a busy machine it serves byte by byte, and no node is lost" {
    full
    local i
    EPMD_RUNNER="$EPMD_RUNNER nice -n 19" start -packet_timeout 20
    hold nodes 1 many 200 6
    for i in {1..6}; do background sh -c 'while :; do :; done'; done
    is "$(ask -t 20000 slow 700 "$(please abc)" eof)" "7701 closed"
    for i in {1..20}; do
        is_registered nn0001
        like "$(ask send "$(alive2 "new$i")" recv 6)" '^7600'
    done
    is "$(names | grep -o 'name nn' | wc -l)" 200
    is "$(log | grep -c 'timed out')" 0
}

@test "a clock that was never set gives no creation that means none" {
    start_faked
    jump '1970-01-01 00:00:01'
    [ "$(wall first)" -gt 3 ]
}

@test "a clock that is set after the start, as on a device without its own, is no time of being up" {
    jump '1970-01-01 00:00:01'
    start_faked
    kill -USR1 "$EPMD_PID"
    wait_for grep -q 'up since 1970-01-01T00:00:0' "$TMP/log"
    jump +0
    [ "$(count uptime_seconds)" -lt 600 ]
    kill -USR1 "$EPMD_PID"
    wait_for grep -q "up since $(date -u +%Y-)" "$TMP/log"
}
