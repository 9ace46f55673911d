load ../tools/helper

@test "a name that is registered is found, another one is not, and the connection closed" {
    start
    is "$(ask send "$(please abc)" eof)" "7701 closed"
    register abc 35383 77 5 5
    is "$(ask send "$(please abc)" eof)" "77008a374d00000500050003616263""0000 closed"
}

@test "names are compared whole and byte for byte" {
    start
    register Node1
    for name in node1 NODE1 Node Node11 "Node1 " Node1@host; do
        is "$name $(ask send "$(please "$name")" eof)" "$name 7701 closed"
    done
    like "$(ask send "$(please Node1)" eof)" '^7700'
}

@test "one NUL at the end of a name does not count" {
    start
    register abc
    like "$(ask send "$(frame 7a61626300)" eof)" '^77001388.*03616263'
    is "$(ask send "$(frame 7a616200)" eof)" "7701 closed"
}

@test "a name that no node can have is closed with no answer: none, with another NUL, too long, no UTF-8" {
    start
    register abc
    for name in "" 00 0000 61006263 00616263 6162630000 "$(rep 61 256)" ff eda080; do
        is "$name $(ask send "$(frame "7a$name")" eof)" "$name closed"
    done
}

@test "a name of 255 characters is found, of 1 byte or 4 each" {
    start
    for char in 61 c3a9 e282ac f09f9880; do
        is "$(ask send "$(alive2_hex "$(rep $char 255)")" recv 6 \
            @1 send "$(frame "7a$(rep $char 255)")" recv 2 @0 fin eof | sed -n 2p)" 7700
    done
}

@test "a name that ends inside a character is none, though an earlier request has left the rest of it behind" {
    start
    is "$(ask send "$(please ab€)" eof)" "7701 closed"
    is "$(ask send "$(frame 7a6162e282)" eof)" closed
}

@test "a request may come byte by byte, or in two pieces, cut anywhere" {
    local whole
    start
    register abc
    whole=$(please abc)
    like "$(ask slow 2 "$whole" eof)" '^7700.* closed$'
    for ((cut = 2; cut < ${#whole}; cut += 2)); do
        like "$(ask send "${whole:0:cut}" wait 5 send "${whole:cut}" eof)" '^7700.* closed$'
    done
}

@test "a client that half-closes after its request is answered" {
    start
    register abc
    like "$(ask send "$(please abc)" fin eof)" '^7700.* closed$'
    like "$(ask slow 2 "$(please abc)" fin eof)" '^7700.* closed$'
}

@test "a client that half-closes before its request is whole is closed with no answer" {
    start
    for piece in 00 0004 00047a 00047a6162; do
        is "$piece $(ask send $piece fin eof)" "$piece closed"
    done
    is "$(ask connect fin eof | tail -n 1)" closed
}

@test "one connection carries one request" {
    start
    register abc
    like "$(ask send "$(please x)" recv 2 send "$(please abc)" eof)" $'7701\n(closed|reset)'
}

@test "two requests in one segment are closed with no answer" {
    start
    is "$(ask send "$names_req$names_req" eof)" closed
    is "$(ask send "$(please abc)00" eof)" closed
}

@test "a length of 0, or over that of any request, is closed without waiting for more" {
    start
    for length in 0000 0bf4 1000 7fff 8000 ffff; do
        is "$length $(ask send $length eof)" "$length closed"
    done
}

@test "the longest body that OTP's epmd reads is read" {
    start
    is "$(ask send "0bf1$(rep 6e 3057)" eof)" "$(printf '%08x' "$PORT") closed"
}

@test "a request byte that is none is closed with no answer" {
    start
    for byte in 00 01 41 61 62 65 70 76 77 79 ff; do
        is "$byte $(ask send "$(frame $byte)" eof)" "$byte closed"
        is "$byte $(ask send "$(frame ${byte}616263)" eof)" "$byte closed"
    done
}

@test "connections that say nothing keep nobody waiting" {
    local steps=() i
    start
    register abc
    for i in {1..50}; do steps+=("@$i" connect); done
    hold silent 50 "${steps[@]}"
    like "$(ask send "$(please abc)" eof)" '^7700'
}

@test "a hundred half-sent requests are each served once they are whole" {
    local steps=() i request
    start
    register abc
    request=$(please abc)
    for i in {1..100}; do steps+=("@$i" send "${request:0:6}"); done
    for i in {100..1}; do steps+=("@$i" send "${request:6}" eof); done
    is "$(ask "${steps[@]}" | grep -c '^770013884d.* closed$')" 100
}

@test "a hundred clients that go away unanswered cost the next one nothing" {
    local steps=() i
    start
    register abc
    for i in {1..100}; do steps+=("@$i" send "$(please abc)" reset "@$i" send 0004 reset); done
    ask "${steps[@]}"
    like "$(ask send "$(please abc)" eof)" '^7700'
}
