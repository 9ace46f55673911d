# shellcheck shell=bash disable=SC2034,SC2154
limit=300

run_steps() {
    versions "$(otp_version)"
    two_nodes
    halts_and_is_gone
    killed_and_is_back
    inet6
    crowd 50
    ten_on_an_empty_host
}

two_nodes() {
    step 'two nodes start epmd, and find each other by it'
    nodes_start -sname a b
    same ping pong "$(ask -sname a 'net_adm:ping(b@real)')"
    same names '["a","b"]' "$(ask -sname b \
        '{ok,L} = net_adm:names(), lists:sort([N || {N,_} <- L])' | tr -d ' ')"
    same "names' ports" "$(port_of a)" "$(ask -sname b \
        '{ok,L} = net_adm:names(), proplists:get_value("a", L)')"
}

halts_and_is_gone() {
    step 'a node that halts is gone from -names at once'
    erl_call -sname a -c "$cookie" -a 'erlang halt' >/dev/null 2>&1 || true
    wait "${pid_of[a]}" || true
    wait_for known_are b
    step 'and so is one that is killed'
    nodes_start -sname a
    node_kill a
    wait_for known_are b
}

killed_and_is_back() {
    epmd_killed b
    epmd_left_dead b node_start -sname a
    nodes_up -sname a
    same ping pong "$(ask -sname a 'net_adm:ping(b@real)')"
    node_kill a b
    wait_for known_are
}

inet6() {
    step 'nodes over IPv6'
    node_start -sname c -proto_dist inet6_tcp
    node_start -sname d -proto_dist inet6_tcp
    nodes_up -sname c d
    same ping pong "$(ask -sname c 'net_adm:ping(d@real)')"
    node_kill c d
    wait_for known_are
}

ten_on_an_empty_host() {
    step 'ten nodes at once on a host without epmd: exactly one stays'
    local all=(m{0..9})
    kill_epmd
    nodes_start -sname "${all[@]}"
    wait_for known_are "${all[@]}"
    wait_for one_epmd
    node_kill "${all[@]}"
}

one_epmd() { [ "$(epmd_pids | wc -w)" = 1 ]; }
