# Containers with an init of their own, by systemd-nspawn, and Debian's roots for them.
# shellcheck shell=bash disable=SC2154

# --- roots -----------------------------------------------------------------

# A root of Debian's, in $cache/NAME.
root_of() { # NAME PACKAGE...
    local r=$cache/$1
    shift
    [ ! -d "$r" ] || return 0
    need mmdebstrap=mmdebstrap || return
    rm -rf "$r.new"
    mkdir "$r.new"
    mmdebstrap -q --variant=minbase --include="iproute2,procps,psmisc,netbase,$(tr ' ' , <<<"$*")" \
        "$SUITE" - 2>"$work/log" | tar -C "$r.new" -xf - || {
        tail "$work/log"
        leave_out "no root of $SUITE"
        return
    }
    echo guest >"$r.new/etc/hostname"
    printf '127.0.0.1 localhost guest\n::1 localhost\n' >"$r.new/etc/hosts"
    mv "$r.new" "$r"
}

# Packages with all that they need, as files in $cache/debs-SUITE, which is a repository then.
packages() { # ROOT
    local d=$cache/debs-$SUITE
    [ ! -e "$d/Packages" ] || return 0
    need dpkg-scanpackages=dpkg-dev || return
    mkdir -p "$d"
    cp /etc/resolv.conf "$1/etc/resolv.conf"
    # shellcheck disable=SC2016
    unshare --mount sh -c 'mount -t proc p "$1/proc" && chroot "$1" sh -c "
        apt-get update -qq && apt-get install -y -qq --download-only --no-install-recommends \
            erlang-base rabbitmq-server libnss-systemd"' sh "$1" >"$work/log" 2>&1 || {
        tail "$work/log"
        leave_out 'no packages'
        return
    }
    mv "$1"/var/cache/apt/archives/*.deb "$d"
    rm -rf "$1"/var/lib/apt/lists/* "$1"/etc/apt/sources.list*
    echo 'deb [trusted=yes] file:/repo ./' >"$1/etc/apt/sources.list"
    (cd "$d" && dpkg-scanpackages . /dev/null >Packages 2>/dev/null)
}

# --- a container -----------------------------------------------------------

# Its first process is $lead. /t is $work, /src the project's own folder, and what is written is
# gone with it.
boot() { # ROOT COMM-OF-ITS-PROCESS-1 nspawn arguments...
    local r=$1 comm=$2 console
    shift 2
    need systemd-nspawn=systemd-container || return
    setsid systemd-nspawn -q -M "inits$$" -D "$r" --register=no --keep-unit --private-network \
        --volatile=overlay --console=pipe --bind-ro="$work:/t" --bind-ro="$root:/src" "$@" \
        </dev/null >"$work/console" 2>&1 &
    console=$!
    remember $console
    lead=
    within 15 lead_of $console "$comm" || {
        leave_out "systemd-nspawn: $(tail -n 1 "$work/console")"
        return
    }
    remember "$lead"
}

# With an init that is not systemd.
boot_others() { # COMM-OF-ITS-PROCESS-1 nspawn arguments...
    root_of others sysvinit-core openrc runit s6 || return
    built || return
    boot "$cache/others" "$@"
}

others_come_back() { # COUNT, of -kill
    # shellcheck disable=SC2016
    check "again after kill -9, and after $1 -kill" "^$1 started 0\$" "$(inside 80 '
        kill -9 $(pgrep -u nobody -x epmd)
        for i in $(seq '"$1"'); do epmd -wait 5 -started && epmd -kill; done | grep -c Killed
        epmd -wait 5 -started
        echo started $?' | xargs)"
}

lead_of() { # NSPAWN-PID COMM: its child, or that one's
    local child pid
    for child in $(pgrep -P "$1"); do
        for pid in $child $(pgrep -P "$child"); do
            [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ] || continue
            lead=$pid
            return
        done
    done
    return 1
}

inside() { # SECONDS SCRIPT: its output
    timeout "$1" nsenter -t "$lead" -a -r -w env -i HOME=/root LC_ALL=C \
        PATH=/t/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        DEBIAN_FRONTEND=noninteractive bash -c "$2" </dev/null 2>&1
}

# --- with systemd ----------------------------------------------------------

# What the scripts inside use.
# shellcheck disable=SC2034
enable='dpkg -i /t/epmd.deb >/dev/null; systemctl enable --now epmd.socket 2>/dev/null;'
# shellcheck disable=SC2016,SC2034
apt='apt() {
    [ -e /tmp/updated ] || apt-get update -q >/dev/null 2>&1; touch /tmp/updated
    apt-get -q -y --no-install-recommends "$@" >/tmp/apt 2>&1 || { tail -n 4 /tmp/apt; false; }
};'
# shellcheck disable=SC2016,SC2034
main='main() { systemctl show -p MainPID --value epmd.service; };'

boot_systemd() { # nspawn arguments...
    local r=$cache/systemd-$SUITE
    root_of "systemd-$SUITE" systemd-sysv dbus udev || return
    packages "$r" || return
    built || return
    boot "$r" systemd --boot --bind-ro="$cache/debs-$SUITE:/repo" "$@" || return
    inside 60 'until systemctl is-system-running 2>/dev/null | grep -qE "running|degraded"; do
        sleep 0.2; done'
}
