#!/usr/bin/env bats
# Processes that go on without their main one (RemainAfterExit=, ExitType=, GuessMainPID=), and the signals of a
# stop.

load helper

# Starts an agent's process "web" from a unit with these lines.
apply() {
    printf '[Service]\n%s\n' "$1" >"$T/web.service"
    run "$C" apply "$T/web.service"
}

said() {
    tr '\n' ' ' <"$T/said" 2>/dev/null
}

has_said() {
    grep -q "$1" "$T/said" 2>/dev/null
}

gone() {
    [ "$(find "$CGROUP" -mindepth 1 -maxdepth 1 -name '*-web' | wc -l)" -eq 0 ]
}

@test "RemainAfterExit: a good end stays, also past the agent's; a stop runs ExecStop" {
    apply "Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'echo start >>$T/said'
ExecStartPost=/bin/sh -c 'echo post >>$T/said'
ExecReload=/bin/sh -c 'echo reload >>$T/said'
ExecStop=/bin/sh -c 'echo stop \$\${MAINPID-none} \$\$EXIT_STATUS >>$T/said'
ExecStopPost=/bin/sh -c 'echo last >>$T/said'"
    expect 0
    eventually has_said post
    eventually is web pid null
    is web state running
    is web status 0
    "$C" status web | grep -q '^web: running without its main process'
    run "$C" wait web
    expect 0
    run "$C" reload web
    expect 0
    kill -KILL "$(core)"
    eventually "$C" ping
    is web state running
    is web pid null
    run "$C" stop web
    expect 0
    gone
    is web state stopped
    [ "$(said)" = "start post reload stop none 0 last " ] || { said; return 1; }
    run "$C" restart web
    expect 0
    eventually is web pid null
    is web state running
    run "$C" restart web
    expect 0
    eventually is web pid null
    run "$C" stop web
    expect 0
    is web state stopped
}

@test "RemainAfterExit: a new keeper finds it, and what is left of it is stopped with it" {
    run "$C" start --name web -p RemainAfterExit=yes sh -c 'sleep 1000 & exit 0'
    expect 0
    eventually is web pid null
    is web state running
    pid=$(cat "$CGROUP"/*-web/cgroup.procs)
    first=$(core)
    kill -KILL "$AGENT"
    wait "$AGENT" || true
    eventually ended "$first"
    start_agent
    is web state running
    kill -0 "$pid"
    run "$C" stop web
    expect 0
    gone
    eventually ended "$pid"
}

@test "RemainAfterExit: a bad end does not stay" {
    run "$C" start --name web -p RemainAfterExit=yes --wait sh -c 'exit 3'
    expect 3
    is web state failed
    gone
    apply "Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecStartPost=/bin/false"
    eventually is web state failed
    gone
    run "$C" run -p RemainAfterExit=yes --name job true
    expect 0
    is job state running
}

@test "ExitType=cgroup: it ends with the last of its cgroup" {
    apply "ExitType=cgroup
ExecStart=/bin/sh -c '(until [ -e $T/go ]; do sleep 0.02; done) & exit 0'
ExecStop=/bin/sh -c 'echo stop >>$T/said'"
    expect 0
    eventually is web pid null
    is web state running
    kill -KILL "$(core)"
    eventually "$C" ping
    is web state running
    [ ! -e "$T/said" ]
    touch "$T/go"
    eventually is web state exited
    gone
    [ "$(said)" = "stop " ] || { said; return 1; }
    rm "$T/go"
    run "$C" start --name two -p ExitType=cgroup sh -c 'sleep 1000 & exit 7'
    expect 0
    eventually is two pid null
    is two state running
    run "$C" stop two
    expect 0
    is two state stopped
    # One that leaves nobody has ended.
    run "$C" start --name one -p ExitType=cgroup --wait sh -c 'exit 5'
    expect 5
}

@test "ExitType=cgroup: RuntimeMaxSec= ends it also without its main one, and after the agent has died" {
    "$C" start --name web -p ExitType=cgroup -p RuntimeMaxSec=2s sh -c 'sleep 1000 & exit 0'
    eventually is web pid null
    kill -KILL "$(core)"
    eventually "$C" ping
    eventually is web state failed
    is web cause time-limit
    gone
    "$C" status web | grep -q 'it reached RuntimeMaxSec=2s'
}

@test "GuessMainPID=no: Type=forking without a main process" {
    apply "Type=forking
GuessMainPID=no
ExecStart=/bin/sh -c '(until [ -e $T/go ]; do sleep 0.02; done) & sleep 1000 & exit 0'
ExecStartPost=/bin/sh -c 'echo post >>$T/said'"
    expect 0
    eventually has_said post
    is web state running
    is web pid null
    run "$C" stop web
    expect 0
    gone
}

@test "SendSIGHUP follows the stop signal, RestartKillSignal is that of a restart" {
    apply "SendSIGHUP=yes
RestartKillSignal=SIGUSR1
ExecStart=/bin/sh -c 'trap \"echo term >>$T/said\" TERM; trap \"echo hup >>$T/said; exit 0\" HUP; trap \"echo usr1 >>$T/said; exit 0\" USR1; : >$T/up; while :; do sleep 0.02; done'"
    expect 0
    eventually test -e "$T/up"
    rm "$T/up"
    run "$C" restart web
    expect 0
    [ "$(said)" = "usr1 " ] || { said; return 1; }
    eventually test -e "$T/up"
    run "$C" stop web
    expect 0
    has_said hup
}

@test "FinalKillSignal comes first, SIGKILL after it" {
    apply "FinalKillSignal=SIGUSR2
TimeoutStopSec=300ms
ExecStart=/bin/sh -c 'trap \"\" TERM; trap \"echo usr2 >>$T/said\" USR2; : >$T/up; while :; do sleep 0.02; done'"
    expect 0
    eventually test -e "$T/up"
    run "$C" stop web
    expect 0
    gone
    [ "$(said)" = "usr2 " ] || { said; return 1; }
    [ "$("$C" --json status web | jq -r .explanation)" = "stopped by user 0; ended by SIGKILL after the time to stop ran out" ]
    # Where the agent dies in between it is not sent twice.
    rm "$T/said" "$T/up"
    apply "FinalKillSignal=SIGUSR2
TimeoutStopSec=1s
ExecStart=/bin/sh -c 'trap \"\" TERM; trap \"echo usr2 >>$T/said\" USR2; : >$T/up; while :; do sleep 0.02; done'"
    eventually test -e "$T/up"
    "$C" stop web >"$T/out" 2>&1 3>&- &
    stopping=$!
    eventually has_said usr2
    kill -KILL "$(core)"
    wait "$stopping"
    gone
    [ "$(said)" = "usr2 " ] || { said; return 1; }
}

@test "SendSIGKILL=no: a stop that takes too long is told, and goes on" {
    apply "SendSIGKILL=no
TimeoutStopSec=200ms
ExecStart=/bin/sh -c 'trap \"\" TERM; : >$T/up; until [ -e $T/go ]; do sleep 0.02; done'"
    expect 0
    eventually test -e "$T/up"
    run "$C" stop web
    expect 1
    one_line 'cannot stop web: SendSIGKILL: web has not stopped in time and is not killed; '
    is web state stopping
    "$C" status web | grep -q 'not killed: SendSIGKILL=no'
    kill -KILL "$(core)"
    eventually "$C" ping
    is web state stopping
    touch "$T/go"
    eventually is web state stopped
    gone
    rm "$T/go" "$T/up"
    run "$C" restart web
    expect 0
    eventually test -e "$T/up"
    run "$C" stop --signal KILL web
    expect 0
    gone
    # Nor is what KillMode=mixed leaves.
    apply "SendSIGKILL=no
KillMode=mixed
TimeoutStopSec=200ms
ExecStart=/bin/sh -c 'sleep 1000 & exec sleep 1000'"
    run "$C" stop web
    expect 1
    one_line 'is not killed'
    run "$C" kill --all -s KILL web
    eventually gone
    is web state stopped
}

@test "what these settings cannot be is refused with file and line" {
    for line in 'RemainAfterExit=perhaps' 'ExitType=all' 'GuessMainPID=2' 'SendSIGHUP=on off' 'SendSIGKILL=maybe' 'FinalKillSignal=SIGNO' 'RestartKillSignal=-1' 'FinalKillSignal=99999999999999999999'; do
        printf '[Service]\n%s\nExecStart=/bin/true\n' "$line" >"$T/web.service"
        run "$C" apply "$T/web.service"
        expect 1
        one_line "$T/web.service:2: ${line%%=*}=: "
        printf '[Unit]\n%s\n[Service]\nExecStart=/bin/true\n' "$line" >"$T/web.service"
        run "$C" apply "$T/web.service"
        expect 1
        one_line "$T/web.service:2: ${line%%=*}=: belongs into"
    done
}
