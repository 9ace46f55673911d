load ../tools/helper

# What the daemon could do if it were taken over, and whom it becomes.

field() { # NAME, of the daemon's status
    sed -n "s/^$1:[[:space:]]*//p" "/proc/$EPMD_PID/status" | tr -s '\t ' ' ' | sed 's/ $//'
}

has_no_rights() { # UID GID
    is "$(field Uid)" "$1 $1 $1 $1"
    is "$(field Gid)" "$2 $2 $2 $2"
    is "$(field Groups)" "$2"
    is "$(field CapPrm)" 0000000000000000
    is "$(field CapEff)" 0000000000000000
}

is_nobody() {
    has_no_rights "$(id -u nobody)" "$(id -g nobody)"
}

@test "it gives up the right to gain new ones, in the foreground and the background" {
    need_no_runner
    start
    is "$(field NoNewPrivs)" 1
    end "$EPMD_PID"
    "$EPMD" -port "$PORT" -daemon 3>&-
    adopt
    is "$(field NoNewPrivs)" 1
}

@test "-user becomes that user and its group, and leaves root's other groups" {
    need_root "another user"
    need_no_runner
    need setpriv
    EPMD_RUNNER="setpriv --groups 0,4,27" start -user nobody
    is_nobody
    is "$(ask send "$(alive2 abc)" recv 2)" 7600
}

@test "-user takes a number, of nobody's too, where there is no such name" {
    need_root "another user"
    need_no_runner
    start -user 54321
    has_no_rights 54321 54321
}

@test "-user with a number that /etc/passwd has becomes that user's group" {
    need_root "another user"
    need_no_runner
    local uid gid
    read -r uid gid < <(awk -F: '$3 != $4 { print $3, $4; exit }' /etc/passwd)
    [ -n "$gid" ] || skip 'not here: no user whose group has another number'
    start -user "$uid"
    has_no_rights "$uid" "$gid"
}

# on an /etc/passwd of the test's
start_with_passwd() { # OPTION...
    EPMD_RUNNER="unshare --mount sh $TMP/run" start "$@"
}

@test "-user reads /etc/passwd to its end, whatever its lines" {
    need_root "a mount namespace"
    need_no_runner
    local i long
    # shellcheck disable=SC2016
    echo 'mount --bind "${0%/*}/passwd" /etc/passwd && exec "$@"' >"$TMP/run"
    printf -v long '%5000s' ''
    {
        for i in {1..3000}; do
            echo "user$i:x:$((10000 + i)):$((20000 + i)):a user:/home/user$i:/bin/sh"
        done
        echo "long:x:7:7:${long// /last:x:8:8:}:/:/bin/sh" \
            # passed over, whatever looks like an entry inside
        echo "${long// /x}:x:9:9::/:/bin/sh"
        printf 'last:x:31000:32000::/:/bin/sh'
    } >"$TMP/passwd"
    while read -r user uid gid; do
        free_port
        start_with_passwd -user "$user"
        wait_for has_no_rights "$uid" "$gid"
        end "$EPMD_PID"
    done <<<'last 31000 32000
31000 31000 32000
12999 12999 22999'
}

@test "-user where /etc/passwd cannot be read is an error, not another group" {
    need_root "a mount namespace"
    need_no_runner
    mkdir "$TMP/passwd"
    echo 'mount --bind "$1" /etc && shift && exec "$@"' >"$TMP/run"
    refuses_user 'cannot read /etc/passwd: Is a directory' \
        unshare --mount sh "$TMP/run" "$TMP" "$EPMD" -port "$PORT" -user 1
}

@test "-user with -daemon has given up root by the time that it returns" {
    need_root "another user"
    "$EPMD" -port "$PORT" -daemon -user nobody 3>&-
    adopt
    is_nobody
}

@test "-user has the sockets opened as root: a port below 1024" {
    one_host
    need_no_runner
    on "$HOST" sysctl -qw net.ipv4.ip_unprivileged_port_start=1024
    background ip netns exec "$HOST" "$EPMD" -port 369 -user nobody
    EPMD_PID=$!
    wait_for listening_on "$HOST" 369
    wait_for is_nobody
}

refuses_user() { # MESSAGE COMMAND...
    is "$(told timeout 5 "${@:2}")" "1||epmd: $1"
}

@test "-user of nobody, an empty one, or what is no number of a user is an error" {
    for user in "" -1; do
        refuses_user "-user needs a name, not \"$user\"
see epmd -help" "$EPMD" -port "$PORT" -user "$user"
    done
    for user in nosuchuser nobod 65534x +1 4294967297; do
        refuses_user "no such user: \"$user\"" "$EPMD" -port "$PORT" -user "$user"
    done
}

@test "-user where it cannot be had is an error, not a daemon with the caller's rights" {
    need_root "another user"
    need_no_runner
    need setpriv
    chmod 755 "$TMP"
    cp "$EPMD" "$TMP/epmd" # where anybody may run it
    refuses_user 'cannot become user "root": Operation not permitted' \
        setpriv --reuid 65534 --regid 65534 --clear-groups "$TMP/epmd" -port "$PORT" -user root
    for right in setgid setuid; do
        refuses_user 'cannot become user "nobody": Operation not permitted' \
            setpriv --bounding-set -$right --inh-caps -$right "$EPMD" -port "$PORT" -user nobody
    done
    is "$(ask connect 2>/dev/null || :)" refused
}
