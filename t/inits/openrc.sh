# OpenRC under sysvinit, without a network.
# shellcheck shell=bash disable=SC2016,SC2154

run_case() {
    boot_others init --boot || return
    inside 20 '
        until [ "$(rc-status -r)" = default ]; do sleep 0.2; done
        cp /t/package/usr/bin/epmd /usr/bin
        cp /src/contrib/openrc/epmd /etc/init.d
        /lib/rc/bin/rc-depend -u' >/dev/null
    check 'OpenRC starts it' 'started.*running' "$(inside 20 '
        rc-service epmd start
        epmd -wait 10 -started
        rc-service epmd status
        epmd -names')"
    check 'as nobody, with its limit' '^nobody 2048$' "$(inside 10 '
        p=$(pgrep -xo epmd -u nobody)
        echo $(stat -c %U /proc/$p) $(awk "/open files/ {print \$4}" /proc/$p/limits)')"
    others_come_back 15
    check 'a restart, without a network, and its log' 'up since' "$(inside 20 '
        rc-service epmd restart >/dev/null
        epmd -wait 10 -started
        kill -USR1 $(pgrep -u nobody -x epmd)
        until grep "up since" /var/log/epmd.log; do sleep 0.1; done')"
    check 'it starts before those that register with it, and ends after them' '^0 0 0 ended$' \
        "$(inside 30 '
        for s in rabbitmq-server ejabberd couchdb; do
            echo "#!/sbin/openrc-run
                start() { :; }
                stop() { epmd -started; echo \$? >>/tmp/alive; }" >/etc/init.d/$s
            chmod 755 /etc/init.d/$s
            rc-update add $s default
        done
        rc-update add epmd default
        openrc default
        mkdir /etc/runlevels/none
        openrc none
        epmd -started || echo ended >>/tmp/alive
        xargs </tmp/alive' | tail -n 1)"
    inside 20 'rc-service epmd start' >/dev/null
    check 'stop' 'stopped.*started 1' "$(inside 20 '
        rc-service epmd stop
        rc-service epmd status
        epmd -started
        echo started $?')"
}
