#!/usr/bin/env bats
# Very many starts leave nothing behind in keeper and agent. `make soak` does it with a million.

load helper

# The program starts an agent of its own.
setup() {
    prepare
}

@test "20,000 starts: memory and open descriptors are what they were" {
    ! sanitized || skip "sanitizers keep memory of their own"
    [ -n "${HOLDEN_SOAK:-}" ] || skip "takes long: HOLDEN_SOAK=1 runs it"
    count=20000
    [ -z "${HOLDEN_VM:-}" ] || count=500
    run "$TESTS/bench/soak" -n "$count" --programs "$BIN" --cgroup "$CGROUP"
    expect 0
    [[ "$output" == *"resident memory: "* ]]
    [ ! -e "$CGROUP" ]
}
