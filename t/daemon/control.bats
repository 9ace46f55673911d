load ../tools/helper

header() { # the first four bytes of a listing
    printf '%08x' "$PORT"
}

# DUMP in lines, without descriptor numbers; a NUL ends each line
dump() {
    ask send "$dump_req" text | tail -c +5 | tr -d '\n' | tr '\0' '\n' | sed 's/fd = [0-9]*/fd = N/'
}

@test "DUMP with nothing to tell answers the port of the daemon alone, whatever follows its byte" {
    start
    is "$(ask send "$dump_req" eof)" "$(header) closed"
    is "$(ask send "$(frame 640102ff)" eof)" "$(header) closed"
}

@test "DUMP has a line and a NUL a live node" {
    start
    register abc 5000
    like "$(ask send "$dump_req" eof)" \
        "^$(header)$(hex "active name     <abc> at port 5000, fd = ")(3[0-9])+0a00 closed\$"
}

@test "DUMP has a line with a blank at its end and a NUL a remembered node" {
    start
    was_here abc
    like "$(ask send "$dump_req" eof)" \
        "^$(header)$(hex "old/unused name <abc>, port = 5000, fd = ")(3[0-9])+200a00 closed\$"
}

@test "DUMP lists live nodes, latest first, then remembered ones, oldest first" {
    start
    for i in 1 2 3; do register "live$i" "500$i"; done
    for i in 1 2 3; do was_here "old$i" "600$i"; done
    is "$(dump)" "active name     <live3> at port 5003, fd = N
active name     <live2> at port 5002, fd = N
active name     <live1> at port 5001, fd = N
old/unused name <old1>, port = 6001, fd = N 
old/unused name <old2>, port = 6002, fd = N 
old/unused name <old3>, port = 6003, fd = N "
}

@test "a name that comes back is no longer among the remembered" {
    start
    was_here abc
    register abc 5001
    is "$(dump)" "active name     <abc> at port 5001, fd = N"
}

@test "KILL with no node registered answers OK, and the daemon ends with status 0, whatever follows its byte" {
    for body in 6b 6b0102; do
        start
        is "$body $(ask send "$(frame $body)" eof)" "$body $(hex OK) closed"
        ended "$EPMD_PID"
    done
}

@test "KILL with a node registered answers NO, and the daemon goes on" {
    start
    register abc
    is "$(ask send "$kill_req" eof)" "$(hex NO) closed"
    is "$(names)" "name abc at port 5000"
}

@test "KILL is allowed again once the last node has left" {
    start
    was_here abc
    is "$(ask send "$kill_req" eof)" "$(hex OK) closed"
    ended "$EPMD_PID"
}

@test "relaxed: KILL with a node registered answers OK, and the node's connection ends" {
    start -relaxed_command_check
    like "$(ask send "$(alive2 abc)" recv 6 @1 send "$kill_req" eof @0 eof)" \
        $'\n4f4b closed\nclosed$'
    ended "$EPMD_PID"
}

@test "STOP where it is not allowed is closed with no answer, and the node stays" {
    start
    register abc
    is "$(ask send "$(stop_req abc)" eof)" closed
    is "$(ask send "$(stop_req nobody)" eof)" closed
    is "$(names)" "name abc at port 5000"
}

@test "relaxed: STOP closes the node's connection and frees its name" {
    start -relaxed_command_check
    register other 5001
    like "$(ask send "$(alive2 abc)" recv 6 @1 send "$(stop_req abc)" eof @0 eof)" \
        $'\n53544f50504544 closed\nclosed$'
    is "$(names)" "name other at port 5001"
    register abc
}

@test "relaxed: STOP of a name that nobody holds answers NOEXIST, of an empty one nothing" {
    start -relaxed_command_check
    is "$(ask send "$(stop_req nobody)" eof)" "$(hex NOEXIST) closed"
    was_here left
    is "$(ask send "$(stop_req left)" eof)" "$(hex NOEXIST) closed"
    is "$(ask send "$(stop_req "")" eof)" closed
}

@test "ERL_EPMD_RELAXED_COMMAND_CHECK relaxes, whatever its value" {
    for value in 1 "" 0 false; do
        free_port
        ERL_EPMD_RELAXED_COMMAND_CHECK=$value start
        is "$(ask send "$(stop_req nobody)" eof)" "$(hex NOEXIST) closed"
    done
}

# ---- who may ask what: two hosts, each in a network namespace

everything_but_look_ups_is_refused() { # HOST ADDRESS, where abc is registered
    local request
    for request in "$(alive2 mine)" "$dump_req" "$kill_req" "$(stop_req abc)"; do
        is "$request $(ask_on "$1" "$2" send "$request" eof)" "$request closed"
    done
    is "$(ask_on "$1" "$2" send "$(please abc)" eof)" "770013884d00000600050003616263""0000 closed"
    is "$(ask_on "$1" "$2" send "$(please nobody)" eof)" "7701 closed"
    is "$(ask_on "$1" "$2" send "$names_req" eof)" "00001111$(hex "name abc at port 5000")0a closed"
}

@test "from another host, look-ups and NAMES are answered, everything else is closed" {
    two_hosts
    start_on "$HOST_A" -relaxed_command_check
    register_on "$HOST_A" abc 127.0.0.1
    everything_but_look_ups_is_refused "$HOST_B" 10.77.0.1
    everything_but_look_ups_is_refused "$HOST_B" fd77::1
    is "$(ask_on "$HOST_A" 127.0.0.1 send "$(please mine)" eof)" "7701 closed"
}

@test "through an address of its own the host may ask everything" {
    two_hosts
    start_on "$HOST_A"
    for address in 10.77.0.1 fd77::1 127.0.0.1 127.9.9.9 ::1; do
        like "$address $(ask_on "$HOST_A" "$address" send "$(alive2 own)" recv 6 fin eof)" \
            "^$address 7600"
        like "$address $(ask_on "$HOST_A" "$address" send "$dump_req" eof)" "^$address 00001111"
    done
    is "$(ask_on "$HOST_A" 10.77.0.1 send "$kill_req" eof)" "4f4b closed"
    ended "$EPMD_PID"
}

# Both are complete when the daemon goes on: KILL came first.
kill_before_register() { # SECONDS until it goes on, OPTION...
    local stopped=$1
    start "${@:2}"
    exec 5<>"/dev/tcp/127.0.0.1/$PORT" 6<>"/dev/tcp/127.0.0.1/$PORT"
    printf '\0' >&5
    printf '\0' >&6
    wait_for served 3 # these, and who asks
    kill -STOP "$EPMD_PID"
    printf '\1k' >&5
    printf '\20x\23\210M\0\0\6\0\5\0\3abc\0\0' >&6
    sleep "$stopped"
    kill -CONT "$EPMD_PID"
    is "$(head -c 2 <&5)" OK
    is "$(cat <&6 2>/dev/null | od -An -tx1)" ""
    ended "$EPMD_PID"
    exec 5>&- 6>&-
}

@test "a registration that comes together with a KILL is not granted" {
    kill_before_register 0
}

@test "a registration that comes together with a KILL is not granted, even if its time is up" {
    kill_before_register 5.1 -packet_timeout 5
}

served() { # CONNECTIONS
    [ "$(count connections)" = "$1" ]
}
