# Nodes of two releases of OTP on two hosts, each in the root of its Debian release, which
# run --suite makes.
# shellcheck shell=bash disable=SC2034,SC2154
# shellcheck source=/dev/null
. "$root/t/real/hosts.sh"
limit=300
suites='trixie forky'

run_steps() {
    [ -z "$OTP" ] || skip "the roots have OTP's epmds already"
    local suite folder all=()
    for suite in $suites; do
        folder=$root/t/build/real/$suite
        [ -x "$folder/usr/bin/erl" ] || skip "run --suite $suite makes the root that this needs"
        prepare_root "$folder"
        all+=("$(otp_version chroot "$folder")")
    done
    versions "$(otp_version)" "${all[@]}"
    unset ERL_EPMD_PORT
    make_hosts_file
    pair "${all[0]}" trixie "${all[1]}" forky
    pair "$(otp_version)" '' "${all[1]}" forky
}

# The files are mounted where the hosts, which have this one's mounts, see them.
prepare_root() { # folder
    mount --bind "$dir/hosts" "$1/etc/hosts"
    mount --bind "$epmd_bin" "$1$(chroot "$1" readlink -f /usr/bin/epmd)"
}

pair() { # left's version and suite, right's version and suite
    root_of[left]=${2:+$root/t/build/real/$2}
    root_of[right]=${4:+$root/t/build/real/$4}
    step "$1 on the left, $3 on the right"
    find_each_other ours ours
    step 'and on the right its own epmd'
    find_each_other ours otp
}
