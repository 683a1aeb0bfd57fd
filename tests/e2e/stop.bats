#!/usr/bin/env bats
# Stopping means that nothing is left; killing, restarting, freezing.

load helper

gone() {
    [ -z "$(find "$CGROUP" -mindepth 1 -maxdepth 1 -name "*-$1")" ]
}

@test "stop asks, waits, then ends the whole cgroup" {
    "$C" start --name polite -- sh -c 'trap "exit 0" TERM; touch '"$T"'/ready; while :; do sleep 0.05; done'
    eventually test -e "$T/ready"
    run "$C" stop polite
    expect 0
    one_line '^stopped polite$'
    "$C" start --name stubborn -- sh -c 'trap "" TERM; touch '"$T"'/deaf; while :; do sleep 0.05; done'
    eventually test -e "$T/deaf"
    run "$C" stop --timeout 200ms stubborn
    expect 0
    is stubborn state stopped
    is stubborn signal 9
    gone polite
    gone stubborn
}

@test "daemons that forked away twice end too" {
    "$C" start --name daemons -- sh -c "(setsid sh -c 'sleep 1000 & echo \$! >$T/pid' &) ; sleep 1000"
    eventually test -s "$T/pid"
    pid=$(cat "$T/pid")
    [ -e "/proc/$pid" ]
    "$C" stop daemons
    gone daemons
    [ ! -e "/proc/$pid" ] || grep -q '^State:.Z' "/proc/$pid/status"
    eventually test ! -e "/proc/$pid"
}

@test "what a program leaves behind when it ends by itself is ended" {
    run "$C" run --name leaver -- sh -c "setsid sleep 1000 >/dev/null 2>&1 & echo \$! >$T/pid; exit 3"
    expect 3
    gone leaver
    eventually test ! -e "/proc/$(cat "$T/pid")"
}

@test "a frozen process can be stopped; freeze holds, thaw lets go" {
    "$C" start --name f -- sh -c "while :; do date +%N >>$T/ticks; sleep 0.02; done"
    eventually test -s "$T/ticks"
    "$C" freeze f
    is f frozen true
    eventually grep -q 'frozen 1' "$CGROUP"/*-f/cgroup.events
    before=$(wc -l <"$T/ticks")
    sleep 0.3
    [ "$(wc -l <"$T/ticks")" -eq "$before" ]
    "$C" thaw f
    eventually sh -c "[ \$(wc -l <$T/ticks) -gt $before ]"
    "$C" freeze f
    run "$C" stop f
    expect 0
    gone f
}

@test "a fork bomb of a tree is ended at once" {
    "$C" start --name tree -- sh -c 'for i in 1 2 3 4 5; do sh -c "trap \"\" TERM; sleep 1000 & sleep 1000" & done; wait'
    eventually sh -c "[ \$(wc -l <$CGROUP/1-tree/cgroup.procs) -ge 11 ]"
    run "$C" stop --timeout 0 tree
    expect 0
    gone tree
}

@test "stop takes many, reports each that fails, and goes on" {
    for i in a b c; do "$C" start --name $i sleep 1000; done
    run "$C" stop a nobody b c
    expect 4
    [[ "$output" == *"stopped a"* && "$output" == *nobody* && "$output" == *"stopped c"* ]]
    run "$C" list
    [[ "$output" != *running* ]]
}

@test "KillMode=mixed signals only the main process first; KillSignal= is used" {
    "$C" start --name m -p KillMode=mixed -p KillSignal=SIGUSR1 -- \
        sh -c "trap 'echo main >>$T/got; exit 0' USR1; sh -c 'trap \"echo child >>$T/got\" USR1; touch $T/ready; while :; do sleep 0.05; done' & while :; do sleep 0.05; done"
    eventually test -e "$T/ready"
    # The rest is ended with the main process, long before the time to stop is over.
    run "$C" stop --timeout 1h m
    expect 0
    [ "$(cat "$T/got")" = main ]
}

@test "kill sends a signal, and the record says who" {
    "$C" start --name k sleep 1000
    run "$C" kill --signal SIGUSR1 k
    expect 0
    run "$C" wait k
    expect 138
    is k signal 10
    run "$C" status k
    [[ "$output" == *"SIGUSR1"* && "$output" == *user* ]]
    run "$C" kill --signal SIGNOPE k
    expect 2
}

@test "restart starts it again as it was, with a new pid and the same name" {
    "$C" start --name r -p Environment=X=kept -- sh -c "echo \$X >>$T/out; sleep 1000"
    eventually test -s "$T/out"
    first=$("$C" --json status r | jq .pid)
    run "$C" restart r
    expect 0
    [ "$("$C" --json status r | jq .pid)" != "$first" ]
    is r restarts 1
    eventually sh -c "[ \$(grep -c kept $T/out) -eq 2 ]"
    "$C" stop r
    run "$C" restart r
    expect 0
    is r state running
}

@test "RuntimeMaxSec= ends it, and the record says so" {
    "$C" start --name t -p RuntimeMaxSec=200ms sleep 1000
    run "$C" wait t
    [ "$status" -ne 0 ]
    is t cause time-limit
    run "$C" status t
    [[ "$output" == *RuntimeMaxSec=200ms* ]]
}

@test "threads, and children that made cgroups below, end too" {
    "$C" start --name below -- sh -c "mkdir $CGROUP/1-below/a $CGROUP/1-below/a/b &&
        for d in a a/b; do (echo 0 >$CGROUP/1-below/\$d/cgroup.procs; trap '' TERM; exec sleep 1000) & done
        touch $T/ready; trap '' TERM; wait"
    eventually grep -q . "$CGROUP/1-below/a/b/cgroup.procs"
    run "$C" stop --timeout 100ms below
    expect 0
    gone below
    command -v python3 >/dev/null || return 0
    "$C" start --name threads -- python3 -c "
import signal, threading, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(20): threading.Thread(target=time.sleep, args=(1000,)).start()
open('$T/threads', 'w')"
    eventually test -e "$T/threads"
    run "$C" stop --timeout 100ms threads
    expect 0
    gone threads
}

@test "a fork bomb is ended, and the agent serves meanwhile" {
    needs_controller pids
    "$C" start --name bomb -p TasksMax=200 -- sh -c 'b() { b | b & }; trap "" TERM; while :; do b; done'
    eventually sh -c "[ \$(cat $CGROUP/1-bomb/pids.current) -ge 150 ]"
    run "$C" ping
    expect 0
    run "$C" stop --timeout 100ms bomb
    expect 0
    gone bomb
}

stuck() {
    "$C" --json status "$1" | jq -e .stuck
}

@test "what sleeps uninterruptibly is said to, tried again, ended when it can be, and holds nobody up" {
    [ -w /dev/fuse ] || skip "no FUSE here"
    start_hanging
    "$C" stop --timeout 0 hangs >"$T/out" 2>&1 3>&- &
    stopper=$!
    eventually stuck hangs
    run "$C" status hangs
    [[ "$output" == *"cannot be killed yet: task "*" is in uninterruptible sleep in "* ]]
    "$C" list | grep -q 'hangs.*stuck'
    grep -q 'hangs: cannot be killed yet' "$T/agent.log"
    "$C" run -- true
    kill -0 "$stopper"
    # It is not forgotten, and ends at once when it can.
    unmount_deaf
    wait "$stopper"
    grep -q '^stopped hangs' "$T/out"
    gone hangs
}
