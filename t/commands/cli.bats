load ../tools/helper

# a mistake is named on standard error, with where help is; nothing on standard output, status 1
mistake() { # TEXT ARGUMENT...
    is "${*:2}: $(told epmd "${@:2}")" "${*:2}: 1||epmd: $1
see epmd -help"
}

bad_value() { # ARGUMENT...
    fails '' $EPMD_RUNNER "$EPMD" "$@"
}

# ---- options

@test "-debug is -d" {
    start_quiet -debug
    wait_for logged "epmd running - daemon = 0"
}

@test "-port beats ERL_EPMD_PORT, and the last of two counts" {
    ERL_EPMD_PORT=1 start -port 2 -port "$PORT"
    is "$(ERL_EPMD_PORT=1 epmd -port 2 -port "$PORT" -names)" "$(headline)"
}

@test "ERL_EPMD_PORT says the port to the daemon and to the commands" {
    ERL_EPMD_PORT=$PORT serve $EPMD_RUNNER "$EPMD"
    is "$(ERL_EPMD_PORT=$PORT epmd -names)" "$(headline)"
}

@test "an empty ERL_EPMD_PORT or ERL_EPMD_ADDRESS counts as not set" {
    one_host
    ERL_EPMD_PORT="" ERL_EPMD_ADDRESS="" start_on "$HOST"
    is "$(ERL_EPMD_PORT="" on "$HOST" "$EPMD" -names)" "$(headline 4369)"
}

@test "without any word of it, the port is 4369" {
    one_host
    start_on "$HOST"
    is "$(on "$HOST" "$EPMD" -names)" "$(headline 4369)"
}

@test "-packet_timeout closes a silent connection, and one that stops in the middle of its request" {
    start -packet_timeout 1
    is "$(ask -t 3000 connect eof | tail -n 1)" closed
    is "$(ask -t 3000 send 0004 eof)" closed
}

@test "-packet_timeout 60 leaves a request alone whose bytes come a second apart" {
    start -packet_timeout 60
    is "$(ask slow 1000 "$names_req" eof)" "$(printf '%08x' "$PORT") closed"
}

@test "-packet_timeout is not for registered nodes" {
    start -packet_timeout 1
    like "$(ask send "$(alive2 abc)" recv 6 open 2500)" 'open$'
}

@test "-delay_accept and -delay_write make the answer wait, and change nothing of it" {
    for option in -delay_accept -delay_write; do
        free_port
        start $option 1
        before=$EPOCHREALTIME
        is "$(ask send "$names_req" eof)" "$(printf '%08x' "$PORT") closed"
        [ $((${EPOCHREALTIME/./} - ${before/./})) -ge 1000000 ]
    done
}

@test "options of the daemon may stand in any order" {
    start -relaxed_command_check -packet_timeout 5 -d -address 127.0.0.1 -delay_write 0
    is "$(ask send "$(stop_req x)" eof)" "$(hex NOEXIST) closed"
}

# ---- commands

@test "-names prints the port and a line a node" {
    start
    is "$(told epmd -port "$PORT" -names)" "0|$(headline)|"
    register ns_1 21101
    register test 35441
    is "$(told epmd -port "$PORT" -names)" "0|$(headline)
name test at port 35441
name ns_1 at port 21101|"
}

@test "-dump prints live and remembered nodes, in lines without NULs" {
    start
    was_here gone 6000
    register abc
    is "$(told epmd -port "$PORT" -dump | sed 's/fd = [0-9]*/fd = N/')" "0|$(headline)
active name     <abc> at port 5000, fd = N
old/unused name <gone>, port = 6000, fd = N |"
    epmd -port "$PORT" -dump >"$TMP/dump"
    is "$(tr -d '\0' <"$TMP/dump" | wc -c)" "$(wc -c <"$TMP/dump")"
}

@test "-started prints nothing and tells by its status" {
    is "$(told epmd -port "$PORT" -started)" "1||"
    start
    is "$(told epmd -port "$PORT" -started)" "0||"
}

@test "-kill ends a daemon without nodes, and a relaxed one with nodes" {
    start
    is "$(told epmd -port "$PORT" -kill)" "0|Killed|"
    ended "$EPMD_PID"
    start -relaxed_command_check
    register abc
    is "$(told epmd -port "$PORT" -kill)" "0|Killed|"
    ended "$EPMD_PID"
}

@test "-stop takes a node out of a relaxed daemon" {
    start -relaxed_command_check
    register abc
    is "$(told epmd -port "$PORT" -stop abc)" "0|STOPPED|"
    is "$(names)" ""
    is "$(told epmd -port "$PORT" -stop abc)" "0|NOEXIST|"
}

@test "-kill and -stop that are refused change nothing and say what they take; with -wait they try again, and speak of the last try alone" {
    local why="epmd: not allowed, unless the daemon runs with -relaxed_command_check"
    start
    register abc
    for wait in "" "-wait 1"; do
        # shellcheck disable=SC2086
        is "$wait $(told epmd -port "$PORT" $wait -stop abc)" \
            "$wait 1|epmd: local epmd responded with <>|$why"
        # shellcheck disable=SC2086
        is "$wait $(told epmd -port "$PORT" $wait -kill)" \
            "$wait 1|Killing not allowed - living nodes in database.|$why"
    done
    is "$(names)" "name abc at port 5000"
    epmd -port "$PORT" -wait 8 -kill >"$TMP/kill" &
    sleep 0.3
    let_go abc
    wait $!
    is "$(cat "$TMP/kill")" "Killed"
}

@test "-wait -register keeps no descriptor of a try that was refused" {
    start
    register abc
    background $EPMD_RUNNER "$EPMD" -port "$PORT" -wait 8 -register abc 9100 >"$TMP/register"
    sleep 0.7
    [ "$(find "/proc/$!/fd" -lname 'socket:*' | wc -l)" -le 2 ]
    let_go abc
    wait_for grep -q registered "$TMP/register"
}

@test "a command takes -d as OTP's does" {
    start
    like "$(told epmd -d -port "$PORT" -names)" "^0\|$(headline)\|"
}

@test "commands ask [::1] first, and 127.0.0.1 where that fails" {
    one_host
    for address in 127.0.0.1 ::1; do
        background on "$HOST" "$BUILD/supervisor" -l "$address,4369" "$EPMD" -d -systemd \
            >"$TMP/$address" 2>&1
        wait_for grep -q running "$TMP/$address"
        is "$(on "$HOST" "$EPMD" -names)" "$(headline 4369)"
        is "$(grep -c 'got NAMES_REQ' "$TMP/$address")" 1
    done
    is "$(grep -c 'got NAMES_REQ' "$TMP/127.0.0.1")" 1
}

@test "a command gives up on a stranger that never answers" {
    mute
    like "$(told timeout 10 "$EPMD" -port "$PORT" -names)" '^1\|\|epmd: '
}

@test "a command does not take a stranger that answers for an epmd" {
    stranger -a "HTTP/1.1 400 Bad Request"
    for words in "1 -names" "1 -status" "1 -dump" "2 -lookup abc" "1 -register abc 5000"; do
        read -r expected words <<<"$words"
        # shellcheck disable=SC2086
        is "$words $(told epmd -port "$PORT" $words)" "$words $expected||$NO_ANSWER"
    done
    is "$(told epmd -port "$PORT" -started)" "1||"
}

@test "a command whose standard output is closed says that it cannot write" {
    start
    register abc
    for words in -names "-lookup abc" -status -version; do
        # shellcheck disable=SC2086
        is "$words $(told closed_output epmd -port "$PORT" $words)" \
            "$words 1||epmd: cannot write: Bad file descriptor"
    done
    is "$(names)" "name abc at port 5000"
}

@test "a command may be read by a program that stops reading" {
    start
    hold many 1 many 500 250
    is "$(epmd -port "$PORT" -names | head -n 1)" "$(headline)"
    is "$(epmd -port "$PORT" -names | wc -l)" 501
}

# ---- mistakes

@test "a command is the last thing on the line" {
    mistake 'nothing goes behind -names: "x"' -names x
    mistake 'nothing goes behind -names: ""' -names ""
    mistake "-port goes before -names" -names -port 1
    mistake "one command at a time: -kill, or -names" -kill -names
    mistake 'nothing goes behind -dump: "x"' -dump x
    mistake 'nothing goes behind -started: "x"' -started x
    mistake 'nothing goes behind -stop: "x"' -stop abc x
    mistake "-wait goes before -stop" -stop abc --wait 1
}

@test "a command or option without its argument is a mistake" {
    for word in -port -packet_timeout -exit_idle -delay_accept -delay_write -timeout -wait; do
        mistake "$word needs a number" $word
    done
    mistake "-address needs IP addresses" -address
    mistake "-user needs a name" -user
    mistake "-host needs a host's name or address" -host
    mistake "-lookup needs a name" -lookup
    mistake "-stop needs a name" -stop
    mistake "-register needs a name and a port" -register
    mistake "-register needs a name and a port" -register abc
}

@test "an option of the commands without a command is a mistake, not a daemon" {
    mistake "-host is for a command, and there is none" -port "$PORT" -host 127.0.0.1
    mistake "-timeout is for a command, and there is none" -port "$PORT" -timeout 3
    mistake "-wait is for a command, and there is none" -port "$PORT" -wait 0 -daemon
}

@test "a word that is none is a mistake, and one that is alike is named" {
    mistake "unknown option: -adress (did you mean -address?)" -adress 127.0.0.1
    mistake "unknown option: -p (did you mean -port?)" -p 5000
    mistake "unknown option: -port=5000 (did you mean -port 5000?)" -port=5000
    mistake "unknown option: -d=3 (did you mean -d?)" -d=3
    mistake "unknown option: --staus (did you mean -status?)" --staus
    mistake "unknown option: -names1 (did you mean -names?)" -names1
    mistake "unknown option: -lokup (did you mean -lookup?)" -lokup a
    mistake "unknown option: -stauts (did you mean -status?)" -stauts
    mistake 'unknown command: "names" (did you mean -names?)' names
    mistake 'unknown command: "::1" (the addresses of -address have commas between them)' \
        -address 127.0.0.1 ::1
    mistake "unknown option: -foo" -foo
    mistake 'unknown command: "foo"' foo
    mistake 'unknown command: ""' ""
    mistake 'unknown command: " "' " "
    mistake "unknown option: -" -
    mistake "unknown option: ---names (did you mean -names?)" ---names
}

@test "what looks right and is not is said with the right form" {
    mistake '-host takes no port: "10.0.0.1:4369" (did you mean -host 10.0.0.1 -port 4369?)' \
        -host 10.0.0.1:4369 -names
    mistake '-host takes no port: "[::1]:4369" (did you mean -host [::1] -port 4369?)' \
        -host '[::1]:4369' -names
    mistake '-host takes no port: "example.com:1" (did you mean -host example.com -port 1?)' \
        -host example.com:1 -names
    mistake '-user takes a user, and the group is that user'\''s: "nobody:nogroup"' \
        -user nobody:nogroup
}

@test "two dashes are taken for one" {
    start --packet_timeout 5
    is "$(epmd --port "$PORT" --names --debug)" "$(headline)"
}

@test "a port that is none is said in one line" {
    for port in 0 65536 70000 4294971665 -1 abc 1x x1 "" " 1" +1 0x10 1.5; do
        bad_value -port "$port" -names
        bad_value -port "$port"
    done
}

@test "a value in a message stands in quotes" {
    is "$(told epmd -port "1 " -names)" '1||epmd: -port: not a number from 1 to 65535: "1 "'
    is "$(ERL_EPMD_PORT=x told epmd -names)" \
        '1||epmd: ERL_EPMD_PORT: not a number from 1 to 65535: "x"'
}

@test "a variable is read only where it is needed" {
    start
    export ERL_EPMD_PORT=abc
    is "$(epmd -port "$PORT" -names)" "$(headline)"
    is "$(epmd -version)" "$(unset ERL_EPMD_PORT && epmd -version)"
    is "$(epmd -help)" "$(unset ERL_EPMD_PORT && epmd -help)"
    free_port
    start
}

@test "an ERL_EPMD_PORT that is none is said in one line" {
    for port in 0 65536 abc 1x -1; do
        ERL_EPMD_PORT=$port bad_value -names
        ERL_EPMD_PORT=$port bad_value
    done
}

@test "a number of seconds that is none is said in one line" {
    for option in -packet_timeout -exit_idle -delay_accept -delay_write; do
        for seconds in abc -1 1s "" 99999999999999999999; do
            bad_value -port "$PORT" $option "$seconds"
        done
    done
    bad_value -port "$PORT" -packet_timeout 0
    bad_value -port "$PORT" -exit_idle 0
    ERL_EPMD_EXIT_IDLE=1x bad_value -port "$PORT"
}

@test "an address that is none is said in one line" {
    for address in foo 300.1.1.1 1.2.3 127.0.0.1,foo ::g localhost 1.2.3.4:5; do
        bad_value -port "$PORT" -address "$address"
        ERL_EPMD_ADDRESS=$address bad_value -port "$PORT"
    done
}

@test "-help and -h print the usage on standard output, for a screen of 50 lines and 80 columns" {
    for word in -help -h --help; do
        run --separate-stderr epmd $word
        is "$status:$stderr" "0:"
        like "$output" '^usage: epmd'
        [ "$(wc -l <<<"$output")" -le 50 ]
        is "$(grep -c '.\{81\}' <<<"$output")" 0
    done
    like "$output" 'see epmd\(8\)'
}

@test "the usage names every option and command of OTP's" {
    local usage
    usage=$(epmd -help)
    for word in -d -address -port -daemon -relaxed_command_check -systemd -packet_timeout \
        -delay_accept -delay_write -names -kill -stop -dump -started; do
        like "$usage" "(^|[^a-z_])$word([^a-z_]|\$)"
    done
}

@test "-version and -V print the version of epmd.h" {
    local version
    version=$(sed -n 's/^#define EPMD_VERSION "\(.*\)"/\1/p' "$ROOT/epmd.h")
    for word in -version -V --version; do
        is "$(told epmd $word)" "0|epmd $version|"
    done
}
