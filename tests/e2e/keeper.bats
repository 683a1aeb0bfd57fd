#!/usr/bin/env bats
# The keeper: what it says of a crash, and its one agent per socket and state directory.

load helper

crashed() {
    grep -q "agent-core (pid $1) was killed by SIG$2" "$T/agent.log"
}

# The place of the core that the log names behind the signal, in parentheses.
place() {
    sed -nE "s/.*\(pid $1\) was killed by SIG[A-Z]+ \((.*)\); .*/\1/p" "$T/agent.log"
}

@test "a crash is one line with the signal, and with the core's place where there is a core" {
    stop_agent
    cd "$T"
    ulimit -c unlimited
    start_agent
    for signal in SEGV ABRT; do
        "$C" start --name "before-$signal" sleep 1000
        pid=$(core)
        kill "-$signal" "$pid"
        eventually crashed "$pid" "$signal"
        "$C" run -- true
        is "before-$signal" state running
        case $(place "$pid") in
        "core dumped: see "*) grep -q '^|.*systemd-coredump' /proc/sys/kernel/core_pattern ;;
        "core handed to "*) grep -q '^|' /proc/sys/kernel/core_pattern ;;
        "core dumped: "*) file=$(place "$pid") && file=${file#core dumped: } && [ -s "$file" ] && rm "$file" ;;
        *) false ;;
        esac
    done
}

@test "a crash without a core says nothing of one" {
    stop_agent
    ulimit -c 0
    start_agent
    pid=$(core)
    kill -SEGV "$pid"
    eventually crashed "$pid" SEGV
    grep -q "(pid $pid) was killed by SIGSEGV; starting it again in 0 ms" "$T/agent.log"
}

socket_is_there() {
    [ -S "$HOLDEN_SOCKET" ] && "$C" ping
}

@test "a socket file that is deleted, moved or replaced under a running agent is made again" {
    mode=$(stat -c '%a %u %g' "$HOLDEN_SOCKET")
    "$C" start --name keep sleep 1000
    before=$(core)
    rm "$HOLDEN_SOCKET"
    eventually socket_is_there
    [ "$(stat -c '%a %u %g' "$HOLDEN_SOCKET")" = "$mode" ]
    mv "$HOLDEN_SOCKET" "$T/elsewhere"
    eventually socket_is_there
    rm "$T/elsewhere"
    echo no socket >"$T/file"
    mv "$T/file" "$HOLDEN_SOCKET"
    eventually socket_is_there
    # Both, one shortly after the other: the second may go while the first is made again.
    for _ in {1..10}; do
        rm "$HOLDEN_SOCKET" "$HOLDEN_SOCKET.lock"
        eventually socket_is_there
        eventually test -e "$HOLDEN_SOCKET.lock"
    done
    [ "$(stat -c '%a %u %g' "$HOLDEN_SOCKET")" = "$mode" ]
    [ "$(core)" = "$before" ]
    is keep state running
    # It holds over an upgrade, and when no agent is there.
    "$C" reexec
    kill -STOP "$(core)"
    old=$(pgrep -P "$AGENT" -x agent-core)
    rm "$HOLDEN_SOCKET"
    eventually test -S "$HOLDEN_SOCKET"
    kill -KILL "$old"
    eventually "$C" ping
    rm "$HOLDEN_SOCKET"
    eventually socket_is_there
    is keep state running
}

@test "a socket file that cannot be watched is made again once, not over and over" {
    strace -qq -o "$T/trace" -e trace=inotify_init1 -e inject=inotify_init1:error=EMFILE -p "$AGENT" 3>&- &
    tracer=$!
    eventually sh -c "grep -q '^TracerPid:.*[1-9]' /proc/$AGENT/status"
    rm "$HOLDEN_SOCKET"
    eventually "$C" ping
    grep -q "cannot watch $HOLDEN_SOCKET" "$T/agent.log"
    kill "$tracer"
    wait "$tracer" || true
    [ "$(grep -c 'was gone, and has been made again' "$T/agent.log")" -eq 1 ]
}

@test "who has connected before the socket file is deleted is still served" {
    "$C" start --name keep -- sh -c "while [ ! -e $T/go ]; do sleep 0.02; done; exit 9"
    "$C" wait keep >"$T/waited" 2>&1 3>&- &
    waiter=$!
    eventually sh -c "[ \$($C --json self | jq .clients) -eq 2 ]"
    old=$(core)
    kill -STOP "$old"
    "$C" ping >"$T/pinged" 2>&1 3>&- &
    pinger=$!
    rm "$HOLDEN_SOCKET"
    eventually test -S "$HOLDEN_SOCKET"
    kill -CONT "$old"
    wait "$pinger"
    touch "$T/go"
    status=0
    wait "$waiter" || status=$?
    [ "$status" -eq 9 ]
}

@test "a second agent on the same socket or state directory is refused in one line" {
    run "$BIN/agent" --socket "$HOLDEN_SOCKET" --state-dir "$T/other" --cgroup "/$GROUP-other"
    expect 1
    one_line "cannot listen on $HOLDEN_SOCKET: another agent has it"
    run "$BIN/agent" --socket "$T/other.sock" --state-dir "$T/state" --cgroup "/$GROUP-other"
    rmdir "$CGROUP-other" 2>/dev/null || true
    expect 1
    one_line "state directory $T/state: another agent has it; give another with --state-dir"
    "$C" ping
}
