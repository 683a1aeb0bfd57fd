#!/usr/bin/env bats
# The audit trail in the journal of a real journald.

load ../e2e/helper

entries() {
    journalctl --sync
    journalctl -q -o json MESSAGE_ID=f26517b7f2d14c6dad0c8b91d33d1644 "HOLDEN_AGENT=$HOLDEN_SOCKET"
}

@test "an order is an entry with fields of its own, and audit shows it" {
    "$C" start --name web sleep 1000
    run "$C" stop nobody
    expect 4
    entries >"$T/entries"
    jq -es 'length == 2 and all(.SYSLOG_IDENTIFIER == "holden" and .HOLDEN_UID == "0")' <"$T/entries"
    jq -es '.[0] | .HOLDEN_VERB == "start" and .HOLDEN_TARGET == "web" and .HOLDEN_ID == "1" and
        .HOLDEN_RESULT == "done" and .PRIORITY == "6" and (.HOLDEN_EXE | endswith("controller")) and
        (.MESSAGE | startswith("start web: done, for user 0"))' <"$T/entries"
    jq -es '.[1] | .HOLDEN_VERB == "stop" and .HOLDEN_RESULT == "no-process" and .PRIORITY == "4"' <"$T/entries"
    [ "$("$C" --json audit | jq -cs 'map([.verb, .target, .result])')" = \
        '[["start","web","done"],["stop","nobody","no-process"]]' ]
    [[ "$("$C" audit -n 1)" == *" root stop nobody: no-process"* ]]
    [ ! -e "$T/state/audit" ]
}

@test "no text makes fields of its own" {
    run "$C" start -- $'/no/x\nHOLDEN_VERB=forged\n'
    expect 1
    entries | jq -es 'length == 1 and .[0].HOLDEN_VERB == "start" and
        .[0].HOLDEN_COMMAND == "/no/x\nHOLDEN_VERB=forged\n"'
    [ "$("$C" audit | wc -l)" -eq 1 ]
}

@test "audit -f follows the journal" {
    "$C" start --name a sleep 1000
    "$C" audit -f >"$T/followed" 3>&- &
    follower=$!
    eventually grep -q 'start a ' "$T/followed"
    "$C" start --name b sleep 1000
    eventually grep -q 'start b ' "$T/followed"
    [ "$(wc -l <"$T/followed")" -eq 2 ]
    kill "$follower"
    wait "$follower" || true
}

@test "a journald that does not read holds nobody up, and the file takes what it does not" {
    journald=$(systemctl show -p MainPID --value systemd-journald)
    kill -STOP "$journald"
    status=0
    for i in $(seq 20); do
        timeout 60 "$C" kill $(seq -f "no-$i-%g" 100) 2>/dev/null || [ $? -eq 4 ] || status=1
    done
    kill -CONT "$journald"
    [ "$status" -eq 0 ]
    [ "$("$C" --json self | jq '.audited == 2000 and .audit_lost == 0')" = true ]
    [ -s "$T/state/audit" ]
    eventually sh -c "[ \$($C --json audit | wc -l) -eq 2000 ]"
    "$C" --json audit | jq -es 'map(.time) | . == sort' >/dev/null
}
