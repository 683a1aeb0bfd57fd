#!/usr/bin/env bats
# The machine offers what the tests that run in it rely on: see tests/vm/run.

bats_require_minimum_version 1.5.0

@test "cgroup v2 alone, with every controller that Holden uses" {
    [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]
    [ -z "$(awk '$3 == "cgroup"' /proc/mounts)" ]
    for controller in cpu cpuset io memory pids; do
        grep -qw "$controller" /sys/fs/cgroup/cgroup.controllers
        grep -qw "$controller" /sys/fs/cgroup/cgroup.subtree_control
    done
}

@test "the delegated cgroup can be divided" {
    [ -d "$HOLDEN_VM_CGROUP" ]
    [ -z "$(cat "$HOLDEN_VM_CGROUP/cgroup.procs")" ]
    for controller in cpu cpuset io memory pids; do
        grep -qw "$controller" "$HOLDEN_VM_CGROUP/cgroup.controllers"
    done
    echo "+cpu +cpuset +io +memory +pids" >"$HOLDEN_VM_CGROUP/cgroup.subtree_control"
    mkdir "$HOLDEN_VM_CGROUP/machine-test"
    echo 10M >"$HOLDEN_VM_CGROUP/machine-test/memory.max"
    [ "$(cat "$HOLDEN_VM_CGROUP/machine-test/memory.max")" = 10485760 ]
    rmdir "$HOLDEN_VM_CGROUP/machine-test"
}

@test "cgroups have kill, freeze, peaks, block IO limits and pressure" {
    group=$HOLDEN_VM_CGROUP/command
    for file in cgroup.kill cgroup.freeze memory.peak memory.oom.group cpu.max cpuset.cpus \
        io.max pids.peak cpu.pressure memory.pressure io.pressure; do
        [ -e "$group/$file" ] || { echo "no $file" && false; }
    done
}

@test "pressure of the whole machine" {
    for file in cpu memory io; do
        grep -q '^some avg10=' "/proc/pressure/$file"
    done
}

@test "two CPUs, and a clock that is cheap to read" {
    [ "$(nproc)" -eq 2 ]
    [ "$(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)" = tsc ]
}

@test "systemd is process 1, running, with no failed unit" {
    [ "$(cat /proc/1/comm)" = systemd ]
    [ "$(systemctl is-system-running)" = running ]
    [ -z "$(systemctl list-units --failed --plain --no-legend)" ]
}

@test "journald takes lines and gives them back" {
    mark="machine-test-$$"
    echo "said by $mark" | systemd-cat -t "$mark"
    journalctl --sync
    journalctl -q -t "$mark" -o cat | grep -x "said by $mark"
}

@test "D-Bus answers" {
    busctl --system call org.freedesktop.systemd1 /org/freedesktop/systemd1 \
        org.freedesktop.DBus.Peer Ping
}

@test "systemd-run starts a scope and a service with limits" {
    run systemd-run --quiet --scope -p MemoryMax=50M -p TasksMax=20 -- echo in a scope
    [ "$status" -eq 0 ] && [ "$output" = "in a scope" ]
    systemd-run --quiet --wait -p MemoryMax=50M -p CPUQuota=50% -- true
}

@test "seccomp and Landlock" {
    grep -qw errno /proc/sys/kernel/seccomp/actions_avail
    grep -qw user_notif /proc/sys/kernel/seccomp/actions_avail
    grep -qw landlock /sys/kernel/security/lsm
}

@test "crun runs a container with a memory limit" {
    bundle=$BATS_TEST_TMPDIR
    (cd "$bundle" && crun spec)
    jq '.root = {path: "/usr/local/share/busybox", readonly: true} | .process.terminal = false
        | .process.args = ["/bin/echo", "in a container"]
        | .linux.resources.memory.limit = 50000000' "$bundle/config.json" >"$bundle/config"
    mv "$bundle/config" "$bundle/config.json"
    run crun run --bundle "$bundle" machine-test
    [ "$status" -eq 0 ] && [ "$output" = "in a container" ]
}

@test "podman runs a container without a network" {
    run podman run --rm --network none --memory 50m --rootfs /usr/local/share/busybox \
        /bin/echo in a container
    [ "$status" -eq 0 ]
    [ "${lines[-1]}" = "in a container" ]
}

@test "s6 and supervisor are there, and not running" {
    command -v s6-svscan s6-svc supervisord supervisorctl
    run ! pgrep -x 's6-svscan|supervisord'
}
