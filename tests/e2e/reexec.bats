#!/usr/bin/env bats
# Going over to the programs on disk, and staying with the old ones where the new ones are no good.

load helper

# An agent of a copy of its programs, which the test can replace.
setup() {
    prepare
    PROGRAMS=$T/programs
    mkdir "$PROGRAMS"
    cp "$BIN/agent" "$BIN/agent-core" "$PROGRAMS"
    start_agent
}

start_agent() {
    "$PROGRAMS/agent" --socket "$HOLDEN_SOCKET" --state-dir "$T/state" --cgroup "/$GROUP" "$@" \
        2>>"$T/agent.log" 3>&- &
    AGENT=$!
    eventually "$C" ping
}

# Puts file $1 in place of program $2, as a package manager does.
install_program() {
    cp "$1" "$PROGRAMS/$2.new"
    chmod "${3:-755}" "$PROGRAMS/$2.new"
    mv "$PROGRAMS/$2.new" "$PROGRAMS/$2"
}

# reexec fails and says why ($1); the same agent goes on, as does its process.
refused() {
    local before
    before=$(core)
    run "$C" reexec
    expect 1
    one_line "$1"
    [ "$(core)" = "$before" ] || { echo "another agent"; return 1; }
    is keep state running
}

# reexec fails after the new agent was started: the old program is there again, as a new process.
rolled_back() {
    local before
    before=$(core)
    run "$C" reexec
    expect 1
    one_line "$1"
    [ "$(core)" != "$before" ] || { echo "the same agent"; return 1; }
    [ "$(readlink "/proc/$AGENT/exe")" = "$2" ]
    is keep state running
    "$C" run -- true
}

@test "to a new agent-core and a new keeper: processes, statuses and sockets stay" {
    "$C" start --name keep -- sh -c "while [ ! -e $T/go ]; do sleep 0.02; done; exit 17"
    before=$(core)
    install_program "$BIN/agent" agent
    install_program "$BIN/agent-core" agent-core
    run "$C" reexec
    expect 0
    [ "$output" = "agent replaced" ]
    [ "$(core)" != "$before" ]
    [ "$(readlink "/proc/$AGENT/exe")" = "$PROGRAMS/agent" ]
    [ "$(readlink "/proc/$(core)/exe")" = "$PROGRAMS/agent-core" ]
    [ "$(cat "/proc/$AGENT/comm")" = agent ]
    [ "$(cat "/proc/$(core)/comm")" = agent-core ]
    touch "$T/go"
    run "$C" wait keep
    expect 17
}

@test "a program that cannot be started is refused before anybody notices" {
    "$C" start --name keep sleep 1000
    install_program "$BIN/agent-core" agent-core 644
    refused 'reexec: .*Permission denied'
    head -c 5000 "$BIN/agent-core" >"$T/half"
    install_program "$T/half" agent-core
    refused 'reexec: .*when tried'
    sed 's/libseccomp\.so\.2/libnowhere.so.2/' "$BIN/agent-core" >"$T/lacking"
    install_program "$T/lacking" agent-core
    refused 'reexec: .*libnowhere\.so\.2'
    install_program /bin/true agent-core
    refused 'reexec: .*is no agent'
    install_program /bin/false agent-core
    refused 'reexec: .*status 1'
    rm "$PROGRAMS/agent-core"
    refused 'reexec: .*No such file'
    install_program "$BIN/agent-core" agent-core
    install_program /bin/true agent
    refused 'reexec: .*is no agent'
    install_program "$BIN/agent" agent
    run "$C" reexec
    expect 0
}

@test "a program that hangs when it is tried is given up; others are served meanwhile" {
    "$C" start --name keep sleep 1000
    printf '#!/bin/sh\nexec sleep 1000\n' >"$T/hang"
    install_program "$T/hang" agent
    before=$(core)
    "$C" reexec >"$T/out" 2>&1 &
    asker=$!
    eventually grep -q trying "$T/agent.log"
    "$C" run -- true
    run "$C" reexec
    expect 1
    one_line 'somebody else has asked'
    status=0
    wait "$asker" || status=$?
    [ "$status" -eq 1 ]
    grep -q 'did not answer within 5 s' "$T/out"
    [ "$(core)" = "$before" ]
}

@test "a configuration that is wrong is refused before anybody notices" {
    stop_agent
    printf '[Agent]\nKeepRecords=7\n' >"$T/agent.conf"
    start_agent --config "$T/agent.conf"
    "$C" start --name keep sleep 1000
    printf '[Agent]\nKeepRecord=7\n' >"$T/agent.conf"
    refused 'reexec: .*KeepRecord=: unknown key'
}

@test "a new agent-core that crashes, exits or refuses before it has recovered is rolled back" {
    stop_agent
    export HOLDEN_IMPOSTOR
    for HOLDEN_IMPOSTOR in crash exit nonsense; do
        install_program "$BIN/agent-core" agent-core
        install_program "$BIN/agent" agent
        start_agent
        "$C" start --name keep sleep 1000
        install_program "$TESTS/impostor" agent-core
        rolled_back 'reexec: the new agent-core (was killed by SIGSEGV|exited with status [59])' \
            "$PROGRAMS/agent"
        # The keeper goes back with it.
        install_program "$BIN/agent" agent
        rolled_back 'reexec: the new agent-core (was killed by SIGSEGV|exited with status [59])' \
            "$PROGRAMS/agent (deleted)"
        # What is broken on disk is left alone when the agent is killed.
        kill -KILL "$(core)"
        eventually "$C" ping
        is keep state running
        stop_agent
    done
}

@test "a new agent-core that hangs before it has recovered is rolled back" {
    stop_agent
    HOLDEN_IMPOSTOR=hang start_agent
    LIMIT=60
    "$C" start --name keep sleep 1000
    install_program "$TESTS/impostor" agent-core
    rolled_back 'reexec: the new agent-core was killed by SIGKILL' "$PROGRAMS/agent"
    grep -q 'has not recovered within 30 s' "$T/agent.log"
}

@test "an agent that keeps crashing gets what is on disk, once that is another" {
    stop_agent
    ulimit -c 0
    start_agent
    for _ in 1 2 3; do
        kill -SEGV "$(core)"
        eventually "$C" ping
    done
    install_program "$BIN/agent-core" agent-core
    kill -SEGV "$(core)"
    eventually "$C" ping
    [ "$(readlink "/proc/$(core)/exe")" = "$PROGRAMS/agent-core" ]
}

@test "requests under way when the agent is replaced are answered" {
    mkfifo "$T/fifo"
    "$C" start --name slow -p StandardInput=file:"$T/fifo" -- cat >"$T/out" 2>&1 &
    starter=$!
    eventually sh -c "$C list | grep -q 'slow.*starting'"
    before=$(core)
    "$C" reexec >"$T/reexec" 2>&1 &
    asker=$!
    eventually grep -q 'going over' "$T/agent.log"
    echo >"$T/fifo"
    wait "$starter"
    grep -q '^started slow' "$T/out"
    wait "$asker"
    [ "$(core)" != "$before" ]
}

# Runs something that exits with 7, once.
client() {
    local status=0
    "$C" run --name "$1" -- sh -c 'exit 7' || status=$?
    echo "$status" >>"$T/statuses"
}

@test "clients that start and wait while the agent is replaced again and again see no error" {
    "$C" start --name long -- sh -c "while [ ! -e $T/go ]; do sleep 0.02; done; exit 23"
    "$C" wait long >"$T/long" 2>&1 &
    waiter=$!
    for i in 1 2 3 4; do
        (for j in $(seq 15); do client "c$i-$j"; done) 2>"$T/errors.$i" 3>&- &
        clients[i]=$!
    done
    for _ in $(seq 20); do
        run "$C" reexec
        expect 0
    done
    for i in 1 2 3 4; do wait "${clients[$i]}"; done
    run cat "$T"/errors.*
    [ -z "$output" ] || { echo "a client said: $output"; return 1; }
    [ "$(grep -cx 7 "$T/statuses")" -eq 60 ]
    touch "$T/go"
    status=0
    wait "$waiter" || status=$?
    [ "$status" -eq 23 ]
}
