# The package's life beside erlang-base, whose units have the same names, under a running systemd.
# libnss-systemd is there, as on a default Debian: it shows a service's dynamic user to adduser.
# shellcheck shell=bash disable=SC2016,SC2154

run_case() {
    boot_systemd || return
    beside_erlang
    without_erlang
    disabled_stays_so
    removed
    purged
}

beside_erlang() {
    inside 60 "$apt apt install libnss-systemd; $enable epmd -names" >/dev/null
    check 'erlang-base installs beside the running service' '^ii ' \
        "$(inside 100 "$apt apt install erlang-base; dpkg -l erlang-base | tail -n 1")"
    # if not, it does where ours does not run, and the next checks are not of that
    inside 60 'dpkg --configure -a || {
        systemctl stop epmd.service
        dpkg --configure -a
    }' >/dev/null
    check 'erl is served by ours' 'name a at port .*/usr/bin/epmd$' "$(inside 60 "$main"'
        erl -noinput -sname a >/dev/null 2>&1 &
        epmd -wait 30 -lookup a >/dev/null
        echo $(epmd -names | tail -n 1) $(readlink /proc/$(main)/exe)')"
    check 'each erts-*/bin/epmd is a link to ours' '^/usr/bin/epmd$' \
        "$(inside 10 'readlink /usr/lib/erlang/erts-*/bin/epmd')"
    # Where the host has version 1 of cgroups, systemd in nspawn does not see that a service's
    # processes have ended, and may find the port in use by them: no fault of the unit.
    check 'an upgrade of erlang-base keeps ours, and the node comes back' 'name a' \
        "$(inside 100 "$apt"'
        apt install --reinstall erlang-base
        journalctl --no-pager -u epmd.socket | grep -q "already in use" &&
            systemctl start epmd.socket
        epmd -wait 20 -lookup a >/dev/null
        epmd -names')"
    inside 10 'pkill -9 -x beam.smp' >/dev/null
    check 'another version of ERTS gets a link as well, and loses it when it goes' \
        '^/usr/bin/epmd gone$' "$(inside 30 '
        d=/usr/lib/erlang/erts-0
        trigger() {
            dpkg-trigger --by-package=erlang-base /usr/lib/erlang
            dpkg --configure -a >/dev/null
        }
        mkdir -p $d/bin
        cp /bin/true $d/bin/epmd
        trigger
        readlink $d/bin/epmd
        rm $d/bin/epmd.otp
        trigger
        [ -e $d ] || echo gone' | xargs)"
}

without_erlang() {
    check 'the removal of erlang-base does not stop ours' 'running.*enabled' \
        "$(inside 60 "$apt"'
        apt remove erlang-base
        epmd -names
        systemctl is-enabled epmd.socket')"
    check 'nor does its purge, nor take it out of the boot' 'running.*enabled' "$(inside 100 "$apt"'
        apt install erlang-base
        apt purge erlang-base
        epmd -names
        systemctl is-enabled epmd.socket')"
    check 'nor does a purge a day after the removal' 'running.*enabled' "$(inside 100 "$apt"'
        apt install erlang-base
        apt remove erlang-base
        apt purge erlang-base
        epmd -names
        systemctl is-enabled epmd.socket')"
}

disabled_stays_so() {
    check 'what the administrator disabled stays so' '^disabled inactive$' "$(inside 100 "$apt"'
        apt install erlang-base
        systemctl disable --now epmd.socket epmd.service 2>/dev/null
        apt install --reinstall erlang-base
        apt purge erlang-base
        echo $(systemctl is-enabled epmd.socket) $(systemctl is-active epmd.socket)')"
    inside 10 'systemctl enable --now epmd.socket' >/dev/null 2>&1
}

removed() {
    check 'our removal while it runs: nothing of it is left that listens' '^closed$' \
        "$(inside 60 "$apt"'
        epmd -names >/dev/null
        apt remove epmd
        ss -tln | grep -q :4369 || echo closed')"
    check "OTP's works after it" 'running' "$(inside 100 "$apt"'
        apt install erlang-base
        /usr/bin/epmd -names')"
    check 'ours, installed over the running one, leaves it alone' '^same$' \
        "$(inside 60 "$main"'
        p=$(main)
        dpkg -i /t/epmd.deb >/dev/null
        [ -e /proc/$p ] && [ "$(main)" = $p ] && echo same')"
    check 'and our removal too, where the units of erlang-base come back' \
        '^same running /usr/lib/erlang/' "$(inside 60 "$apt$main"'
        systemctl restart epmd.socket epmd.service
        epmd -names >/dev/null
        p=$(main)
        apt remove epmd
        [ "$(main)" = $p ] && echo same
        epmd -names | grep -o running
        readlink -f /usr/bin/epmd' | xargs)"
    check "and erlang-base has its files again" '^0$' "$(inside 20 'dpkg -V erlang-base; echo $?')"
}

purged() {
    check 'both purged: nothing is left' '^$' "$(inside 100 "$apt"'
        dpkg -i /t/epmd.deb >/dev/null
        apt purge epmd erlang-base
        find /etc /usr /var/lib/systemd /var/lib/dpkg -name "*epmd*"
        dpkg-divert --list | grep epmd')"
    check 'ours alone, enabled and purged: nothing is left' '^$' "$(inside 100 "$apt$enable"'
        epmd -names >/dev/null
        apt purge epmd
        find /etc /usr /var/lib/systemd /var/lib/dpkg -name "*epmd*"
        ss -tln | grep :4369')"
}
