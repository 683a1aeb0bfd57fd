#!/usr/bin/env bats
# The agent as a program, and whether the manual pages name all there is.

load helper

@test "SIGHUP has the agent read its configuration again, and disturbs nobody" {
    run "$C" ping
    before=$output
    kill -HUP "$AGENT"
    eventually grep -q 'configuration and policy were read anew' "$T/agent.log"
    run "$C" ping
    [ "${before% answers*}" = "${output% answers*}" ]
}

@test "reexec reads the configuration again" {
    printf '[Agent]\nDefaultTimeoutStopSec=7\n' >"$T/agent.conf"
    stop_agent
    start_agent --config "$T/agent.conf"
    "$C" start --name one sleep 300
    run "$C" constrain one -p TimeoutStopSec=1h --dry-run
    [ "$output" = "TimeoutStopSec: 7s -> 1h" ]
    printf '[Agent]\nDefaultTimeoutStopSec=9\n' >"$T/agent.conf"
    "$C" reexec
    run "$C" constrain one -p TimeoutStopSec=1h --dry-run
    [ "$output" = "TimeoutStopSec: 9s -> 1h" ]
}

@test "--check tells what there is, and leaves whoever asks where it is" {
    mkdir "$CGROUP-check"
    run bash -c "
        echo \$BASHPID >'$CGROUP-check/cgroup.procs' && '$BIN/agent' --check && cat /proc/self/cgroup"
    entries=("$CGROUP-check"/*/)
    rmdir "$CGROUP-check/agent" 2>/dev/null || :
    rmdir "$CGROUP-check"
    [ "$status" -eq 0 ]
    [[ "$output" == *"An agent can work here"* ]]
    [[ "$output" == *"0::"*"$GROUP-check" ]]
    [ ! -d "${entries[0]}" ]
}

@test "the manual page names every property and every verb" {
    for name in $("$C" properties | awk 'NR > 1 { print $1 }'); do
        grep -qE "Va ([A-Za-z]+ , )*$name\>" "$ROOT/docs/man/holden.1" || { echo "no $name"; false; }
    done
    for verb in $("$C" help | awk '/^  [a-z]/ { print $1 }'); do
        grep -q "Cm $verb\>" "$ROOT/docs/man/holden.1" || { echo "no $verb"; false; }
    done
}
