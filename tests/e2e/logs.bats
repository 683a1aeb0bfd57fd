#!/usr/bin/env bats
# What a process writes: whole, bounded, at nobody's cost, and harmless to who reads it.
# shellcheck disable=SC2016,SC2034

load helper

teardown() {
    [ -z "${FOLLOWER:-}" ] || kill -KILL "$FOLLOWER" 2>/dev/null || true
    local status=0
    [ -n "${BATS_TEST_COMPLETED:-}" ] || status=1
    stop_agent || status=1
    [ "$status" -eq 0 ] || sweep
    ! mountpoint -q "$T/mount" || umount "$T/mount"
    rm -rf "$T"
    return "$status"
}

# Bytes that the log of the only process takes on the disk.
taken() {
    echo $(($(stat -c '%b * %B' "$T"/state/logs/*)))
}
takes_at_most() {
    [ "$(taken)" -le "$1" ]
}
ended_with() {
    "$C" --json status "$1" | jq -e ".status == $2" >/dev/null
}

# An agent whose state directory is on a file system of that type, with these options.
restart_on() {
    stop_agent
    mkdir -p "$T/mount"
    mount -t "$1" -o "$2" "$1" "$T/mount"
    "$BIN/agent" --socket "$HOLDEN_SOCKET" --state-dir "$T/mount/state" --cgroup "/$GROUP" \
        2>>"$T/agent.log" 3>&- &
    AGENT=$!
    eventually "$C" ping
}

@test "binary output is kept byte by byte" {
    head -c 300000 /dev/urandom >"$T/bytes"
    "$C" start --wait --name b cat "$T/bytes" >/dev/null
    "$C" logs b | cmp - "$T/bytes"
    printf 'a\0b\n\0\0' >"$T/zeros"
    "$C" start --wait --name z cat "$T/zeros" >/dev/null
    "$C" logs z | cmp - "$T/zeros"
    [ "$("$C" logs -n 1 z | od -An -tx1 | tr -d ' ')" = 0000 ]
}

@test "a line of 10 MB, and one without its end" {
    head -c 10000000 /dev/zero | tr '\0' x >"$T/line"
    "$C" start --wait --name l -p LogMax=16M -- sh -c "echo first; cat $T/line; echo; printf last" >/dev/null
    (echo first && cat "$T/line" && echo && printf last) | cmp - <("$C" logs l)
    [ "$("$C" logs -n 1 l)" = last ]
    [ "$("$C" logs -n 2 l | wc -c)" -eq 10000005 ]
    # In JSON it comes in parts, which make up the whole.
    "$C" --json logs l | jq -j 'if .partial then .line else .line + "\n" end' |
        cmp -n 10000010 - <("$C" logs l)
    # Past LogMax= only its end is left.
    "$C" start --wait --name short -p LogMax=64K -- cat "$T/line" >/dev/null
    eventually sh -c "[ \$($C logs short | wc -c) -le 69632 ]"
    [ "$("$C" logs short | tr -d x | wc -c)" -eq 0 ]
    "$C" --json status short | jq -e '.output | length == 8192' >/dev/null
}

@test "a flood stays bounded, and what it took comes back" {
    "$C" start --name flood -p LogMax=1M -- "$TESTS/flood" 65536
    eventually sh -c "[ \$(stat -c %s $T/state/logs/1) -gt 100000000 ]"
    peak=0
    for _ in {1..50}; do
        now=$(taken)
        [ "$now" -le "$peak" ] || peak=$now
    done
    echo "peak: $peak bytes"
    [ "$peak" -le 1073741824 ]
    "$C" stop flood
    eventually takes_at_most $((1048576 + 65536))
    # What was given back does not come with the rest.
    [ "$("$C" logs flood | wc -c)" -le $((1048576 + 65536)) ]
}

@test "writes of 256 MiB hold up their writer alone" {
    "$C" start --name flood -p LogMax=1M -- "$TESTS/flood" 268435456
    "$C" start --name other -- sh -c 'while :; do echo words; sleep 0.1; done'
    eventually sh -c "[ \$(stat -c %s $T/state/logs/1) -ge 268435456 ]"
    for _ in {1..10}; do
        timeout 5 "$C" ping
        timeout 5 "$C" status flood >/dev/null
    done
    [[ "$(timeout 5 "$C" status other)" == *"Last output"*words* ]]
    timeout 5 "$C" stop other
    "$C" stop flood
}

@test "several floods at once, beside one that writes little" {
    for i in 1 2 3 4; do
        "$C" start --name "flood$i" -p LogMax=64K -- yes "line of flood $i"
    done
    "$C" start --name little -- sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do echo $i; sleep 0.05; done'
    "$C" wait little
    [ "$("$C" logs little)" = "$(seq 10)" ]
    for i in 1 2 3 4; do
        [ "$("$C" logs -n 1 "flood$i" | head -n 1)" = "line of flood $i" ]
        "$C" stop "flood$i"
    done
    for i in 1 2 3 4; do
        eventually sh -c "[ \$(du -k $T/state/logs/$i | cut -f1) -le 72 ]"
    done
}

@test "who reads too slowly is told how much is gone, and never reads holes" {
    "$C" start --name y -p LogMax=256K -- yes 'abcdefg'
    "$C" logs -f y >"$T/out" 2>"$T/err" 3>&- &
    FOLLOWER=$!
    eventually test -s "$T/out"
    for _ in 1 2 3; do
        kill -STOP "$FOLLOWER"
        size=$(stat -c %s "$T/state/logs/1")
        eventually sh -c "[ \$(stat -c %s $T/state/logs/1) -gt $((size + 10000000)) ]"
        kill -CONT "$FOLLOWER"
        before=$(wc -l <"$T/err")
        eventually sh -c "[ \$(wc -l <$T/err) -gt $before ]"
    done
    "$C" stop y
    wait "$FOLLOWER"
    FOLLOWER=
    grep -q 'of the output of y were given back before they could be read' "$T/err"
    [ "$(tr -d 'abcdefg\n' <"$T/out" | wc -c)" -eq 0 ]
    # But for where something is missing, the lines are whole.
    [ "$(grep -cvx abcdefg "$T/out")" -le "$(($(wc -l <"$T/err") * 2 + 1))" ]
}

@test "the agent dies again and again, and who reads on loses and doubles nothing" {
    "$C" start --name n -p LogMax=1G -- sh -c "i=0; while [ ! -e $T/stop ]; do i=\$((i + 1)); echo \$i; done; echo \$i >$T/last"
    "$C" logs -f n >"$T/out" 2>"$T/err" 3>&- &
    FOLLOWER=$!
    for _ in 1 2 3 4 5; do
        eventually "$C" ping
        pid=$(core)
        before=$(wc -l <"$T/out")
        kill -KILL "$pid"
        eventually sh -c "[ \$(wc -l <$T/out) -gt $before ]"
        eventually sh -c "$C --json self | jq -e '.pid != $pid'"
    done
    touch "$T/stop"
    wait "$FOLLOWER"
    FOLLOWER=
    cat "$T/err"
    [ ! -s "$T/err" ]
    seq "$(cat "$T/last")" | cmp - "$T/out"
    "$C" logs n | cmp - "$T/out"
    [[ "$("$C" status n)" == *"Last output"*"$(cat "$T/last")"* ]]
}

@test "the bound can be small, is never too small, and can be none" {
    "$C" start --wait --name s -p LogMax=4K -- seq 100000 >/dev/null
    eventually takes_at_most 12288
    [ "$("$C" logs -n 1 s)" = 100000 ]
    [ "$("$C" logs s | tail -n 2 | head -n 1)" = 99999 ]
    for bound in 0 1 4095; do
        run "$C" start -p LogMax=$bound true
        expect 2
        one_line 'LogMax=.*at least 4K'
    done
    "$C" start --wait --name all -p LogMax=infinity -- seq 300000 >/dev/null
    [ "$("$C" logs all | wc -l)" -eq 300000 ]
}

@test "a lower bound holds at once for what runs" {
    "$C" start --name a -- sh -c 'seq 100000; exec sleep 1000'
    eventually sh -c "$C logs -n 1 a | grep -qx 100000"
    ! takes_at_most 65536 || false
    "$C" constrain a -p LogMax=8K
    eventually takes_at_most 16384
    "$C" stop a
}

@test "on a full disk the writer gets the error, the agent goes on, and so does all once there is room" {
    restart_on tmpfs size=2M
    "$C" start --name other sleep 1000
    "$C" start --wait --name full -p LogMax=infinity -- "$TESTS/flood" 4096 || true
    is full status 1
    timeout 5 "$C" ping
    timeout 5 "$C" status full >/dev/null
    # Records are small: some more may find room.
    for i in {1..50}; do
        run "$C" start --name "another$i" -p StandardOutput=null sleep 1000
        [ "$status" -eq 0 ] || break
    done
    expect 1
    one_line 'cannot start another.*No space left on device'
    timeout 5 "$C" logs -n 1 full >/dev/null
    "$C" reset full
    is other state running
    "$C" start --name another sleep 1000
    "$C" stop another
    [ -z "$(pgrep -x flood || true)" ]
}

@test "where a head cannot be given back, a bound is refused" {
    restart_on ramfs mode=700
    grep -q 'cannot keep logs bounded' "$T/agent.log"
    run "$C" start --name r sleep 1000
    expect 1
    one_line 'cannot start r: LogMax: the file system of .* set LogMax=infinity'
    "$C" start --wait --name r -p LogMax=infinity echo words >/dev/null
    [ "$("$C" logs r)" = words ]
    "$C" start --name quiet -p StandardOutput=null sleep 1000
    "$C" stop quiet
    "$C" start --name r -p LogMax=infinity sleep 1000
    run "$C" constrain r -p LogMax=1M
    expect 1
    one_line "cannot give back a file's head"
}

# Runs the command with a terminal as its standard output, and prints what it gets.
on_terminal() {
    script -qec "$*" /dev/null </dev/null
}

@test "a hostile process cannot steer the terminal of who reads" {
    "$C" start --wait --name h -- printf '\033]0;title\a\033[2J\302\233m\233m\tgood \303\251\r\n\302' >/dev/null
    run on_terminal "$C logs h"
    [[ "$output" == '\x1b]0;title\x07\x1b[2J\xc2\x9bm\x9bm'*'good é\x0d'*'\xc2'* ]]
    run on_terminal "$C status h"
    [[ "$output" == *'\x1b]0;title\x07\x1b[2J\xc2\x9bm\x9bm\x09good é\x0d'* ]]
    [[ "$output" != *$'\033]'* && "$output" != *$'\033[2J'* ]]
    # Who asks for it, and programs, get the bytes.
    run on_terminal "$C logs --raw h"
    [[ "$output" == *$'\033]0;title\a\033[2J'* ]]
    [ "$("$C" logs h | od -An -tx1 | tr -d ' \n')" = 1b5d303b7469746c65071b5b324ac29b6d9b6d09676f6f6420c3a90d0ac2 ]
    # The command line is shown by status too.
    run "$C" status h
    [[ "$output" != *$'\033'* ]]
}

@test "the configuration says where output goes that nobody speaks of" {
    stop_agent
    printf '[Agent]\nDefaultStandardOutput=null\n' >"$T/agent.conf"
    start_agent --config "$T/agent.conf"
    "$C" start --wait --name n echo words >/dev/null
    run "$C" logs n
    expect 1
    one_line 'n has no log: its output leads elsewhere'
    "$C" start --wait --name l -p StandardOutput=log echo words >/dev/null
    [ "$("$C" logs l)" = words ]
}

@test "StandardOutput=inherit leads where standard input does" {
    "$C" start --wait --name n -p StandardOutput=inherit -- sh -c 'echo words' >/dev/null
    echo question >"$T/file"
    "$C" start --wait --name f -p StandardInput="file:$T/file" -p StandardOutput=inherit -- \
        sh -c 'read -r line; echo "answer to $line"' >/dev/null
    [ "$(cat "$T/file")" = $'question\nanswer to question' ]
}

@test "without journald, output to the journal is refused by the socket's name" {
    [ ! -S /run/systemd/journal/stdout ] || skip "journald is here"
    run "$C" start --name j -p StandardOutput=journal echo words
    expect 1
    one_line "cannot start j: standard output: journald's socket /run/systemd/journal/stdout: No such file"
    run "$C" start --name j -p StandardOutput="append:$T/none/x" echo words
    expect 1
    one_line "standard output: $T/none/x: No such file"
}
