# shellcheck shell=bash disable=SC2034,SC2154
needs='/usr/lib/rabbitmq/bin/rabbitmq-server:rabbitmq-server'
limit=400

run_steps() {
    versions "RabbitMQ $(upstream_version rabbitmq-server)" "$(otp_version)"
    prepare
    start_both
    cluster
    epmd_dies
    node_comes_back
}

bin=/usr/lib/rabbitmq/bin

prepare() {
    mkdir "$dir/hare" "$dir/rabbit"
    : >"$dir/rabbitmq.conf"
    echo '[].' >"$dir/plugins"
    chown -R rabbitmq: "$dir"
}

# The product's own scripts, as its own user, with all that they write in the case's folder.
mq() { # node script arguments...
    local port=5672
    [ "$1" = rabbit ] || port=5673
    setpriv --reuid=rabbitmq --regid=rabbitmq --clear-groups env \
        HOME="$dir" RABBITMQ_NODENAME="$1@real" RABBITMQ_PID_FILE="$dir/$1/pid" \
        RABBITMQ_MNESIA_BASE="$dir/$1" RABBITMQ_LOG_BASE="$dir/$1" \
        RABBITMQ_CONFIG_FILE="$dir/rabbitmq.conf" RABBITMQ_ENABLED_PLUGINS_FILE="$dir/plugins" \
        RABBITMQ_NODE_PORT=$port RABBITMQ_DIST_PORT=$((port + 20000)) \
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='+S 1:1' RABBITMQ_CTL_ERL_ARGS='+S 1:1' \
        "$bin/$2" "${@:3}"
}

server_start() { # node
    mq "$1" rabbitmq-server >"$dir/$1.out" 2>&1 &
    pid_of[$1]=$!
}

server_up() { # node
    within 60 known "$1"
    mq "$1" rabbitmqctl await_startup --timeout 90 --quiet
}

start_both() {
    step 'two servers start, the first of them with epmd'
    server_start rabbit
    server_start hare
    server_up rabbit
    server_up hare
    same "rabbit's port" 25672 "$(port_of rabbit)"
    same "hare's port" 25673 "$(port_of hare)"
}

running_nodes() { # node
    mq "$1" rabbitmqctl cluster_status --formatter json |
        sed -n 's/.*"running_nodes":\[\([^]]*\)\].*/\1/p' | tr -d '" ' | tr , '\n' | sort | xargs
}

# Each command line tool is a node too, with a name of its own.
cluster() {
    step 'join_cluster; cluster_status shows both running'
    mq hare rabbitmqctl --quiet stop_app
    mq hare rabbitmqctl --quiet join_cluster rabbit@real
    mq hare rabbitmqctl --quiet start_app
    same running 'hare@real rabbit@real' "$(running_nodes hare)"
    same running 'hare@real rabbit@real' "$(running_nodes rabbit)"
    step 'a queue declared on one is seen on the other'
    queue_declare hare q1
    same queues q1 "$(queues rabbit)"
}

queue_declare() { # node queue
    mq "$1" rabbitmqctl --quiet eval "rabbit_amqqueue:declare(
        rabbit_misc:r(<<\"/\">>, queue, <<\"$2\">>), true, false, [], none, <<\"real\">>)." \
            >/dev/null
}

queues() { # node
    mq "$1" rabbitmqctl --quiet --no-table-headers list_queues name | sort | xargs
}

epmd_dies() {
    epmd_killed rabbit hare
    epmd_left_dead 'rabbit hare' mq rabbit rabbitmqctl --quiet status
    same running 'hare@real rabbit@real' "$(running_nodes rabbit)"
}

node_comes_back() {
    step 'a server stops; it comes back into the cluster by the new epmd'
    mq hare rabbitmqctl --quiet stop
    wait "${pid_of[hare]}" || true
    wait_for known_are rabbit
    same running rabbit@real "$(running_nodes rabbit)"
    server_start hare
    server_up hare
    same running 'hare@real rabbit@real' "$(running_nodes rabbit)"
    queue_declare rabbit q2
    same queues 'q1 q2' "$(queues hare)"
    step 'both stop, and none is left in epmd'
    mq hare rabbitmqctl --quiet stop
    mq rabbit rabbitmqctl --quiet stop
    wait "${pid_of[hare]}" "${pid_of[rabbit]}" || true
    wait_for known_are
}
