# shellcheck shell=bash disable=SC2034,SC2154
needs='/usr/share/java/OtpErlang.jar:erlang-jinterface javac:default-jdk-headless
    java:default-jre-headless'
limit=120

run_steps() {
    versions "jinterface $(jinterface_version)" "Java $(java_version)" "$(otp_version)"
    javac -cp "$jar" -d "$dir" "$root/t/real/Node.java"
    nodes_start -sname erl
    talk java java -cp "$jar:$dir" Node
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

registered_and_pinged() {
    step 'registered, looked up, listed'
    telling open 'open true'
    known java
    telling lookup 'lookup true'
    telling names 'name java at port'
    same names 'name erl at port' "$(said)"
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
    talk_end java
}
