# RabbitMQ on our package, under systemd, to its end at power-off.
# shellcheck shell=bash disable=SC2016,SC2154

run_case() {
    mkdir -p "$work/journal"
    boot_systemd --bind="$work/journal:/var/log/journal" || return
    check 'rabbitmq-server starts on it' 'name rabbit at port 25672' "$(inside 200 "$enable$apt"'
        apt install rabbitmq-server
        rabbitmqctl await_startup --timeout 90 >/dev/null
        epmd -names')"
    check 'and registers again when it restarts' 'name rabbit' "$(inside 30 '
        systemctl restart epmd.service 2>/dev/null
        epmd -wait 10 -lookup rabbit >/dev/null
        epmd -names')"
    inside 10 'journalctl --flush; systemctl poweroff' >/dev/null
    within 100 ended "$lead"
    check 'at power-off it stops cleanly, and before epmd' \
        '^rabbitmq-server.service: Deactivated successfully. Stopping epmd.service$' \
        "$(journalctl --no-pager -D "$work/journal" 2>/dev/null |
            grep -oE '(rabbitmq-server.service: (Deactivated|Failed).*|Stopping epmd.service)' |
            tail -n 2 | xargs)"
}
