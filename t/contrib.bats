load helper

setup() {
    [ -z "${EPMD_RUNNER:-}" ] || skip 'supervisors run the binary itself'
    common_setup
    # reachable by any user, under the name that the scripts call
    chmod 711 "$TMP"
    mkdir -m 755 "$TMP/bin"
    cp "$EPMD" "$TMP/bin/epmd"
    PATH=$TMP/bin:$PATH
    export ERL_EPMD_PORT=$PORT
}

need() { # COMMAND
    command -v "$1" >/dev/null || skip "no $1 here"
}

answering() {
    "$TMP/bin/epmd" -started
}

silent() {
    ! "$TMP/bin/epmd" -started
}

@test "the systemd units have no mistakes that systemd knows of" {
    need systemd-analyze
    sed "s|/usr/bin/epmd|$TMP/bin/epmd|" "$ROOT/contrib/systemd/epmd.service" >"$TMP/epmd.service"
    cp "$ROOT/contrib/systemd/epmd.socket" "$TMP"
    run systemd-analyze verify --man=no "$TMP/epmd.service" "$TMP/epmd.socket"
    is "$status $output" '0 '
}

@test "systemd rates what the unit leaves open as safe" {
    need systemd-analyze
    run systemd-analyze security --offline=true --threshold=9 "$ROOT/contrib/systemd/epmd.service"
    is "$status" 0
}

system_calls() { # SET: its members, and their members
    systemd-analyze syscall-filter "$1" | sed -n '2,$s/^ *//p' | while read -r word; do
        case $word in
        '#'*) ;;
        @*) system_calls "$word" ;;
        ?*) echo "$word" ;;
        esac
    done
}

@test "the unit's filter admits each system call that a served session makes" {
    need systemd-analyze
    need systemd-socket-activate
    need strace
    local set
    systemd-socket-activate -l "127.0.0.1:$PORT" -E NOTIFY_SOCKET="$TMP/none" strace -D -f -o "$TMP/trace" "$TMP/bin/epmd" -d -systemd 2>/dev/null 3>&- &
    EPMD_PID=$!
    remember $EPMD_PID
    wait_for listening "$PORT"
    wait_for answering
    "$EPMD" -register one 5000 >/dev/null 3>&- &
    remember $!
    wait_for epmd -lookup one
    epmd -names
    epmd -status
    kill -USR1 $EPMD_PID
    end $EPMD_PID
    system_calls @system-service | sort -u >"$TMP/allowed"
    for set in $(sed -n 's/^SystemCallFilter=~//p' "$ROOT/contrib/systemd/epmd.service"); do system_calls "$set"; done | sort -u >"$TMP/denied"
    sed -n 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' "$TMP/trace" | sort -u >"$TMP/made"
    [ "$(wc -l <"$TMP/made")" -gt 20 ]
    is "$(comm -23 "$TMP/allowed" "$TMP/denied" | comm -13 - "$TMP/made")" ''
}

@test "a first connection to systemd's socket starts it, and is served" {
    need systemd-socket-activate
    systemd-socket-activate -l "127.0.0.1:$PORT" "$TMP/bin/epmd" -systemd 2>/dev/null 3>&- &
    EPMD_PID=$!
    remember $EPMD_PID
    wait_for listening "$PORT"
    run epmd -names
    is "$output" "epmd: up and running on port $PORT with data:"
    run epmd -kill
    is "$output" Killed
    wait_for gone $EPMD_PID
}

# A systemd of its own, in namespaces and on a copy of this system that is gone with the test.
@test "systemd itself starts it at a connection, shut in as the unit says, and again after kill -9" {
    need /lib/systemd/systemd
    need_root 'an overlay of the file system'
    local r=$TMP/layers/root
    mkdir "$TMP/layers" "$TMP/shared"
    cat >"$TMP/host" <<END
set -e
mount -t tmpfs t "$TMP/layers"
mkdir "$TMP/layers/up" "$TMP/layers/work" "$r"
mount -t overlay o -o "lowerdir=/,upperdir=$TMP/layers/up,workdir=$TMP/layers/work" "$r"
rm -rf "$r"/etc/systemd/system/* "$r"/etc/rc*.d "$r/usr/bin/epmd"
cp "$TMP/bin/epmd" "$r/usr/bin/epmd"
cp "$ROOT"/contrib/systemd/* "$r/etc/systemd/system"
mkdir "$r/shared" "$r/old" "$r/etc/systemd/system/basic.target.wants"
mount --bind "$TMP/shared" "$r/shared"
cp "$TMP/try.service" "$r/etc/systemd/system"
ln -s ../try.service "$r/etc/systemd/system/basic.target.wants"
ln -s /lib/systemd/system/basic.target "$r/etc/systemd/system/default.target"
mount -t proc p "$r/proc"
mount -t tmpfs t "$r/run"
mount -t sysfs s "$r/sys"
if grep -q name=systemd /proc/1/cgroup; then
    mount -t tmpfs t "$r/sys/fs/cgroup"
    mkdir "$r/sys/fs/cgroup/systemd"
    mount -t cgroup -o none,name=systemd c "$r/sys/fs/cgroup/systemd"
else
    mount -t cgroup2 c "$r/sys/fs/cgroup"
fi
mount -t devtmpfs d "$r/dev"
mount -t devpts p "$r/dev/pts"
ip link set lo up
cd "$r"
pivot_root . old
cd /
unset ERL_EPMD_PORT
export container=other
exec /lib/systemd/systemd --show-status=no
END
    cat >"$TMP/try.service" <<'END'
[Unit]
Wants=epmd.socket
After=epmd.socket
[Service]
Type=oneshot
ExecStart=/bin/sh /shared/try
StandardOutput=file:/shared/out
StandardError=file:/shared/out
END
    cat >"$TMP/shared/try" <<'END'
echo systemd runs
systemctl show -p ActiveState epmd.service
epmd -names
pid=$(systemctl show -p MainPID --value epmd.service)
sed -n 's/^\(CapBnd\|NoNewPrivs\|Seccomp\):\t/\1 /p' "/proc/$pid/status"
[ "$(readlink "/proc/$pid/ns/net")" = "$(readlink /proc/self/ns/net)" ] || echo apart
epmd -register one 5000 >/shared/one 2>&1 &
epmd -wait 5 -lookup one
systemctl kill -s KILL epmd.service
wait
cat /shared/one
epmd -wait 5 -started && echo again
epmd -kill
epmd -started && echo again
systemctl stop epmd.socket epmd.service
epmd -started || echo stopped
systemctl exit 0
END
    timeout -s KILL 20 unshare --mount --pid --fork --kill-child --net --uts --ipc --cgroup sh "$TMP/host" >"$TMP/log" 2>&1 3>&- || :
    grep -q 'systemd runs' "$TMP/shared/out" || skip "no systemd can run here: $(tail -n 1 "$TMP/log")"
    is "$(cat "$TMP/shared/out")" 'systemd runs
ActiveState=inactive
epmd: up and running on port 4369 with data:
CapBnd 0000000000000000
NoNewPrivs 1
Seccomp 2
apart
5000
registered one at port 5000
epmd: the daemon ended the registration of one
again
Killed
again
stopped'
}

@test "runit starts it, knows when it is up, and ends it" {
    need runsv
    need sv
    need_root 'to become nobody'
    cp -r "$ROOT/contrib/runit/epmd" "$TMP/service"
    runsv "$TMP/service" 3>&- &
    remember $!
    wait_for [ -e "$TMP/service/supervise/ok" ]
    sv start "$TMP/service"
    answering
    is "$(stat -c %U "/proc/$(cat "$TMP/service/supervise/pid")")" nobody
    sv exit "$TMP/service"
    wait_for silent
}

@test "s6 starts it, is told when it is up, and ends it" {
    need s6-supervise
    need s6-notifyoncheck
    need_root 'to become nobody'
    local pid
    cp -r "$ROOT/contrib/s6/epmd" "$TMP/service"
    s6-supervise "$TMP/service" 3>&- &
    pid=$!
    wait_for [ -e "$TMP/service/supervise/status" ]
    s6-svwait -U -t 8000 "$TMP/service"
    answering
    s6-svc -dx "$TMP/service"
    wait_for gone $pid
    silent
}

@test "the container's entry and health check work in a root that has but the binary" {
    need_root chroot
    local health
    need musl-gcc
    make -s -C "$ROOT" static
    mkdir "$TMP/root"
    cp "$ROOT/epmd-static" "$TMP/root/epmd"
    health=$(sed -n 's/^HEALTHCHECK.* CMD \["\(.*\)"\]$/\1/p' "$ROOT/contrib/docker/Dockerfile")
    is "$health" '/epmd", "-started'
    chroot --userspec="$(sed -n 's/^USER //p' "$ROOT/contrib/docker/Dockerfile")" "$TMP/root" /epmd 3>&- &
    remember $!
    wait_for chroot "$TMP/root" /epmd -started
    kill $!
    ended $!
    run ! chroot "$TMP/root" /epmd -started
}

completed() { # WORD... of which the last is to be completed
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    _epmd
    echo "${COMPREPLY[*]}"
}

@test "bash completes options, commands and the names of nodes" {
    # shellcheck disable=SC1091
    . "$ROOT/contrib/completion/epmd.bash"
    start
    register alpha
    register beta
    is "$(completed epmd -re)" '-relaxed_command_check -register'
    is "$(completed epmd -d -sta)" '-status -started'
    is "$(completed epmd -lookup al)" alpha
    is "$(unset ERL_EPMD_PORT && completed epmd -port "$PORT" -stop '')" 'beta alpha'
    is "$(completed epmd -port '')" ''
    is "$(completed epmd -status '')" -d
}

@test "bash takes a node's name for a word, not for a command" {
    # shellcheck disable=SC1091
    . "$ROOT/contrib/completion/epmd.bash"
    start
    hold injected 1 send "$(alive2 '$(touch ${HOME}/made)')" recv 6
    export HOME=$TMP
    # shellcheck disable=SC2016
    is "$(completed epmd -lookup '')" '\$\(touch\ \$\{HOME\}/made\)'
    [ ! -e "$TMP/made" ]
}

@test "both completions know every option and command of the usage" {
    local word
    # shellcheck disable=SC1091
    . "$ROOT/contrib/completion/epmd.bash"
    epmd -help | grep -o -- '-[a-z_]*' | sort -u >"$TMP/usage"
    [ "$(wc -l <"$TMP/usage")" -gt 20 ]
    completed epmd - | tr ' ' '\n' >"$TMP/bash"
    sed -n "s/^    '\(([^)]*)\|\*\)*\(-[a-z_]*\).*/\2/p; s/.*{\(-.*\),\(-.*\)}'.*/\1\n\2/p" "$ROOT/contrib/completion/_epmd" >"$TMP/zsh"
    while read -r word; do
        grep -qxF -e "$word" "$TMP/bash"
        grep -qxF -e "$word" "$TMP/zsh"
    done <"$TMP/usage"
}

@test "zsh completes options and the names of nodes" {
    need zsh
    start
    register alpha
    register "ev\$(il)"
    cat >"$TMP/complete" <<'END'
zmodload zsh/zpty
zpty z 'zsh -f -i'
zpty -w z "PS1= TERM=dumb; fpath=($ROOT/contrib/completion \$fpath); autoload -Uz compinit; compinit -u -D; echo rea''dy"
zpty -r z line '*ready*'
zpty -w -n z $'epmd -rel\t'
zpty -r z line '*epmd -relaxed_command_check*'
zpty -w -n z $'\C-uepmd -lookup al\t'
zpty -r z line '*epmd -lookup alpha*'
zpty -w -n z $'\C-uepmd -lookup ev\t'
zpty -r z line '*ev*il*'
[[ $line == *'ev\$\(il'* ]] || print -r -- "not quoted: $line"
zpty -w -n z $'\C-uepmd -status -\t'
zpty -r z line '*status -d*'
echo completed
END
    export ROOT
    run timeout 30 zsh -f "$TMP/complete"
    is "$output" completed
}

# The package's own life, on a copy of this system that is gone with the test.
@test "the Debian package builds, takes the names of OTP's epmd, and gives them back" {
    need dpkg-buildpackage
    need dh
    need erl
    need_root 'an overlay of the file system'
    local e
    mkdir "$TMP/src" "$TMP/layers"
    cp -r "$ROOT"/{epmd.c,epmd.h,epmd.8,Makefile,CHANGES,README.md,LICENSE,contrib} "$TMP/src"
    cp -r "$ROOT/contrib/debian" "$TMP/src"
    (cd "$TMP/src" && dpkg-buildpackage -us -uc -b -d) >"$TMP/log" 2>&1 3>&- || {
        tail -20 "$TMP/log"
        false
    }
    e=$(readlink -f /usr/bin/epmd)
    cat >"$TMP/life" <<END
set -e
mount -t tmpfs t "$TMP/layers"
mkdir "$TMP/layers/up" "$TMP/layers/work" "$TMP/layers/root"
mount -t overlay o -o "lowerdir=/,upperdir=$TMP/layers/up,workdir=$TMP/layers/work" "$TMP/layers/root" || exit 77
cp "$TMP"/epmd_*.deb "$TMP/layers/root/epmd.deb"
mount -t proc p "$TMP/layers/root/proc"
mount --bind /dev "$TMP/layers/root/dev"
ip link set lo up
exec chroot "$TMP/layers/root" sh -e /life
END
    mkdir "$TMP/in"
    cat >"$TMP/in/life" <<END
state() { dpkg-divert --list | grep epmd || :; ls -l /usr/bin/epmd* $e* /lib/systemd/system/epmd* /usr/share/man/man1/epmd*; }
state >/before
dpkg -i /epmd.deb
epmd -version | grep '^epmd '
[ "\$(readlink -f $e)" = /usr/bin/epmd ]
[ "\$(readlink -f /usr/lib/erlang/bin/epmd)" = /usr/bin/epmd ]
erl -noinput -sname a -eval 'receive after infinity -> ok end' &
epmd -wait 20 -lookup a
kill -9 \$!
wait \$! || :
epmd -kill
dpkg -i /epmd.deb
[ "\$(readlink -f $e)" = /usr/bin/epmd ]
mkdir -p /usr/lib/erlang/erts-0/bin
cp $e.otp /usr/lib/erlang/erts-0/bin/epmd
dpkg-trigger --by-package=erlang-base /usr/lib/erlang
dpkg --configure -a
[ "\$(readlink -f /usr/lib/erlang/erts-0/bin/epmd)" = /usr/bin/epmd ]
rm /usr/lib/erlang/erts-0/bin/epmd.otp
dpkg-trigger --by-package=erlang-base /usr/lib/erlang
dpkg --configure -a
[ ! -e /usr/lib/erlang/erts-0 ]
dpkg -r epmd
state | diff /before -
dpkg -V erlang-base
END
    sed -i "s|^ip link|cp $TMP/in/life $TMP/layers/root/life; ip link|" "$TMP/life"
    run unshare --mount --pid --fork --kill-child --net sh "$TMP/life" 3>&-
    [ "$status" -ne 77 ] || skip 'no overlay file system here'
    echo "$output"
    is "$status" 0
}

@test "every script of contrib can be read by its shell" {
    local file
    for file in "$ROOT"/contrib/{openrc,openwrt,freebsd,netbsd,openbsd}/epmd "$ROOT"/contrib/{runit,s6}/epmd/run \
        "$ROOT"/contrib/{runit/epmd,s6/epmd/data}/check "$ROOT"/contrib/alpine/APKBUILD "$ROOT"/contrib/debian/{pre,post}{inst,rm}; do
        sh -n "$file"
    done
    bash -n "$ROOT/contrib/completion/epmd.bash"
}
