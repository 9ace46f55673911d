# s6-svscan as process 1.
# shellcheck shell=bash disable=SC2016,SC2154

run_case() {
    boot_others s6-svscan --tmpfs=/run/service:mode=755 /usr/bin/s6-svscan /run/service || return
    check 's6 starts it, and knows when it is ready' 'running.*ready' "$(inside 40 '
        ip link set lo up
        cp /t/package/usr/bin/epmd /usr/bin
        cp -r /src/contrib/s6/epmd /run/service
        until s6-svscanctl -a /run/service; do sleep 0.1; done 2>/dev/null
        until [ -e /run/service/epmd/supervise/status ]; do sleep 0.1; done
        s6-svwait -U -t 10000 /run/service/epmd
        epmd -names
        s6-svstat /run/service/epmd')"
    check 'as nobody' '^nobody$' \
        "$(inside 10 'stat -c %U /proc/$(s6-svstat -o pid /run/service/epmd)')"
    others_come_back 10
    check 'its log' 'up since' "$(inside 20 '
        s6-svc -1 /run/service/epmd
        until grep "up since" /var/log/epmd/current; do sleep 0.1; done 2>/dev/null')"
    check 'stop' 'started 1' \
        "$(inside 20 's6-svc -wD -T 5000 -d /run/service/epmd; epmd -started; echo started $?')"
}
