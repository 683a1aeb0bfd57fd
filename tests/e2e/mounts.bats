#!/usr/bin/env bats
# The file system as a process sees it under each property that changes it.
# shellcheck disable=SC2016,SC2030,SC2031

load helper

# What the last line said was refused, naming the property and the path.
refused() {
    [ "$status" -eq 1 ] || { echo "status $status: $output"; return 1; }
    one_line "$1"
}

writable='w() { for p; do t=$p/holden-probe.$$; if (: >$t) 2>/dev/null; then rm -f $t; echo "$p yes"; else echo "$p no"; fi; done; }; w'

@test "without such a property, no mount table of its own" {
    see 'readlink /proc/self/ns/mnt'
    [ "$output" = "$(readlink /proc/self/ns/mnt)" ]
}

@test "PrivateMounts: its mounts are nobody else's, those of others still arrive" {
    # Mount tables that it makes itself hear of its mounts: the table is shared, as systemd's are.
    see PrivateMounts=yes 'awk "\$5 == \"/\" { print \$7 }" /proc/self/mountinfo; mount -t tmpfs none /mnt
        unshare -m --propagation=unchanged sh -c "mkdir /mnt/a; mount -t tmpfs none /mnt/a"; grep -c " /mnt/a " /proc/self/mountinfo'
    [[ "${lines[0]}" == shared:* && "${lines[1]}" == 1 ]]
    see PrivateMounts=yes 'readlink /proc/self/ns/mnt; mount -t tmpfs none /mnt && grep -c " /mnt " /proc/self/mountinfo'
    expect 0
    [ "${lines[0]}" != "$(readlink /proc/self/ns/mnt)" ]
    [ "${lines[1]}" -ge 1 ]
    [ "$(grep -c ' /mnt tmpfs' /proc/mounts)" -eq 0 ]
}

@test "ReadOnlyPaths, ReadWritePaths: by the nearest, with - and missing paths" {
    mkdir -p "$T/a/b/c" "$T/a-b"
    chmod -R 777 "$T/a" "$T/a-b"
    see ReadOnlyPaths="$T" ReadWritePaths="$T/a/b" "$writable $T $T/a $T/a/b $T/a/b/c $T/a-b /tmp"
    expect 0
    [ "$output" = "$T no
$T/a no
$T/a/b yes
$T/a/b/c yes
$T/a-b no
/tmp yes" ]
    see "ReadOnlyPaths=-$T/missing" true
    expect 0
    see "ReadOnlyPaths=$T/missing" true
    refused "ReadOnlyPaths.*$T/missing.*No such file"
    [ -z "$(find "$CGROUP" -mindepth 1 -maxdepth 1 -name '[0-9]*')" ]
    # A path may have spaces; a file is as good as a directory.
    mkdir "$T/two words"
    : >"$T/file"
    see "ReadOnlyPaths=\"$T/two words\" $T/file" "$writable '$T/two words'; (: >>$T/file) 2>&1"
    [[ "$output" == *"two words no"*"Read-only"* ]]
}

@test "ReadOnlyPaths reach mounts below, and leave alone what was read-only before" {
    mkdir -p "$T/m/sub" "$T/m/ro"
    mount -t tmpfs none "$T/m/sub"
    mount -t tmpfs -o ro none "$T/m/ro"
    see ReadOnlyPaths="$T/m" "$writable $T/m $T/m/sub"
    [ "$output" = "$T/m no
$T/m/sub no" ]
    mkdir "$T/m/sub/rw"
    see ReadOnlyPaths="$T/m" ReadWritePaths="$T/m/sub/rw $T/m/ro" "$writable $T/m $T/m/sub $T/m/sub/rw $T/m/ro"
    umount "$T/m/sub" "$T/m/ro"
    [ "$output" = "$T/m no
$T/m/sub no
$T/m/sub/rw yes
$T/m/ro no" ]
}

@test "InaccessiblePaths: files, directories, devices, sockets, all below" {
    mkdir -p "$T/d/inner"
    echo secret >"$T/f"
    mkfifo "$T/p"
    see InaccessiblePaths="$T/d $T/f $T/p /dev/null -$T/missing" ReadWritePaths="-$T/d/inner" \
        "ls -A $T/d | wc -l; stat -c '%a %F' $T/d $T/f $T/p /dev/null; cat $T/f; (: >$T/d/x) 2>&1; (: >>$T/f) 2>&1"
    [ "${lines[0]}" = 0 ]
    [ "${lines[1]}" = "0 directory" ]
    [ "${lines[2]}" = "0 regular empty file" ]
    [ "${lines[3]}" = "0 fifo" ]
    [ "${lines[4]}" = "0 character special file" ]
    [[ "${lines[5]}" == *Read-only* ]]
    [[ "${lines[6]}" == *Read-only* ]]
    see InaccessiblePaths="$T/d" User=nobody "ls $T/d"
    [[ "$output" == *"Permission denied"* ]]
}

@test "ExecPaths, NoExecPaths" {
    mkdir -p "$T/x/y"
    cp /bin/true "$T/x/true"
    cp /bin/true "$T/x/y/true"
    see NoExecPaths="$T" ExecPaths="$T/x/y" "$T/x/true; echo \$?; $T/x/y/true; echo \$?"
    [[ "$output" == *126$'\n'0 ]]
    # The rest may be forbidden altogether, if what is needed stays.
    see NoExecPaths=/ ExecPaths="/usr /lib /lib64 /bin" "$T/x/true; echo \$?; /bin/true; echo \$?"
    [[ "$output" == *126$'\n'0 ]]
    run "$C" run -p NoExecPaths="$T" -- "$T/x/true"
    refused "exec.*Permission denied"
}

@test "BindPaths, BindReadOnlyPaths" {
    mkdir -p "$T/from/mounted" "$T/to"
    echo hello >"$T/from/file"
    see BindPaths="$T/from:$T/to" "cat $T/to/file; $writable $T/to"
    [ "$output" = "hello
$T/to yes" ]
    see BindReadOnlyPaths="$T/from:$T/to" "cat $T/to/file; $writable $T/to"
    [ "$output" = "hello
$T/to no" ]
    # A target that is missing is made, for a file a file.
    see BindPaths="$T/from/file:$T/new/deep/file" "cat $T/new/deep/file"
    [ "$output" = hello ]
    [ -f "$T/new/deep/file" ]
    [ ! -s "$T/new/deep/file" ]
    # With and without what is mounted below.
    mount -t tmpfs none "$T/from/mounted"
    echo below >"$T/from/mounted/x"
    see BindPaths="$T/from:$T/to" "cat $T/to/mounted/x"
    [ "$output" = below ]
    see BindPaths="$T/from:$T/to:norbind" "ls -A $T/to/mounted | wc -l"
    [ "$output" = 0 ]
    umount "$T/from/mounted"
    see "BindPaths=-$T/missing:$T/to" true
    expect 0
    see "BindPaths=$T/missing:$T/to" true
    refused "BindPaths.*$T/to.*No such file"
}

@test "a bind shows what was there before anything hides it" {
    mkdir -p "$T/v/keep" "$T/v/drop"
    echo kept >"$T/v/keep/x"
    see TemporaryFileSystem="$T/v:ro" BindReadOnlyPaths="$T/v/keep" "ls $T/v; cat $T/v/keep/x; $writable $T/v"
    [ "$output" = "keep
kept
$T/v no" ]
    # The whole file system may go, and only what is named come back.
    see WorkingDirectory=/ TemporaryFileSystem=/:ro BindReadOnlyPaths='/usr /bin /lib -/lib64' "ls / | tr '\n' ' '; $writable /"
    expect 0
    [[ "$output" == *"usr"*"/ no" && "$output" != *etc* ]]
}

@test "TemporaryFileSystem: empty, of a size, with options" {
    mkdir "$T/t"
    : >"$T/t/x"
    see TemporaryFileSystem="$T/t:size=1M,mode=0711" "ls -A $T/t | wc -l; stat -c '%a' $T/t; stat -f -c '%T %b' $T/t; head -c 2M /dev/zero >$T/t/big"
    [ "${lines[0]}" = 0 ]
    [ "${lines[1]}" = 711 ]
    [ "${lines[2]}" = "tmpfs 256" ]
    [[ "${lines[3]}" == *"No space left"* ]]
    [ -e "$T/t/x" ]
    see TemporaryFileSystem="$T/t:nonsense=1" true
    refused "TemporaryFileSystem.*$T/t"
}

@test "PrivateTmp: empty, its own, gone with it" {
    : >"/tmp/holden-outside.$$"
    see PrivateTmp=yes 'ls -A /tmp /var/tmp; stat -c %a /tmp /var/tmp; echo x >/tmp/inside; echo x >/var/tmp/inside'
    rm "/tmp/holden-outside.$$"
    expect 0
    [ "$output" = "/tmp:

/var/tmp:
1777
1777" ]
    [ ! -e /tmp/inside ] && [ ! -e /var/tmp/inside ]
}

@test "PrivateDevices: a /dev with nothing of the machine's" {
    see PrivateDevices=yes 'ls /dev | tr "\n" " "; echo; echo x >/dev/null; head -c 4 /dev/zero | od -An -tx1; head -c 2 /dev/urandom | wc -c; (: >/dev/x) 2>&1; ls -l /dev/fd /dev/stdin | sed "s/.*-> //"; perl -e "open T, q(+<), q(/dev/ptmx) or die; print qq(terminal\\n)"'
    [[ "${lines[0]}" =~ ^char\ core\ fd\ full\ (hugepages\ )?log\ (mqueue\ )?null\ ptmx\ pts\ random\ shm ]] || [[ "${lines[0]}" == *"null"*"urandom zero"* ]]
    [[ "${lines[0]}" != *vda* && "${lines[0]}" != *mem* && "${lines[0]}" != *kmsg* ]]
    [ "${lines[1]}" = " 00 00 00 00" ]
    [ "${lines[2]}" = 2 ]
    [[ "${lines[3]}" == *"Read-only"* ]]
    [[ "$output" == */proc/self/fd*terminal* ]]
    see PrivateDevices=yes 'mknod /tmp/holden-node.$$ c 1 3; grep CapBnd /proc/self/status'
    [[ "$output" == *"not permitted"* ]]
    [ $((16#${lines[1]##*[[:space:]]} & (1 << 27 | 1 << 17))) -eq 0 ]
}

@test "ProtectSystem: yes, full, strict" {
    local dirs='/usr /usr/local /boot /etc /var/tmp /srv /tmp /root /dev/shm'
    see ProtectSystem=yes "$writable $dirs"
    [[ "$output" == "/usr no
/usr/local no
/boot no
/etc yes
/var/tmp yes
/srv yes
/tmp yes
/root yes
/dev/shm yes" ]]
    see ProtectSystem=full "$writable $dirs"
    [[ "$output" == *"/etc no
/var/tmp yes"* ]]
    see ProtectSystem=strict "$writable $dirs"
    [[ "$output" == "/usr no
/usr/local no
/boot no
/etc no
/var/tmp no
/srv no
/tmp no
/root yes
/dev/shm yes" ]]
    see ProtectSystem=strict ReadWritePaths=/var/tmp PrivateTmp=yes "$writable /tmp /var/tmp /var"
    [[ "$output" == "/tmp yes
/var/tmp yes
/var no" ]]
    see ProtectSystem=off "$writable /usr"
    [ "$output" = "/usr yes" ]
}

@test "ProtectHome: yes, read-only, tmpfs" {
    see ProtectHome=yes 'ls -A /home /root 2>/dev/null | grep -v : | grep -c .; stat -c %a /root'
    [ "$output" = "0
0" ]
    see ProtectHome=read-only "$writable /root /home"
    [ "$output" = "/root no
/home no" ]
    see ProtectHome=tmpfs "ls -A /root | wc -l; stat -c %a /root /home; $writable /root"
    [ "$output" = "0
700
755
/root no" ]
}

@test "ProtectProc and ProcSubset" {
    see ProtectProc=invisible User=nobody 'ls -d /proc/[0-9]* | wc -l; ls -d /proc/1'
    [ "${lines[0]}" -lt 5 ]
    [[ "${lines[1]}" == *"No such file"* ]]
    see ProtectProc=noaccess User=nobody 'ls -d /proc/1; cat /proc/1/stat'
    [[ "${lines[0]}" = /proc/1 && "${lines[1]}" == *"cat: "* ]]
    see ProcSubset=pid 'ls -d /proc/self/status /proc/meminfo /proc/sys 2>&1'
    [[ "$output" == *"/proc/meminfo'"*No\ such* && "$output" == *"/proc/sys'"*No\ such* && "$output" == */proc/self/status* ]]
}

@test "ProtectKernelTunables, ProtectKernelModules, ProtectKernelLogs, ProtectControlGroups" {
    see ProtectKernelTunables=yes '(echo 1 >/proc/sys/kernel/panic_on_oops) 2>&1; (echo x >/proc/sysrq-trigger) 2>&1; wc -c </proc/kallsyms; (echo 1 >/sys/kernel/mm/ksm/run) 2>&1; (echo 0 >/sys/kernel/profiling) 2>&1'
    [ "$(grep -c 'Read-only' <<<"$output")" -ge 3 ]
    [[ "$output" == *$'\n'0$'\n'* ]]
    see ProtectKernelModules=yes 'ls /lib/modules 2>/dev/null | wc -l; grep CapBnd /proc/self/status'
    [ "${lines[0]}" = 0 ]
    [ $((16#${lines[1]##*[[:space:]]} & 1 << 16)) -eq 0 ]
    see ProtectKernelLogs=yes 'head -c 1 /dev/kmsg; head -c1 /proc/kmsg; dmesg; grep CapBnd /proc/self/status' # none of it works
    [ $((16#${lines[-1]##*[[:space:]]} & 1 << 34)) -eq 0 ]
    [[ "$output" != *"] "* ]]
    see ProtectControlGroups=yes "(mkdir $CGROUP/x) 2>&1; grep -c ' /proc proc ' /proc/mounts"
    [[ "$output" == *"Read-only"* ]]
}

@test "RootDirectory: another /, with the kernel's file systems unless told otherwise" {
    make_root
    local usr=BindReadOnlyPaths=/usr
    see RootDirectory="$T/root" $usr 'ls /; test -e /proc/self/status && echo proc; test -d /sys/fs && echo sys; test -c /dev/null && echo dev; stat -f -c %T /run; pwd'
    expect 0
    [[ "$output" == *$'proc\nsys\ndev\ntmpfs\n/' ]]
    [[ "$output" != *etc* ]]
    see RootDirectory="$T/root" $usr MountAPIVFS=no 'test -e /proc/self || echo no proc; test -e /dev/null || echo no dev'
    [ "$output" = "no proc
no dev" ]
    # Paths with a + are those below the root, those without are the host's.
    see RootDirectory="$T/root" $usr "ReadOnlyPaths=+/tmp" "$writable /tmp"
    [ "$output" = "/tmp no" ]
    see RootDirectory="$T/root" $usr "ReadOnlyPaths=$T/root/tmp /tmp" "$writable /tmp /"
    [ "$output" = "/tmp no
/ yes" ]
    see RootDirectory="$T/root" $usr PrivateDevices=yes ProtectSystem=strict PrivateTmp=yes "$writable /tmp /; ls /dev/pts >/dev/null && echo pts; test -e /dev/kmsg || echo no kmsg"
    [ "$output" = "/tmp yes
/ no
pts
no kmsg" ]
    # No way out by chroot's old trick.
    see RootDirectory="$T/root" $usr WorkingDirectory=/ 'perl -e "mkdir q(/tmp/j); chroot(q(/tmp/j)) or die; chdir(q(..)) for 1..99; chroot(q(.)); print -e q(/etc/passwd) ? q(out) : q(in)"'
    [[ "$output" == *in ]]
    see RootDirectory="$T/missing" true
    refused "RootDirectory.*$T/missing.*No such file"
}

@test "symbolic links: paths mean what they lead to, and order is by that" {
    mkdir -p "$T/real/in" "$T/other"
    echo x >"$T/other/file"
    ln -s "$T/real" "$T/link"
    ln -s link/in "$T/inner"
    see ReadOnlyPaths="$T/link" ReadWritePaths="$T/inner" "$writable $T/real $T/real/in"
    [ "$output" = "$T/real no
$T/real/in yes" ]
    # The link sorts before what it leads into, and is still mounted after it.
    ln -s "$T/zone/deep" "$T/alias"
    mkdir -p "$T/zone/deep"
    see BindPaths="$T/other:$T/alias" TemporaryFileSystem="$T/zone" "cat $T/zone/deep/file"
    [ "$output" = x ]
    ln -s loop "$T/loop"
    see InaccessiblePaths="$T/loop" true
    refused "InaccessiblePaths.*$T/loop.*symbolic links"
}

@test "bad paths are refused in one line, before anything is made" {
    for bad in ReadOnlyPaths=relative ReadOnlyPaths=/a/../b BindPaths=/a:b BindPaths=/a:/b:other TemporaryFileSystem=x \
        RootDirectory=x ProtectSystem=maybe ProtectHome=strict 'ReadOnlyPaths="/open'; do
        run "$C" run -p "$bad" -- true
        [ "$status" -eq 2 ] || { echo "$bad: $status $output"; return 1; }
        one_line "${bad%%=*}"
    done
}

@test "what hides others' credentials hides nothing else; descriptors do not leak" {
    see ProtectSystem=strict PrivateTmp=yes PrivateDevices=yes ProtectKernelTunables=yes ProtectHome=yes BindPaths="$T:/mnt" \
        'ls /proc/self/fd | tr "\n" " "'
    [[ "$output" == "0 1 2 3 "* ]]
    [ "$(grep -c "$T" /proc/mounts)" -eq 0 ]
}
