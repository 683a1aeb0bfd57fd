#!/usr/bin/env bats
# Very many starts leave nothing behind in keeper and agent, and the last is as fast as the first. `make
# soak` does it with a million.

load helper

# The program starts an agent of its own.
setup() {
    prepare
}

@test "20,000 starts: memory, open descriptors and the time of a start are what they were" {
    ! sanitized || skip "sanitizers keep memory of their own"
    count=20000
    [ -z "${HOLDEN_VM:-}" ] || count=500
    run "$TESTS/bench/soak" -n "$count" --programs "$BIN" --cgroup "$CGROUP" \
        --payload "$TESTS/bench/quit"
    expect 0
    echo "# soak: $(grep ': [-+]' <<<"$output" | paste -s -d ';')" >&3
    [[ "$output" == *"time of a start: "*"resident memory: "*"open descriptors: "* ]]
    [ ! -e "$CGROUP" ]
}
