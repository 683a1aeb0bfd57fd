#!/usr/bin/env bats
# StateDirectoryQuota= and its like: what a process may take of a disk, on a file system that is mounted below
# /var/lib for the test.
# shellcheck disable=SC2016

load helper

# Makes a file system of those features, mounted with those options, at $DISK. In the machine its kernel
# must know it.
mount_disk() {
    truncate -s 32M "$T/disk.img"
    mke2fs -q -t ext4 -b 4096 -O "$1" -E root_owner=0:0 "$T/disk.img"
    mkdir -p "$DISK"
    mount -o "loop,$2" "$T/disk.img" "$DISK" && return
    [ -z "${HOLDEN_VM:-}" ] || return 1
    skip "this kernel has no disk quotas"
}

unmount_disk() {
    ! mountpoint -q "$DISK" || umount "$DISK"
}

setup() {
    modprobe -q quota_v2 2>/dev/null || true
    needs_loop
    prepare
    NAME=holden-quota-$$-$BATS_TEST_NUMBER
    DISK=/var/lib/$NAME
    start_agent
}

leftovers() {
    eventually unmount_disk
    rm -rf "$DISK"
}

# As many KiB as fit into a file of its own, of $1 KiB.
fill='fill() { head -c ${1}K /dev/zero >$STATE_DIRECTORY/file$2 2>/dev/null; echo $(($(stat -c %s $STATE_DIRECTORY/file$2) / 1024)); }; fill'

limited() {
    see StateDirectory="$NAME/own" User=daemon "$@"
}

@test "a process has so much of the disk; the setting can change, and go away" {
    mount_disk quota,project prjquota
    limited StateDirectoryQuota=1M "$fill 4096"
    expect 0
    [ "$output" -le 1024 ] && [ "$output" -ge 900 ] || { echo "$output"; return 1; }
    # What was there before counts; a higher limit lets more in.
    limited StateDirectoryQuota=3M "$fill 4096 2"
    [ "$output" -le 2148 ] && [ "$output" -ge 1700 ] || { echo "$output"; return 1; }
    limited StateDirectoryQuota=3M 'mkdir $STATE_DIRECTORY/a 2>/dev/null; (echo x >$STATE_DIRECTORY/b) 2>/dev/null; rm $STATE_DIRECTORY/file; echo x >$STATE_DIRECTORY/b && cat $STATE_DIRECTORY/b'
    [ "${lines[-1]}" = x ]
    # Beside it there is room.
    see StateDirectory="$NAME/other" User=daemon "$fill 4096"
    [ "$output" = 4096 ]
    limited "$fill 4096"
    [ "$output" = 4096 ]
    limited StateDirectoryQuota=1M "$fill 4096 3"
    [ "$output" = 0 ]
    limited StateDirectoryQuota=off "$fill 4096 3"
    [ "$output" = 4096 ]
}

@test "all directories of one setting are counted together; a percentage is one of the disk, and of its files" {
    mount_disk quota,project prjquota
    mkdir "$DISK/own"
    head -c 512K /dev/zero >"$DISK/own/before"
    see StateDirectory="$NAME/own $NAME/more/deep" User=daemon StateDirectoryQuota=1M \
        'for d in own more/deep; do head -c 1M /dev/zero >/var/lib/'"$NAME"'/$d/file; done 2>/dev/null; cat /var/lib/'"$NAME"'/*/file /var/lib/'"$NAME"'/more/deep/file | wc -c'
    [ "$output" -le $((512 * 1024)) ] && [ "$output" -ge $((400 * 1024)) ] || { echo "$output"; return 1; }
    rm -rf "$DISK/own" "$DISK/more"
    # Files before bytes: without bytes the directory cannot grow.
    limited StateDirectoryQuota=10% ': >$STATE_DIRECTORY/file; i=0; while (: >$STATE_DIRECTORY/n$i) 2>/dev/null; do i=$((i + 1)); done; echo $((i >= 500 && i < 1000)); '"$fill 8192"
    expect 0
    [ "${lines[0]}" = 1 ]
    [ "${lines[1]}" -le 3277 ] && [ "${lines[1]}" -ge 2000 ] || { echo "$output"; return 1; }
    limited StateDirectoryQuota=0 "$fill 64 zero"
    [ "$output" = 0 ] || [ "$status" -ne 0 ]
}

@test "in a user namespace root is held to it too, and nobody can take a file out of it" {
    mount_disk quota,project prjquota
    local user
    for user in root daemon; do
        see StateDirectory="$NAME/own" StateDirectoryQuota=1M PrivateUsers=yes User="$user" \
            'mkdir -p $STATE_DIRECTORY/a; head -c 2M /dev/zero >$STATE_DIRECTORY/a/file; chattr -p 0 $STATE_DIRECTORY/a/file && echo left; ls $STATE_DIRECTORY/a' 2>/dev/null
        [[ "$output" != *left* && "$output" == *file ]]
        [ "$(stat -c %s "$DISK/own/a/file")" -le $((1024 * 1024)) ]
        rm -r "$DISK/own"
    done
}

@test "whom the kernel holds to no quota is refused one" {
    run "$C" run -p StateDirectory="$NAME/own" -p StateDirectoryQuota=1M -- true
    expect 1
    one_line 'StateDirectoryQuota: no quota holds a process with CAP_SYS_RESOURCE'
    [ ! -e "$DISK" ]
    run "$C" run -p StateDirectoryQuota=1M -- true
    expect 0
}

@test "where the file system holds nobody to it, it is refused with what to do" {
    mount_disk ^quota,^project defaults
    run "$C" run -p User=daemon -p StateDirectory="$NAME/own" -p StateDirectoryQuota=1M -- true
    expect 1
    one_line "StateDirectoryQuota: /var/lib/$NAME/own: its file system has no project quotas in force.*prjquota"
    # Without the setting, or without a limit, nobody asks.
    limited true
    expect 0
    limited StateDirectoryQuota=off true
    expect 0
    unmount_disk
    mount -t tmpfs none "$DISK"
    run "$C" run -p StateDirectory="$NAME/own" -p StateDirectoryQuota=50% -p User=daemon -- true
    expect 1
    one_line 'no project quotas in force'
    mkdir -p "$DISK"
    run "$C" run -p StateDirectory="$NAME" -p StateDirectoryQuota=1x -- true
    expect 2
}

@test "one that counts, but does not say no, is refused too" {
    mount_disk quota,project defaults
    run "$C" run -p StateDirectory="$NAME/own" -p StateDirectoryQuota=1M -p User=daemon -- true
    expect 1
    one_line 'no project quotas in force'
}

@test "what is in memory has its size, and its number of files" {
    see TemporaryFileSystem=/mnt:size=1M,nr_inodes=10 'head -c 4M /dev/zero >/mnt/file 2>/dev/null; stat -c %s /mnt/file; i=0; while (: >/mnt/n$i) 2>/dev/null; do i=$((i + 1)); done; echo $((i < 10))'
    [ "$output" = "1048576
1" ]
}
