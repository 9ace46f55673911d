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

# Its standard input is held open by descriptor 5, and what it says is read
# from 6.
cnode_start() { # name version how
    mkfifo "$dir/in" "$dir/out"
    "$dir/cnode" "$1" "$cookie" "$2" "$3" <"$dir/in" >"$dir/out" &
    pid_of[$1]=$!
    exec 5>"$dir/in" 6<"$dir/out"
    rm "$dir/in" "$dir/out"
}
said() { local line; read -r -t 10 -u 6 line; echo "$line"; }
cnode_unpublish() { echo >&5; }
cnode_end() { # name
    exec 5>&-
    wait "${pid_of[$1]}"
    exec 6<&-
}

ping_from_erl() { # node
    erl +S 1:1 -noinput -sname pinger -setcookie "$cookie" \
        -eval "io:format(\"~p\", [net_adm:ping('$1@real')]), halt()."
}

version() { # version code
    step "a node of version $1: published, answered with code $2, pinged, unpublished"
    cnode_start "c$1" "$1" close
    same said "published c$1@real answer $2" "$(said)"
    known "c$1"
    same ping pong "$(ping_from_erl "c$1")"
    cnode_unpublish
    same said 'unpublished 0' "$(said)"
    wait_for not known "c$1"
    cnode_end "c$1"
}

# ei_unpublish sends STOP_REQ, which takes a node away from whoever holds it:
# without -relaxed_command_check it is not obeyed, and the name stays until the
# connection ends.
stop_is_refused() {
    step 'ei_unpublish is refused, and the node is there until it ends'
    cnode_start c 6 stop
    same said 'published c@real answer 118' "$(said)"
    cnode_unpublish
    same said 'unpublished -1' "$(said)"
    known c
    cnode_end c
    wait_for not known c
}

stop_is_obeyed() {
    step 'ei_unpublish is obeyed with -relaxed_command_check'
    cnode_start c 6 stop
    same said 'published c@real answer 118' "$(said)"
    cnode_unpublish
    same said 'unpublished 0' "$(said)"
    wait_for not known c
    cnode_end c
}
