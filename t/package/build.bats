load ../tools/helper

setup() {
    common_setup
    mkdir "$TMP/src"
    cp "$ROOT"/{epmd.c,epmd.h,epmd.8,Makefile,CHANGES,README.md,LICENSE} "$TMP/src"
    cd "$TMP/src" || return
    unset MAKEFLAGS MAKELEVEL MFLAGS
}

version() { # of epmd.h
    sed -n 's/^#define EPMD_VERSION "\(.*\)"/\1/p' epmd.h
}

installed() { # below $TMP/dest, in a line
    (cd "$TMP/dest" && find . -type f | sort | xargs)
}

compiler() { # NAME TEXT: one in $TMP that writes this into $TMP/calls
    printf '#!/bin/sh\necho %s >>"%s"\nexec cc "$@"\n' "$2" "$TMP/calls" >"$TMP/$1"
    chmod +x "$TMP/$1"
}

strict=(-std=c99 -D_POSIX_C_SOURCE=200809L -pedantic -Wall -Wextra -Wconversion -Wshadow)

@test "the core includes no header of the system, but for the compiler's own" {
    is "$(cc -std=c99 -DEPMD_CORE_ONLY -MM epmd.c | tr -d '\\\n')" "epmd.o: epmd.c epmd.h"
    is "$(sed '/^#ifndef EPMD_CORE_ONLY/,$d' epmd.c | grep '^#include')" '#include "epmd.h"'
    is "$(grep '^#include' epmd.h)" '#include <stddef.h>
#include <stdint.h>'
}

@test "the core calls nothing and keeps nothing" {
    # in a position-independent one a constant table of pointers would be data
    cc -std=c99 -O2 -fno-pie -DEPMD_CORE_ONLY -c -o core.o epmd.c
    # memcpy and its like are what a compiler makes of a copy
    is "$(nm -u core.o | awk '{ print $NF }' |
        grep -vxE '_GLOBAL_OFFSET_TABLE_|mem(cpy|move|set|cmp)|__stack_chk_fail|strlen' || :)" ""
    is "$(nm core.o | awk '$2 ~ /^[bBdDcC]$/ { print $3 }')" ""
}

@test "the binary asks for no memory: no malloc, calloc, realloc or strdup" {
    make >/dev/null
    nm -u epmd >undefined
    grep -q ' accept' undefined
    asks='malloc|calloc|realloc|reallocarray|strdup|strndup|asprintf|getline|fopen|opendir'
    is "$(grep -E " ($asks)(@|\$)" undefined || :)" ""
}

@test "gcc's strict warnings have nothing to say" {
    need gcc
    is "$(gcc "${strict[@]}" -O2 -c -o /dev/null epmd.c 2>&1)" ""
    is "$(gcc "${strict[@]}" -O2 -DEPMD_CORE_ONLY -c -o /dev/null epmd.c 2>&1)" ""
}

@test "clang's strict warnings have nothing to say" {
    full
    need clang
    is "$(clang "${strict[@]}" -O2 -c -o /dev/null epmd.c 2>&1)" ""
}

@test "make builds epmd in silence of the compiler, and again only when something changed" {
    run make
    is "$status" 0
    is "$(grep -ic 'warning\|error' <<<"$output" || :)" 0
    [ -x epmd ]
    like "$(make)" "up to date|Nothing to be done"
    touch epmd.h
    like "$(make)" "epmd.c"
}

@test "CC, CFLAGS, CPPFLAGS, LDFLAGS and LDLIBS are the packager's" {
    full
    compiler mycc '"$@"'
    make CC="$TMP/mycc" CFLAGS="-O1 -g0" CPPFLAGS=-DPACKAGER LDFLAGS=-Wl,-O1 LDLIBS=-lm >/dev/null
    for word in -O1 -g0 -DPACKAGER -Wl,-O1 -lm; do
        grep -qw -- "$word" "$TMP/calls"
    done
    is "$(grep -cE -- '-O2|-Os|-Werror| -s ' "$TMP/calls" || :)" 0
}

@test "make install puts the binary and the page under DESTDIR and PREFIX, and uninstall takes them away" {
    make install DESTDIR="$TMP/dest" PREFIX=/usr >/dev/null
    is "$(installed)" "./usr/bin/epmd ./usr/share/man/man8/epmd.8"
    is "$(cd "$TMP/dest/usr" && stat -c %a bin/epmd share/man/man8/epmd.8 | xargs)" "755 644"
    like "$("$TMP/dest/usr/bin/epmd" -version)" '^epmd [0-9]'
    make uninstall DESTDIR="$TMP/dest" PREFIX=/usr >/dev/null
    is "$(installed)" ""
}

@test "make install obeys BINDIR and MANDIR, and folders with other names" {
    full
    make install DESTDIR="$TMP/dest" BINDIR=/sbin MANDIR=/man >/dev/null
    is "$(installed)" "./man/man8/epmd.8 ./sbin/epmd"
}

@test "make static makes a binary that needs no other file" {
    need musl-gcc
    make static >/dev/null
    is "$(nm -u epmd-static 2>/dev/null)" ""
    is "$(ldd epmd-static 2>&1 | grep -c '=>' || :)" 0
    like "$(./epmd-static -version)" '^epmd [0-9]'
    serve ./epmd-static -port "$PORT"
    is "$(./epmd-static -port "$PORT" -names)" "$(headline)"
    is "$(./epmd-static -port "$PORT" -host 127.0.0.1 -names)" "$(headline)"
    local alone='this epmd takes IP addresses alone'
    is "$(./epmd-static -port "$PORT" -host localhost -names 2>&1)" \
        "epmd: Cannot connect to epmd on \"localhost\", port $PORT: $alone"
}

@test "make static NAMES= looks host names up" {
    full
    need musl-gcc
    make static NAMES= >/dev/null
    start
    is "$(./epmd-static -port "$PORT" -host localhost -names)" "$(headline)"
}

@test "CC, on the command line or in the environment, wins over musl's compiler in make static" {
    full
    compiler mycc called
    compiler musl-gcc musl
    for make in make $(command -v bmake); do
        for words in "$make static CC=$TMP/mycc" "env CC=$TMP/mycc $make static"; do
            rm -f "$TMP/calls"
            PATH=$TMP:$PATH $words >/dev/null
            is "$(sort -u "$TMP/calls")" called
            like "$(./epmd-static -version)" '^epmd [0-9]'
        done
        rm -f "$TMP/calls"
        env -u CC PATH="$TMP:$PATH" "$make" static >/dev/null
        is "$(sort -u "$TMP/calls")" musl
    done
}

@test "make static makes it anew, for CPPFLAGS may be others" {
    full
    make static CPPFLAGS="-DEPMD_NODE_MAX=2 -DEPMD_CONN_SPARE=2" >/dev/null
    size epmd-static >sizes
    make static >/dev/null
    ! size epmd-static | cmp -s sizes -
}

@test "make static HARDEN=1 makes it position-independent, its relocations read-only, for 10 kB" {
    full
    need musl-gcc
    make static >/dev/null
    plain=$(wc -c <epmd-static)
    make static HARDEN=1 >/dev/null
    [ "$(wc -c <epmd-static)" -lt $((plain + 10500)) ] # 10 kB, rounded
    readelf -hldW epmd-static >elf
    like "$(cat elf)" 'Type: *DYN.*GNU_RELRO.*BIND_NOW'
    is "$(grep -cE 'INTERP|NEEDED|TEXTREL' elf || :)" 0
    serve ./epmd-static -port "$PORT"
    background ./epmd-static -port "$PORT" -register one 5000 >/dev/null
    is "$(./epmd-static -port "$PORT" -wait 10 -lookup one)" 5000
    make static HARDEN=1 CC=cc >/dev/null
    readelf -hldW epmd-static >elf
    like "$(cat elf)" 'Type: *DYN.*GNU_RELRO'
    is "$(grep -cE 'INTERP|NEEDED' elf || :)" 0
}

@test "make small makes a smaller binary of the system's C library" {
    full
    make all small CFLAGS="-Os -s" >/dev/null
    [ "$(wc -c <epmd-small)" -lt "$(wc -c <epmd)" ]
    like "$(./epmd-small -version)" '^epmd [0-9]'
}

@test "make small and make static keep to the sizes that t/bench/README.md says they reach" {
    full
    is "$(grep -cE 'make (small\), bytes .* 60000|static\), bytes .* 84000) \| reached \|' \
        "$ROOT/t/bench/README.md")" 2
    [ "$(uname -m) $(cc -dumpversion)" = "x86_64 12" ] ||
        skip "not here: they are of gcc 12 on x86-64"
    make small >/dev/null
    [ "$(wc -c <epmd-small)" -le 60000 ]
    need musl-gcc
    make static >/dev/null
    [ "$(wc -c <epmd-static)" -le 84000 ]
}

@test "make static works without musl, with the compiler's own C library" {
    full
    mkdir "$TMP/path"
    for tool in cc gcc as ld ld.bfd collect2 sh rm mkdir cat sed; do
        ! command -v $tool >/dev/null || ln -s "$(command -v $tool)" "$TMP/path/"
    done
    make=$(command -v make)
    PATH=$TMP/path "$make" static >/dev/null 2>&1
    like "$(./epmd-static -version)" '^epmd [0-9]'
}

@test "make clean leaves what git keeps" {
    full
    make >/dev/null
    mkdir -p t/build
    make clean >/dev/null
    is "$(find . -type f | sort | tr '\n' ' ')" \
        "./CHANGES ./LICENSE ./Makefile ./README.md ./epmd.8 ./epmd.c ./epmd.h "
}

@test "make dist makes a tar file that builds by itself, named by the version" {
    full
    git -C "$ROOT" rev-parse >/dev/null 2>&1 || skip "no git repository"
    git clone -q "$ROOT" "$TMP/clone"
    cd "$TMP/clone"
    make dist >/dev/null
    tar -xzf "epmd-$(version).tar.gz" -C "$TMP"
    cd "$TMP/epmd-$(version)"
    make >/dev/null
    is "$(./epmd -version)" "epmd $(version)"
    is "$(git -C "$TMP/clone" status --porcelain)" ""
}

@test "make dist in an unpacked tar file makes the same one, whatever was built there" {
    full
    git -C "$ROOT" rev-parse >/dev/null 2>&1 || skip "no git repository"
    local make
    git clone -q "$ROOT" "$TMP/clone"
    make -s -C "$TMP/clone" dist
    mkdir "$TMP/first"
    tar -xzf "$TMP/clone"/epmd-*.tar.gz -C "$TMP/first"
    for make in make $(command -v bmake); do
        rm -rf "$TMP/tree" "$TMP/second"
        cp -Rp "$TMP/first" "$TMP/tree"
        mkdir "$TMP/second"
        cd "$TMP"/tree/epmd-*
        "$make" -s all small
        mkdir -p t/build debian
        touch t/build/left
        "$make" -s dist
        tar -xzf epmd-*.tar.gz -C "$TMP/second"
        diff -r "$TMP/first" "$TMP/second"
        is "$(cd "$TMP/second" && find . -type f -perm -100 | sort)" \
            "$(cd "$TMP/first" && find . -type f -perm -100 | sort)"
    done
}

@test "CHANGES begins with the version of epmd.h, and each version has its date" {
    like "$(sed -n 1p CHANGES)" "^$(version), "
    is "$(grep '^[^ ]' CHANGES |
        grep -vcE '^[0-9]+\.[0-9]+\.[0-9]+, 20[0-9]{2}-[01][0-9]-[0-3][0-9]$' || :)" 0
}

@test "BSD make builds, installs and cleans" {
    full
    need bmake
    bmake >/dev/null
    like "$(./epmd -version)" '^epmd [0-9]'
    bmake install DESTDIR="$TMP/dest" PREFIX=/usr >/dev/null
    [ -x "$TMP/dest/usr/bin/epmd" ]
    bmake clean >/dev/null
    [ ! -e epmd ]
}

@test "a build with small limits works" {
    make CPPFLAGS="-DEPMD_NODE_MAX=2 -DEPMD_CONN_SPARE=2" >/dev/null
    EPMD=$PWD/epmd start
    register one
    register two
    is "$(ask send "$(alive2 three)" eof)" "760100000063 closed"
    is "$(names)" "name two at port 5000 name one at port 5000"
}

@test "limits that do not go together do not compile" {
    for limit in EPMD_NODE_MAX=0 EPMD_CONN_SPARE=0 EPMD_SCRATCH_MAX=100; do
        run cc -std=c99 -D$limit -c -o /dev/null epmd.c
        [ "$status" -ne 0 ]
        like "$output" "#error.*${limit%%=*}|${limit%%=*} must"
    done
}

# from a shell that prlimit(1) has limited: chroot(8) would need more than what is left
confined() { # OPTION...
    cat >enter.c <<'END'
#include <unistd.h>
int main(int argc, char **argv)
{
    return argc < 3 || chroot(argv[1]) || chdir("/") || setgid(54321) || setuid(54321) ||
        execv(argv[2], argv + 2);
}
END
    musl-gcc -D_GNU_SOURCE -static -o enter enter.c
    mkdir root
    cp epmd-static root/epmd
    serve prlimit --data=262144 --as=1048576 --nofile=80 --nproc=1 \
        ./enter root /epmd -port "$PORT" "$@"
}

@test "a static build with small limits serves alone in an empty root, in 1 MB of address space, with 80 descriptors" {
    need_root chroot
    need_no_runner
    need musl-gcc
    make static CPPFLAGS="-DEPMD_NODE_MAX=16 -DEPMD_CONN_SPARE=16" >/dev/null
    confined
    is "$(ask many 17 8)" 16
    wait_for is "$(names)" ""
    for i in {1..15}; do register "node$i" "$((5000 + i))"; done
    flooded flood silent 40
    register last 6000
    is "$(names | wc -w)" $((16 * 5))
    like "$(ask send "$(please node7)" eof)" '^7700138f'
    is "$(ask send "$(alive2 three)" eof)" "760100000063 closed"
    [ "$(size epmd-static | awk 'NR == 2 { print $3 }')" -lt 262144 ]
    [ "$(rss_kb)" -lt 512 ]
}
