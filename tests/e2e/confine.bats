#!/usr/bin/env bats
# What the agent takes from itself, and does not take from those that it starts.

load helper

# The pid of agent-core.
core() {
    "$C" --json self | jq .pid
}

# The line $2 of the status of process $1.
line_of() {
    sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# The capabilities that confine.def names, a line each.
kept() {
    sed -nE 's/^CAPABILITY\((CAP_[A-Z_]+),.*/\1/p' "$ROOT/src/agent/confine.def"
}

# Those of them that the keeper has, as the kernel writes a set.
kept_mask() {
    local name mask=0
    for name in $(kept); do
        mask=$((mask | 1 << $(awk -v name="$name" '$1 == "#define" && $2 == name { print $3 }' /usr/include/linux/capability.h)))
    done
    printf '%016x' $((mask & 16#$(line_of "$AGENT" CapPrm)))
}

confined() {
    local pid=$1 mask
    mask=$(kept_mask)
    [ "$mask" != 0000000000000000 ]
    [ "$(line_of "$pid" CapPrm)" = "$mask" ]
    [ "$(line_of "$pid" CapEff)" = "$mask" ]
    [ "$(line_of "$pid" CapInh)" = 0000000000000000 ]
    [ "$(line_of "$pid" CapAmb)" = 0000000000000000 ]
    [ "$(line_of "$pid" NoNewPrivs)" = 1 ]
    [ "$(line_of "$pid" Seccomp)" = 2 ]
}

@test "it keeps what it needs, also as the next agent and after a reexec" {
    local first
    first=$(core)
    confined "$first"
    kill -KILL "$first"
    eventually sh -c "'$C' ping && [ \$('$C' --json self | jq .pid) != $first ]"
    confined "$(core)"
    "$C" reexec
    confined "$(core)"
}

@test "what it starts has the rights and calls that the keeper has" {
    run "$C" run -- sh -c 'grep -E "^(CapPrm|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status'
    expect 0
    [ "$output" = "CapPrm:	$(line_of "$AGENT" CapPrm)
CapBnd:	$(line_of "$AGENT" CapBnd)
NoNewPrivs:	$(line_of "$AGENT" NoNewPrivs)
Seccomp:	$(line_of "$AGENT" Seccomp)" ]
}

@test "what a user has left in a directory with a sticky bit is removed" {
    "$C" start --name a -p User=daemon -p RuntimeDirectory="$GROUP" \
        sh -c 'mkdir -m 1777 $RUNTIME_DIRECTORY/sticky; echo > $RUNTIME_DIRECTORY/sticky/file; sleep 1000'
    eventually test -s "/run/$GROUP/sticky/file"
    "$C" stop a
    [ ! -e "/run/$GROUP" ]
}

@test "the manual names each capability that it keeps, and no other" {
    run sed -n '/^\.Ss Confinement of the agent/,/^\.El/s/^\.It Dv //p' "$ROOT/docs/man/holden-agent.8"
    [ "$output" = "$(kept)" ]
}
