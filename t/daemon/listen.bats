load ../tools/helper

sockets() { # NETNS: what listens on 4369 there
    on "$1" ss -Hltn | awk '{ print $4 }' | sort | tr '\n' ' ' | sed 's/ $//'
}

# a daemon of $HOST listens on these sockets, all alone; the next one takes its place
listens() { # SOCKETS OPTION...
    [ -z "${EPMD_PID-}" ] || end "$EPMD_PID"
    start_on "$HOST" "${@:2}"
    is "${*:2}: $(sockets "$HOST")" "${*:2}: $1"
}

serves_at() { # NETNS ADDRESS...
    local address
    for address in "${@:2}"; do
        is "$address $(ask_on "$1" "$address" send "$names_req" eof)" "$address 00001111 closed"
    done
}

ipv6_off() {
    on "$HOST" sysctl -q -w net.ipv6.conf.{all,lo}.disable_ipv6=1
}

@test "without -address, all of IPv4 and of IPv6 are listened on, apart" {
    one_host
    listens "0.0.0.0:4369 [::]:4369"
    serves_at "$HOST" 127.0.0.1 127.3.2.1 ::1
}

@test "with -address, those and the loopbacks are listened on, and no other" {
    two_hosts
    listens "10.77.0.1:4369 127.0.0.1:4369 [::1]:4369" -address 10.77.0.1
    serves_at "$HOST_B" 10.77.0.1
    is "$(ask_on "$HOST_B" fd77::1 connect)" refused
}

@test "addresses may be separated by commas and blanks, and be of both kinds" {
    two_hosts
    listens "10.77.0.1:4369 127.0.0.1:4369 127.0.0.5:4369 [::1]:4369 [fd77::1]:4369" \
        -address "10.77.0.1, fd77::1  127.0.0.5,"
    serves_at "$HOST_B" fd77::1
}

@test "an address that is given twice, or is a loopback, is no error" {
    one_host
    listens "127.0.0.1:4369 [::1]:4369" -address 127.0.0.1,::1,127.0.0.1,::1
}

@test "ERL_EPMD_ADDRESS is -address, and -address beats it" {
    two_hosts
    export ERL_EPMD_ADDRESS=10.77.0.1
    listens "10.77.0.1:4369 127.0.0.1:4369 [::1]:4369"
    listens "127.0.0.1:4369 [::1]:4369 [fd77::1]:4369" -address fd77::1
}

@test "0.0.0.0 and :: may be named" {
    two_hosts
    listens "0.0.0.0:4369 [::1]:4369" -address 0.0.0.0
    serves_at "$HOST_B" 10.77.0.1
    serves_at "$HOST" ::1
    listens "127.0.0.1:4369 [::]:4369" -address ::
    serves_at "$HOST_B" fd77::1
    serves_at "$HOST" 127.0.0.1
}

@test "a scoped address such as fe80::1%eth0 is listened on" {
    two_hosts
    ip -n "$HOST_A" addr add fe80::a/64 dev wa nodad
    ip -n "$HOST_B" addr add fe80::b/64 dev wb nodad
    listens "127.0.0.1:4369 [::1]:4369 [fe80::a]%wa:4369" -address fe80::a%wa
    serves_at "$HOST_B" fe80::a%wb
}

@test "a scoped address on an interface that is not there is an error" {
    local why='only a link-local one has an interface, and that must exist'
    for address in fe80::1%none fe80::1% fe80::1%+1 fe80::1%-18446744073709551615 ::1%lo ::%lo; do
        is "$(told timeout 5 "$EPMD" -port "$PORT" -address "$address")" \
            "1||epmd: -address: not an IP address: \"$address\" ($why)"
    done
}

@test "a link-local address without its interface is told to want one" {
    local why='Invalid argument: a link-local address needs its interface, fe80::1%eth0'
    one_host
    fails "cannot listen on fe80::1 port 4369: $why" ip netns exec "$HOST" "$EPMD" -address fe80::1
    fails "Cannot connect to epmd on \"fe80::1\", port 4369: $why" \
        ip netns exec "$HOST" "$EPMD" -host fe80::1 -names
}

@test "a named address that the host does not have is an error" {
    one_host
    for address in 10.9.8.7 fd99::1; do
        fails ".*$address" ip netns exec "$HOST" "$EPMD" -address "127.0.0.1,$address"
    done
    is "$(sockets "$HOST")" ""
}

@test "a host whose IPv6 is switched off is served on IPv4" {
    one_host
    ipv6_off
    start_on "$HOST"
    serves_at "$HOST" 127.0.0.1
    is "$(on "$HOST" "$EPMD" -names)" "$(headline 4369)"
    listens "127.0.0.1:4369 127.0.0.9:4369" -address 127.0.0.9
    is "$(on "$HOST" "$EPMD" -names)" "$(headline 4369)"
}

@test "a named loopback that the host does not have is left out" {
    one_host
    ipv6_off
    listens 127.0.0.1:4369 -address 127.0.0.1,::1
    listens 127.0.0.1:4369 -address ::1
    end "$EPMD_PID"
    on "$HOST" sysctl -q -w net.ipv6.conf.{all,lo}.disable_ipv6=0
    ip -n "$HOST" addr add ::1/128 dev lo 2>/dev/null || :
    ip -n "$HOST" addr del 127.0.0.1/8 dev lo
    background ip netns exec "$HOST" "$EPMD" -address 127.0.0.1
    wait_for has_sockets "$HOST"
    is "$(sockets "$HOST")" "[::1]:4369"
}

@test "a host without any address to listen on is an error" {
    one_host
    ipv6_off
    ip -n "$HOST" addr del 127.0.0.1/8 dev lo
    fails 'cannot listen on ::1 port 4369: ' ip netns exec "$HOST" "$EPMD" -address 127.0.0.1
}

@test "the order of a list does not matter: a wildcard may follow what it covers" {
    two_hosts
    for list in 127.0.0.1,0.0.0.0 10.77.0.1,0.0.0.0 0.0.0.0,127.0.0.1; do
        listens "0.0.0.0:4369 [::1]:4369" -address "$list"
    done
    for list in ::1,:: fd77::1,:: ::,fd77::1; do
        listens "127.0.0.1:4369 [::]:4369" -address "$list"
    done
}

@test "a kernel without IPv6 is served on IPv4" {
    need strace
    need_no_runner
    # the first socket asked for is not of IPv6
    serve strace -D -qq -o /dev/null -e trace=socket \
        -e inject=socket:error=EAFNOSUPPORT:when=2 "$EPMD" -port "$PORT" 2>"$TMP/err"
    is "$(names)" ""
    is "$(ask -a ::1 connect)" refused
}

@test "an IPv6 that a policy refuses is left out" {
    need strace
    need_no_runner
    # the second socket is IPv6's
    for fault in socket:error=EPERM:when=2 socket:error=EACCES:when=2 \
        "setsockopt:error=EPERM:when=$(ipv6_option)"; do
        for options in "" "-address 127.0.0.1"; do
            free_port
            # shellcheck disable=SC2086
            serve strace -D -qq -o /dev/null -e "trace=${fault%%:*}" -e "inject=$fault" "$EPMD" \
                -port "$PORT" $options
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
        is "$(told timeout 5 "$EPMD" -port "$PORT" -address "$list")" \
            "1||epmd: -address: the list is empty"
    done
    is "$(told timeout 5 "$EPMD" -port "$PORT" -address "")" \
        "1||epmd: -address needs IP addresses, not \"\"
see epmd -help"
    is "$(ERL_EPMD_ADDRESS=, told timeout 5 "$EPMD" -port "$PORT")" \
        "1||epmd: ERL_EPMD_ADDRESS: the list is empty"
    ERL_EPMD_ADDRESS='' start
    is "$(names)" ""
}

@test "a stranger on one loopback is an error, and nothing listens on the other" {
    full
    for stranger in ::1 127.0.0.1; do
        one_host
        background ip netns exec "$HOST" "$BUILD/supervisor" -l "$stranger,4369" sleep 60
        wait_for has_sockets "$HOST"
        for options in "" "-address 127.0.0.2"; do
            # shellcheck disable=SC2086
            fails ".*port 4369: Address already in use: " ip netns exec "$HOST" "$EPMD" $options
        done
        is "$(sockets "$HOST")" "$(sed 's/^::1$/[::1]/' <<<"$stranger"):4369"
    done
}

has_sockets() { # NETNS
    [ -n "$(sockets "$1")" ]
}

@test "a named address that a stranger has is an error" {
    one_host
    background ip netns exec "$HOST" "$BUILD/supervisor" -l 127.0.0.7,4369 sleep 60
    wait_for has_sockets "$HOST"
    fails ".*127.0.0.7 port 4369: Address already in use: " \
        ip netns exec "$HOST" "$EPMD" -address 127.0.0.7
}

@test "a daemon can be started again at once on a port that has seen connections" {
    start
    for i in 1 2 3; do register "n$i"; done
    end "$EPMD_PID"
    start
    is "$(names)" ""
}

@test "as many addresses as there are sockets for are listened on, and more are an error that says how many" {
    one_host
    local list i
    for i in {1..30}; do list+="127.0.1.$i,127.0.0.1,"; done
    start_on "$HOST" -address "$list"
    is "$(sockets "$HOST" | wc -w)" 32
    end "$EPMD_PID"
    for i in 127.0.1.31 ::1,fd77::1; do
        is "$(told timeout 5 ip netns exec "$HOST" "$EPMD" -address "$list,$i")" \
            "1||epmd: -address: too many: beside 127.0.0.1 and ::1 there may be 30"
    done
}
