#!/usr/bin/env bats
# The sets of system calls are those of systemd, name by name.

bats_require_minimum_version 1.5.0

C=$(cd "$(dirname "$BATS_TEST_FILENAME")/../.." && pwd)/bin/controller

@test "controller calls prints what systemd-analyze syscall-filter prints" {
    [[ "$(systemctl --version)" == "systemd 252"* ]]
    systemd-analyze --no-pager syscall-filter | sed '/^# /,$d; s/\x1b\[[0-9;]*m//g' | grep . >"$BATS_TEST_TMPDIR/theirs"
    "$C" calls >"$BATS_TEST_TMPDIR/ours"
    [ "$(grep -c '^@' "$BATS_TEST_TMPDIR/ours")" -eq 29 ]
    diff "$BATS_TEST_TMPDIR/theirs" "$BATS_TEST_TMPDIR/ours"
}
