# What runs the tests: t/run and t/deps, by test files of a few lines.
load helper

setup() {
    common_setup
    mkdir "$TMP/t"
    cp "$ROOT"/t/{run,deps} "$TMP/t"
    cd "$TMP" || return
    unset CI FULL JOBS INSTALL
    file table.tap 'printf "1..4\nok 1 - one\nnot ok 2 - two\n# why\nok 3 - three # skip no tool\n"'
    file good.tap 'printf "ok - 4 of 4\n1..1\n"'
}

file() { # NAME TEXT
    printf '#!/bin/sh\n%s\n' "$2" >"t/$1"
    chmod +x "t/$1"
}

@test "t/run shows each test as it ends, what failed once more behind them, and the sum" {
    run t/run t/table.tap
    is "$status $output" '1 ok table.tap: one
not ok table.tap: two
# why
ok table.tap: three # skip no tool
not ok table.tap: 1 tests did not run
# failed:
not ok table.tap: two
# why
not ok table.tap: 1 tests did not run
# left out, 1:
#   1: no tool
1 passed, 2 failed'
    run t/run t/good.tap
    is "$status $output" '0 ok good.tap: 4 of 4
1 passed, 0 failed'
}

@test "t/run takes each test file that is there" {
    run t/run
    is "$status $(tail -n 1 <<<"$output")" '1 2 passed, 2 failed'
}

@test "a test file that says nothing, or ends with an error though no test failed, has failed" {
    file none.tap ':'
    run t/run t/none.tap
    is "$status $output" '1 not ok none.tap: status 0
# failed:
not ok none.tap: status 0
0 passed, 1 failed'
    file end.tap 'echo "ok 1"; exit 3'
    run t/run t/end.tap
    is "$status $(tail -n 1 <<<"$output")" '1 1 passed, 1 failed'
}

@test "in CI a test that is left out has failed, unless no package could mend that" {
    file left.tap 'echo "ok 1 - one # skip no tool"
        echo "ok 2 - two # skip not here: no tool"
        echo "ok 3 last"'
    CI=true run t/run t/left.tap
    is "$status $output" '1 not ok left.tap: one # left out: no tool
ok left.tap: two # skip not here: no tool
ok left.tap: last
# failed:
not ok left.tap: one # left out: no tool
# left out, 1:
#   1: not here: no tool
1 passed, 1 failed'
    file whole.tap 'echo "1..0 # SKIP no tool"'
    run t/run t/whole.tap t/good.tap
    is "$status $(tail -n 3 <<<"$output")" '0 # left out, 1:
#   1: no tool
1 passed, 0 failed'
}

@test "make check says how long it takes, what it installs, and how not to" {
    local tool
    # a machine without erl and bats
    mkdir path
    for tool in sh env id sed sort tr cat basename; do ln -s "$(type -P $tool)" path; done
    printf '#!/bin/sh\necho "$@" >>"%s"\n' "$TMP/asked" >path/apt-get
    chmod +x path/apt-get
    PATH=$TMP/path run t/deps
    is "$status" 1
    like "$output" 'make check: .*in at most three minutes'
    like "$output" 'FULL=1 make check runs every test'
    if [ "$(id -u)" = 0 ]; then
        like "$output" 'INSTALL=no make check would install nothing'
        like "$output" 'Installing for the tests, with apt-get: bats erlang-base'
        grep -q 'install.* bats erlang-base$' asked
        rm asked
    fi
    PATH=$TMP/path INSTALL=no run t/deps
    is "$status" 1
    like "$output" "What needs these packages .* is left out: bats erlang-base"
    [ ! -e asked ]
    ln -s "$(type -P true)" path/bats
    PATH=$TMP/path INSTALL=no run t/deps
    is "$status" 0
}

@test "make help has a line for each target" {
    local target
    make -s -C "$ROOT" help >help
    for target in $(sed -n '/^\.PHONY:/,/[^\\]$/{s/.*://; s/\\//; p}' "$ROOT/Makefile"); do
        case $target in
        all | epmd-*) ;;
        *) grep -q "make $target\\( \\|\$\\)" help ;;
        esac
    done
    is "$(grep -c '.\{81\}' help || :)" 0
}
