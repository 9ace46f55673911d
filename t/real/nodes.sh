# The other ways of a node into the distribution: without a name, as a shell on another node, as a
# peer that a node starts, with a port as an argument, over TLS.
# shellcheck shell=bash disable=SC2034,SC2154
needs='openssl:openssl /var/lib/dpkg/info/erlang-ssl.list:erlang-ssl'
limit=120

run_steps() {
    versions "$(otp_version)"
    dynamic_names
    remote_shell
    peers
    port_as_argument
    over_tls
}

# What a node prints that ends by itself.
node_says() { # expression erl arguments...
    timeout 30 erl +S 1:1 -noinput -setcookie "$cookie" "${@:2}" -eval "$1, halt()."
}

# Such a node gets its name from the first one that it meets, and registers none.
dynamic_names() {
    step '-sname undefined: connects, has a name from there, and epmd has none of it'
    nodes_start -sname a
    has "$(dynamic -sname undefined a@real)" '^\["a"\] \[a@real\] [0-9A-Z]*@real$'
    step '-name undefined: the same with long names'
    nodes_start -name b@cb.local
    has "$(dynamic -name undefined@cb.local b@cb.local)" \
        "^\\[\"a\",\"b\"\\] \\['b@cb.local'\\] [0-9A-Z]*@cb.local\$"
    node_kill b@cb.local
    wait_for known_are a
}

dynamic() { # -sname|-name name node
    node_says "true = net_kernel:connect_node('$3'), {ok, L} = erl_epmd:names(\"real\"),
        io:format(\"~p ~p ~s\", [lists:sort([N || {N, _} <- L]), nodes(connected), node()])" \
        "$1" "$2"
}

remote_shell() {
    step '-remsh from a node with a name, without one, and from a hidden one'
    local how
    for how in '-sname sh' '-sname undefined' '-hidden -sname sh'; do
        in_shell "$how"
        wait_for known_are a
    done
    node_kill a
}

# The shell wants a terminal, which script(1) gives it. Its input stays open until the answer is
# there. Then all of it is killed: OTP 29's node now and then outlives its terminal.
in_shell() { # erl arguments
    mkfifo "$dir/in"
    script -qfc "erl +S 1:1 -setcookie $cookie $1 -remsh a@real" "$dir/shell" \
        <"$dir/in" >/dev/null &
    local shell=$!
    exec 5>"$dir/in"
    rm "$dir/in"
    wait_for in_file '(a@real)1> ' "$dir/shell"
    echo 'atom_to_list(node()) ++ "!".' >&5
    within 10 in_file '"a@real!"' "$dir/shell"
    exec 5>&-
    pkill -KILL -f -e -- '-remsh a@real' >/dev/null
    wait "$shell" 2>/dev/null || true
}
in_file() { grep -qF -e "$1" "$2" 2>/dev/null; }

peers() {
    step 'a node that starts two peers and stops one; the other ends with it'
    same names '["boss","p1","p2"] ["boss","p2"]' "$(node_says '
        Args = ["-setcookie", "'"$cookie"'", "+S", "1:1"],
        Start = fun(N) -> {ok, P, _} = peer:start(#{name => N, args => Args}), P end,
        [P1, _] = [Start(N) || N <- ["p1", "p2"]],
        Names = fun() -> {ok, L} = erl_epmd:names("real"), lists:sort([N || {N, _} <- L]) end,
        Gone = fun Gone(0) -> Names(); Gone(I) ->
            case Names() of [_, _] = L -> L; _ -> timer:sleep(10), Gone(I - 1) end end,
        Before = Names(), ok = peer:stop(P1), io:format("~p ~p", [Before, Gone(100)])' -sname boss)"
    wait_for known_are
}

port_as_argument() {
    step '-erl_epmd_port: the node listens there, and that is what others learn'
    node_start -sname fixed -erl_epmd_port 21999
    nodes_up -sname fixed
    same port 21999 "$(port_of fixed)"
    same 'ping' pong "$(node_says 'io:format("~p", [net_adm:ping(fixed@real)])' -sname other)"
    node_kill fixed
}

over_tls() {
    step '-proto_dist inet_tls, and inet6_tls'
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=real \
        -keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null
    echo "[{server, [{certfile, \"$dir/cert.pem\"}, {keyfile, \"$dir/key.pem\"}]},
        {client, [{verify, verify_none}]}]." >"$dir/tls.conf"
    local proto
    for proto in inet_tls inet6_tls; do
        node_start -sname t -proto_dist $proto -ssl_dist_optfile "$dir/tls.conf"
        wait_for known t
        same "ping over $proto" pong "$(node_says 'io:format("~p", [net_adm:ping(t@real)])' \
            -sname other -proto_dist $proto -ssl_dist_optfile "$dir/tls.conf")"
        node_kill t
        wait_for known_are
    done
}
