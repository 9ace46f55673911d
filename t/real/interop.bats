# Real Erlang nodes, which know nothing of the tests.
load ../tools/helper

setup() {
    need erl
    common_setup
    export HOME=$TMP ERL_EPMD_PORT=$PORT ERL_CRASH_DUMP_SECONDS=0
    otp=$(erl -noinput -boot start_clean -eval 'io:put_chars(code:root_dir()), halt().')
    erts=$(echo "$otp"/erts-*)
}

# a node that waits, until the test ends
idle() { # NAME OPTION...
    background erl -noinput -sname "$1@localhost" -setcookie test "${@:2}" >"$TMP/$1.log" 2>&1
    wait_for registered "$1"
}

registered() { # NAME
    epmd -names 2>/dev/null | grep -q "^name $1 at port "
}

# what one node says, and its end
erl_says() { # NAME EXPRESSION OPTION...
    timeout 60 erl -noinput -sname "$1@localhost" -setcookie test "${@:3}" -eval "$2, halt()." 3>&-
}

@test "two nodes find each other, and are seen by net_adm:names and by epmd -names" {
    start
    idle one
    is "$(erl_says two 'io:format("~p ~p ~p~n", [net_adm:ping(one@localhost), nodes(),
        begin {ok, L} = net_adm:names(localhost), lists:sort([N || {N, _} <- L]) end])')" \
            'pong [one@localhost] ["one","two"]'
    like "$(epmd -names)" \
        "^epmd: up and running on port $PORT with data:"$'\n''name one at port [0-9]+$'
    logged '** sent PORT2_RESP (ok) for "one"'
}

@test "the port that epmd -names prints is the one that the node listens on" {
    start
    idle one
    port=$(epmd -names | sed -n 's/^name one at port //p')
    is "$(erl_says two '
        {port, P, _} = erl_epmd:port_please("one", {127,0,0,1}), io:format("~p", [P])')" "$port"
    listeners "$port" | grep -q .
}

@test "a hidden node is found, too" {
    start
    idle hidden -hidden
    is "$(erl_says two \
        'io:format("~p ~p ~p", [net_adm:ping(hidden@localhost), nodes(), nodes(hidden)])')" \
        "pong [] [hidden@localhost]"
}

@test "a second node of the same name does not start, and the first stays" {
    start
    idle one
    run ! timeout 60 erl -noinput -sname one@localhost -setcookie test -eval 'halt().' 3>&-
    like "$output" "already in use|in use by another Erlang node"
    registered one
    is "$(erl_says two 'io:format("~p", [net_adm:ping(one@localhost)])')" pong
}

@test "a node that ends is gone from epmd, however it ends" {
    start
    idle one
    one=$(tail -n 1 "$TMP/pids")
    kill -9 "$one"
    wait_for unregistered one
    is "$(erl_says one 'io:format("~p", [is_alive()])')" true
    wait_for unregistered one
}

@test "a node has another creation each time it starts" {
    local a b
    start
    a=$(erl_says one 'io:format("~p", [erlang:system_info(creation)])')
    wait_for unregistered one
    b=$(erl_says one 'io:format("~p", [erlang:system_info(creation)])')
    [ "$a" -gt 3 ]
    [ "$b" -gt 3 ]
    [ "$a" != "$b" ]
    logged "registering 'one:$a', port $(log | sed -n "s/registering 'one:$a', port //p")"
}

# what a node says whose run-time system has another epmd beside it
beside() { # EPMD EXPRESSION
    mkdir "$TMP/bin"
    ln -s "$erts"/bin/* "$TMP/bin/"
    ln -sf "$1" "$TMP/bin/epmd"
    BINDIR=$TMP/bin ROOTDIR=$otp EMU=beam PROGNAME=erl timeout 60 "$TMP/bin/erlexec" \
        -noinput -sname one@localhost -eval "io:format(\"~p\", [$2]), halt()." 3>&-
}

@test "a node starts the epmd beside it by itself" {
    need_no_runner
    is "$(beside "$EPMD" 'element(1, net_adm:names(localhost))')" ok
    adopt
    is "$(readlink "/proc/$EPMD_PID/exe")" "$EPMD"
    is "$(epmd -names)" "$(headline)"
}

@test "a node that finds an epmd does not start another" {
    start
    printf '#!/bin/sh\necho "$@" >>"%s"\nexec "%s" "$@"\n' "$TMP/calls" "$EPMD" >"$TMP/epmd"
    chmod +x "$TMP/epmd"
    is "$(beside "$TMP/epmd" 'is_alive()')" true
    is "$(cat "$TMP/calls")" -daemon
    is "$(listeners "$PORT")" "$EPMD_PID"
    logged '** sent ALIVE2_RESP for "one"'
}

@test "nodes that talk over IPv6 register and find each other" {
    need_root "mount namespaces"
    start
    # a host name that leads to ::1 alone
    printf '::1 six\n127.0.0.1 localhost\n' >"$TMP/hosts"
    cat >"$TMP/script" <<END
mount --bind "$TMP/hosts" /etc/hosts || exit 1
erl -noinput -proto_dist inet6_tcp -sname one@six -setcookie test -eval 'ok.' 3>&- >/dev/null &
until "$EPMD" -names | grep -q 'name one'; do sleep 0.1; done
erl -noinput -proto_dist inet6_tcp -sname two@six -setcookie test -eval '
    io:format("~p ~p", [net_adm:ping(one@six), element(1, net_adm:names(six))]), halt().'
kill \$!
END
    is "$(timeout 60 unshare --mount sh "$TMP/script")" "pong ok"
}

@test "a node comes back by itself within 10 seconds after epmd was killed and started again" {
    start
    idle one
    kill -9 "$EPMD_PID"
    wait_for gone "$EPMD_PID"
    start
    PATIENCE=10 wait_for registered one
    is "$(erl_says two 'io:format("~p", [net_adm:ping(one@localhost)])')" pong
}

@test "nodes use the ports that inet_dist_listen_min and _max allow, and epmd lists them in order" {
    local first=$((PORT + 1)) range
    start
    while [ -n "$(listeners "$first")$(listeners $((first + 1)))" ]; do first=$((first + 2)); done
    range=(-kernel inet_dist_listen_min "$first" inet_dist_listen_max $((first + 1)))
    idle abc "${range[@]}"
    idle node1 "${range[@]}"
    is "$(epmd -names)" "$(headline)
name node1 at port $((first + 1))
name abc at port $first"
    run ! timeout 60 erl -noinput -sname node2@localhost "${range[@]}" -eval 'halt().' 3>&-
    like "$output" eaddrinuse
    unregistered node2
}

@test "erl_epmd of a node speaks every request it knows with epmd" {
    start
    is "$(erl_says one 'L = {127,0,0,1},
        {port, P, V} = erl_epmd:port_please("one", L), {ok, [{"one", P}]} = erl_epmd:names(L),
        noport = erl_epmd:port_please("nobody", L), io:format("~p", [V])')" 6
}
