# A container from scratch: a root with the static binary and nothing else, no /dev, /proc or /etc,
# and epmd as process 1. OTP's has no static build, so it gets the libraries that it is linked with.
# shellcheck shell=bash disable=SC2034,SC2154
needs='busybox:busybox-static musl-gcc:musl-tools make:make'
limit=60

run_steps() {
    unset ERL_EPMD_PORT
    box=$dir/box
    versions "$(otp_version)"
    if [ -n "$OTP" ]; then
        image_of_otp
    else
        image
        echo "  $(stat -c %s "$box/epmd") bytes static"
    fi
    epmd_bin=$box/epmd
    serves_as_process_1
    ends_on_sigterm
    as_nobody
    daemon_in_an_empty_root
    busybox_shell
}

image() {
    if [ -z "$EPMD_STATIC" ]; then
        make -s -C "$root" static
        EPMD_STATIC=$root/epmd-static
    fi
    mkdir "$box"
    cp "$EPMD_STATIC" "$box/epmd"
    same files "$box
$box/epmd" "$(find "$box")"
}

image_of_otp() {
    local lib
    mkdir "$box"
    cp "$epmd_bin" "$box/epmd"
    for lib in $(ldd "$epmd_bin" | grep -o '/[^ ]*'); do
        mkdir -p "$box${lib%/*}"
        cp -L "$lib" "$box$lib"
    done
}

# Its process as the host sees it; in its own namespace it is process 1.
container_start() {
    unshare --root="$box" --pid --fork --kill-child /epmd &
    unshare_pid=$!
    wait_for healthy
    epmd_pid=$(pgrep -P "$unshare_pid")
    same "NSpid's end" 1 "$(awk '$1 == "NSpid:" {print $NF}' "/proc/$epmd_pid/status")"
}

# As docker exec and Kubernetes do it: another process in the container.
healthy() {
    local pid
    pid=$(pgrep -P "$unshare_pid") && nsenter --target "$pid" --root --wd --pid /epmd -started
}

serves_as_process_1() {
    step 'alone in an empty root, as process 1: healthy, and serves a node'
    container_start
    nodes_start -sname a b
    same ping pong "$(ask -sname a 'net_adm:ping(b@real)')"
    has "$(chroot "$box" /epmd -names)" '^name a at port [0-9]*$'
    node_kill a b
}

ends_on_sigterm() {
    if [ -n "$OTP" ]; then
        step 'SIGKILL ends it'
        kill -KILL "$epmd_pid"
        wait "$unshare_pid" || true
    else
        step 'SIGTERM ends it, with status 0'
        kill -TERM "$epmd_pid"
        wait_for not kill -0 "$epmd_pid" 2>/dev/null
        wait "$unshare_pid"
    fi
    step 'and -started says so'
    not chroot "$box" /epmd -started
}

as_nobody() {
    step 'as nobody, without a privilege'
    setpriv --no-new-privs chroot --userspec=65534:65534 "$box" /epmd &
    local pid=$!
    wait_for chroot "$box" /epmd -started
    same user 65534 "$(stat -c %u "/proc/$pid")"
    same killed Killed "$(chroot "$box" /epmd -kill)"
    wait "$pid"
}

daemon_in_an_empty_root() {
    step '-daemon, without /dev/null'
    chroot "$box" /epmd -daemon
    wait_for chroot "$box" /epmd -started
    same killed Killed "$(chroot "$box" /epmd -kill)"
}

busybox_shell() {
    step "busybox's sh drives it: epmd -names | grep"
    local name
    mkdir -p "$box/bin"
    cp "$(command -v busybox)" "$box/bin/busybox"
    for name in sh grep sleep; do ln -s busybox "$box/bin/$name"; done
    ln -s /epmd "$box/bin/epmd"
    cat >"$box/check" <<'EOF'
epmd -daemon || exit 2
tries=0
until epmd -started; do
    tries=$((tries + 1))
    [ $tries -lt 50 ] || exit 3
    sleep 0.1
done
epmd -names | grep 'up and running on port 4369 with data:' || exit 4
if epmd -names | grep '^name '; then exit 5; fi
EOF
    same output 'epmd: up and running on port 4369 with data:' "$(in_box /check)"
    nodes_start -sname a
    echo 'epmd -names | grep -c "^name a at port [0-9]*$"' >"$box/count"
    same count 1 "$(in_box /count)"
    node_kill a
    wait_for not known a
    echo 'epmd -kill' >"$box/kill"
    same killed Killed "$(in_box /kill)"
}

in_box() { env -i PATH=/bin /usr/sbin/chroot "$box" /bin/sh "$1"; }
