# shellcheck shell=bash disable=SC2034,SC2154
needs='ejabberdctl:ejabberd'
limit=400

run_steps() {
    versions "ejabberd $(upstream_version ejabberd)" "$(otp_version)"
    prepare
    start_both
    cluster
    epmd_dies
    stop_both
}

# ejabberdctl asks /usr/bin/epmd and becomes the user ejabberd, whose home this covers for the time
# of the case.
prepare() {
    local n port=5222
    mount -t tmpfs none /var/lib/ejabberd
    mount -t tmpfs none /run
    mkdir /run/ejabberd
    printf '%s' "$cookie" >/var/lib/ejabberd/.erlang.cookie
    for n in one two; do
        mkdir -p "$dir/$n/spool" "$dir/$n/logs" "$dir/$n/conf"
        port=$((port + 1))
        configuration $port >"$dir/$n/conf/ejabberd.yml"
        cp /etc/ejabberd/inetrc "$dir/$n/conf"
        echo 'ERL_OPTIONS="+S 1:1"' >"$dir/$n/conf/ejabberdctl.cfg"
        chown -R ejabberd: "$dir/$n"
    done
    chmod 600 /var/lib/ejabberd/.erlang.cookie
    chown -R ejabberd: /var/lib/ejabberd /run/ejabberd
}

configuration() { # port
    cat <<EOF
hosts: [localhost]
loglevel: info
listen:
  - port: $1
    ip: "127.0.0.1"
    module: ejabberd_c2s
modules:
  mod_ping: {}
EOF
}

ctl() { # node arguments...
    ejabberdctl --config-dir "$dir/$1/conf" --ctl-config "$dir/$1/conf/ejabberdctl.cfg" \
        --spool "$dir/$1/spool" --logs "$dir/$1/logs" --node "$1@real" "${@:2}"
}

start_both() {
    step 'ejabberdctl start, where no epmd runs'
    ctl one start
    ctl one started
    known one
    check_binary
    step 'and where one runs'
    ctl two start
    ctl two started
    known two
    has "$(ctl one status)" 'is started'
    step 'a node that runs is not started again: -names says so'
    has "$(ctl one start || true)" "node 'one@real' is already running"
    known one
}

cluster() {
    step 'join_cluster; list_cluster shows both'
    ctl two join_cluster one@real
    ctl two started
    within 30 both_listed one
    within 30 both_listed two
    same ping pong "$(ctl one ping two@real)"
}

epmd_dies() {
    epmd_killed one two
    epmd_left_dead 'one two' ctl one status
    both_listed one
}

both_listed() { # node
    [ "$(ctl "$1" list_cluster | sort | xargs)" = 'one@real two@real' ]
}

stop_both() {
    step 'stop and stopped: epmd stays while the other is registered'
    ctl two stop
    ctl two stopped
    known_are one
    step 'and the last one takes it along: ejabberdctl kills it'
    ctl one stop
    ctl one stopped
    wait_for not up
    same processes 0 "$(epmd_pids | wc -w)"
}
