#!/usr/bin/env bats
# What a process sees of itself: every property that needs no controller; and refusals of those that do.
# shellcheck disable=SC2016

load helper

# A field of the process's own /proc/self/status under the given settings.
self_status() {
    local field=$1
    shift
    "$C" run "$@" -- sed -n "s/^$field:[[:space:]]*//p" /proc/self/status
}

@test "a child has nothing but its standard streams, no signals blocked or ignored, a session of its own" {
    run "$C" run -- sh -c 'ls /proc/self/fd | tr "\n" " "; grep -E "^Sig(Blk|Ign)" /proc/self/status; cut -d" " -f6 /proc/$$/stat; echo $$'
    expect 0
    [[ "${lines[0]}" == "0 1 2 3 "* ]]
    [ "$(grep -c 0000000000000000 <<<"$output")" -eq 2 ]
    [ "${lines[-1]}" = "${lines[-2]}" ]
    # Also where the caller itself ignores signals.
    run bash -c "trap '' PIPE HUP; $C run -- grep SigIgn /proc/self/status"
    [[ "$output" == *0000000000000000 ]]
    run "$C" run -- env
    [[ "$output" == *PATH=* && "$output" != *BATS* ]]
}

@test "UMask, Nice, CPUAffinity, OOMScoreAdjust" {
    [ "$("$C" run -p UMask=0077 -- sh -c umask)" = 0077 ]
    [ "$("$C" run -- sh -c umask)" = 0022 ]
    [ "$("$C" run -p Nice=7 -- nice)" = 7 ]
    [ "$(self_status Cpus_allowed_list -p CPUAffinity=1)" = 1 ]
    [ "$("$C" run -p OOMScoreAdjust=321 -- cat /proc/self/oom_score_adj)" = 321 ]
}

@test "CPUScheduling*, IOScheduling*, TimerSlackNSec, Personality, KeyringMode" {
    run "$C" run -p CPUSchedulingPolicy=batch -p IOSchedulingClass=idle -p TimerSlackNSec=123 -p Personality=x86 -- \
        sh -c 'chrt -p $$; ionice; cat /proc/self/timerslack_ns; uname -m'
    expect 0
    [[ "$output" == *SCHED_BATCH*$'\nidle\n123\ni686' ]]
    run "$C" run -p CPUSchedulingPolicy=rr -p CPUSchedulingPriority=7 -p CPUSchedulingResetOnFork=yes \
        -p IOSchedulingPriority=2 -- sh -c 'chrt -p $$; ionice'
    expect 0
    [[ "$output" == *"SCHED_RR|SCHED_RESET_ON_FORK"*": 7"*"best-effort: prio 2" ]]
    run "$C" run -p CPUSchedulingPriority=7 -- true
    expect 1
    one_line 'CPUSchedulingPriority.*fifo or rr'
    [ "$("$C" run -p KeyringMode=private -p User=daemon -- python3 -c '
import ctypes; libc = ctypes.CDLL(None); print(libc.syscall(250, 0, -3, 0))')" != \
        "$("$C" run -p User=daemon -- python3 -c '
import ctypes; libc = ctypes.CDLL(None); print(libc.syscall(250, 0, -3, 0))')" ]
}

@test "a program of any user can read its own control group, and change nothing there" {
    run "$C" run -p User=nobody -- sh -c "cd $(cgroup_mount)\$(sed -n s/^0:://p /proc/self/cgroup) && cat cgroup.type && ! echo 1 >cgroup.freeze"
    expect 0
    [ "${lines[0]}" = domain ]
    [[ "${lines[1]}" == *"Permission denied"* ]]
}

@test "Limit*" {
    run "$C" run -p LimitNOFILE=100:200 -p LimitCORE=0 -p LimitFSIZE=1M -p LimitCPU=1h -p LimitSTACK=infinity \
        -- cat /proc/self/limits
    expect 0
    [[ "$output" =~ "Max open files"\ +100\ +200 ]]
    [[ "$output" =~ "Max core file size"\ +0\ +0 ]]
    [[ "$output" =~ "Max file size"\ +1048576\ +1048576 ]]
    [[ "$output" =~ "Max cpu time"\ +3600\ +3600 ]]
    [[ "$output" =~ "Max stack size"\ +unlimited\ +unlimited ]]
    run "$C" run --name cpu -p LimitCPU=1 -- sh -c 'while :; do :; done'
    [ "$status" -gt 128 ]
    is cpu cause time-limit
}

@test "User, Group, SupplementaryGroups" {
    run "$C" run -p User=nobody -- sh -c 'id -un; id -gn; echo $HOME $USER'
    expect 0
    [ "${lines[0]}" = nobody ]
    [ "${lines[1]}" = nogroup ]
    [[ "${lines[2]}" == *nobody ]]
    [ "$("$C" run -p User=65534 -p Group=games -p 'SupplementaryGroups=daemon bin' -- id -G)" = "60 1 2" ]
    run "$C" run -p User=no-such-user -- true
    [ "$status" -ne 0 ]
    one_line no-such-user
    [ "$(self_status CapEff -p User=nobody)" = 0000000000000000 ]
}

@test "WorkingDirectory, Environment, EnvironmentFile, PassEnvironment" {
    mkdir "$T/dir"
    [ "$("$C" run -p WorkingDirectory="$T/dir" -- pwd)" = "$T/dir" ]
    printf '# comment\nA=from-file\nB="two words"\n' >"$T/env"
    export PASSED=on
    run "$C" run -p EnvironmentFile="$T/env" -p 'Environment=A=over C=3' -p PassEnvironment=PASSED -- \
        sh -c 'echo "$B|$C|$PASSED"'
    expect 0
    [ "$output" = "two words|3|on" ]
    run "$C" run -p EnvironmentFile=/no/such -- true
    [ "$status" -ne 0 ]
    one_line /no/such
    run "$C" run -p EnvironmentFile=-/no/such -- true
    expect 0
}

@test "StandardInput, StandardOutput, StandardError lead where they are told" {
    echo input >"$T/in"
    echo old >"$T/app"
    "$C" start --name s -p StandardInput=file:"$T/in" -p StandardOutput=append:"$T/app" \
        -p StandardError=truncate:"$T/err" -- sh -c 'cat; echo error >&2'
    run "$C" wait s
    expect 0
    [ "$(cat "$T/app")" = $'old\ninput' ]
    [ "$(cat "$T/err")" = error ]
    "$C" start --name n -p StandardOutput=null -- sh -c 'readlink /proc/self/fd/1 >'"$T/null"
    run "$C" wait n
    [ "$("$C" --json status n | jq -r .output)" = null ]
}

@test "StandardInputText= and StandardInputData= are what standard input holds, to be read only" {
    [ "$("$C" run -p StandardInputText='one\ttwo' -p StandardInputData=AGE= -p StandardInputText=three -- od -An -c)" = \
        "$(printf 'one\ttwo\n\0athree\n' | od -An -c)" ]
    [ "$("$C" run -p StandardInputText=gone -p StandardInputData= -p StandardInputText=there -- cat)" = there ]
    [ "$("$C" run -p StandardInputText=unread -p StandardInput=null -- cat)" = "" ]
    [ "$("$C" run -p StandardInput=data -- cat)" = "" ]
    run "$C" run -p StandardInputText=x -- sh -c 'echo y >&0'
    [ "$status" -ne 0 ]
    run "$C" run -p StandardInputText=x -- sh -c 'echo y >/proc/self/fd/0'
    [ "$status" -ne 0 ]
    # Each command, and each start, has all of it.
    "$C" start --name again -p StandardInputText=whole -p Type=oneshot -p ExecStartPre=/bin/cat -- cat
    [ "$("$C" logs again)" = $'whole\nwhole' ]
    run "$C" run -p StandardInputText="$(head -c 100000 /dev/zero | tr '\0' x)" -- wc -c
    expect 0
    [ "$output" -eq 100001 ]
    run "$C" run -p StandardInputData='?' -- cat
    expect 2
    one_line 'StandardInputData=.: expected bytes in Base64'
}

@test "ExecSearchPath= says where commands are, and PATH unless that is set" {
    mkdir "$T/tools"
    printf '#!/bin/sh\necho "tool $PATH"\n' >"$T/tools/tool"
    chmod 755 "$T/tools/tool"
    [ "$("$C" run -p ExecSearchPath="/nonesuch:$T/tools" -p ExecSearchPath=/bin -- tool)" = "tool /nonesuch:$T/tools:/bin" ]
    [ "$("$C" run -p ExecSearchPath="$T/tools" -p Environment=PATH=/bin -- tool)" = "tool /bin" ]
    run "$C" start -p ExecSearchPath=/nonesuch -- true
    expect 1
    one_line 'true'
    run "$C" start -p ExecSearchPath=bin -- true
    expect 2
    one_line 'ExecSearchPath=bin: the path must be absolute'
}

@test "capabilities and no_new_privs" {
    [ "$(self_status CapBnd -p CapabilityBoundingSet=)" = 0000000000000000 ]
    [ "$(self_status CapEff -p 'CapabilityBoundingSet=CAP_CHOWN CAP_KILL')" = 0000000000000021 ]
    [ "$(self_status CapBnd -p CapabilityBoundingSet=CAP_CHOWN)" = 0000000000000001 ]
    run self_status CapBnd -p CapabilityBoundingSet=~CAP_SYS_ADMIN
    [ $((16#$output & 1 << 21)) -eq 0 ]
    [ "$(self_status CapAmb -p User=nobody -p AmbientCapabilities=CAP_NET_BIND_SERVICE)" = 0000000000000400 ]
    [ "$(self_status CapEff -p User=nobody -p AmbientCapabilities=CAP_NET_BIND_SERVICE)" = 0000000000000400 ]
    [ "$(self_status NoNewPrivs -p NoNewPrivileges=yes)" = 1 ]
    [ "$(self_status NoNewPrivs)" = 0 ]
    run "$C" run -p CapabilityBoundingSet=CAP_NONSENSE -- true
    [ "$status" -ne 0 ]
    one_line CAP_NONSENSE
}

# The securebits of a process under the given settings.
secure_bits() {
    "$C" run "$@" -- python3 -c 'import ctypes; print(ctypes.CDLL(None).prctl(27))'
}

@test "SecureBits, of root, of a user, and beside sets of capabilities" {
    [ "$(secure_bits)" = 0 ]
    [ "$(secure_bits -p SecureBits=noroot -p 'SecureBits=noroot-locked no-setuid-fixup')" = 7 ]
    # Exec takes keep-caps back, but not its lock.
    [ "$(secure_bits -p 'SecureBits=keep-caps keep-caps-locked')" = 32 ]
    [ "$(secure_bits -p SecureBits=noroot-locked -p User=nobody)" = 2 ]
    [ "$(secure_bits -p SecureBits=noroot-locked -p User=nobody -p NoNewPrivileges=yes -p PrivatePIDs=yes)" = 2 ]
    [ "$(secure_bits -p SecureBits=no-setuid-fixup -p CapabilityBoundingSet=CAP_CHOWN)" = 4 ]
    [ "$(secure_bits -p SecureBits=no-setuid-fixup -p CapabilityBoundingSet=CAP_CHOWN -p User=nobody)" = 4 ]
    [ "$(secure_bits -p SecureBits=noroot -p PrivateUsers=yes -p User=nobody)" = 1 ]
    # What it takes to set them is not left behind.
    [ "$(self_status CapEff -p SecureBits=noroot)" = 0000000000000000 ]
    [ "$(self_status CapPrm -p SecureBits=no-setuid-fixup -p User=nobody)" = 0000000000000000 ]
    [ "$(self_status CapPrm -p SecureBits=no-setuid-fixup -p CapabilityBoundingSet=CAP_CHOWN)" = 0000000000000001 ]
    [ "$(self_status CapEff -p SecureBits=noroot -p User=nobody -p AmbientCapabilities=CAP_KILL)" = 0000000000000020 ]
    run "$C" run -p SecureBits=norot -- true
    expect 2
    one_line 'SecureBits=norot: there is no such bit; did you mean noroot'
}

@test "SystemCallFilter= forbids, allows, and says what was blocked" {
    run "$C" run --name blocked -p 'SystemCallFilter=~mkdir mkdirat' -- mkdir "$T/made"
    expect 159
    [ ! -e "$T/made" ]
    is blocked cause system-call
    run "$C" status blocked
    [[ "$output" == *"system call"* ]]
    run "$C" run -p 'SystemCallFilter=~mkdir mkdirat' -p SystemCallErrorNumber=EACCES -- mkdir "$T/made"
    expect 1
    [[ "$output" == *"Permission denied"* ]]
    # An allow list without write: the program starts, and ends at its first write.
    run "$C" run -p SystemCallFilter='read close mmap openat fstat newfstatat mprotect pread64 arch_prctl set_tid_address set_robust_list rseq prlimit64 getrandom brk munmap access' -- echo hello
    expect 159
    [ "$(self_status Seccomp -p SystemCallFilter=~mkdir)" = 2 ]
    run "$C" run -p SystemCallFilter=no_such_call -- true
    [ "$status" -ne 0 ]
    one_line no_such_call
    # One profile, one compiled filter.
    "$C" start -p SystemCallFilter=~mkdir sleep 1000
    before=$("$C" --json self | jq .filters)
    "$C" start -p SystemCallFilter=~mkdir sleep 1000
    [ "$("$C" --json self | jq .filters)" -eq "$before" ]
}

@test "SeccompProfile= takes an OCI profile, with arguments" {
    cat >"$T/profile.json" <<'P'
{ "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_AARCH64"],
  "syscalls": [ { "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13 },
                { "names": ["personality"], "action": "SCMP_ACT_ERRNO",
                  "args": [ { "index": 0, "value": 8, "op": "SCMP_CMP_EQ" } ] } ] }
P
    run "$C" run -p SeccompProfile="$T/profile.json" -- mkdir "$T/made"
    expect 1
    [[ "$output" == *"Permission denied"* ]]
    run "$C" run -p SeccompProfile="$T/profile.json" -- true
    expect 0
    run "$C" run -p SeccompProfile="$T/profile.json" -- setarch -R true
    expect 0
    run "$C" run -p SeccompProfile="$T/profile.json" -- setarch --uname-2.6 true
    expect 0
    run "$C" run -p SeccompProfile="$T/profile.json" -- setarch linux32 true
    [ "$status" -ne 0 ]
    echo '{ "defaultAction": ' >"$T/broken.json"
    run "$C" run -p SeccompProfile="$T/broken.json" -- true
    [ "$status" -ne 0 ]
    one_line broken.json
}

@test "a limit whose controller is missing is refused with reason and remedy, and nothing is left" {
    ! has_controller memory || skip "the memory controller is here"
    for limit in MemoryMax=10M CPUQuota=50% TasksMax=10 IOWeight=50 AllowedCPUs=0; do
        run "$C" start --name "l" -p "$limit" sleep 60
        expect 1
        one_line "${limit%%=*}.*held by cgroup v1.*boot with"
    done
    [ -z "$(find "$CGROUP" -mindepth 1 -maxdepth 1 -type d -name '*-l')" ]
    run "$C" status l
    expect 4
    run "$C" doctor
    [[ "$output" == *memory*missing* && "$output" == *systemd.unified_cgroup_hierarchy=1* ]]
}
