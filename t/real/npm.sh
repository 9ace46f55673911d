# shellcheck shell=bash disable=SC2034,SC2154
needs='node:nodejs npm:npm /etc/ssl/certs/ca-certificates.crt:ca-certificates'
npm='epmd-client@0.0.2 debug@4' # which epmd-client requires, and does not name
limit=120

run_steps() {
    versions "epmd-client $(npm_version epmd-client)" "Node.js $(node --version | tr -d v)"
    start_epmd
    client 127.0.0.1
    client ::1
    next_to_erl
}

npm_version() { sed -n 's/^ *"version": "\(.*\)".*/\1/p' "$npm_dir/$1/package.json"; }

run_client() { NODE_PATH=$npm_dir timeout 20 node --no-deprecation "$root/t/real/client.js" "$1"; }

client() { # host
    step "registers, looks up, is refused, lists and dumps at $1"
    same output 'creation bytes 2
lookup js1 4001 77 0
lookup EPMD returned an error. Result: "1"
register EPMD returned an error. Result: "1"
names js2:4002 js1:4001
dump js2:4002 js1:4001 true
names js1:4001' "$(run_client "$1")"
    wait_for known_are
}

next_to_erl() {
    step 'and sees an Erlang node, as that sees it'
    nodes_start -sname erl
    has "$(run_client 127.0.0.1)" "^names js2:4002 js1:4001 erl:$(port_of erl)\$"
}
