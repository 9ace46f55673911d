# The same bytes, options and addresses to this epmd and to OTP's of this release: see
# t/bytes/compare.c.
# shellcheck shell=bash disable=SC2034,SC2154
needs='cc:gcc /usr/include/stdio.h:libc6-dev'
limit=120

run_steps() {
    versions "$(otp_version)"
    [ -z "$OTP" ] || skip "there is nothing to compare OTP's epmd with"
    umount "$(erts_epmd)"
    not [ "$(erts_epmd)" -ef "$epmd_bin" ]
    "$root/t/tools/build" "$dir" compare
    "$dir/compare" -r "$(otp_release)" "$epmd_bin" /usr/bin/epmd | grep -v '^ok'
}

otp_release() {
    erl -noinput -boot no_dot_erlang -eval '
        io:put_chars(erlang:system_info(otp_release)), halt().'
}
