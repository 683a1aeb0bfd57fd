#!/usr/bin/env bats
# The demonstration works, here and where every limit can be set.

load helper

@test "the demonstration comes to its end, explains an end, and leaves nothing" {
    run "$ROOT/packaging/demo"
    [ "$status" -eq 0 ] || { echo "$output"; false; }
    if has_controller memory; then
        [[ "$output" == *"out of memory: it reached MemoryMax=48M"* ]]
    else
        [[ "$output" == *"it reached RuntimeMaxSec=3s"* ]]
    fi
    [[ "$output" == *"No cgroup is left"* ]]
}
