load ../tools/helper

setup() {
    need_no_runner
    common_setup
    # reachable by any user, under the name that the scripts call
    chmod 711 "$TMP"
    mkdir -m 755 "$TMP/bin"
    cp "$EPMD" "$TMP/bin/epmd"
    PATH=$TMP/bin:$PATH
    export ERL_EPMD_PORT=$PORT
}

answering() {
    "$TMP/bin/epmd" -started
}

@test "the systemd units have no mistakes that systemd knows of" {
    full
    need systemd-analyze
    sed "s|/usr/bin/epmd|$TMP/bin/epmd|" "$ROOT/contrib/systemd/epmd.service" >"$TMP/epmd.service"
    cp "$ROOT/contrib/systemd/epmd.socket" "$TMP"
    run systemd-analyze verify --man=no "$TMP/epmd.service" "$TMP/epmd.socket"
    is "$status $output" '0 '
}

@test "systemd rates what the unit leaves open as safe" {
    full
    need systemd-analyze
    run systemd-analyze security --offline=true --threshold=9 "$ROOT/contrib/systemd/epmd.service"
    is "$status" 0
}

system_calls() { # SET: its members, and their members
    systemd-analyze syscall-filter "$1" | sed -n '2,$s/^ *//p' | while read -r word; do
        case $word in
        '#'*) ;;
        @*) system_calls "$word" ;;
        ?*) echo "$word" ;;
        esac
    done
}

@test "the unit's filter admits each system call that a served session makes" {
    full
    need systemd-analyze
    need systemd-socket-activate
    need strace
    local set
    serve systemd-socket-activate -l "127.0.0.1:$PORT" -E NOTIFY_SOCKET="$TMP/none" strace \
        -D -f -o "$TMP/trace" "$TMP/bin/epmd" -d -systemd 2>/dev/null
    wait_for answering
    background "$EPMD" -register one 5000 >/dev/null
    wait_for epmd -lookup one
    epmd -names
    epmd -status
    kill -USR1 $EPMD_PID
    end $EPMD_PID
    system_calls @system-service | sort -u >"$TMP/allowed"
    for set in $(sed -n 's/^SystemCallFilter=~//p' "$ROOT/contrib/systemd/epmd.service"); do
        system_calls "$set"
    done | sort -u >"$TMP/denied"
    sed -n 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' "$TMP/trace" | sort -u >"$TMP/made"
    [ "$(wc -l <"$TMP/made")" -gt 20 ]
    is "$(comm -23 "$TMP/allowed" "$TMP/denied" | comm -13 - "$TMP/made")" ''
}

@test "a first connection to systemd's socket starts it, and is served" {
    need systemd-socket-activate
    serve systemd-socket-activate -l "127.0.0.1:$PORT" "$TMP/bin/epmd" -systemd 2>/dev/null
    is "$(epmd -names)" "$(headline)"
    is "$(epmd -kill)" Killed
    wait_for gone $EPMD_PID
}

@test "the unit asks for no user namespaces: where the kernel has none, it starts" {
    run ! grep -q PrivateUsers "$ROOT/contrib/systemd/epmd.service"
}

@test "README's line has every script of Linux start the epmd of another folder" {
    local line
    line=$(sed -n '/^    find contrib/,/+$/p' "$ROOT/README.md" | sed "s|/usr/local|$TMP|")
    like "$line" "find contrib.*$TMP/bin/epmd"
    cp -r "$ROOT/contrib" "$TMP"
    (cd "$TMP" && eval "$line")
    cd "$TMP/contrib"
    is "$(grep -rhoE '[a-z/.0-9A-Z]*bin/epmd' systemd openrc runit s6 busybox |
        sort -u)" "$TMP/bin/epmd"
    is "$(grep -rlF "$TMP/bin/epmd" systemd openrc runit s6 busybox | wc -l)" 7
    is "$(find runit s6 -name run -perm -100 | wc -l)" 4
    start
    "$TMP/contrib/runit/epmd/check"
}

@test "the container's entry and health check work in a root that has but the binary" {
    need_root chroot
    local health
    need musl-gcc
    make -s -C "$ROOT" static
    mkdir "$TMP/root"
    cp "$ROOT/epmd-static" "$TMP/root/epmd"
    health=$(sed -n 's/^HEALTHCHECK.* CMD \["\(.*\)"\]$/\1/p' "$ROOT/contrib/docker/Dockerfile")
    is "$health" '/epmd", "-started'
    background chroot --userspec="$(sed -n 's/^USER //p' "$ROOT/contrib/docker/Dockerfile")" \
        "$TMP/root" /epmd
    wait_for chroot "$TMP/root" /epmd -started
    kill $!
    ended $!
    run ! chroot "$TMP/root" /epmd -started
}

@test "make image makes an image whose digests are right, of the same bytes each time" {
    local blob config
    mkdir -p "$TMP/src/contrib" "$TMP/image"
    cp "$ROOT"/{epmd.c,epmd.h,Makefile} "$TMP/src"
    cp -r "$ROOT/contrib/docker" "$TMP/src/contrib"
    make -s -C "$TMP/src" image
    cp "$TMP/src/epmd-image.tar" "$TMP/first"
    make -s -C "$TMP/src" image
    cmp "$TMP/first" "$TMP/src/epmd-image.tar"
    tar -C "$TMP/image" -xf "$TMP/first"
    cd "$TMP/image/blobs/sha256"
    for blob in *; do
        is "$(sha256sum "$blob" | cut -d' ' -f1)" "$blob"
        grep -q "$blob" ../../*.json ./*
    done
    is "$(grep -l rootfs ./* | wc -l)" 1
    config=$(cat "$(grep -l rootfs ./*)")
    for word in '"os":"linux"' '"User":"65534:65534"' '"Entrypoint":["/epmd"]' \
        "image.version\":\"$("$EPMD" -version | cut -d' ' -f2)\"" 'image.licenses":"ISC"' \
        '"Test":["CMD","/epmd","-started"]'; do
        [[ $config == *"$word"* ]]
    done
    tar -xOf "$(grep -l ustar ./*)" epmd | cmp - "$TMP/src/epmd-static"
    case $(uname -m) in x86_64) [[ $config == *'"architecture":"amd64"'* ]] ;; esac
    echo no binary >"$TMP/none"
    run "$ROOT/contrib/docker/image" "$TMP/none" 1 "$TMP/out"
    is "$status $output" "1 image: of what machine is $TMP/none?"
}

# shellcheck disable=SC1091
completed() { # WORD... of which the last is to be completed
    . "$ROOT/contrib/completion/epmd.bash"
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    _epmd
    echo "${COMPREPLY[*]}"
}

@test "bash completes options, commands and the names of nodes" {
    start
    register alpha
    register beta
    is "$(completed epmd -re)" '-relaxed_command_check -register'
    is "$(completed epmd -d -sta)" '-status -started'
    is "$(completed epmd -lookup al)" alpha
    is "$(unset ERL_EPMD_PORT && completed epmd -port "$PORT" -stop '')" 'beta alpha'
    is "$(completed epmd -port '')" ''
    is "$(completed epmd -cou)" -counts
    is "$(completed epmd -status '')$(completed epmd -counts '')$(completed epmd -stop alpha '')" ''
    is "$(completed epmd -lookup alpha '')" -d
}

@test "bash takes a node's name for a word, not for a command" {
    start
    hold injected 1 send "$(alive2 '$(touch ${HOME}/made)')" recv 6
    export HOME=$TMP
    # shellcheck disable=SC2016
    is "$(completed epmd -lookup '')" '\$\(touch\ \$\{HOME\}/made\)'
    [ ! -e "$TMP/made" ]
}

@test "both completions know every option and command of the usage" {
    local word
    epmd -help | grep -o -- '-[a-z_]*' | sort -u >"$TMP/usage"
    [ "$(wc -l <"$TMP/usage")" -gt 20 ]
    completed epmd - | tr ' ' '\n' >"$TMP/bash"
    sed -n "s/^    '\(([^)]*)\|\*\)*\(-[a-z_]*\).*/\2/p; s/.*{\(-.*\),\(-.*\)}'.*/\1\n\2/p" \
        "$ROOT/contrib/completion/_epmd" >"$TMP/zsh"
    while read -r word; do
        grep -qxF -e "$word" "$TMP/bash"
        grep -qxF -e "$word" "$TMP/zsh"
    done <"$TMP/usage"
}

@test "zsh completes options and the names of nodes" {
    full
    need zsh
    start
    register alpha
    register "ev\$(il)"
    cat >"$TMP/complete" <<'END'
zmodload zsh/zpty
zpty z 'zsh -f -i'
zpty -w z "PS1= TERM=dumb; fpath=($ROOT/contrib/completion \$fpath); autoload -Uz compinit; compinit -u -D; echo rea''dy"
zpty -r z line '*ready*'
zpty -w -n z $'epmd -rel\t'
zpty -r z line '*epmd -relaxed_command_check*'
zpty -w -n z $'\C-uepmd -lookup al\t'
zpty -r z line '*epmd -lookup alpha*'
zpty -w -n z $'\C-uepmd -lookup ev\t'
zpty -r z line '*ev*il*'
[[ $line == *'ev\$\(il'* ]] || print -r -- "not quoted: $line"
zpty -w -n z $'\C-uepmd -cou\t'
zpty -r z line '*epmd -counts*'
zpty -w -n z $'\C-uepmd -lookup alpha -\t'
zpty -r z line '*alpha -d*'
echo completed
END
    export ROOT
    run timeout 30 zsh -f "$TMP/complete"
    is "$output" completed
}

@test "every script of contrib can be read by its shell" {
    local file
    for file in "$ROOT"/contrib/{openrc,freebsd,netbsd,openbsd}/epmd \
        "$ROOT"/contrib/{openwrt/files/epmd.init,buildroot/package/epmd/S50epmd,docker/image} \
        "$ROOT"/contrib/{runit,s6}/epmd/{,log/}run \
        "$ROOT"/contrib/{runit/epmd,s6/epmd/data}/check "$ROOT"/contrib/alpine/APKBUILD \
        "$ROOT"/contrib/debian/{pre,post}{inst,rm}; do
        sh -n "$file"
    done
    bash -n "$ROOT/contrib/completion/epmd.bash"
}
