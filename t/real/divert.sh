# How a host of Debian's is given this epmd, as README and epmd.8 say it.
# shellcheck shell=bash disable=SC2034,SC2154

run_steps() {
    versions "$(otp_version)" "dpkg $(upstream_version dpkg)"
    [ -z "$OTP" ] || skip "OTP's epmd is there already"
    umount "$(erts_epmd)"
    already_serving
    diverted
}

already_serving() {
    step "one that serves already is left alone: OTP's own -daemon ends"
    not [ "$(erts_epmd)" -ef "$epmd_bin" ]
    "$epmd_bin" -daemon
    serves_a_node
}

serves_a_node() {
    nodes_start -sname a
    same processes 1 "$(epmd_pids | wc -w)"
    node_kill a
    wait_for known_are
    same killed Killed "$(epmd -kill)"
}

# The diversion is made in copies of the two folders that it writes.
diverted() {
    step 'dpkg-divert and a link: erl starts this epmd, and /usr/bin/epmd is it'
    local erts
    erts=$(dirname "$(erts_epmd)")
    cover "$erts"
    cover /var/lib/dpkg
    dpkg-divert --local --rename --divert "$erts/epmd.otp" --add "$erts/epmd"
    ln -s "$epmd_bin" "$erts/epmd"
    [ /usr/bin/epmd -ef "$epmd_bin" ]
    serves_a_node

    step 'and back'
    rm "$erts/epmd"
    dpkg-divert --local --rename --remove "$erts/epmd"
    not [ /usr/bin/epmd -ef "$epmd_bin" ]
    not [ -e "$erts/epmd.otp" ]
}

cover() { # folder
    mkdir -p "$dir/cover"
    cp -a "$1" "$dir/cover"
    mount --bind "$dir/cover/${1##*/}" "$1"
}
