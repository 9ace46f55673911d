# Two hosts, joined by a cable: left is 192.0.2.1, right 192.0.2.2, each with an epmd on the port
# that the world knows.
# shellcheck shell=bash disable=SC2034,SC2154
limit=120

run_steps() {
    versions "$(otp_version)"
    unset ERL_EPMD_PORT
    make_hosts_file
    if [ -n "$OTP" ]; then
        step "OTP's epmd on both"
        find_each_other otp otp
    else
        step 'this epmd on both'
        find_each_other ours ours
        step "this epmd on the left, OTP's on the right"
        find_each_other ours otp
        step "OTP's on the left, this epmd on the right"
        find_each_other otp ours
    fi
}

make_hosts_file() {
    cat >"$dir/hosts" <<EOF
127.0.0.1 localhost
::1 localhost
192.0.2.1 left
192.0.2.2 right
2001:db8::1 left
2001:db8::2 right
EOF
}

declare -A holder=() root_of=()

on() { # host command...
    nsenter --target "${holder[$1]}" --net --uts --mount --root --wd "${@:2}"
}

# A host is the namespaces of a process that waits, in a root of its own if it is to have one.
# This epmd is mounted over OTP's everywhere; where OTP's shall serve, it comes to light again.
host_make() { # host number binary
    local enter=()
    if [ -n "${root_of[$1]:-}" ]; then enter=("$root/t/real/root" --enter "${root_of[$1]}"); fi
    unshare --net --uts --mount "${enter[@]}" sleep infinity &
    holder[$1]=$!
    wait_for own_network "$1"
    ip link set "$1" netns "${holder[$1]}"
    on "$1" hostname "$1"
    on "$1" ip link set lo up
    on "$1" ip addr add "192.0.2.$2/24" dev "$1"
    on "$1" ip addr add "2001:db8::$2/64" dev "$1" nodad
    on "$1" ip link set "$1" up
    if [ "$3" = otp ] && [ -z "$OTP" ]; then
        on "$1" umount "$(on "$1" readlink -f /usr/bin/epmd)"
    fi
}

# The holder unshares all of them at once, and is then where it stays.
own_network() { # host
    not [ "/proc/${holder[$1]}/ns/net" -ef /proc/self/ns/net ] &&
        [ "/proc/${holder[$1]}/root" -ef "${root_of[$1]:-/}" ]
}

hosts_make() { # left's binary, right's
    ip link add left type veth peer name right
    host_make left 1 "$1"
    host_make right 2 "$2"
}

hosts_end() {
    kill "${holder[left]}" "${holder[right]}"
    wait "${holder[left]}" "${holder[right]}" 2>/dev/null || true
}

host_node() { # host name [erl arguments...]
    # A function in the background would give the shell's process, not erl's.
    nsenter --target "${holder[$1]}" --net --uts --mount --root --wd \
        erl +S 1:1 -noinput -sname "$2" -setcookie "$cookie" "${@:3}" &
    pid_of[$2]=$!
    wait_for host_knows "$1" "$2"
}
host_knows() { on "$1" epmd -names 2>/dev/null | grep -q "^name $2 at port"; }

host_ask() { # host name expression
    on "$1" erl +S 1:1 -noinput -sname "asker$RANDOM" -setcookie "$cookie" "${@:3}" \
        -eval "io:format(\"~p\", [$2]), halt()."
}

same_binary() { # host ours|otp
    local pid
    for pid in $(epmd_pids); do
        [ "/proc/$pid/ns/net" -ef "/proc/${holder[$1]}/ns/net" ] || continue
        if [ "$2" = ours ] || [ -n "$OTP" ]; then
            [ "/proc/$pid/exe" -ef "$epmd_bin" ] || fail "another epmd serves on $1"
        else
            not [ "/proc/$pid/exe" -ef "$epmd_bin" ] || fail "OTP's epmd does not serve on $1"
        fi
        echo "  $1: $2, pid $pid"
        return 0
    done
    fail "no epmd on $1"
}

find_each_other() { # left's binary, right's
    hosts_make "$1" "$2"
    host_node left l
    host_node right r
    same_binary left "$1"
    same_binary right "$2"
    same 'ping from the left' pong "$(host_ask left 'net_adm:ping(r@right)')"
    same 'ping from the right' pong "$(host_ask right 'net_adm:ping(l@left)')"
    has "$(host_ask left 'net_adm:names(right)')" '{ok,\[.*{"r",[0-9]*}'
    has "$(host_ask right 'net_adm:names(left)')" '{ok,\[.*{"l",[0-9]*}'
    same 'a name of the other host' noport "$(host_ask left 'erl_epmd:port_please("l", "right")')"
    over_ipv6
    node_kill r
    wait_for not host_knows right r
    same 'after its end' noport "$(host_ask left 'erl_epmd:port_please("r", "right")')"
    node_kill l
    on left epmd -kill
    on right epmd -kill
    hosts_end
}

over_ipv6() {
    host_node right r6 -proto_dist inet6_tcp
    same 'ping over IPv6' pong "$(host_ask left 'net_adm:ping(r6@right)' -proto_dist inet6_tcp)"
    node_kill r6
}
