#!/usr/bin/env bats
# Output that goes to the journal of a real journald, and comes back from it.
# shellcheck disable=SC2016

bats_require_minimum_version 1.5.0

load ../e2e/helper

# The lines under that identifier, with the fields named, as JSON.
entries() {
    journalctl --sync
    journalctl -q -t "$1" -o json
}

@test "lines carry the identity of the process" {
    "$C" start --wait --name "web-$$" -p StandardOutput=journal -p User=nobody -- \
        sh -c 'echo words; echo trouble >&2' >/dev/null
    entries "web-$$" >"$T/lines"
    jq -es 'map(.MESSAGE) == ["words", "trouble"]' <"$T/lines" >/dev/null
    jq -es 'all(._TRANSPORT == "stdout" and .PRIORITY == "6" and .SYSLOG_FACILITY == "3" and ._UID == "65534")' \
        <"$T/lines" >/dev/null
}

@test "identifier, facility, level, and levels of lines" {
    "$C" start --wait --name x -p StandardOutput=journal -p SyslogIdentifier="front door $$" \
        -p SyslogFacility=local3 -p SyslogLevel=notice -- printf 'plain\n<3>error\n' >/dev/null
    entries "front door $$" >"$T/lines"
    jq -es 'map([.MESSAGE, .PRIORITY, .SYSLOG_FACILITY]) == [["plain", "5", "19"], ["error", "3", "19"]]' \
        <"$T/lines" >/dev/null
    "$C" start --wait --name x -p StandardOutput=journal -p SyslogIdentifier="back door $$" \
        -p SyslogLevelPrefix=no -- printf '<3>error\n' >/dev/null
    entries "back door $$" >"$T/lines"
    jq -es 'map([.MESSAGE, .PRIORITY]) == [["<3>error", "6"]]' <"$T/lines" >/dev/null
}

@test "logs and status show what is in the journal" {
    "$C" start --wait --name "l$$" -p StandardOutput=journal -- \
        sh -c 'for i in 1 2 3; do echo "line $i"; done; printf "\033[2Jend"' >/dev/null
    [ "$("$C" logs "l$$")" = $'line 1\nline 2\nline 3\n\033[2Jend' ]
    [ "$("$C" logs -n 2 "l$$")" = $'line 3\n\033[2Jend' ]
    "$C" --json logs "l$$" | jq -es 'map(.line) == ["line 1", "line 2", "line 3", "\u001b[2Jend"]' >/dev/null
    run "$C" status "l$$"
    [[ "$output" == *"Last output"*"line 1"*"line 3"*'\x1b[2Jend'* ]]
    # Only what came since the last start, and what is this process's.
    "$C" restart "l$$"
    "$C" wait "l$$"
    [ "$("$C" logs "l$$" | grep -c 'line 1')" -eq 1 ]
}

@test "logs -f follows the journal until the process has ended" {
    "$C" start --name "g$$" -p StandardOutput=journal -- \
        sh -c "seq 5; while [ ! -e $T/go ]; do sleep 0.1; done; echo two"
    eventually sh -c "$C logs g$$ | grep -qx 5"
    "$C" logs -f -n 2 "g$$" >"$T/out2" 3>&- &
    second=$!
    eventually grep -q 5 "$T/out2"
    "$C" start --name "f$$" -p StandardOutput=journal -- \
        sh -c "echo one; while [ ! -e $T/go ]; do sleep 0.1; done; echo two"
    "$C" logs -f "f$$" >"$T/out" 3>&- &
    follower=$!
    eventually grep -q one "$T/out"
    kill -KILL "$(core)"
    touch "$T/go"
    wait "$follower"
    [ "$(cat "$T/out")" = $'one\ntwo' ]
    wait "$second"
    [ "$(cat "$T/out2")" = $'4\n5\ntwo' ]
    [ -z "$(pgrep -x journalctl || true)" ]
}

@test "without journalctl, logs says where the output is" {
    "$C" start --wait --name "p$$" -p StandardOutput=journal echo words >/dev/null
    PATH=/nonexistent run -1 "$C" logs "p$$"
    one_line "the output of p$$ is in the journal, as p$$, and journalctl, which reads it, cannot be run"
    PATH=/nonexistent run -0 "$C" status "p$$"
    [[ "$output" != *"Last output"* ]]
}

@test "the configuration can choose the journal, or what there is" {
    stop_agent
    printf '[Agent]\nDefaultStandardOutput=auto\n' >"$T/agent.conf"
    start_agent --config "$T/agent.conf"
    "$C" start --wait --name "a$$" echo words >/dev/null
    [ "$("$C" logs "a$$")" = words ]
    entries "a$$" | grep -q '"MESSAGE":"words"'
    "$C" status "a$$" | grep -q 'StandardOutput=journal'
    "$C" start --wait --name "o$$" -p StandardOutput=log echo others >/dev/null
    [ "$("$C" logs "o$$")" = others ]
    [ -z "$(entries "o$$")" ]
    # Attached, output is the caller's.
    [ "$("$C" run echo mine)" = mine ]
}

@test "binary lines and long ones" {
    head -c 200000 /dev/zero | tr '\0' x >"$T/line"
    "$C" start --wait --name "long$$" -p StandardOutput=journal -- cat "$T/line" >/dev/null
    # journald cuts lines at LineMax=, 48K.
    [ "$("$C" logs "long$$" | tr -d '\n' | wc -c)" -eq 200000 ]
    "$C" start --wait --name "b$$" -p StandardOutput=journal -- printf 'a\377b\n' >/dev/null
    [ "$("$C" logs "b$$" | od -An -tx1 | tr -d ' \n')" = 61ff620a ]
}

# The entries about the process of that name, as JSON.
about() {
    journalctl --sync
    journalctl -q "HOLDEN_NAME=$1" -o json
}

@test "every event of a process is an entry that is found by its name" {
    "$C" start --name "web-$$" sleep 1000
    "$C" freeze "web-$$"
    "$C" thaw "web-$$"
    "$C" kill -s KILL "web-$$"
    eventually is "web-$$" state failed
    about "web-$$" >"$T/entries"
    jq -es 'map(.HOLDEN_KIND) | contains(["state", "frozen", "thawed", "signalled"])' <"$T/entries" >/dev/null
    jq -es 'all(.SYSLOG_IDENTIFIER == "holden" and .HOLDEN_ID == "1" and (.MESSAGE_ID | length == 32))' \
        <"$T/entries" >/dev/null
    jq -es '.[-1] | .HOLDEN_STATE == "failed" and .HOLDEN_CAUSE == "signalled" and .HOLDEN_SIGNAL == "9" and .PRIORITY == "4"' \
        <"$T/entries" >/dev/null
    # One that never came to run says so by an id of its own.
    run -1 "$C" start --name "none-$$" /nonexistent
    about "none-$$" >"$T/entries"
    jq -es '.[-1].HOLDEN_CAUSE == "setup" and (.[-1].MESSAGE | test("/nonexistent"))' <"$T/entries" >/dev/null
}

@test "journalctl -x explains them, from the catalogue that is installed" {
    catalog=/usr/lib/systemd/catalog/holden.catalog
    cp "$ROOT/build/gcc/holden.catalog" "$catalog"
    journalctl --update-catalog
    "$C" start --name "x-$$" false
    eventually is "x-$$" state failed
    about "x-$$" >/dev/null
    journalctl -q -x "HOLDEN_NAME=x-$$" >"$T/explained"
    grep -q "Process x-$$ has failed" "$T/explained"
    grep -q "holden status x-$$" "$T/explained"
    # Each id of the table is in the catalogue.
    mapfile -t ids < <(sed -n 's/^-- //p' "$catalog")
    [ "${#ids[@]}" -gt 10 ]
    for id in "${ids[@]}"; do
        journalctl --dump-catalog "$id" >/dev/null
    done
    rm "$catalog"
    journalctl --update-catalog
}
