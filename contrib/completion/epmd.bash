# Completion of epmd for bash: source it, or install it as epmd in bash-completion's folder.
# shellcheck shell=bash

_epmd_nodes() { # of the epmd that the line asks
    local i ask=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -port | -host) ask+=("${COMP_WORDS[i]}" "${COMP_WORDS[++i]}") ;;
        esac
    done
    "${COMP_WORDS[0]}" "${ask[@]}" -timeout 1 -names 2>/dev/null |
        sed -n 's/^name \(.*\) at port [0-9]*$/\1/p'
}

_epmd() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words='' line
    COMPREPLY=()
    # behind a name and a port, or a name and -d, there is nothing
    case ${COMP_WORDS[COMP_CWORD > 2 ? COMP_CWORD - 3 : 0]} in -lookup | -register) return ;; esac
    case ${COMP_WORDS[COMP_CWORD > 1 ? COMP_CWORD - 2 : 0]}/$before in
    */-lookup | */-stop) words=$(_epmd_nodes) ;;
    -lookup/*) words=-d ;;
    # a command is the last thing on the line
    -stop/* | -register/* | */-register | */-names | */-status | */-counts | */-started | \
        */-dump | */-kill | */-h | */-help | */-V | */-version) return ;;
    */-user) words=$(compgen -u) ;;
    */-host) words=$(compgen -A hostname) ;;
    */-address) words=$'127.0.0.1\n::1' ;;
    */-port | */-packet_timeout | */-exit_idle | */-delay_accept | */-delay_write | */-timeout | \
        */-wait) return ;;
    *)
        words='-d -debug -address -port -daemon -user -systemd -relaxed_command_check -local_names
            -packet_timeout -exit_idle -delay_accept -delay_write -host -timeout -wait
            -names -lookup -register -status -counts -started -dump -kill -stop
            -h -help -V -version'
        words=${words//[[:space:]]/$'\n'}
        ;;
    esac
    # Not by compgen -W, which obeys $(...) in its words: a node's name is anybody's. As a word, it
    # is quoted for the same reason.
    while IFS= read -r line; do
        [[ -n $line && $line == "$word"* ]] || continue
        printf -v line %q "$line"
        COMPREPLY+=("$line")
    done <<<"$words"
}

complete -F _epmd epmd
