#!/usr/bin/env bats
# What the filters of Restrict*=, LockPersonality=, MemoryDenyWriteExecute= and the sets of system calls come to.
# shellcheck disable=SC2016

load helper

# Runs a line of Python under the settings before --.
python() {
    local settings=()
    while [ "$1" != -- ]; do
        settings+=(-p "$1")
        shift
    done
    run "$C" run "${settings[@]}" -- python3 -c "$2"
}

# Fails unless the last `run` was an OSError of this name.
fails_with() {
    expect 1
    [[ "$output" == *"[Errno $(python3 -c "import errno; print(errno.$1)")]"* ]] ||
        { echo "not $1: $output"; return 1; }
}

@test "SystemCallFilter= takes sets, errors of single calls, and kill among them" {
    run "$C" run -p SystemCallFilter=@system-service -- cat /etc/hostname
    expect 0
    run "$C" run -p 'SystemCallFilter=~mkdir:ENOSPC mkdirat:ENOSPC @chown:kill' -- mkdir "$T/made"
    expect 1
    [[ "$output" == *"No space left"* ]]
    run "$C" run -p 'SystemCallFilter=~mkdir:ENOSPC @chown:kill' -- chown 1 "$T"
    expect 159
    [ "$(stat -c %u "$T")" = 0 ]
    run "$C" run -p SystemCallFilter=@sistem-service -- true
    expect 2
    one_line "did you mean @system-service"
    run "$C" run -p SystemCallFilter=read:EPERM -- true
    expect 2
    one_line "behind a leading ~"
    "$C" start --name shown -p 'SystemCallFilter=@system-service' -p 'SystemCallFilter=~kill:EPERM' sleep 60
    run "$C" status shown
    [[ "$output" == *"@system-service"*"~kill:EPERM"* ]]
}

@test "RestrictNamespaces=" {
    run "$C" run -p RestrictNamespaces=yes -- unshare --uts true
    expect 1
    [[ "$output" == *"Operation not permitted"* ]]
    run "$C" run -p RestrictNamespaces=uts -- unshare --uts true
    expect 0
    run "$C" run -p RestrictNamespaces=~uts -- unshare --uts true
    expect 1
    run "$C" run -p RestrictNamespaces=yes -- sh -c 'true | true'
    expect 0
}

@test "RestrictAddressFamilies=" {
    python RestrictAddressFamilies='AF_UNIX AF_INET' -- 'import socket; socket.socket(socket.AF_INET); socket.socket(socket.AF_UNIX)'
    expect 0
    python RestrictAddressFamilies='AF_UNIX AF_INET' -- 'import socket; socket.socket(socket.AF_NETLINK)'
    fails_with EAFNOSUPPORT
    python RestrictAddressFamilies=none -- 'import socket; socket.socket(socket.AF_UNIX)'
    fails_with EAFNOSUPPORT
    python RestrictAddressFamilies=~AF_INET -- 'import socket; socket.socket(socket.AF_UNIX); socket.socket(socket.AF_INET)'
    fails_with EAFNOSUPPORT
}

@test "RestrictRealtime=, RestrictSUIDSGID=, LockPersonality=" {
    run "$C" run -p RestrictRealtime=yes -- chrt --fifo 1 true
    expect 1
    run "$C" run -p RestrictRealtime=yes -- chrt --batch 0 true
    expect 0
    touch "$T/file"
    run "$C" run -p RestrictSUIDSGID=yes -- chmod u+s "$T/file"
    expect 1
    run "$C" run -p RestrictSUIDSGID=yes -- chmod 600 "$T/file"
    expect 0
    [ "$(stat -c %a "$T/file")" = 600 ]
    run "$C" run -p LockPersonality=yes -- setarch -R true
    expect 1
    run "$C" run -p LockPersonality=no -- setarch -R true
    expect 0
    # With Personality= it is locked to that one, and the way back is closed.
    run "$C" run -p LockPersonality=yes -p Personality=x86 -- python3 -c '
import ctypes
call = ctypes.CDLL(None).personality
print(call(0xffffffff), call(8), call(0))'
    expect 0
    [ "$output" = '-1 8 -1' ]
}

@test "MemoryDenyWriteExecute=" {
    python MemoryDenyWriteExecute=yes -- 'import mmap; mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)'
    fails_with EPERM
    python MemoryDenyWriteExecute=yes -- 'import mmap; mmap.mmap(-1, 4096)'
    expect 0
}

@test "several at once are one filter, and a process without root has it too" {
    run "$C" run -p User=nobody -p RestrictNamespaces=yes -p RestrictRealtime=yes -p RestrictSUIDSGID=yes \
        -p LockPersonality=yes -p MemoryDenyWriteExecute=yes -p 'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6' \
        -p SystemCallFilter=@system-service -p SystemCallFilter=~@privileged -p SystemCallErrorNumber=EPERM \
        -- sed -n 's/^\(NoNewPrivs\|Seccomp_filters\):\t//p' /proc/self/status
    expect 0
    [ "$output" = $'1\n1' ]
}
