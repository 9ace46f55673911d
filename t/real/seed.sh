# The session of a Chinese article on epmd, from 2014: its commands in their order, with the output
# that it shows. What cannot be the same today: the dates, and in epmd -d creations and node
# versions (the nodes were of OTP R16). The nodes' ports are the article's, given by ERL_AFLAGS.
# shellcheck shell=bash disable=SC2034,SC2154
limit=180

run_steps() {
    versions "$(otp_version)"
    unset ERL_EPMD_PORT
    hostname nimbus
    names_of_three
    one_more_node
    started_by_itself
    started_by_hand
    given_addresses
    node_on_loopback
    range_of_ports
    range_in_code
    range_in_file
    restarted_for_a_new_range
    port_of_its_own
    debug_log
}

# A node as the article starts it, but in the background and without a shell.
article_node() { # name port|any command...
    local range=''
    [ "$2" = any ] || range=$(at_ports "$2")
    ERL_AFLAGS="-noinput +S 1:1 $range" "${@:3}" >/dev/null &
    pid_of[$1]=$!
    within 10 known "$1"
    check_binary
}

end_nodes() { # name...
    local name
    for name in "$@"; do
        node_kill "$name"
        wait_for not known "$name"
    done
}

listening() { ss -ltnH "sport = :${1:-4369}" | awk '{print $4}' | sort | xargs; }

names_of_three() {
    step 'epmd -names'
    article_node ligaoren 51056 erl -sname ligaoren
    article_node babysitter_of_ns_1 21100 erl -name babysitter_of_ns_1@127.0.0.1
    article_node ns_1 21101 erl -name ns_1@127.0.0.1
    same output 'epmd: up and running on port 4369 with data:
name ns_1 at port 21101
name babysitter_of_ns_1 at port 21100
name ligaoren at port 51056' "$(epmd -names)"
}

one_more_node() {
    step 'erl -name test@nimbus -setcookie 1234'
    article_node test 35441 erl -name test@nimbus -setcookie 1234
    same output 'epmd: up and running on port 4369 with data:
name test at port 35441
name ns_1 at port 21101
name babysitter_of_ns_1 at port 21100
name ligaoren at port 51056' "$(epmd -names)"
    end_nodes test ns_1 babysitter_of_ns_1 ligaoren
    same killed Killed "$(epmd -kill)"
}

processes() { # erl arguments...
    erl +S 1:1 -noinput "$@" \
        -eval 'io:format("~p ~p", [is_pid(whereis(P)) || P <- [net_kernel, erl_epmd]]), halt().'
}

started_by_itself() {
    step 'erl starts no epmd, erl -sname tt does; that has net_kernel and erl_epmd'
    same processes 'false false' "$(processes)"
    not up
    same processes 'true true' "$(processes -sname tt)"
    up
    same killed Killed "$(epmd -kill)"
}

# The article's path, with its version of the run-time system.
started_by_hand() {
    step '/usr/local/lib/erlang/erts-6.0/bin/epmd -daemon'
    mount -t tmpfs none /usr/local/lib
    mkdir -p /usr/local/lib/erlang/erts-6.0/bin
    ln -s "$epmd_bin" /usr/local/lib/erlang/erts-6.0/bin/epmd
    /usr/local/lib/erlang/erts-6.0/bin/epmd -daemon
    wait_for up
    same listening '0.0.0.0:4369 [::]:4369' "$(listening)"
    same killed Killed "$(epmd -kill)"
}

given_addresses() {
    step 'ERL_EPMD_ADDRESS=127.0.0.1 epmd -daemon'
    ERL_EPMD_ADDRESS=127.0.0.1 epmd -daemon
    wait_for up
    same listening '127.0.0.1:4369 [::1]:4369' "$(listening)"
    same killed Killed "$(epmd -kill)"

    step 'epmd -address IPList'
    ip addr add 192.0.2.7/32 dev lo
    epmd -address 192.0.2.7,127.0.0.2 &
    wait_for up
    same listening '127.0.0.1:4369 127.0.0.2:4369 192.0.2.7:4369 [::1]:4369' "$(listening)"
    same killed Killed "$(epmd -kill)"
    wait $!
}

node_on_loopback() {
    step 'erl ... -kernel inet_dist_use_interface "{127,0,0,1}"'
    article_node lo any erl -sname lo -kernel inet_dist_use_interface "{127,0,0,1}"
    same listening "127.0.0.1:$(port_of lo)" "$(listening "$(port_of lo)")"
    end_nodes lo
}

range_of_ports() {
    local name
    for name in abc node1 node2 node3 node4 node5; do
        step "erl -sname $name -kernel inet_dist_listen_min 4370 inet_dist_listen_max 4375"
        article_node $name any erl -sname $name -kernel inet_dist_listen_min 4370 \
            inet_dist_listen_max 4375
    done
    same output 'epmd: up and running on port 4369 with data:
name node5 at port 4375
name node4 at port 4374
name node3 at port 4373
name node2 at port 4372
name node1 at port 4371
name abc at port 4370' "$(epmd -names)"

    step 'and a seventh, for which no port is left'
    local output
    output=$(ERL_AFLAGS='-noinput' erl -sname node6 -kernel inet_dist_listen_min 4370 \
        inet_dist_listen_max 4375 2>&1) &&
        fail 'node6 has started'
    has "$output" 'register/listen error:.*eaddrinuse'
    not known node6
    end_nodes abc node1 node2 node3 node4 node5
}

range_in_code() {
    step 'application:set_env(kernel, inet_dist_listen_min, 9100)'
    article_node code any erl -eval '
        application:set_env(kernel, inet_dist_listen_min, 9100),
        application:set_env(kernel, inet_dist_listen_max, 9105),
        {ok, _} = net_kernel:start([code, shortnames]).'
    same listing 'name code at port 9100' "$(epmd -names | tail -n +2)"
    end_nodes code
}

range_in_file() {
    step '{kernel, [{inet_dist_listen_min, 6000}, {inet_dist_listen_max, 7999}]}'
    cat >"$dir/range.config" <<'EOF'
[{ kernel, [
            {inet_dist_listen_min, 6000},
            {inet_dist_listen_max, 7999}
          ]}].
EOF
    article_node file any erl -sname file -config "$dir/range.config"
    same listing 'name file at port 6000' "$(epmd -names | tail -n +2)"
    end_nodes file
}

restarted_for_a_new_range() {
    step 'epmd outlives all nodes, is killed, and starts again'
    same listing 'epmd: up and running on port 4369 with data:' "$(epmd -names)"
    kill_epmd
    start_epmd
    same killed Killed "$(epmd -kill)"
}

port_of_its_own() {
    step 'ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=8384 epmd -daemon'
    ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=8384 epmd -daemon
    wait_for eval 'epmd  -port 8384 -names >/dev/null 2>&1'
    same listening '127.0.0.1:8384 [::1]:8384' "$(listening 8384)"
    step 'epmd  -port 8384 -names'
    same output 'epmd: up and running on port 8384 with data:' "$(epmd  -port 8384 -names)"
    not up
    same killed Killed "$(epmd -port 8384 -kill)"
}

# Nothing may ask epmd meanwhile but what the article has: epmd -names would stand in the log too.
debug_log() {
    step 'epmd -d, while abc, xyz, abc again and test start, and xyz and test end'
    local log=$dir/debug.log
    epmd -d 2>"$log" &
    local epmd_pid=$!
    wait_for logged 'epmd running'
    debug_node abc 35383
    debug_node xyz 42802
    ERL_AFLAGS='-noinput' erl -sname abc >/dev/null 2>&1 && fail 'a second abc has started'
    wait_for logged 'unknown file descriptor'
    debug_node test 32781
    # A lookup and no more: a ping would need a node, with lines of its own.
    ERL_AFLAGS='-noinput' erl -eval '
        {ok, _} = erl_epmd:start(),
        {port, 32781, _} = erl_epmd:port_please("test", "nimbus"), halt().'
    node_kill xyz
    wait_for logged "unregistering 'xyz"
    node_kill test
    wait_for logged "unregistering 'test"
    same log "epmd: DATE: epmd running - daemon = 0
epmd: DATE: ** got ALIVE2_REQ
epmd: DATE: registering 'abc:N', port 35383
epmd: DATE: type 77 proto 0 highvsn V lowvsn V
epmd: DATE: ** sent ALIVE2_RESP for \"abc\"
epmd: DATE: ** got ALIVE2_REQ
epmd: DATE: registering 'xyz:N', port 42802
epmd: DATE: type 77 proto 0 highvsn V lowvsn V
epmd: DATE: ** sent ALIVE2_RESP for \"xyz\"
epmd: DATE: ** got ALIVE2_REQ
epmd: DATE: node name already occupied abc
epmd: DATE: ** sent ALIVE2_RESP for \"abc\"
epmd: DATE: trying to unregister node with unknown file descriptor N
epmd: DATE: ** got ALIVE2_REQ
epmd: DATE: registering 'test:N', port 32781
epmd: DATE: type 77 proto 0 highvsn V lowvsn V
epmd: DATE: ** sent ALIVE2_RESP for \"test\"
epmd: DATE: ** got PORT2_REQ
epmd: DATE: ** sent PORT2_RESP (ok) for \"test\"
epmd: DATE: unregistering 'xyz:N', port 42802
epmd: DATE: unregistering 'test:N', port 32781" "$(masked <"$log")"
    node_kill abc
    epmd -kill >/dev/null
    wait "$epmd_pid"
}

logged() { grep -q -e "$1" "$dir/debug.log"; }

debug_node() { # name port
    ERL_AFLAGS="-noinput $(at_ports "$2")" erl -sname "$1" >/dev/null &
    pid_of[$1]=$!
    within 10 logged "ALIVE2_RESP for \"$1\""
}

# ctime's form is checked as it is taken out. OTP's says EPMD_ALIVE2_RESP from 29 on, and this epmd
# also says who was refused.
masked() {
    sed -E "${OTP:+s/EPMD_//}"'
        s/^epmd: ([A-Z][a-z]{2} ){2}[ 0-9][0-9] ([0-9]{2}:){2}[0-9]{2} [0-9]{4}: /epmd: DATE: /
        /: refused what came on /d
        s/\r$//
        s/:[0-9]+'\'', port/:N'\'', port/
        s/highvsn [56] lowvsn [56]$/highvsn V lowvsn V/
        s/descriptor [0-9]+$/descriptor N/'
}
