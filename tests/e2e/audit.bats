#!/usr/bin/env bats
# The audit trail: one line for each order and for what was refused before it was one, whoever asks and
# however it ends. With journald it is tests/vm/audit.bats.
# shellcheck disable=SC2016,SC2059

load helper

setup() {
    prepare
    printf '[Agent]\nGroup=games\nAudit=file\n' >"$T/conf"
    start_agent --config "$T/conf"
}

member() {
    setpriv --reuid 12345 --regid 12345 --groups 60,12345 -- "$C" "$@"
}

# Sends these bytes (printf) and waits for the answer.
raw() {
    printf "$1" | perl -MIO::Socket::UNIX -e '
        my $s = IO::Socket::UNIX->new(Peer => $ENV{HOLDEN_SOCKET}) or die;
        local $/; my $bytes = <STDIN>; $s->send($bytes); $s->recv(my $answer, 100)'
}

# The lines as one JSON array.
trail() {
    "$C" --json audit | jq -cs .
}

# How many lines there are, and whether the last is this by jq.
counts() {
    [ "$(trail | jq length)" -eq "$1" ] || { trail | jq -c '.[]'; return 1; }
}
last_is() {
    trail | jq -e ".[-1] | $1" >/dev/null || { trail | jq -c '.[-1]'; return 1; }
}

@test "an order leaves one line: who, what, on what, with what result" {
    "$C" start --name web sleep 1000 &
    starter=$!
    wait "$starter"
    counts 1
    last_is '.verb == "start" and .target == "web" and .id == 1 and .command == "sleep" and .result == "done"'
    last_is ".uid == 0 and .gid == 0 and .pid == $starter and .exe == \"$(readlink -f "$C")\""
    number=1
    for verb in "freeze web" "thaw web" "kill -s WINCH web" "constrain web -p RuntimeMaxSec=1h" "restart web" \
        "stop web" "reset web" "constrain a.slice -p DisableControllers=io" "reset a.slice"; do
        # shellcheck disable=SC2086
        run "$C" $verb
        expect 0
        number=$((number + 1))
        counts "$number"
        last_is '.result == "done" and (.target == "web" or .target == "a.slice")'
    done
    last_is '.verb == "reset_slice"'
    "$C" --json audit | jq -es 'any(.verb == "kill" and .signal == 28)' >/dev/null
    # Who only looks leaves none.
    for verb in ping list self slices doctor events audit properties; do
        "$C" "$verb" >/dev/null
    done
    counts "$number"
    [ "$("$C" self | sed -n 's/^audit trail: *//p')" = "$number operations, 0 lost" ]
    [ "$(stat -c '%a %u' "$T/state/audit")" = "600 0" ]
}

@test "what is refused leaves its line too" {
    "$C" start --name roots sleep 1000
    run member stop roots
    expect 5
    last_is '.uid == 12345 and .verb == "stop" and .target == "roots" and .id == 1 and .result == "not-permitted"'
    run member status roots
    expect 5
    last_is '.uid == 12345 and .verb == "list" and .target == "roots" and .result == "not-permitted"'
    run member start -p User=root true
    expect 5
    last_is '.verb == "start" and .result == "not-permitted" and .step == "User" and (.text | length) > 0'
    run member audit
    expect 5
    one_line 'only root may do that'
    last_is '.verb == "audit" and .result == "not-permitted"'
    run "$C" stop nobody-there
    expect 4
    last_is '.verb == "stop" and .target == "nobody-there" and .result == "no-process"'
    run "$C" start /no/such
    expect 1
    last_is '.verb == "start" and .command == "/no/such" and .result == "failed" and .step == "exec"'
    counts 7
}

@test "broken frames, unknown requests and refused connections leave theirs" {
    chmod 666 "$HOLDEN_SOCKET"
    run setpriv --reuid 12346 --regid 12346 --clear-groups -- "$C" ping
    expect 5
    last_is '.uid == 12346 and .verb == "connect" and .result == "not-permitted"'
    raw 'this is no frame, but it is long enough'
    last_is '.verb == "frame" and .result == "malformed" and (.exe | contains("perl"))'
    # 2 GiB announced.
    raw 'Hd\1\0\1\0\0\0\0\0\0\x80\5\0\0\0\0\0\0\0'
    last_is '.verb == "frame" and .result == "malformed" and (.text | contains("4 MiB"))'
    # A stop without a name.
    raw 'Hd\1\0\3\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0'
    last_is '.verb == "stop" and .result == "malformed" and (.text | contains("stop.name"))'
    raw 'Hd\1\0\xe7\3\0\0\0\0\0\0\5\0\0\0\0\0\0\0'
    last_is '.verb == "frame" and .result == "unknown-message"'
    counts 5
}

@test "no name and no text writes a line or a member of its own" {
    evil=$'x\n{"time":1,"uid":0,"verb":"forged"}\n","verb":"forged'
    run "$C" start -- "/no/$evil"
    expect 1
    run "$C" start --name ok -- sh -c 'sleep 1000' "$evil"
    expect 0
    counts 2
    "$C" --json audit | jq -es 'all(.verb == "start")' >/dev/null
    "$C" --json audit | jq -es '.[0].command | contains("forged")' >/dev/null
    [ "$(wc -l <"$T/state/audit")" -eq 2 ]
    [ "$("$C" audit | wc -l)" -eq 2 ]
}

@test "what is answered later has its line then, and what is answered nobody, when its client has gone" {
    "$C" start --name slow -p TimeoutStopSec=infinity -- \
        sh -c "trap '' TERM; touch $T/ready; while [ ! -e $T/go ]; do sleep 0.1; done"
    eventually test -e "$T/ready"
    "$C" stop slow &
    first=$!
    eventually is slow state stopping
    counts 1
    "$C" stop slow &
    second=$!
    eventually sh -c "[ \$($C --json self | jq .clients) -eq 3 ]"
    kill -KILL "$second"
    wait "$second" || true
    eventually counts 2
    last_is ".verb == \"stop\" and .target == \"slow\" and .pid == $second and (has(\"result\") | not)"
    [[ "$("$C" audit -n 1)" == *"stop slow #1: unanswered"* ]]
    touch "$T/go"
    wait "$first"
    counts 3
    last_is ".verb == \"stop\" and .pid == $first and .result == \"done\""
}

@test "audit -n, -f, and where there is nothing yet" {
    run "$C" audit
    expect 0
    [ -z "$output" ]
    "$C" audit -f >"$T/followed" 3>&- &
    follower=$!
    for name in a b c; do "$C" start --name "$name" sleep 1000; done
    eventually grep -q 'start c (sleep) #3: done' "$T/followed"
    [ "$(wc -l <"$T/followed")" -eq 3 ]
    run "$C" audit -n 2
    expect 0
    [ "${#lines[@]}" -eq 2 ]
    [[ "${lines[0]}" == *" root start b (sleep) #2: done, by $(readlink -f "$C"), pid "* ]]
    stop_agent
    # Nothing more can come.
    wait "$follower"
}

@test "the trail goes on over a killed agent and a reexec, which leaves a line itself" {
    "$C" start --name a sleep 1000
    before=$(core)
    kill -KILL "$before"
    eventually sh -c "[ \$($C --json self | jq .pid) != $before ]"
    "$C" start --name b sleep 1000
    "$C" reexec
    counts 3
    last_is '.verb == "reexec" and .result == "done" and .uid == 0'
    "$C" start --name c sleep 1000
    counts 4
}

@test "a file of one's own outlives the agent; a bound is kept; none is none" {
    stop_agent
    printf '[Agent]\nAudit=file\nAuditFile=%s/trail\nAuditMax=32K\n' "$T" >"$T/conf"
    start_agent --config "$T/conf"
    for i in $(seq 20); do "$C" kill "no-$i" $(seq -f 'no-%g' 100 120) 2>/dev/null || true; done
    [ "$(stat -c %a "$T/trail")" = 600 ]
    [ $(($(stat -c '%b' "$T/trail") * 512)) -le $((36 << 10)) ]
    last_is '.target == "no-120"'
    "$C" --json audit | jq -es 'length > 20 and all(.verb == "kill")' >/dev/null
    stop_agent
    [ -s "$T/trail" ]
    printf '[Agent]\nAudit=none\n' >"$T/conf"
    start_agent --config "$T/conf"
    "$C" start --name a sleep 1000
    run "$C" audit
    expect 1
    one_line "no audit trail: .*Audit=none"
    [ ! -e "$T/state/audit" ]
    stop_agent
    printf '[Agent]\nAudit=loudly\n' >"$T/conf"
    run "$BIN/agent" --socket "$HOLDEN_SOCKET" --state-dir "$T/state" --cgroup "/$GROUP" --config "$T/conf"
    expect 1
    [[ "$output" == *"Audit=loudly: not a valid value"* ]]
}

@test "a full disk refuses nobody anything: what is lost is counted and said once" {
    stop_agent
    mkdir "$T/small"
    mount -t tmpfs -o size=4k none "$T/small"
    printf '[Agent]\nAudit=file\nAuditFile=%s/small/trail\n' "$T" >"$T/conf"
    start_agent --config "$T/conf"
    for i in $(seq 30); do "$C" kill "no-$i" 2>/dev/null || true; done
    run "$C" run -- echo alive
    [ "$status" -eq 0 ] && [ "$output" = alive ] || { umount -l "$T/small"; return 1; }
    [ "$("$C" --json self | jq '.audit_lost > 5 and .audited + .audit_lost == 31')" = true ]
    [ "$(grep -c 'audit trail cannot be written: No space left' "$T/agent.log")" -eq 1 ]
    # Room again: what follows is whole, behind whatever was not.
    mount -o remount,size=64k "$T/small"
    "$C" kill later 2>/dev/null || true
    last_is '.target == "later"'
    umount -l "$T/small"
}
