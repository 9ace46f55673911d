# runit as process 1.
# shellcheck shell=bash disable=SC2016,SC2154

run_case() {
    boot_others runit /sbin/runit || return
    check 'runit starts it' 'running' "$(inside 60 '
        ip link set lo up
        cp /t/package/usr/bin/epmd /usr/bin
        cp -r /src/contrib/runit/epmd /etc/sv
        until [ -e /etc/runit/runsvdir/current ]; do sleep 0.1; done
        ln -s /etc/sv/epmd /etc/service
        until [ -e /etc/sv/epmd/supervise/ok ]; do sleep 0.1; done
        sv start epmd
        epmd -names')"
    check 'as nobody' '^nobody$' "$(inside 10 'stat -c %U /proc/$(cat /etc/sv/epmd/supervise/pid)')"
    others_come_back 10
    check 'its log' 'up since' "$(inside 20 '
        sv 1 epmd
        until grep "up since" /var/log/epmd/current; do sleep 0.1; done 2>/dev/null')"
    check 'stop' 'ok: down.*started 1' "$(inside 20 'sv stop epmd; epmd -started; echo started $?')"
}
