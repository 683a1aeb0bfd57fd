#!/usr/bin/env bats
# RootImage=: a root that is a file system in a file.
# shellcheck disable=SC2016

load helper

# Makes $T/$1, of what is in $T/root beside that, with that size.
make_image() {
    truncate -s "$2" "$T/$1"
    mke2fs -q -t ext4 -d "$T/root" "$T/$1"
}

setup() {
    [ "$(id -u)" -eq 0 ]
    needs_loop
    prepare
    start_agent
    make_root
    mkdir -p "$T/root"/{dev,sys,run,etc,home}
    make_image image 8M
}

# Fails if a loop device still shows one of the test's files.
leftovers() {
    eventually no_loop
}

no_loop() {
    ! grep -qs "^$T" /sys/block/loop*/loop/backing_file
}

loops() {
    cat /sys/block/loop*/loop/backing_file 2>/dev/null | grep -c "^$T" || true
}

# What the file system of / is as the shell sees it: its options, then those of its own.
root_mount='sed -n "s,.* / / \([^ ]*\) .* - ext4 [^ ]* ,\1 ,p" /proc/self/mountinfo'

in_image() {
    see RootImage="$T/image" BindReadOnlyPaths=/usr "$@"
}

@test "its / is the file system in the file, which keeps what is written" {
    in_image 'ls /; test -e /proc/self/status && echo proc; test -d /sys/fs && echo sys; test -c /dev/null && echo dev; stat -f -c %T /run; pwd; echo words >/etc/file'
    expect 0
    [[ "$output" == *lost+found*$'proc\nsys\ndev\ntmpfs\n/' ]]
    in_image "cat /etc/file; $root_mount"
    [ "$output" = "words
rw,nodev,relatime rw" ]
    in_image "ReadOnlyPaths=+/etc /home" '(: >/etc/x) 2>/dev/null || echo etc; (: >/home/x) 2>/dev/null || echo home'
    [ "$output" = etc ]
    in_image ProtectSystem=strict PrivateTmp=yes PrivateDevices=yes '(: >/etc/x) 2>/dev/null || echo etc; : >/tmp/x; test -e /dev/loop-control || echo few'
    [ "$output" = "etc
few" ]
    no_loop
}

@test "RootImageOptions=" {
    in_image RootImageOptions=ro,nosuid,noexec,dev "$root_mount; (: >/home/x) 2>/dev/null || echo home"
    [ "$output" = "ro,nosuid,noexec,relatime ro
home" ]
    in_image RootImageOptions=root:commit=7,discard "$root_mount"
    [ "$output" = "rw,nodev,relatime rw,discard,commit=7" ]
    in_image RootImageOptions=other true
    expect 1
    one_line "RootImageOptions: $T/image: its file system has no such option"
    in_image RootImageOptions=home:ro true
    expect 2
    one_line 'RootImageOptions=home.*no such partition'
    no_loop
}

@test "several that share a file share what they write, by one loop device, gone with the last" {
    "$C" start --name one -p RootImage="$T/image" -p BindReadOnlyPaths=/usr -- sh -c 'echo one >/home/file; echo written; sleep 1000'
    eventually sh -c "'$C' logs one | grep written"
    in_image 'cat /home/file; echo two >/home/file'
    [ "$output" = one ]
    # Read-only is what this one makes of it, not what the file is.
    in_image RootImageOptions=ro 'cat /home/file; (: >/home/x) 2>/dev/null || echo read-only'
    [ "$output" = "two
read-only" ]
    [ "$(loops)" -eq 1 ]
    "$C" stop one
    eventually no_loop
    "$C" start --name one -p RootImage="$T/image" -p RootImageOptions=ro -p BindReadOnlyPaths=/usr -- sleep 1000
    in_image true
    expect 1
    one_line 'mounted read-only already'
    "$C" stop one
    [ "$(loops)" -eq 0 ]
}

@test "a file that cannot be written to; a start again; a successor of the agent" {
    mkdir "$T/fixed"
    mount -t tmpfs none "$T/fixed"
    cp "$T/image" "$T/fixed/"
    mount -o remount,ro "$T/fixed"
    see RootImage="$T/fixed/image" BindReadOnlyPaths=/usr "$root_mount"
    eventually umount "$T/fixed"
    [ "$output" = "ro,nodev,relatime ro" ]
    "$C" start --name again -p RootImage="$T/image" -p BindReadOnlyPaths=/usr -p ExecStartPre='/bin/touch /home/before' -- \
        sh -c 'ls /home; sleep 1000'
    kill -KILL "$(core)"
    eventually "$C" ping
    "$C" restart again
    eventually sh -c "'$C' logs again | grep -c before | grep 2"
    [ "$(loops)" -eq 1 ]
    "$C" stop again
    eventually no_loop
}

@test "under DevicePolicy= it has what it takes, as with systemd" {
    in_image DevicePolicy=closed 'head -c 1 /dev/kmsg 2>/dev/null || echo closed; (exec 3<>/dev/loop-control) && echo loop'
    expect 0
    [ "$output" = "closed
loop" ]
    in_image DevicePolicy=strict DeviceAllow=/dev/null 'echo runs'
    [ "$output" = runs ]
}

@test "what is no file system that is known is refused in one line, and nothing is left" {
    head -c 100K /dev/zero >"$T/zero"
    { head -c 512 /dev/zero; printf 'EFI PART'; head -c 100K /dev/zero; } >"$T/disk"
    : >"$T/empty"
    mkfifo "$T/fifo"
    # A file system that says that it is larger than the file.
    cp "$T/image" "$T/cut"
    truncate -s 100K "$T/cut"
    local file words
    while read -r file words; do
        run "$C" run -p RootImage="$T/$file" -- true
        expect 1
        one_line "RootImage: $T/$file: .*$words"
    done <<'REFUSED'
missing No such file
zero does not begin with a file system that is known
empty does not begin with a file system that is known
disk is a disk with partitions
root Is a directory
fifo Block device required
cut .
REFUSED
    run "$C" run -p RootImage="$T/image" -p RootDirectory="$T/root" -- true
    expect 1
    one_line 'RootImage: RootDirectory= is set too'
    run "$C" run -p RootImage=image -- true
    expect 2
    in_image "ReadOnlyPaths=+/missing" true
    expect 1
    run "$C" run -p RootImage="$T/image" -- /nonesuch/command
    expect 1
    no_loop
    [ -z "$(find "$CGROUP" -mindepth 1 -maxdepth 1 -name '[0-9]*')" ]
}
