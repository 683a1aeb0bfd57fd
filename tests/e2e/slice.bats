#!/usr/bin/env bats
# Slice=: a tree of cgroups between the agent's and those of processes. Where limits are needed, in the machine:
# tests/vm/limits.bats.

load helper

cgroup_of() {
    "$C" --json status "$1" | jq -r .cgroup
}

unit() {
    cat >"$T/$1"
}

# What of slices is in the state directory.
kept() {
    [ ! -d "$T/state/slices" ] || ls "$T/state/slices"
}

@test "a process of a slice lives below it, and those around it" {
    "$C" start --name a -p Slice=web-shop.slice -- sleep 1000
    id=$("$C" --json status a | jq .id)
    [ "$(cgroup_of a)" = "$CGROUP/web.slice/web-shop.slice/$id-a" ]
    grep -qx "$("$C" --json status a | jq .pid)" "$CGROUP/web.slice/web-shop.slice/$id-a/cgroup.procs"
    is a slice web-shop.slice
    "$C" status a | grep -q '^ *Slice *web-shop.slice$'
    "$C" list | grep -q 'SLICE'
    "$C" list | grep -q 'web-shop.slice'
    run "$C" --json slices
    [ "$(jq -r '.name + " " + (.processes | tostring)' <<<"$output" | sort | tr '\n' ' ')" = "web-shop.slice 1 web.slice 1 " ]
    run "$C" status web.slice
    expect 0
    [[ "${lines[0]}" == "web.slice: 1 process" ]]
    [[ "$output" == *"$CGROUP/web.slice"* ]]
}

@test "an empty slice goes, with those around it; a stop leaves siblings alone" {
    "$C" start --name a -p Slice=web-shop.slice -- sleep 1000
    "$C" start --name b -p Slice=web-shop.slice -- sleep 1000
    "$C" start --name c -p Slice=web.slice -- sleep 1000
    "$C" stop a
    is b state running
    [ -d "$CGROUP/web.slice/web-shop.slice" ]
    "$C" stop b
    [ ! -e "$CGROUP/web.slice/web-shop.slice" ]
    is c state running
    "$C" stop c
    [ ! -e "$CGROUP/web.slice" ]
    [ -z "$("$C" --json slices)" ]
}

@test "-.slice and no slice are the agent's own cgroup" {
    "$C" start --name a -p Slice=-.slice -- sleep 1000
    [ "$(dirname "$(cgroup_of a)")" = "$CGROUP" ]
    [ -z "$("$C" --json slices)" ]
    [ "$("$C" list | grep -c SLICE)" -eq 0 ]
    [ "$("$C" --json status a | jq .slice)" = null ]
}

@test "commands before and beside the main one are in its slice; a restart is in it again" {
    "$C" start --name a -p Slice=s.slice -p "ExecStartPre=/bin/sh -c 'cat /proc/self/cgroup >$T/pre'" \
        -p "ExecStopPost=/bin/sh -c 'cat /proc/self/cgroup >$T/post'" -- sleep 1000
    grep -q '/s.slice/.*-a$' "$T/pre"
    "$C" restart a
    [[ "$(cgroup_of a)" == "$CGROUP"/s.slice/*-a ]]
    "$C" stop a
    grep -q '/s.slice/.*-a$' "$T/post"
    [ ! -e "$CGROUP/s.slice" ]
    "$C" restart a
    [[ "$(cgroup_of a)" == "$CGROUP"/s.slice/*-a ]]
}

@test "a start that fails leaves no slice" {
    run "$C" start -p Slice=s.slice -- /nonexistent
    expect 1
    [ ! -e "$CGROUP/s.slice" ]
    [ -z "$("$C" --json slices)" ]
}

@test "what ends by itself leaves no slice" {
    run "$C" run -p Slice=a-b-c.slice -- true
    expect 0
    eventually test ! -e "$CGROUP/a.slice"
}

@test "the next agent finds processes in slices, also with another keeper" {
    "$C" start --name a -p Slice=web-shop.slice -- sleep 1000
    "$C" start --name b -p Slice=web-shop.slice -p User=nobody -p Delegate=yes -- sleep 1000
    "$C" start --name c -- sleep 1000
    pid=$("$C" --json status a | jq .pid)
    kill -KILL "$(core)"
    eventually "$C" ping
    is a pid "$pid"
    is a slice web-shop.slice
    is b state running
    is c state running
    old=$(core)
    kill -KILL "$AGENT" "$old"
    eventually ended "$old"
    wait "$AGENT" || true
    start_agent
    is a state running
    is a pid "$pid"
    is b state running
    [ "$("$C" --json status web.slice | jq .processes)" = 2 ]
    "$C" stop a
    is b state running
    "$C" stop b
    [ ! -e "$CGROUP/web.slice" ]
    is c state running
}

@test "a process that was moved into another slice is not taken for one of it" {
    "$C" start --name a -p Slice=one.slice -- sleep 1000
    "$C" start --name b -p Slice=two.slice -- sleep 1000
    pid=$("$C" --json status a | jq .pid)
    old=$(core)
    kill -KILL "$AGENT" "$old"
    eventually ended "$old"
    wait "$AGENT" || true
    echo "$pid" >"$(echo "$CGROUP"/two.slice/*-b)/cgroup.procs"
    start_agent
    is b state running
    is a state failed
    [ -d "/proc/$pid" ]
    kill "$pid"
    eventually test ! -e "$CGROUP/one.slice"
}

@test "an empty slice that a dead agent left is removed; what nobody knows in one is left alone" {
    "$C" start --name a -p Slice=web.slice -- sleep 1000
    kill -STOP "$AGENT"
    kill -KILL "$(core)"
    mkdir "$CGROUP/left.slice" "$CGROUP/left.slice/left-over.slice" "$CGROUP/left.slice/left-over.slice/77-x" \
        "$CGROUP/web.slice/web-old.slice" "$CGROUP/busy.slice" "$CGROUP/busy.slice/78-y"
    sleep 1000 &
    stray=$!
    echo "$stray" >"$CGROUP/busy.slice/78-y/cgroup.procs"
    kill -CONT "$AGENT"
    eventually "$C" ping
    is a state running
    [ ! -e "$CGROUP/left.slice" ]
    [ ! -e "$CGROUP/web.slice/web-old.slice" ]
    [ -d "/proc/$stray" ]
    grep -q "busy.slice/78-y holds processes" "$T/agent.log"
    kill "$stray"
    wait "$stray" || true
    rmdir "$CGROUP/busy.slice/78-y" "$CGROUP/busy.slice"
}

@test "Type=notify is heard from inside a slice, and below" {
    command -v systemd-notify || skip "no systemd-notify"
    run "$C" start --name n -p Slice=a-b.slice -p Type=notify -p NotifyAccess=all -p TimeoutStartSec=20 -- \
        sh -c 'systemd-notify --ready; sleep 1000'
    expect 0
    is n state running
}

@test "limits: apply, constrain and reset a slice" {
    unit web.slice <<<$'[Unit]\nDescription=x\n[Slice]\nCPUAccounting=yes\nDisableControllers=io'
    run "$C" verify "$T/web.slice"
    expect 0
    [[ "$output" == *DisableControllers*web.slice:5*io* ]]
    run "$C" apply "$T/web.slice"
    expect 0
    one_line '^limited web.slice$'
    [ -d "$CGROUP/web.slice" ]
    [ "$(kept)" = web.slice ]
    [ "$("$C" --json status web.slice | jq .kept)" = true ]
    "$C" status web.slice | grep -q 'DisableControllers=io'
    "$C" start --name a -p Slice=web.slice -- sleep 1000
    "$C" stop a
    # It is asked for, so it stays.
    [ -d "$CGROUP/web.slice" ]
    run "$C" constrain web.slice -p DisableControllers=cpu
    expect 0
    one_line '^DisableControllers: io -> cpu$'
    run "$C" constrain --dry-run web.slice -p DisableControllers=pids
    expect 0
    one_line '^DisableControllers: cpu -> pids$'
    "$C" status web.slice | grep -q 'DisableControllers=cpu'
    kill -KILL "$(core)"
    eventually "$C" ping
    "$C" status web.slice | grep -q 'DisableControllers=cpu'
    run "$C" reset web.slice
    expect 0
    one_line '^reset web.slice$'
    [ ! -e "$CGROUP/web.slice" ]
    [ -z "$(kept)" ]
    run "$C" reset web.slice
    expect 4
    one_line 'no limits are set for slice web.slice'
}

@test "an agent that is started anew makes slices again that are asked for" {
    "$C" constrain a-b.slice -p DisableControllers=io
    kill -STOP "$AGENT"
    kill -KILL "$(core)"
    rmdir "$CGROUP/a.slice/a-b.slice" "$CGROUP/a.slice"
    kill -CONT "$AGENT"
    eventually "$C" ping
    [ -d "$CGROUP/a.slice/a-b.slice" ]
}

@test "a record of a slice that cannot be believed is set aside" {
    "$C" constrain a.slice -p DisableControllers=io
    kill -STOP "$AGENT"
    kill -KILL "$(core)"
    cp "$T/state/slices/a.slice" "$T/state/slices/b.slice"
    echo nonsense >"$T/state/slices/c.slice"
    echo half >"$T/state/slices/a.slice.new"
    kill -CONT "$AGENT"
    eventually "$C" ping
    [ "$(kept)" = a.slice ]
    [ ! -e "$CGROUP/b.slice" ]
    grep -q 'slice b.slice of .* is refused: it is of another slice than its name says' "$T/agent.log"
    grep -q 'slice c.slice of .* is refused: it is not whole' "$T/agent.log"
    rm -r "$T/state/refused"
}

@test "what a slice disables is not changed under those in it" {
    "$C" start --name a -p Slice=web-shop.slice -- sleep 1000
    run "$C" constrain web.slice -p DisableControllers=io
    expect 1
    one_line 'DisableControllers: web.slice is not empty; '
    [ "$("$C" --json status web.slice | jq .kept)" = null ]
    "$C" stop a
    [ ! -e "$CGROUP/web.slice" ]
}

@test "a limit that cannot be set changes nothing" {
    ! has_controller memory || skip "it can be set here"
    run "$C" constrain web.slice -p MemoryMax=100M -p DisableControllers=io
    expect 1
    one_line 'MemoryMax: the memory controller'
    [ ! -e "$CGROUP/web.slice" ]
    [ -z "$("$C" --json slices)" ]
    [ -z "$(kept)" ]
}

@test "bad names and values are refused with one line" {
    # Of a name that is too long, it is the length that is wrong.
    run "$C" start -p Slice="$(printf 'a%.0s' {1..235}).slice" true
    expect 2
    one_line 'up to 240 bytes'
    for name in web '' .slice web.service ./a.slice a/b.slice -a.slice a-.slice a--b.slice .a.slice 'a b.slice' \
        a@b.slice $'a\n.slice' $'\xff.slice' "$(printf 'a%.0s' {1..300}).slice" \
        "$(printf 'aaaa-%.0s' {1..40})a.slice"; do
        [ -n "$name" ] || continue
        run "$C" start -p "Slice=$name" -- true
        expect 2
        one_line '^controller: Slice='
    done
    for name in a--b.slice -a.slice ..slice; do
        run "$C" constrain "$name" -p DisableControllers=io
        expect 2
        [ "${#lines[@]}" -eq 1 ]
    done
    run "$C" constrain -.slice -p DisableControllers=io
    [ "${#lines[@]}" -eq 1 ]
    [ "$status" -ne 0 ]
    run "$C" start --name x.slice -- true
    expect 1
    one_line 'names that end in .slice are those of slices'
    run "$C" stop a.slice
    expect 2
    one_line "'a.slice' is a slice; this is for processes"
    run "$C" status a.slice
    expect 4
    one_line 'no slice a.slice'
    run "$C" constrain a.slice -p Nice=5
    expect 2
    one_line 'Nice is of processes'
    run "$C" constrain a.slice -p OOMPolicy=kill
    expect 2
    one_line 'OOMPolicy is of processes'
    run "$C" constrain a.slice --for 5s -p DisableControllers=io
    expect 2
    one_line 'for is for processes'
    run "$C" constrain a.slice
    expect 2
    one_line 'no limit given'
    [ ! -e "$CGROUP/a.slice" ]
}

@test "unit files of slices: what is wrong is told by file and line" {
    check() {
        run "$C" apply "$T/bad.slice"
        expect 1
        one_line "$1"
    }
    unit bad.slice <<<$'[Slice]\nExecStart=/bin/true'
    check 'bad.slice:2: ExecStart=: belongs into \[Service\], not into \[Slice\]'
    unit bad.slice <<<$'[Service]\nMemoryMax=1G'
    check 'bad.slice:2: MemoryMax=: \[Service\] is no section of a slice unit'
    unit bad.slice <<<$'[Slice]\nMemoryMax=lots'
    check 'bad.slice:2: MemoryMax=: lots: expected a size'
    unit bad.slice <<<$'[Unit]\nMemoryMax=1G'
    check 'bad.slice:2: MemoryMax=: belongs into \[Slice\], not into \[Unit\]'
    unit bad.slice <<<$'[Slice]\nMemroyMax=1G'
    check 'bad.slice:2: MemroyMax=: no such directive in \[Slice\]; did you mean MemoryMax'
    unit bad.slice <<<$'[Slice]\nDisableControllers=cpu memroy'
    check 'bad.slice:2: DisableControllers=: .*memroy'
    unit bad.service <<<$'[Slice]\nMemoryMax=1G\n[Service]\nExecStart=/bin/true'
    run "$C" apply "$T/bad.service"
    expect 1
    one_line 'bad.service:2: MemoryMax=: \[Slice\] is no section of a service unit'
    unit bad.service <<<$'[Service]\nExecStart=/bin/true\nSlice=web'
    run "$C" apply "$T/bad.service"
    expect 1
    one_line 'bad.service:3: Slice=: web: expected NAME.slice'
    run "$C" apply --name x "$T/bad.slice"
    expect 1
}

@test "drop-ins of slices are those of their names cut at each dash" {
    mkdir -p "$T/a-b.slice.d" "$T/a-.slice.d"
    unit a-b.slice <<<$'[Slice]\nDisableControllers=io'
    unit a-b.slice.d/1.conf <<<$'[Slice]\nDisableControllers=cpu'
    unit a-.slice.d/2.conf <<<$'[Slice]\nDisableControllers=pids'
    "$C" apply "$T/a-b.slice"
    "$C" status a-b.slice | grep -q 'DisableControllers=cpu pids io'
    # In place of what was set before.
    rm -r "$T"/a-b.slice.d "$T"/a-.slice.d
    "$C" apply "$T/a-b.slice"
    "$C" status a-b.slice | grep -q 'DisableControllers=io$'
}

@test "a unit names its slice, with specifiers" {
    unit web@one.service <<<$'[Service]\nExecStart=/bin/sleep 1000\nSlice=web-%i.slice'
    "$C" apply "$T/web@one.service"
    is web@one slice web-one.slice
    "$C" stop web@one
}

@test "the agent's end takes slices away that are asked for" {
    "$C" constrain a-b.slice -p DisableControllers=io
    "$C" start --name a -p Slice=a.slice -- sleep 1000
    stop_agent
    [ ! -e "$CGROUP" ]
    start_agent
    [ -z "$("$C" --json slices)" ]
}

@test "an upgrade leaves slices and what is in them as they are" {
    "$C" constrain a-b.slice -p DisableControllers=io
    "$C" start --name a -p Slice=a-b.slice -- sleep 1000
    pid=$("$C" --json status a | jq .pid)
    "$C" reexec
    is a pid "$pid"
    is a slice a-b.slice
    "$C" status a-b.slice | grep -q 'DisableControllers=io'
}
