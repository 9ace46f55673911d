# shellcheck shell=bash disable=SC2034,SC2154
needs='/usr/lib/erlang/usr/include/ei.h:erlang-dev cc:gcc /usr/include/stdio.h:libc6-dev'
limit=120

run_steps() {
    versions "erl_interface $(erl_interface_version)" "$(otp_version)"
    build
    start_epmd
    version 6 118
    version 5 121
    stop_is_refused
    kill_epmd
    start_epmd -relaxed_command_check
    stop_is_obeyed
}

erl_interface_version() {
    local lib
    for lib in /usr/lib/erlang/lib/erl_interface-*; do echo "${lib##*-}"; done
}

build() {
    cc -std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -pthread -Wl,--wrap=read,--wrap=write \
        -I/usr/lib/erlang/usr/include -L/usr/lib/erlang/usr/lib \
        -o "$dir/cnode" "$root/t/real/cnode.c" -lei
}

published() { # name version how code
    talk "$1" "$dir/cnode" "$1" "$cookie" "$2" "$3"
    same said "published $1@real answer $4" "$(said)"
}

ping_from_erl() { # node
    erl +S 1:1 -noinput -sname pinger -setcookie "$cookie" \
        -eval "io:format(\"~p\", [net_adm:ping('$1@real')]), halt()."
}

version() { # version code
    step "a node of version $1: published, answered with code $2, pinged, unpublished"
    published "c$1" "$1" close "$2"
    known "c$1"
    same ping pong "$(ping_from_erl "c$1")"
    telling unpublish 'unpublished 0'
    wait_for not known "c$1"
    talk_end "c$1"
}

# ei_unpublish sends STOP_REQ, which takes a node away from whoever holds it: without
# -relaxed_command_check it is not obeyed, and the name stays until the connection ends.
stop_is_refused() {
    step 'ei_unpublish is refused, and the node is there until it ends'
    published c 6 stop 118
    telling unpublish 'unpublished -1'
    known c
    talk_end c
    wait_for not known c
}

stop_is_obeyed() {
    step 'ei_unpublish is obeyed with -relaxed_command_check'
    published c 6 stop 118
    telling unpublish 'unpublished 0'
    wait_for not known c
    talk_end c
}
