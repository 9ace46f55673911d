# OTP's own test suite of its epmd. It starts the first epmd in PATH, and erl puts its own
# erts-VERSION/bin first there: this epmd lies over OTP's file in that folder.
# shellcheck shell=bash disable=SC2034,SC2154
needs='/var/lib/dpkg/info/erlang-common-test.list:erlang-common-test xz:xz-utils'
source='*/erts/epmd/test/epmd_SUITE.erl' # a file of erlang's source package
limit=600

run_steps() {
    versions "$(otp_version)"
    take_suite
    fails_without
    passes
}

# The hook wants OTP's build tree. Where -packet_timeout is 1, a suite from before CVE-2026-42792
# pauses for a second before each byte; OTP's has paused for 200 ms since.
take_suite() {
    mkdir "$dir/logs"
    sed 's/{ct_hooks, *\[ts_install_cth\]},//; s/{d,1000}/{d,200}/' "$source_dir/epmd_SUITE.erl" \
        >"$dir/epmd_SUITE.erl"
}

suite() { # ct_run arguments...
    cd "$dir" && ct_run -noshell -sname "ct@real" -suite epmd_SUITE -logdir logs "$@" 2>&1 |
        grep -E 'FAILED|SKIPPED|TEST COMPLETE' | sed 's/^Testing [^ ]*: //'
}

fails_without() {
    step 'with true(1) over that file, its first case fails'
    epmd -daemon
    mount --bind "$(type -P true)" "$(erts_epmd)"
    has "$(suite -case register_name || true)" '0 ok, 1 failed'
    umount "$(erts_epmd)"
}

# Each process called epmd that is seen while the suite runs: its number, and whether this is its
# file.
watch() {
    local pid is
    while sleep 0.05; do
        for pid in $(epmd_pids); do
            is=another
            if [ "/proc/$pid/exe" -ef "$epmd_bin" ]; then is=ours; fi
            if [ -e "/proc/$pid/exe" ]; then echo "$pid $is"; fi
        done
    done >"$dir/seen"
}

passes() {
    step 'the suite passes; two cases want another host by ssh'
    watch &
    local watcher=$! result
    result=$(suite) || true
    kill "$watcher"
    echo "$result"
    has "$result" 'TEST COMPLETE, [0-9]* ok, 0 failed, 2 skipped'
    not grep -q another "$dir/seen"
    local count
    count=$(sort -u "$dir/seen" | wc -l)
    echo "  $count processes called epmd ran meanwhile, all of this file"
    [ "$count" -gt 20 ]
}
