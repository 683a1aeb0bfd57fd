#!/usr/bin/env bats
# Seccomp profiles come to the same under Podman (crun) and here: one battery of system calls under each.
# shellcheck disable=SC2016

load ../e2e/helper

ROOTFS=/usr/local/share/busybox

# Runs the battery under profile $1 here and in a container, with the capabilities $2 (all, none), and compares.
alike() {
    local here=() there=(--cap-add=all)
    [ "$2" = all ] || { here=(-p CapabilityBoundingSet=); there=(--cap-drop=all); }
    cp "$TESTS/battery" "$ROOTFS/battery"
    "$C" run -p SystemCallReport=no -p SeccompProfile="$1" "${here[@]}" -- "$ROOTFS/battery" >"$T/here"
    podman run --rm --network none "${there[@]}" --security-opt seccomp="$1" --rootfs "$ROOTFS" /battery >"$T/there"
    [ "$(wc -l <"$T/here")" -ge 60 ]
    diff "$T/here" "$T/there"
}

# Writes profile $T/p.json: the battery's own calls, and those of container engines, pass by rule $1.
profile() {
    echo "$1" >"$T/p.json"
    jq . "$T/p.json" >/dev/null
}

# What a profile that forbids by default has to allow for a container to come up.
engine() {
    "$C" learn --engine -o "$T/engine.json" -- "$TESTS/battery" >/dev/null 2>&1
    jq -c '[.syscalls[0].names[] | select(IN("mount", "umount2", "mkdir", "ptrace", "bpf", "unshare", "kill", "chown") | not)]' "$T/engine.json"
}

@test "Podman's own profile, with all capabilities and without any" {
    alike /usr/share/containers/seccomp.json all
    alike /usr/share/containers/seccomp.json none
    # It does forbid something.
    grep -q EPERM "$T/here"
}

@test "errors: the usual one, one for all, one for a rule" {
    profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
      {"names": ["mount", "umount2"], "action": "SCMP_ACT_ERRNO"},
      {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28},
      {"names": ["kill", "chown"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]}'
    alike "$T/p.json" all
    grep -qx 'mkdir ENOSPC' "$T/here"
}

@test "every action that ends: kill, kill-thread, kill-process, trap" {
    profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
      {"names": ["mount"], "action": "SCMP_ACT_KILL"}, {"names": ["mkdir"], "action": "SCMP_ACT_KILL_THREAD"},
      {"names": ["bpf"], "action": "SCMP_ACT_KILL_PROCESS"}, {"names": ["acct"], "action": "SCMP_ACT_TRAP"}]}'
    alike "$T/p.json" all
    [ "$(grep -cE '^(acct|bpf|mkdir|mount) SIGSYS' "$T/here")" -eq 4 ]
}

@test "log and trace" {
    profile '{"defaultAction": "SCMP_ACT_LOG", "syscalls": [
      {"names": ["mkdir", "chmod"], "action": "SCMP_ACT_TRACE"},
      {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"}]}'
    alike "$T/p.json" all
    grep -qx 'mkdir ENOSYS' "$T/here"
}

@test "conditions on arguments, with every operator" {
    profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
      {"names": ["lseek"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28, "args": [{"index": 1, "value": 5, "op": "SCMP_CMP_EQ"}]},
      {"names": ["lseek"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28, "args": [{"index": 1, "value": 4294967296, "op": "SCMP_CMP_GT"}]},
      {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 39, "op": "SCMP_CMP_GE"}]},
      {"names": ["personality"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 9, "op": "SCMP_CMP_LT"}, {"index": 1, "value": 0, "op": "SCMP_CMP_LE"}]},
      {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 7, "op": "SCMP_CMP_NE"}]},
      {"names": ["unshare"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28, "args": [{"index": 0, "value": 3, "valueTwo": 3, "op": "SCMP_CMP_MASKED_EQ"}]}]}'
    alike "$T/p.json" all
    grep -qx 'lseek ENOSPC' "$T/here"
    grep -qx 'lseek-six EBADF' "$T/here"
    grep -qx 'lseek-large ENOSPC' "$T/here"
}

@test "rules for some capabilities only" {
    profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
      {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28, "includes": {"caps": ["CAP_SYS_ADMIN"]}},
      {"names": ["chmod"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28, "excludes": {"caps": ["CAP_SYS_ADMIN"]}}]}'
    alike "$T/p.json" all
    grep -qx 'mkdir ENOSPC' "$T/here"
    alike "$T/p.json" none
    grep -qx 'chmod ENOSPC' "$T/here"
}

# Podman passes over minKernel, which is Docker's: a kernel that is new enough is what both agree on.
@test "rules for some architectures and kernels only" {
    profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
      {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28, "includes": {"arches": ["amd64", "arm64"]}},
      {"names": ["chmod"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28, "includes": {"arches": ["s390x"]}},
      {"names": ["chown"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28, "excludes": {"arches": ["amd64", "arm64"]}},
      {"names": ["access"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28, "includes": {"minKernel": "4.8"}}]}'
    alike "$T/p.json" all
    [ "$(grep -c ENOSPC "$T/here")" -eq 3 ]
}

@test "archMap with architectures below others" {
    profile '{"defaultAction": "SCMP_ACT_ALLOW", "archMap": [
      {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
      {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}],
      "syscalls": [{"names": ["mkdir", "no_such_call"], "action": "SCMP_ACT_ERRNO"}]}'
    alike "$T/p.json" all
    grep -qx 'mkdir EPERM' "$T/here"
}

@test "architectures by their list, and rules that say the same twice" {
    profile '{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
      "syscalls": [{"names": ["mkdir", "mkdir", "chmod"], "action": "SCMP_ACT_ERRNO"}, {"names": ["chmod"], "action": "SCMP_ACT_ERRNO"}]}'
    alike "$T/p.json" all
}

@test "what is not named fails with the profile's own error" {
    profile "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 38, \"syscalls\": [
      {\"names\": $(engine), \"action\": \"SCMP_ACT_ALLOW\"},
      {\"names\": [\"kill\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 1}]}"
    alike "$T/p.json" all
    grep -qx 'mkdir ENOSYS' "$T/here"
    grep -qx 'kill EPERM' "$T/here"
}

@test "what is not named ends the process" {
    profile "{\"defaultAction\": \"SCMP_ACT_KILL_PROCESS\", \"syscalls\": [
      {\"names\": $(engine), \"action\": \"SCMP_ACT_ALLOW\"}]}"
    alike "$T/p.json" all
    grep -qx 'mkdir SIGSYS' "$T/here"
}

@test "what learn has written works in Podman too" {
    "$C" learn --engine -o "$T/l.json" -- "$ROOTFS/bin/busybox" sh -c 'busybox ls / >/dev/null; echo done'
    run podman run --rm --network none --security-opt seccomp="$T/l.json" --rootfs "$ROOTFS" \
        /bin/busybox sh -c 'busybox ls / >/dev/null; echo done'
    expect 0
    [[ "$output" == *done ]]
    run podman run --rm --network none --security-opt seccomp="$T/l.json" --rootfs "$ROOTFS" /bin/busybox mkdir /made
    [ "$status" -ne 0 ]
    [ ! -e "$ROOTFS/made" ]
}
