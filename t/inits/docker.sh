# The image of contrib/docker's Dockerfile and that of make image, under a dockerd of its own.
# shellcheck shell=bash disable=SC2016,SC2154

# Debian's packages, unpacked: where they are installed, they start a daemon.
docker_unpacked() {
    local d=$cache/docker p
    [ ! -d "$d" ] || return 0
    mkdir -p "$work/debs" "$d.new"
    (cd "$work/debs" && apt-get -qq download docker.io containerd runc tini iptables libip4tc2 \
        libip6tc2 libnetfilter-conntrack3 libnfnetlink0 libnftnl11 libxtables12 \
        libdevmapper1.02.1) >"$work/log" 2>&1 || {
        leave_out "docker: $(tail -n 1 "$work/log")"
        return
    }
    for p in "$work"/debs/*.deb; do dpkg-deb -x "$p" "$d.new"; done
    for p in iptables ip6tables iptables-save iptables-restore; do
        ln -sf xtables-nft-multi "$d.new/usr/sbin/$p"
    done
    mv "$d.new" "$d"
}

dockerd_started() {
    local d=$cache/docker u
    cat >"$work/dockerd" <<END
export PATH=$d/usr/sbin:$d/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LD_LIBRARY_PATH=$(echo "$d"/usr/lib/*-linux-gnu | tr ' ' :)
export XTABLES_LIBDIR=$(echo "$d"/usr/lib/*-linux-gnu/xtables)
ip link set lo up
mount -t tmpfs t /run
exec dockerd --data-root $work/data --exec-root $work/run -p $work/docker.pid \
    -H unix://$work/docker.sock --exec-opt native.cgroupdriver=cgroupfs
END
    setsid unshare --mount --net --pid --fork --mount-proc --kill-child bash "$work/dockerd" \
        </dev/null >"$work/console" 2>&1 &
    u=$!
    remember $u
    within 60 docker_answers || {
        leave_out "dockerd: $(tail -n 1 "$work/console")"
        return
    }
    dockerd=$(pgrep -P $u)
    remember "$dockerd"
}

docker_answers() { docker info >/dev/null; }

docker() {
    PATH=$cache/docker/usr/bin:$PATH LD_LIBRARY_PATH=$(echo "$cache"/docker/usr/lib/*-linux-gnu) \
        DOCKER_CONFIG=$work/docker.config command docker -H "unix://$work/docker.sock" "$@" 2>&1
}

# dockerd leaves folders behind in the host's cgroups.
cgroups_cleared() {
    kill "$dockerd"
    within 10 ended "$dockerd"
    find /sys/fs/cgroup -maxdepth 2 -name docker -type d | while read -r p; do
        find "$p" -depth -type d -exec rmdir {} \;
    done 2>/dev/null
}

in_network_of() { # CONTAINER COMMAND...
    local pid
    pid=$(docker inspect --format '{{.State.Pid}}' "$1")
    shift
    nsenter -t "$dockerd" -p -m nsenter -t "$pid" -n "$@"
}

run_case() {
    need musl-gcc=musl-tools || return
    docker_unpacked || return
    dockerd_started || return
    built || return
    example
    images
    in_six_megabytes
    ends
    docker rm -f e1 e2 e3 >/dev/null
    cgroups_cleared
}

example() {
    local lines
    lines=$(sed -n '/^    .*docker /s/^    //p' "$root/README.md")
    check "README's example runs as it stands" 'up and running' "$(
        cd "$work/src" && eval "$lines" >"$work/id" && id=$(tail -n 1 "$work/id") &&
            within 20 docker exec "$id" /epmd -started && docker exec "$id" /epmd -names
        docker rm -f "$id" >/dev/null)"
}

images() {
    check 'the image of the Dockerfile builds' 'Successfully tagged' \
        "$(cd "$work/src" && docker build -t epmd-built -f contrib/docker/Dockerfile . | tail -n 1)"
    check 'docker load takes that of make image' 'Loaded image: epmd:' \
        "$(docker load -i "$work/src/epmd-image.tar")"
    check 'both say the same of user, entry, port and health' '^same$' "$(
        f='{{.Config.User}} {{.Config.Entrypoint}} {{.Config.ExposedPorts}} {{.Config.Healthcheck}}'
        is=$(docker inspect --format "$f" epmd)
        [ "$is" = "$(docker inspect --format "$f" epmd-built)" ] && echo same || echo "$is")"
}

in_six_megabytes() {
    local e=${work:?}/many
    check 'it runs as the Dockerfile says, in 6 MB' 'running' "$(
        docker run -d --name e1 --read-only --cap-drop ALL --security-opt no-new-privileges \
            --memory 6m --memory-swap 6m --health-interval=1s -p 4369:4369 epmd >/dev/null
        within 20 docker exec e1 /epmd -started
        docker inspect --format '{{.State.Status}}' e1)"
    healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' e1)" = healthy ]; }
    check 'healthy' 'healthy' "$(within 20 healthy; docker ps --format '{{.Status}}')"
    check 'exec' 'up and running' "$(docker exec e1 /epmd -names)"
    in_network_of e1 timeout 30 "$work/bin/raw" -p 4369 many 1000 200 hold >"$e" 2>/dev/null &
    remember $!
    within 20 [ -s "$e" ]
    check 'a thousand nodes and a flood in 6 MB' '^1000 1001 running false$' "$(
        in_network_of e1 timeout 3 "$work/bin/flood" 4369 silent 2000 >/dev/null
        # shellcheck disable=SC2046
        echo $(cat "$e") $(docker exec e1 /epmd -timeout 20 -names | wc -l) \
            $(docker inspect --format '{{.State.Status}} {{.State.OOMKilled}}' e1))"
}

ends() {
    local t=$SECONDS
    docker stop e1 >/dev/null
    check 'stop is quick and clean' '^0 [0-4]$' \
        "$(docker inspect --format '{{.State.ExitCode}}' e1) $((SECONDS - t))"
    docker run -d --name e2 epmd >/dev/null
    docker run -d --name e3 --network container:e2 epmd -wait 9 -register y 5001 >/dev/null
    check 'a name is registered by a container in the same network' '5001' \
        "$(docker exec e2 /epmd -wait 9 -lookup y)"
    t=$SECONDS
    docker stop e3 >/dev/null
    check '-register ends at once too, as process 1' '^[0-4]$' "$((SECONDS - t))"
}
