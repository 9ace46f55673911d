# shellcheck shell=bash disable=SC2034,SC2154
needs='/usr/share/java/OtpErlang.jar:erlang-jinterface javac:default-jdk-headless
    java:default-jre-headless'
limit=120

run_steps() {
    versions "jinterface $(jinterface_version)" "Java $(java_version)" "$(otp_version)"
    javac -cp "$jar" -d "$dir" "$root/t/real/Node.java"
    node_start -sname erl
    nodes_up -sname erl
    java_node
    registered_and_pinged
    refused_duplicate
    closed
}

jar=/usr/share/java/OtpErlang.jar

jinterface_version() {
    local file
    for file in /usr/share/java/OtpErlang-*.jar; do basename "${file##*-}" .jar; done
}
java_version() { java -version 2>&1 | sed -n '1s/.*"\(.*\)".*/\1/p'; }

java_node() {
    mkfifo "$dir/in" "$dir/out"
    java -cp "$jar:$dir" Node <"$dir/in" >"$dir/out" &
    pid_of[java]=$!
    exec 5>"$dir/in" 6<"$dir/out"
}
tell() { echo "$1" >&5; }
said() { local line; read -r -t 20 -u 6 line; echo "$line"; }
telling() { # word answer
    tell "$1"
    same "$1" "$2" "$(said)"
}

registered_and_pinged() {
    step 'registered, looked up, listed'
    telling open 'open true'
    known java
    telling lookup 'lookup true'
    tell names
    same names 'name java at port
name erl at port' "$(said; said)"
    step 'pinged from Erlang, and pings it'
    same ping pong "$(ask -sname erl 'net_adm:ping(java@real)')"
    telling ping 'ping true'
}

refused_duplicate() {
    step "a refused duplicate's close takes nothing from the living node"
    telling refused 'published false'
    known java
    telling lookup 'lookup true'
    same ping pong "$(ask -sname erl 'net_adm:ping(java@real)')"
}

closed() {
    step 'closed: gone from epmd'
    telling close closed
    wait_for known_are erl
    exec 5>&-
    wait "${pid_of[java]}"
}
