#!/usr/bin/env bats
# Events with their numbers, and logs by descriptor.
# shellcheck disable=SC2016

load helper

@test "events are numbered without gaps, and can be had since a number" {
    "$C" run --name e -- true
    run "$C" --json events
    expect 0
    jq -es '[.[].sequence] as $s | $s == [range($s[0]; $s[0] + ($s | length))]' <<<"$output" >/dev/null
    jq -es 'map(select(.name == "e")) | map(.state) == ["running", "exited"]' <<<"$output" >/dev/null
    last=$(jq -s '.[-1].sequence' <<<"$output")
    "$C" run --name later -- false || true
    run "$C" --json events --since "$last"
    jq -es "length > 0 and all(.sequence > $last) and any(.name == \"later\" and .status == 1)" <<<"$output" >/dev/null
}

# Makes something happen, and says whether the follower has seen anything yet.
follower_sees() {
    "$C" run -- true
    test -s "$T/events"
}

@test "events -f follows, and says who did what" {
    "$C" --json events -f >"$T/events" &
    follower=$!
    # What happened before it follows it does not see.
    eventually follower_sees
    "$C" start --name x sleep 1000
    eventually jq -es 'any(.name == "x" and .state == "running")' "$T/events"
    "$C" freeze x
    "$C" thaw x
    "$C" kill --signal USR2 x
    eventually grep -q '"failed"' "$T/events"
    kill "$follower"
    wait "$follower" || true
    jq -es 'map(.kind) | contains(["frozen"]) and contains(["thawed"]) and contains(["signalled"])' <"$T/events" >/dev/null
    jq -es 'map(select(.kind == "frozen"))[0].uid == 0' <"$T/events" >/dev/null
}

# Follows the events from the first one into $T/events; the follower's pid goes to FOLLOWER.
follow() {
    "$C" --json events -f --since 0 >"$T/events" 3>&- &
    FOLLOWER=$!
    eventually test -s "$T/events"
}
unfollow() {
    kill "$FOLLOWER"
    wait "$FOLLOWER" || true
}

@test "a reader that stops reading holds nobody up, and reads all of it later" {
    follow
    kill -STOP "$FOLLOWER"
    "$C" start --name busy sleep 1000
    for ((i = 0; i < 50; i++)); do
        "$C" freeze busy
        "$C" thaw busy
    done
    run timeout "$LIMIT" "$C" ping
    expect 0
    kill -CONT "$FOLLOWER"
    "$C" stop busy
    eventually grep -q '"stopped"' "$T/events"
    unfollow
    [ "$(grep -c '"kind":"frozen"' "$T/events")" -eq 50 ]
    jq -es 'map(.sequence) | . == [range(1; length + 1)]' "$T/events" >/dev/null
}

@test "a reader that is too slow is told how many events it missed" {
    follow
    kill -STOP "$FOLLOWER"
    # An event each, past what the socket and the reader's bounded queue hold: 20,000 KILLs.
    "$C" start --name target sleep 1000
    perl -MIO::Socket::UNIX -e '
        my $s = IO::Socket::UNIX->new(Peer => $ENV{HOLDEN_SOCKET}) or die;
        my $body = pack "vVa*vVV", 1, 6, "target", 2, 4, 23;
        print $s (pack("a4vvVVV", "Hd\1\0", 4, 0, length $body, 1, 0) . $body) x 20000 or die;
        $s->flush;
        my ($left, $in) = (20000 * 20, "");
        while ($left > 0) { my $got = sysread $s, $in, 65536 or die; $left -= $got }'
    last=$("$C" --json self | jq .sequence)
    kill -CONT "$FOLLOWER"
    eventually sh -c "tail -n 1 $T/events | jq -e '.sequence == $last'"
    unfollow
    # Each number is there, or among those that a "dropped" before the next one counts.
    jq -es 'map(select(.kind == "dropped").missed) | length > 0 and all(. > 0)' "$T/events" >/dev/null
    jq -es "reduce .[] as \$e (0; if \$e.kind == \"dropped\" then . + \$e.missed else . + 1 end) == $last" \
        "$T/events" >/dev/null
    jq -es 'map(.sequence) | . == sort' "$T/events" >/dev/null
    # One that asks for what is gone is told too.
    run "$C" --json events --since 1
    expect 0
    [ "$(jq -r .kind <<<"${lines[0]}")" = dropped ]
    [ "$(jq .missed <<<"${lines[0]}")" -eq $((last - 1024 - 1)) ]
    [ "${#lines[@]}" -eq 1025 ]
}

@test "logs: whole, the last lines, binary, without a newline at the end" {
    "$C" start --name l -- sh -c 'for i in 1 2 3 4 5; do echo line $i; done; printf "end"'
    run "$C" wait l
    [ "$("$C" logs l)" = $'line 1\nline 2\nline 3\nline 4\nline 5\nend' ]
    [ "$("$C" logs -n 2 l)" = $'line 5\nend' ]
    "$C" start --name b -- printf 'a\000\377b\n'
    run "$C" wait b
    [ "$("$C" logs b | od -An -tx1 | tr -d ' \n')" = 6100ff620a ]
    run "$C" logs --help
    expect 0
}

@test "logs -f follows until the process has ended" {
    "$C" start --name f -- sh -c "echo one; while [ ! -e $T/go ]; do sleep 0.05; done; echo two"
    "$C" logs -f f >"$T/out" &
    follower=$!
    eventually grep -q one "$T/out"
    touch "$T/go"
    wait "$follower"
    [ "$(cat "$T/out")" = $'one\ntwo' ]
}

@test "a log stays bounded while it is written, and keeps the newest" {
    "$C" start --name big -p LogMax=64K -- sh -c 'i=0; while [ $i -lt 40000 ]; do echo "line $i of many"; i=$((i+1)); done; echo done; sleep 1000'
    eventually sh -c "$C logs -n 1 big | grep -q done"
    log=$(find "$T/state/logs" -type f)
    eventually sh -c "[ \$(du -k $log | cut -f1) -le 128 ]"
    run "$C" logs -n 1 big
    [ "$output" = "done" ]
    [[ "$("$C" logs big | tail -n 2 | head -n 1)" == "line 39999 of many" ]]
}

@test "a flood of output stays bounded too" {
    "$C" start --name flood -p LogMax=1M -- dd if=/dev/zero bs=1M
    eventually sh -c "[ \$($C --json self | jq .cpu) -gt 20000 ]"
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        [ "$(du -k "$T/state/logs/1" | cut -f1)" -le 524288 ]
        sleep 0.05
    done
    run "$C" ping
    expect 0
    "$C" stop flood
}
