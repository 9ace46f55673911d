# Couchbase Server is in no registry here. These are its processes' names and ports, with long names
# by address and by a host name of its own: a babysitter that starts ns_1 again whenever it ends,
# and couchdb's node beside them.
# shellcheck shell=bash disable=SC2034,SC2154
limit=120

run_steps() {
    versions "$(otp_version)"
    one_host 127.0.0.1
    one_host cb.local
    several_a_host
}

cb_start() { # name@host port
    # shellcheck disable=SC2046
    node_start -name "$1" $(at_ports "$2")
}

# The babysitter owns ns_1 as a port, and gives it a second life when it dies.
babysitter_start() { # host
    # shellcheck disable=SC2046
    node_start -name "babysitter_of_ns_1@$1" $(at_ports 21100) -eval '
        Run = fun Run() ->
            P = open_port({spawn, "erl +S 1:1 -noinput -name ns_1@'"$1"' -setcookie '"$cookie"'"
                " -kernel inet_dist_listen_min 21101 inet_dist_listen_max 21101"}, [exit_status]),
            receive {P, {exit_status, _}} -> Run() end
        end,
        spawn(Run).'
}

creation_of() { ask -name "$1" 'erlang:system_info(creation)' 2>/dev/null; }

next_life() { # node creation-before
    local now
    now=$(creation_of "$1") && [ "$now" != "$2" ]
}

one_host() { # host
    step "babysitter_of_ns_1, ns_1 and couchdb_ns_1 at $1"
    local names="babysitter_of_ns_1@$1 ns_1@$1 couchdb_ns_1@$1"
    babysitter_start "$1"
    cb_start "couchdb_ns_1@$1" 21102
    # shellcheck disable=SC2086
    nodes_up -name $names
    same listing "name babysitter_of_ns_1 at port 21100
name couchdb_ns_1 at port 21102
name ns_1 at port 21101" "$(epmd -names | grep ^name | sort)"
    same "couchdb's ping of ns_1" pong "$(ask -name "couchdb_ns_1@$1" "net_adm:ping('ns_1@$1')")"

    step "ns_1 is killed: the babysitter's next one has its name and another creation"
    local i before
    for i in 1 2 3; do
        before=$(creation_of "ns_1@$1")
        erl_call -name "ns_1@$1" -c "$cookie" -a 'erlang halt [1]' >/dev/null 2>&1 || true
        wait_for next_life "ns_1@$1" "$before"
    done
    same port 21101 "$(port_of ns_1)"
    epmd_killed babysitter_of_ns_1 ns_1 couchdb_ns_1
    epmd_left_dead 'babysitter_of_ns_1 couchdb_ns_1' \
        kill -KILL "$(ask -name "ns_1@$1" 'list_to_integer(os:getpid())')"
    wait_for known ns_1
    node_kill "babysitter_of_ns_1@$1" "couchdb_ns_1@$1"
    erl_call -name "ns_1@$1" -c "$cookie" -a 'erlang halt' >/dev/null 2>&1 || true
    wait_for known_are
}

# As its developers' cluster_run has them, four on one machine.
several_a_host() {
    step 'four servers on one host, each with a babysitter, in one cluster'
    local i all=()
    for i in 0 1 2 3; do
        cb_start "babysitter_of_n_$i@127.0.0.1" $((21200 + i))
        cb_start "n_$i@127.0.0.1" $((21100 + i))
        all+=("babysitter_of_n_$i@127.0.0.1" "n_$i@127.0.0.1")
    done
    nodes_up -name "${all[@]}"
    same pings '[pong,pong,pong]' "$(ask -name n_0@127.0.0.1 '[net_adm:ping(N) ||
        N <- ['"'n_1@127.0.0.1','n_2@127.0.0.1','n_3@127.0.0.1'"']]' | tr -d ' ')"
    for i in 0 1 2 3; do
        same port $((21100 + i)) "$(port_of "n_$i")"
        same port $((21200 + i)) "$(port_of "babysitter_of_n_$i")"
    done
    node_kill "${all[@]}"
}
