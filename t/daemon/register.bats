load ../tools/helper

refused=760100000063 # ALIVE2_X_RESP, result 1, creation 99
refused_old=79010063

@test "a node of version 6 is answered with a 32-bit creation above 3, one of version 5 with 16 bits of 1 to 3" {
    start
    register six 5000 77 6
    like "$ANSWER" '^7600[0-9a-f]{8}$'
    [ "$(creation "$ANSWER")" -gt 3 ]
    register five 5000 77 5 5
    like "$ANSWER" '^7900000[123]$'
}

@test "the highest version alone decides which answer comes" {
    start
    like "$(ask send "$(alive2 low 5000 77 6 0)" recv 6)" '^7600[0-9a-f]{8}$'
    like "$(ask send "$(alive2 high 5000 77 5 9)" recv 4)" '^7900000[123]$'
    like "$(ask send "$(alive2 none 5000 77 0 0)" recv 4)" '^7900000[123]$'
    like "$(ask send "$(alive2 most 5000 77 65535 0)" recv 6)" '^7600[0-9a-f]{8}$'
}

@test "no creation is 0, whichever the version and however often" {
    local out
    start
    out=$(for i in {1..15}; do ask send "$(alive2 "n$((i % 4))" 1 77 5)" recv 4 \
        @1 send "$(alive2 "m$((i % 4))")" recv 6; done)
    is "$(wc -l <<<"$out")" 30
    is "$(grep -cE '^7900000[123]$|^7600[0-9a-f]{8}$' <<<"$out")" 30
    is "$(grep -c '^760000000[0-3]$' <<<"$out" || :)" 0
}

@test "the connection of a registered node stays open" {
    start
    like "$(ask send "$(alive2 abc)" recv 6 open 300)" 'open$'
}

@test "everything a node says of itself is given back" {
    start
    register abc 65535 72 9 4 00ff1000 200
    is "$(ask send "$(please abc)" eof)" "7700ffff48c8000900040003616263000400ff1000 closed"
}

@test "a name that is held is refused, and the refused connection closed" {
    start
    register abc
    is "$(ask send "$(alive2 abc 5001)" eof)" "$refused closed"
    is "$(ask send "$(alive2 abc 5001 77 5 5)" eof)" "$refused_old closed"
}

@test "a refused duplicate leaves the holder as it was" {
    start
    hold both 3 send "$(alive2 abc 5000)" recv 6 @1 send "$(alive2 abc 5001 72)" eof @0 open 100
    is "$(tail -n 2 "$TMP/both.out")" "$refused closed
open"
    is "$(ask send "$(please abc)" eof)" "770013884d00000600050003616263""0000 closed"
    is "$(names)" "name abc at port 5000"
}

@test "a duplicate whose asker resets before it can be refused leaves the holder as it was" {
    local again i steps=()
    start
    hold holder 1 send "$(alive2 abc 5000)" recv 6
    again=$(alive2 abc 5001)
    for i in {1..40}; do steps+=("@$i" send "$again" reset "@$i" send "$again" fin reset); done
    ask "${steps[@]}"
    is "$(names)" "name abc at port 5000"
    is "$(ask send "$(please abc)" eof)" "770013884d00000600050003616263""0000 closed"
}

@test "once the holder has gone, the name can be had" {
    start
    register abc 5000
    is "$(ask send "$(alive2 abc 5001)" eof)" "$refused closed"
    let_go abc
    wait_for unregistered abc
    register abc 5001
    is "$(names)" "name abc at port 5001"
}

@test "a name is free as soon as its connection is closed" {
    start
    like "$(ask send "$(alive2 abc)" recv 6 close @1 send "$(alive2 abc)" recv 6 open 50)" 'open$'
    wait_for unregistered abc
}

@test "a name is free after a half-close, and the connection is closed" {
    start
    like "$(ask send "$(alive2 abc)" recv 6 fin eof @1 send "$(please abc)" eof)" \
        $'\nclosed\n7701 closed$'
}

@test "a name is free after a reset" {
    start
    ask send "$(alive2 abc)" recv 6 reset
    wait_for unregistered abc
    register abc
}

@test "a name is free after any further byte, or a request, and the connection is closed with no answer" {
    start
    for more in 00 "$names_req"; do
        like "$(ask send "$(alive2 abc)" recv 6 send "$more" eof @1 send "$(please abc)" eof)" \
            $'\n(closed|reset)\n7701 closed$'
    done
}

@test "only the node that leaves is taken out" {
    start
    register one 5001
    register two 5002
    register three 5003
    let_go two
    wait_for unregistered two
    is "$(names)" "name three at port 5003 name one at port 5001"
}

@test "a name that comes back has another creation each time" {
    local seen
    start
    seen=$(for i in {1..8}; do ask send "$(alive2 abc)" recv 6 fin eof; done | grep ^76)
    is "$(wc -l <<<"$seen") $(sort -u <<<"$seen" | wc -l)" "8 8"
}

@test "a name of an old node comes back with another creation than the one before" {
    local seen
    start
    seen=$(for i in {1..8}; do ask send "$(alive2 abc 5000 77 5)" recv 4 fin eof; done | grep ^79)
    is "$(wc -l <<<"$seen") $(uniq <<<"$seen" | wc -l)" "8 8"
}

@test "a daemon that was started again gives a name another creation" {
    local before
    start
    register abc
    before=$ANSWER
    end "$EPMD_PID"
    sleep 1.1 # a start comes from the clock's seconds
    start
    register abc 5000
    [ "$ANSWER" != "$before" ]
}

@test "a name may have 1 to 255 characters, of 1 byte or 4 each" {
    start
    register a
    for char in 62 f09f9880; do
        like "$(ask send "$(alive2_hex "$(rep $char 255)")" recv 6)" '^7600'
        is "$(ask send "$(alive2_hex "$(rep $char 256)")" eof)" "$refused closed"
    done
}

@test "a name that is not UTF-8, or has a control character, is refused" {
    start
    for name in 80 c080 c1bf e09fbf eda080 edbfbf f08fbfbf f4908080 f5808080 fe ff c3 e282 f09f98 \
        61c3 01 0a 0d 1b 1f 7f 610a62 c280 c29b 61c29f62; do
        is "$name $(ask send "$(alive2_hex $name)" eof)" "$name $refused closed"
    done
    is "$(ask send "$(alive2_hex ff 5000 77 5)" eof)" "$refused_old closed"
    is "$(names)" ""
}

@test "every kind of UTF-8 is taken as it comes" {
    start
    for name in c2a0 dfbf e0a080 ed9fbf ee8080 efbfbf f0908080 f48fbfbf 61c3a9e282acf09f98807a; do
        like "$name $(ask send "$(alive2_hex $name)" recv 6)" "^$name 7600"
    done
}

@test "an empty name is not registered, with or without extra" {
    start
    is "$(ask send "$(alive2 "")" eof)" "closed"
    is "$(ask send "$(alive2 "" 5000 77 6 5 0102)" eof)" "$refused closed"
}

@test "a name with a NUL inside is closed with no answer" {
    start
    for name in 00 6100 0061 610062; do
        is "$name $(ask send "$(alive2_hex $name)" eof)" "$name closed"
    done
    is "$(names)" ""
}

@test "extra of up to 1020 bytes comes back as it was, NULs included" {
    local extra
    start
    for extra in 00 0000 00ff00 "$(rep 00 1020)" "$(rep 0a00ff20 255)"; do
        is "$(ask send "$(alive2 abc 5000 77 6 5 "$extra")" recv 6 @1 send "$(please abc)" eof \
            @0 fin eof | sed -n 2p)" \
            "770013884d00000600050003616263$(printf %04x $((${#extra} / 2)))$extra closed"
    done
}

@test "extra of more than 1020 bytes is refused" {
    start
    is "$(ask send "$(alive2 abc 5000 77 6 5 "$(rep 00 1021)")" eof)" "$refused closed"
    is "$(ask send "$(alive2 abc 5000 77 6 5 "$(rep 61 2000)")" eof)" "$refused closed"
    unregistered abc
}

@test "the longest name and the longest extra go together" {
    local name extra
    name=$(rep f09f9880 255)
    extra=$(rep 00 1020)
    start
    hold longest 1 send "$(alive2_hex "$name" 1 77 6 5 "$extra")" recv 6
    is "$(ask send "$(frame "7a$name")" eof)" "770000014d000006000503fc${name}03fc$extra closed"
}

@test "bytes after extra, inside the packet, are ignored" {
    start
    hold tail 2 send "$(frame 7813884d00000600050003616263000200ff0abc0d)" recv 6 open 50
    is "$(ask send "$(please abc)" eof)" "770013884d00000600050003616263000200ff closed"
}

@test "a byte after the packet, in the same segment, is closed with no answer" {
    start
    is "$(ask send "$(alive2 abc)00" eof)" closed
    unregistered abc
}

@test "lengths that reach past the packet are closed with no answer" {
    start
    for body in 7813884d000006000500046162630000 7813884d0000060005ffff6162630000 \
        7813884d000006000500036162630001 \
        7813884d00000600050003616263ffff 7813884d00000600050005616263000000; do
        is "$body $(ask send "$(frame $body)" eof)" "$body closed"
    done
    is "$(names)" ""
}

@test "a registration that is cut short is closed with no answer" {
    local whole=7813884d0000060005000161 len
    start
    for ((len = 2; len <= ${#whole}; len += 2)); do
        is "$len $(ask send "$(frame "${whole:0:len}")" eof)" "$len closed"
    done
    is "$(ask send "$(frame "${whole}00")" eof)" closed
    like "$(ask send "$(frame "${whole}0000")" recv 6)" '^7600'
}

@test "a registration may come byte by byte" {
    start
    hold slow 1 slow 2 "$(alive2 abc)" recv 6
    like "$(cat "$TMP/slow.out")" '^7600'
    is "$(names)" "name abc at port 5000"
}

@test "a registration whose sender has half-closed is answered, and the name free again" {
    start
    like "$(ask send "$(alive2 abc)" fin eof)" '^7600[0-9a-f]{8} closed$'
    wait_for unregistered abc
}

@test "port 0, any type, any protocol and any version are taken" {
    start
    register zero 0 0 0 0
    is "$(ask send "$(please zero)" eof)" "7700000000000000000000047a65726f0000 closed"
    register most 65535 255 65535 65535 "" 255
    is "$(ask send "$(please most)" eof)" "7700ffffffffffffffff""00046d6f73740000 closed"
}

@test "a hundred nodes register on a hundred connections and all are found" {
    local steps=() i name
    start
    hold hundred 1 many 100 4
    is "$(cat "$TMP/hundred.out")" 100
    for i in {100..1}; do
        printf -v name "3%d3%d3%d3%d" $((i / 1000)) $((i / 100 % 10)) $((i / 10 % 10)) $((i % 10))
        steps+=("@$i" send "00057a$name" recv 4)
    done
    is "$(ask "${steps[@]}" | uniq | head -n 1)" 77000064
    is "$(ask "${steps[@]}" | uniq | wc -l)" 100
    is "$(ask send "$names_req" text | tail -c +5 | wc -l)" 100
}
