load ../tools/helper

@test "with no node registered, NAMES answers the port of the daemon alone: whatever follows its byte, after a half-close, and byte by byte" {
    local none
    start
    none="$(printf '%08x' "$PORT") closed"
    is "$(ask send "$names_req" eof)" "$none"
    is "$(ask send "$(frame 6e0102ff)" eof)" "$none"
    is "$(ask send "$names_req" fin eof)" "$none"
    is "$(ask slow 2 "$names_req" eof)" "$none"
}

@test "NAMES has a line a node, byte for byte" {
    start
    register abc 35383
    is "$(ask send "$names_req" eof)" "$(printf '%08x' "$PORT")$(hex \
        "name abc at port 35383")0a closed"
}

@test "NAMES lists the latest registered first" {
    start
    register ns_1 21101
    register test 35441
    register abc 51056
    is "$(names)" "name abc at port 51056 name test at port 35441 name ns_1 at port 21101"
    let_go test
    wait_for unregistered test
    is "$(names)" "name abc at port 51056 name ns_1 at port 21101"
    register test 1
    is "$(names)" "name test at port 1 name abc at port 51056 name ns_1 at port 21101"
}

@test "NAMES lists neither refused nor departed nodes" {
    start
    register abc 5000
    ask send "$(alive2 abc 5001)" eof
    ask send "$(alive2_hex ff)" eof
    ask send "$(alive2 gone)" recv 6 fin eof
    is "$(names)" "name abc at port 5000"
}

@test "NAMES gives UTF-8 as it was registered" {
    start
    register "żółw_日本_😀" 7
    is "$(names)" "name żółw_日本_😀 at port 7"
}

@test "NAMES of 500 long names comes whole to a client that reads slowly" {
    start
    hold many 1 many 500 240
    ask rcvbuf 4096 send "$names_req" wait 100 recv 1000 wait 100 text >"$TMP/names"
    is "$(cat "$TMP/many.out")" 500
    tail -n +2 "$TMP/names" | tail -n 490 |
        sed "s/^name n\{236\}\([0-9]*\) at port /\1 /" >"$TMP/lines"
    for i in {490..1}; do printf "%04d %d\n" "$i" "$i"; done >"$TMP/expected"
    diff "$TMP/lines" "$TMP/expected"
}

# a list that the daemon has begun to send goes into $TMP/names, by the process $READER
read_slowly() {
    background "$BUILD/raw" -p "$PORT" \
        rcvbuf 2048 send "$names_req" recv 4 wait 400 text >"$TMP/names"
    READER=$!
    wait_for has_lines "$TMP/names" 1
}

@test "a node that leaves while a listing is read has no other listed twice or left out" {
    start
    register first
    hold many 1 many 1000 255
    read_slowly
    let_go first
    wait "$READER"
    tail -n +2 "$TMP/names" | grep -v '^name first ' |
        sed 's/^name n*\([0-9]*\) at port .*/\1/' >"$TMP/listed"
    diff "$TMP/listed" <(printf '%04d\n' {1000..1})
}

@test "nodes come and go while a listing is read, and its lines stay whole" {
    start
    hold many 1 many 300 200
    read_slowly
    let_go many
    register late
    wait "$READER"
    is "$(tail -n +2 "$TMP/names" | grep -cvE '^name (n{196}[0-9]{4}|late) at port [0-9]+$' || :)" 0
}
