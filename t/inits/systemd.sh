# systemd as process 1, with our package and nothing of Erlang's.
# shellcheck shell=bash disable=SC2016,SC2154

run_case() {
    boot_systemd || return
    inside 30 "$enable" >/dev/null
    activation
    hardening
    comes_back
    loopback_without_ipv6
}

activation() {
    check 'the socket listens, the service waits' '^active inactive$' \
        "$(inside 10 'echo $(systemctl is-active epmd.socket epmd.service)')"
    check 'the first client is served' 'up and running' "$(inside 10 'epmd -names')"
    check 'and has started the service, which said READY' '^active notify$' "$(inside 10 '
        echo $(systemctl is-active epmd.service) $(systemctl show -p Type --value epmd.service)')"
    check 'over IPv4 and IPv6' 'running.*running' \
        "$(inside 10 'epmd -host 127.0.0.1 -names; epmd -host ::1 -names')"
    check 'its user is no name of Erlang'"'"'s package' '^User=_epmd$' \
        "$(inside 10 'systemctl show -p User epmd.service')"
    check 'shut in as the unit says: no right, no network' \
        '^CapBnd: 0000000000000000 NoNewPrivs: 1 Seccomp: 2 apart$' "$(inside 10 "$main"'
        echo $(grep -E "^(CapBnd|NoNewPrivs|Seccomp):" /proc/$(main)/status) \
            $([ /proc/$(main)/ns/net -ef /proc/self/ns/net ] || echo apart)')"
    check 'its limit of files is the unit'"'"'s' '2048 +2048' \
        "$(inside 10 "$main"'grep "open files" /proc/$(main)/limits')"
    check 'those that register with it are ordered after it, and end first' '^3 3$' "$(inside 10 '
        for u in epmd.service epmd.socket; do
            systemctl show -p Before --value $u | tr " " "\n" |
                grep -cxE "(rabbitmq-server|ejabberd|couchdb).service"
        done | xargs')"
}

# What the filter denies ends it here.
hardening() {
    check 'no system call is denied: 1,000 nodes, every request, floods' \
        '^1000 1001 1001 1000 1000 500 300 same$' "$(inside 100 "$main"'
        mkdir -p /etc/systemd/system/epmd.service.d
        printf "[Service]\nSystemCallErrorNumber=kill\n" >/etc/systemd/system/epmd.service.d/k.conf
        systemctl daemon-reload
        systemctl restart epmd.service 2>/dev/null
        epmd -names >/dev/null
        p=$(main)
        raw -p 4369 many 1000 20 hold >/tmp/many &
        r=$!
        until [ -s /tmp/many ]; do sleep 0.1; done
        n=$(epmd -names | sed -n "2s/name \(.*\) at.*/\1/p")
        echo $(cat /tmp/many) $(epmd -names | wc -l) $(epmd -dump | wc -l) $(epmd -status | wc -l) \
            $(timeout 3 flood 4369 silent 600 >/dev/null & sleep 1
                epmd -timeout 20 -lookup $n
                wait) \
            $(flood 4369 garbage 500) $(flood 4369 resets 300) \
            $(flood 4369 connects 300 1 >/dev/null
                timeout 3 flood 4369 deaf 300 >/dev/null
                epmd -kill >/dev/null 2>&1
                epmd -stop x >/dev/null 2>&1
                kill -USR1 $p
                kill -HUP $p
                kill $r
                until [ "$(epmd -names | wc -l)" = 1 ]; do sleep 0.1; done
                [ "$(main)" = $p ] && echo same)
        rm -f /etc/systemd/system/epmd.service.d/k.conf
        systemctl daemon-reload')"
    check 'its lines in the journal are plain: its start is information, -d is for debugging' \
        '^epmd [0-9.]+ admits 1024 nodes and 1280 connections, at port 4369 of [^ ]+ PORT2$' \
        "$(inside 30 "$main"'
            lines() { journalctl -q --no-pager -t epmd -o cat -p "$1..$1"; }
            kill -USR2 $(main)
            until lines 6 | grep -qx "SIGUSR2: -d is on"; do sleep 0.1; done
            epmd -lookup nobody 2>/dev/null
            kill -USR2 $(main)
            until lines 6 | grep -qx "SIGUSR2: -d is off"; do sleep 0.1; done
            echo $(lines 6 | grep -m 1 " admits ") \
                $(lines 7 | grep -m 1 -x ".. got PORT2_REQ" | grep -o PORT2)')"
    check 'its counts are in the journal, with a priority and no date of their own' \
        '^up since .*at most 100' "$(inside 10 '
        journalctl --no-pager -o cat -p info..info -u epmd.service | grep "^up since"')"
}

comes_back() {
    check 'a restart keeps the socket: nobody is refused' '^40$' "$(inside 60 '
        (for i in $(seq 40); do epmd -timeout 20 -started && echo; done | wc -l) &
        systemctl restart epmd.service 2>/dev/null
        wait')"
    check 'it comes back after kill -9' 'running' \
        "$(inside 20 "$main"'kill -9 $(main); epmd -wait 10 -names')"
    check '-kill and a connection, thirty times, by nobody: the socket stays' '^30 active$' \
        "$(inside 100 '
        setpriv --reuid 65534 --regid 65534 --clear-groups bash -c "
            for i in \$(seq 30); do epmd -kill >/dev/null; epmd -timeout 5 -started && echo; done
        " | wc -l | tr "\n" " "
        systemctl is-active epmd.socket')"
}

# The drop-in that epmd.socket's comment shows.
loopback_without_ipv6() {
    inside 10 'systemctl reset-failed' >/dev/null
    nsenter -t "$lead" -n sysctl -q -w net.ipv6.conf.all.disable_ipv6=1 \
        net.ipv6.conf.lo.disable_ipv6=1
    check 'on loopback alone where IPv6 is disabled' 'running' "$(inside 20 '
        mkdir -p /etc/systemd/system/epmd.socket.d
        sed -n "s/^# *\(\[Socket\]\|ListenStream=.*\)$/\1/p" /usr/lib/systemd/system/epmd.socket \
            >/etc/systemd/system/epmd.socket.d/l.conf
        systemctl daemon-reload
        systemctl stop epmd.service epmd.socket 2>/dev/null
        systemctl start epmd.socket
        epmd -names')"
}
