# make image, with skopeo and podman.
# shellcheck shell=bash disable=SC2016,SC2154

# Its own mounts, network and processes; of the cgroups only version 2, as crun wants it; and its
# own /dev/null, of which crun makes the container's user the owner. What it stores is gone with
# $work.
podman_alone() { # SCRIPT: its output
    timeout 100 unshare --mount --net --pid --cgroup --fork --mount-proc --kill-child sh -c '
        ip link set lo up
        mount -t tmpfs t /run
        mount -t tmpfs t /dev/shm
        mknod -m 666 "$1/null" c 1 3
        mount --bind "$1/null" /dev/null
        exec </dev/null
        umount -R -l /sys/fs/cgroup
        mount -t cgroup2 c /sys/fs/cgroup
        ulimit -n 2048
        work=$1
        epmd=$1/src/epmd-static
        podman() {
            command podman --storage-driver=vfs --root "$work/store" --runroot /run/podman \
                --cgroup-manager=cgroupfs "$@"
        }
        eval "$2"' sh "$work" "$1" 2>&1
}

inspect() { # FORMAT FIELD-NAME: of the image, as skopeo sees it
    skopeo inspect --config "$1:$work/src/epmd-image.tar" | tr -d ' \n' |
        sed -n "s/.*\"$2\":\([^],}]*\).*/\1/p"
}

run_case() {
    local format out
    need skopeo=skopeo podman=podman crun=crun musl-gcc=musl-tools \
        aarch64-linux-gnu-gcc='gcc-aarch64-linux-gnu libc6-dev-arm64-cross' || return
    source_copied
    check 'make image says what it made' 'epmd:[0-9.]* for amd64, sha256:' \
        "$(make -s -C "$work/src" image)"
    for format in oci-archive docker-archive; do
        check "$format: the machine" amd64 "$(inspect $format architecture)"
        check "$format: the user" '"65534:65534"' "$(inspect $format User)"
        check "$format: the entry" '"/epmd"' "$(inspect $format Entrypoint)"
        check "$format: the licence" '"ISC"' "$(inspect $format org.opencontainers.image.licenses)"
        check "$format: the version" "^\"$("$work/src/epmd-static" -version | cut -d' ' -f2)\"\$" \
            "$(inspect $format org.opencontainers.image.version)"
    done
    check 'the same source makes the same image' '^same$' "$(
        cp "$work/src/epmd-image.tar" "$work/image.tar"
        make -s -C "$work/src" image >/dev/null
        cmp "$work/src/epmd-image.tar" "$work/image.tar" && echo same)"
    out=$(podman_alone 'podman load -q -i $work/src/epmd-image.tar
        podman run -d --name one --read-only --cap-drop ALL --cgroups=disabled --network=host \
            --ulimit nofile=2048:2048 --ulimit nproc=999:999 \
            "epmd:$($epmd -version | cut -d" " -f2)" >/dev/null
        $epmd -wait 10 -names
        podman exec one /epmd -names
        t=$(date +%s)
        podman stop one >/dev/null
        echo stopped with $(podman inspect one --format "{{.State.ExitCode}}") \
            in $(($(date +%s) - t))')
    check 'podman loads it, runs it, and asks in it' 'Loaded.*running.*running' "$out"
    check 'podman stop is quick, and its status 0' 'stopped with 0 in [0-4]$' "$out"
    check 'CC makes that of another machine' 'for arm64' \
        "$(make -s -C "$work/src" image CC=aarch64-linux-gnu-gcc)"
    check 'its config says so' arm64 "$(inspect oci-archive architecture)"
}
