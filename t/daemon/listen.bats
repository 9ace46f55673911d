load ../tools/helper

sockets() { # NETNS: what listens on 4369 there
    on "$1" ss -Hltn | awk '{ print $4 }' | sort | tr '\n' ' ' | sed 's/ $//'
}

epmd_on() { # NETNS ARGUMENT...
    on "$1" $EPMD_RUNNER "$EPMD" "${@:2}"
}

@test "without -address, all of IPv4 and of IPv6 are listened on, apart" {
    need_root "network namespaces"
    HOST=$(netns)
    start_on "$HOST"
    is "$(sockets "$HOST")" "0.0.0.0:4369 [::]:4369"
    for address in 127.0.0.1 127.3.2.1 ::1; do
        is "$address $(ask_on "$HOST" $address send "$names_req" eof)" "$address 00001111 closed"
    done
}

@test "with -address, those and the loopbacks are listened on, and no other" {
    need_root "network namespaces"
    two_hosts
    start_on "$HOST_A" -address 10.77.0.1
    is "$(sockets "$HOST_A")" "10.77.0.1:4369 127.0.0.1:4369 [::1]:4369"
    is "$(ask_on "$HOST_B" 10.77.0.1 send "$names_req" eof)" "00001111 closed"
    is "$(ask_on "$HOST_B" fd77::1 connect)" refused
}

@test "addresses may be separated by commas and blanks, and be of both kinds" {
    need_root "network namespaces"
    two_hosts
    start_on "$HOST_A" -address "10.77.0.1, fd77::1  127.0.0.5,"
    is "$(sockets "$HOST_A")" \
        "10.77.0.1:4369 127.0.0.1:4369 127.0.0.5:4369 [::1]:4369 [fd77::1]:4369"
    is "$(ask_on "$HOST_B" fd77::1 send "$names_req" eof)" "00001111 closed"
}

@test "an address that is given twice, or is a loopback, is no error" {
    need_root "network namespaces"
    HOST=$(netns)
    start_on "$HOST" -address 127.0.0.1,::1,127.0.0.1,::1
    is "$(sockets "$HOST")" "127.0.0.1:4369 [::1]:4369"
}

@test "ERL_EPMD_ADDRESS is -address, and -address beats it" {
    need_root "network namespaces"
    two_hosts
    ERL_EPMD_ADDRESS=10.77.0.1 start_on "$HOST_A"
    is "$(sockets "$HOST_A")" "10.77.0.1:4369 127.0.0.1:4369 [::1]:4369"
    end "$EPMD_PID"
    ERL_EPMD_ADDRESS=10.77.0.1 start_on "$HOST_A" -address fd77::1
    is "$(sockets "$HOST_A")" "127.0.0.1:4369 [::1]:4369 [fd77::1]:4369"
}

@test "0.0.0.0 and :: may be named" {
    need_root "network namespaces"
    two_hosts
    start_on "$HOST_A" -address 0.0.0.0
    is "$(ask_on "$HOST_B" 10.77.0.1 send "$names_req" eof)" "00001111 closed"
    is "$(ask_on "$HOST_A" ::1 send "$names_req" eof)" "00001111 closed"
    end "$EPMD_PID"
    start_on "$HOST_A" -address ::
    is "$(ask_on "$HOST_B" fd77::1 send "$names_req" eof)" "00001111 closed"
    is "$(ask_on "$HOST_A" 127.0.0.1 send "$names_req" eof)" "00001111 closed"
}

@test "a scoped address such as fe80::1%eth0 is listened on" {
    need_root "network namespaces"
    two_hosts
    ip -n "$HOST_A" addr add fe80::a/64 dev wa nodad
    ip -n "$HOST_B" addr add fe80::b/64 dev wb nodad
    start_on "$HOST_A" -address fe80::a%wa
    is "$(sockets "$HOST_A")" "127.0.0.1:4369 [::1]:4369 [fe80::a]%wa:4369"
    is "$(ask_on "$HOST_B" fe80::a%wb send "$names_req" eof)" "00001111 closed"
}

@test "a scoped address on an interface that is not there is an error" {
    for address in fe80::1%none fe80::1% fe80::1%+1 fe80::1%-18446744073709551615; do
        run --separate-stderr timeout 5 "$EPMD" -port "$PORT" -address "$address"
        is "$address $status:$output:$stderr" "$address 1::epmd: -address: not an IP address: \"$address\" (is there such an interface?)"
    done
}

@test "a named address that the host does not have is an error" {
    need_root "network namespaces"
    HOST=$(netns)
    for address in 10.9.8.7 fd99::1; do
        run --separate-stderr epmd_on "$HOST" -address "127.0.0.1,$address"
        is "$address $status:$output" "$address 1:"
        like "$stderr" "^epmd: .*$address"
        is "$(wc -l <<<"$stderr")" 1
    done
    is "$(sockets "$HOST")" ""
}

@test "a host whose IPv6 is switched off is served on IPv4" {
    need_root "network namespaces"
    HOST=$(netns)
    on "$HOST" sysctl -q -w net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.lo.disable_ipv6=1
    start_on "$HOST"
    is "$(ask_on "$HOST" 127.0.0.1 send "$names_req" eof)" "00001111 closed"
    is "$(epmd_on "$HOST" -names)" "epmd: up and running on port 4369 with data:"
    end "$EPMD_PID"
    start_on "$HOST" -address 127.0.0.9
    is "$(sockets "$HOST")" "127.0.0.1:4369 127.0.0.9:4369"
    is "$(epmd_on "$HOST" -names)" "epmd: up and running on port 4369 with data:"
}

@test "a named loopback that the host does not have is left out" {
    need_root "network namespaces"
    HOST=$(netns)
    on "$HOST" sysctl -q -w net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.lo.disable_ipv6=1
    for list in 127.0.0.1,::1 ::1; do
        start_on "$HOST" -address "$list"
        is "$list $(sockets "$HOST")" "$list 127.0.0.1:4369"
        end "$EPMD_PID"
    done
    on "$HOST" sysctl -q -w net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.lo.disable_ipv6=0
    ip -n "$HOST" addr add ::1/128 dev lo 2>/dev/null || :
    ip -n "$HOST" addr del 127.0.0.1/8 dev lo
    on "$HOST" "$EPMD" -address 127.0.0.1 2>"$TMP/err" 3>&- &
    remember $!
    wait_for has_sockets "$HOST"
    is "$(sockets "$HOST")" "[::1]:4369"
}

@test "a host without any address to listen on is an error" {
    need_root "network namespaces"
    HOST=$(netns)
    on "$HOST" sysctl -q -w net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.lo.disable_ipv6=1
    ip -n "$HOST" addr del 127.0.0.1/8 dev lo
    run --separate-stderr timeout 10 ip netns exec "$HOST" "$EPMD" -address 127.0.0.1
    is "$status:$output" "1:"
    like "$stderr" '^epmd: cannot listen on ::1 port 4369: '
}

@test "the order of a list does not matter: a wildcard may follow what it covers" {
    need_root "network namespaces"
    two_hosts
    for list in 127.0.0.1,0.0.0.0 10.77.0.1,0.0.0.0 0.0.0.0,127.0.0.1; do
        start_on "$HOST_A" -address "$list"
        is "$list $(sockets "$HOST_A")" "$list 0.0.0.0:4369 [::1]:4369"
        end "$EPMD_PID"
    done
    for list in ::1,:: fd77::1,:: ::,fd77::1 ::,::%lo ::%lo,::; do
        start_on "$HOST_A" -address "$list"
        is "$list $(sockets "$HOST_A")" "$list 127.0.0.1:4369 [::]:4369"
        end "$EPMD_PID"
    done
}

@test "a kernel without IPv6 is served on IPv4" {
    need strace
    [ -z "$EPMD_RUNNER" ] || skip "not through a runner"
    # the first socket asked for is not of IPv6
    strace -D -qq -o /dev/null -e trace=socket -e inject=socket:error=EAFNOSUPPORT:when=2 "$EPMD" \
        -port "$PORT" 2>"$TMP/err" 3>&- &
    remember $!
    wait_for listening "$PORT"
    is "$(names)" ""
    is "$(ask -a ::1 connect)" refused
}

@test "an IPv6 that a policy refuses is left out" {
    need strace
    [ -z "$EPMD_RUNNER" ] || skip "not through a runner"
    # the second socket is IPv6's
    for fault in socket:error=EPERM:when=2 socket:error=EACCES:when=2 \
        "setsockopt:error=EPERM:when=$(ipv6_option)"; do
        for options in "" "-address 127.0.0.1"; do
            free_port
            # shellcheck disable=SC2086
            strace -D -qq -o /dev/null -e "trace=${fault%%:*}" -e "inject=$fault" "$EPMD" \
                -port "$PORT" $options 3>&- &
            remember $!
            wait_for listening "$PORT"
            is "$fault $(names)" "$fault "
            is "$(ask -a ::1 connect)" refused
        done
    done
}

ipv6_option() { # which setsockopt() is IPV6_V6ONLY's, as a start shows that fails behind it
    strace -o "$TMP/options" -e trace=setsockopt "$EPMD" -port "$PORT" -address 203.0.113.9 \
        2>"$TMP/err" || :
    grep -n -m 1 IPV6_V6ONLY "$TMP/options" | cut -d : -f 1
}

@test "a list that names no address is an error, an empty variable is not" {
    for list in "," " , "; do
        run --separate-stderr timeout 5 "$EPMD" -port "$PORT" -address "$list"
        is "$status:$output:$stderr" "1::epmd: -address: the list is empty"
    done
    run --separate-stderr timeout 5 "$EPMD" -port "$PORT" -address ""
    is "$status:$output:$stderr" "1::epmd: -address needs IP addresses, not \"\"
epmd -help lists them"
    ERL_EPMD_ADDRESS=, run --separate-stderr timeout 5 "$EPMD" -port "$PORT"
    is "$status:$output:$stderr" "1::epmd: ERL_EPMD_ADDRESS: the list is empty"
    ERL_EPMD_ADDRESS='' start
    is "$(names)" ""
}

@test "a port that a stranger has is an error in the foreground" {
    start
    run --separate-stderr timeout 10 "$EPMD" -port "$PORT"
    is "$status:$output" "1:"
    like "$stderr" "^epmd: .*port $PORT: Address already in use: "
    is "$(wc -l <<<"$stderr")" 1
    is "$(names)" ""
}

@test "a stranger on one loopback is an error, and nothing listens on the other" {
    full
    need_root "network namespaces"
    for stranger in ::1 127.0.0.1; do
        HOST=$(netns)
        on "$HOST" "$BUILD/supervisor" -l "$stranger,4369" sleep 60 3>&- &
        remember $!
        wait_for test -n "$(sockets "$HOST")" || wait_for has_sockets "$HOST"
        for options in "" "-address 127.0.0.2"; do
            # shellcheck disable=SC2086
            run --separate-stderr timeout 10 ip netns exec "$HOST" "$EPMD" $options
            is "$stranger $status:$output" "$stranger 1:"
            like "$stderr" "^epmd: .*port 4369: Address already in use: "
        done
        is "$(sockets "$HOST")" "$(sed 's/^::1$/[::1]/' <<<"$stranger"):4369"
    done
}

has_sockets() { # NETNS
    [ -n "$(sockets "$1")" ]
}

@test "a named address that a stranger has is an error" {
    need_root "network namespaces"
    HOST=$(netns)
    on "$HOST" "$BUILD/supervisor" -l 127.0.0.7,4369 sleep 60 3>&- &
    remember $!
    wait_for has_sockets "$HOST"
    run --separate-stderr timeout 10 ip netns exec "$HOST" "$EPMD" -address 127.0.0.7
    is "$status:$output" "1:"
    like "$stderr" "^epmd: .*127.0.0.7 port 4369: Address already in use: "
}

@test "a daemon can be started again at once on a port that has seen connections" {
    start
    for i in 1 2 3; do
        hold "c$i" 1 send "$(alive2 "n$i")" recv 6
    done
    end "$EPMD_PID"
    start
    is "$(names)" ""
}

@test "as many addresses as there are sockets for are listened on, and more are an error that says how many" {
    need_root "network namespaces"
    HOST=$(netns)
    local list i
    for i in {1..30}; do list+="127.0.1.$i,127.0.0.1,"; done
    start_on "$HOST" -address "$list"
    is "$(sockets "$HOST" | wc -w)" 32
    end "$EPMD_PID"
    for i in 127.0.1.31 ::1,fd77::1; do
        run --separate-stderr timeout 5 ip netns exec "$HOST" "$EPMD" -address "$list,$i"
        is "$status:$output:$stderr" \
            "1::epmd: -address: too many: beside 127.0.0.1 and ::1 there may be 30"
    done
}
