#!/usr/bin/env bats
# The agent held still, without descriptors, with a full disk, and with 4,096 clients at once: it refuses
# clearly what it cannot do, and recovers by itself.

load helper

# The limit of descriptors of the agent proper, "hard" being the most that it may have.
limit_descriptors() {
    local pid soft=$1
    pid=$(pgrep -P "$AGENT" -x agent-core)
    [ "$soft" != hard ] || soft=$(awk '/^Max open files/ { print $5 }' "/proc/$pid/limits")
    prlimit --pid "$pid" --nofile="$soft:"
}

descriptors() {
    find "/proc/$1/fd" -mindepth 1 | wc -l
}

# A start succeeds; nothing of it is left.
starts() {
    "$C" run -- true
}

@test "held still for 10 s, it answers everybody afterwards" {
    "$C" start --name before -- sh -c "while [ ! -e $T/go ]; do sleep 0.02; done; exit 11"
    agent=$(core)
    kill -STOP "$agent"
    for i in 1 2 3 4 5; do
        "$C" run --name "c$i" -- sh -c "exit $i" >/dev/null 2>&1 3>&- &
        clients[i]=$!
    done
    touch "$T/go"
    sleep 10
    kill -CONT "$agent"
    for i in 1 2 3 4 5; do
        status=0
        wait "${clients[$i]}" || status=$?
        [ "$status" -eq "$i" ]
    done
    run "$C" wait before
    expect 11
    [ "$(core)" = "$agent" ]
}

@test "without descriptors a start is refused with the reason; with them again it works" {
    "$C" start --name keep sleep 1000
    agent=$(core)
    limit_descriptors $(($(descriptors "$agent") + 2))
    run "$C" start --name more sleep 1000
    expect 1
    one_line 'Too many open files'
    is keep state running
    run "$C" stop keep
    expect 0
    limit_descriptors hard
    starts
    [ "$(core)" = "$agent" ]
    [ -z "$(find "$CGROUP" -mindepth 1 -maxdepth 1 -name '[0-9]*')" ]
}

@test "without any descriptor clients wait, and are served when there is one again" {
    agent=$(core)
    limit_descriptors $(($(descriptors "$agent") - 1))
    "$C" ping >"$T/pinged" 2>&1 3>&- &
    pinger=$!
    eventually grep -q 'cannot take another client: Too many open files' "$T/agent.log"
    limit_descriptors hard
    wait "$pinger"
    starts
    [ "$(core)" = "$agent" ]
}

@test "a full disk: starts are refused with the reason, what runs goes on and can be stopped" {
    stop_agent
    mkdir "$T/state"
    mount -t tmpfs -o size=256k holden-test "$T/state"
    start_agent
    agent=$(core)
    "$C" start --name keep sleep 1000
    dd if=/dev/zero of="$T/state/ballast" bs=4k 2>/dev/null || true
    run "$C" start --name more sleep 1000
    expect 1
    one_line 'No space left on device'
    is keep state running
    run "$C" stop keep
    expect 0
    [ -z "$(find "$CGROUP" -mindepth 1 -maxdepth 1 -name '[0-9]*')" ]
    rm "$T/state/ballast"
    starts
    [ "$(core)" = "$agent" ]
    # A mount point cannot be removed, which is all that may be left.
    kill -TERM "$AGENT"
    eventually ended "$AGENT"
    wait "$AGENT"
    AGENT=
    [ -z "$(ls -A "$T/state")" ]
    umount "$T/state"
}

@test "4,096 clients that connect at once are all taken, and disturb nobody" {
    agent=$(core)
    run "$TESTS/load" "$HOLDEN_SOCKET" idle 4096 sh -c "$C run -- /bin/true && $C --json self"
    expect 0
    [ "$(jq .clients <<<"$output")" -ge 4096 ]
    eventually sh -c "[ \$($C --json self | jq .clients) -eq 1 ]"
    starts
    [ "$(core)" = "$agent" ]
}
