# Completion of epmd for bash: source it, or install it as epmd in bash-completion's folder.
# shellcheck shell=bash

_epmd_nodes() { # of the epmd that the line asks
    local i ask=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -port | -host) ask+=("${COMP_WORDS[i]}" "${COMP_WORDS[++i]}") ;;
        esac
    done
    "${COMP_WORDS[0]}" "${ask[@]}" -timeout 1 -names 2>/dev/null | sed -n 's/^name \(.*\) at port [0-9]*$/\1/p'
}

_epmd() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words='' line
    case $before in
    -lookup | -stop) words=$(_epmd_nodes) ;;
    -user) words=$(compgen -u) ;;
    -host) words=$(compgen -A hostname) ;;
    -address) words='127.0.0.1 ::1' ;;
    -port | -packet_timeout | -delay_accept | -delay_write | -timeout | -wait | -register) return ;;
    *)
        words='-d -debug -address -port -daemon -user -systemd -relaxed_command_check -local_names
            -packet_timeout -delay_accept -delay_write -host -timeout -wait
            -names -lookup -register -status -started -dump -kill -stop -help -version'
        ;;
    esac
    COMPREPLY=()
    while read -r line; do
        COMPREPLY+=("$line")
    done < <(compgen -W "$words" -- "$word")
}

complete -F _epmd epmd
