# A release as mix makes it, with its own ERTS, and in that an epmd of its own, which no PATH and no
# diversion reaches.
# shellcheck shell=bash disable=SC2034,SC2154
needs='mix:elixir'
limit=180

run_steps() {
    versions "Elixir $(elixir --short-version)" "$(otp_version)"
    build
    its_own
    two_of_them
    epmd_killed one two
    epmd_left_dead 'one two' app one rpc ':ok'
    ended
}

# Made with OTP's file in its place, which the release then holds.
build() {
    step 'mix release, with its own ERTS'
    if [ -z "$OTP" ]; then umount "$(erts_epmd)"; fi
    mix new "$dir/app" >/dev/null
    cd "$dir/app" || exit
    MIX_ENV=prod mix release --quiet
    app=$dir/app/_build/prod/rel/app
    cmp "$app"/erts-*/bin/epmd "$(erts_epmd)"
}

app() { # node command...
    RELEASE_NODE=$1@real RELEASE_DISTRIBUTION=sname RELEASE_COOKIE=$cookie RELEASE_TMP=$dir/$1 \
        ELIXIR_ERL_OPTIONS='+S 1:1' "$app/bin/app" "${@:2}"
}

app_start() { # node
    app "$1" start &
    pid_of[$1]=$!
    wait_for known "$1"
}

its_own() {
    step "as it comes, it starts the epmd of its own folder"
    app_start one
    same file "$(readlink -f "$app"/erts-*/bin/epmd)" "$(readlink "/proc/$(epmd_pids)/exe")"
    app one stop
    wait "${pid_of[one]}" || true
    wait_for known_are
    kill_epmd
}

two_of_them() {
    step 'two of them, with this epmd in the place of that file'
    put_epmd_in_place "$epmd_bin"
    ln -sf "$epmd_bin" "$app"/erts-*/bin/epmd
    app_start one
    check_binary
    app_start two
    same connected true "$(app one rpc 'IO.inspect Node.connect(:two@real)')"
    same nodes '[:one@real]' "$(app two rpc 'IO.inspect Node.list()')"
}

ended() {
    step 'both end, and are gone'
    app two stop
    app one stop
    wait "${pid_of[one]}" "${pid_of[two]}" || true
    wait_for known_are
}
