#!/usr/bin/env bats
# Who may do what: root everything, members as themselves and only their own, nobody else anything.

load helper

setup() {
    prepare
    printf '[Agent]\nGroup=games\n' >"$T/conf"
    start_agent --config "$T/conf"
}

# As user 12345, in group games (60): a member. As user 12346: nobody.
member() {
    setpriv --reuid 12345 --regid 12345 --groups 60,12345 -- "$C" "$@"
}
other_member() {
    setpriv --reuid 12347 --regid 12347 --groups 60 -- "$C" "$@"
}
nobody() {
    setpriv --reuid 12346 --regid 12346 --clear-groups -- "$C" "$@"
}

@test "the socket is root's and the group's; others do not get past it" {
    [ "$(stat -c '%a %u %g' "$HOLDEN_SOCKET")" = "660 0 60" ]
    run nobody ping
    expect 5
    one_line "$HOLDEN_SOCKET"
    run nobody start true
    expect 5
    run member ping
    expect 0
}

@test "a member runs as itself, in its own groups, and can gain nothing" {
    [ "$(member run -- id -u)" = 12345 ]
    [ "$(member run -- id -G)" = "12345 60" ]
    run member run -- grep -E '^(NoNewPrivs|CapEff|CapPrm)' /proc/self/status
    [[ "$output" == *"CapEff:	0000000000000000"* ]]
    [[ "$output" == *"NoNewPrivs:	1"* ]]
    for setting in User=root User=nobody Group=root SupplementaryGroups=root \
        AmbientCapabilities=CAP_SYS_ADMIN SecureBits=noroot OOMScoreAdjust=-500 Nice=-5; do
        run member start -p "$setting" true
        [ "$status" -eq 5 ] || { echo "$setting: $status: $output"; return 1; }
    done
    run member start -p StandardOutput=truncate:/etc/holden-must-not-be-there true
    expect 1
    [ ! -e /etc/holden-must-not-be-there ]
}

@test "a member has no slices and nothing delegated" {
    for setting in Slice=a.slice Slice=-.slice Delegate=yes Delegate=no DisableControllers=cpu; do
        run member start -p "$setting" true
        expect 5
        one_line "only root may set ${setting%%=*}="
    done
    "$C" constrain a.slice -p DisableControllers=io
    for verb in slices "status a.slice" "reset a.slice" "constrain a.slice -p DisableControllers=cpu"; do
        # shellcheck disable=SC2086
        run member $verb
        expect 5
        one_line 'only root may do that'
    done
    "$C" --json status a.slice | jq -e '.kept and .processes == 0'
}

@test "a member sees and controls its own processes, and no others" {
    "$C" start --name roots -p Environment=SECRET=1 -- sh -c 'echo secret; sleep 1000'
    member start --name mine sleep 1000
    for verb in status stop kill wait freeze thaw restart reset logs "constrain -p RuntimeMaxSec=1s" stats; do
        # shellcheck disable=SC2086
        run member ${verb%% *} roots ${verb#"${verb%% *}"}
        [ "$status" -eq 5 ] || { echo "$verb: $status: $output"; return 1; }
        [[ "$output" != *secret* && "$output" != *SECRET* ]]
    done
    run other_member stop mine
    expect 5
    run member list
    [[ "$output" == *mine* && "$output" != *roots* ]]
    run member --json events
    [[ "$output" != *roots* ]]
    is roots state running
    run member reexec
    expect 5
    run member stop mine
    expect 0
    member start --name again sleep 1000
    run member restart again
    expect 0
    [ "$(stat -c %u "/proc/$("$C" --json status again | jq .pid)")" = 12345 ]
    run "$C" stop again
    expect 0
}

@test "a member keeps its identity across the agent's death" {
    member start --name m sleep 1000
    kill -KILL "$(core)"
    eventually "$C" ping
    run other_member stop m
    expect 5
    run member restart m
    expect 0
    [ "$(stat -c %u "/proc/$("$C" --json status m | jq .pid)")" = 12345 ]
    run member stop m
    expect 0
}
