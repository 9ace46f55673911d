# shellcheck shell=bash disable=SC2034,SC2154
limit=400

run_steps() {
    versions "$(otp_version)"
    crowd 200
}
