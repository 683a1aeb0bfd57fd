#!/usr/bin/env bats
# A hostile program under Sandbox=strict: no attempt to get out works. All are made in one process, once, and
# each is a test here; what each of them does is in escape.c.

load helper

setup_file() {
    prepare
    start_agent
    mkdir "$T/hostile"
    cp "$TESTS/escape" "$T/hostile/"
    # Pending signals show whether any has come.
    env --block-signal=URG sleep 1000 3>&- &
    OUTSIDE=$!
    # Where it begins must be somewhere that it can see.
    cd /
    "$C" run --name hostile -p Sandbox=strict -p BindReadOnlyPaths="$T/hostile:/mnt" -- \
        /mnt/escape all "$OUTSIDE" "$T" >"$T/outcome" 2>"$T/complaints"
    export T GROUP CGROUP AGENT OUTSIDE
}

teardown_file() {
    kill "$OUTSIDE"
    wait "$OUTSIDE" || true
    stop_agent || { sweep; return 1; }
    rm -rf "$T"
}

setup() { :; }
teardown() { :; }

# The attempt has been made and has failed, by one of these errors where some are given.
fails() {
    local why
    why=$(sed -n "s/^$1: //p" "$T/outcome")
    echo "$1: ${why:-not made}"
    [ -n "$why" ] && [ "$why" != out ] && [ "$why" != 'not made' ]
    [ $# -eq 1 ] || [[ " ${*:2} " == *" $why "* ]]
}

@test "mount a file system" {
    fails mount_tmpfs EPERM
}

@test "mount another /proc" {
    fails mount_proc EPERM
}

@test "mount / elsewhere" {
    fails mount_bind EPERM
}

@test "make / writable" {
    fails mount_writable EPERM
}

@test "mount the cgroups" {
    fails mount_cgroups EPERM
}

@test "unmount /proc" {
    fails unmount_proc EPERM
}

@test "unmount /tmp" {
    fails unmount_tmp EPERM
}

@test "clone the tree of mounts" {
    fails mount_open_tree EPERM
}

@test "open a file system" {
    fails mount_fsopen EPERM
}

@test "make all mounts writable" {
    fails mount_setattr_writable EPERM ENOSYS
}

@test "chroot" {
    fails change_root EPERM
}

@test "pivot_root" {
    fails pivot EPERM
}

@test "write to /etc" {
    fails write_etc EROFS EACCES
}

@test "write to /usr" {
    fails write_usr EROFS EACCES
}

@test "write to /var" {
    fails write_var EROFS EACCES
}

@test "read the passwords" {
    fails read_passwords EACCES
}

@test "write to /" {
    fails write_root EROFS EACCES
}

@test "write to somebody's directory in /tmp" {
    fails write_elsewhere ENOENT
}

@test "look into the homes" {
    fails see_home
}

@test "look into /run" {
    fails see_run
}

@test "set the set-user-ID bit" {
    fails set_user_id EPERM
}

@test "make a file with the set-user-ID bit" {
    fails make_set_user_id EPERM
}

@test "give a file to another user" {
    fails give_away EPERM EINVAL
}

@test "open a file by its handle" {
    fails by_handle EPERM
}

@test "write through a symbolic link" {
    fails through_symlink EROFS EACCES
}

@test "write through the init's root" {
    fails through_proc_root
}

@test "write through the init's directory" {
    fails through_proc_cwd
}

@test "find a descriptor that was left open" {
    fails more_descriptors EBADF
}

@test "go up from one of the streams" {
    fails streams_lead_up ENOTDIR
}

@test "type into a terminal" {
    fails push_into_terminal
}

@test "take a process's descriptor" {
    fails take_descriptor
}

@test "leave the cgroup" {
    fails cgroup_leave
}

@test "leave the cgroup of a hybrid machine" {
    fails cgroup_leave_v1
}

@test "make a cgroup" {
    fails cgroup_make
}

@test "have the kernel run a program for cores" {
    fails set_core_pattern EROFS EACCES ENOENT
}

@test "have the kernel run a program for modules" {
    fails set_modprobe EROFS EACCES ENOENT
}

@test "register an interpreter" {
    fails set_binfmt
}

@test "have the kernel run a program for devices" {
    fails set_uevent_helper EROFS EACCES ENOENT
}

@test "press a system request key" {
    fails press_sysrq EROFS EACCES ENOENT
}

@test "read the kernel's memory" {
    fails read_kcore
}

@test "read the kernel's log" {
    fails read_kmsg
}

@test "read the memory of the machine" {
    fails read_memory
}

@test "be spared when memory runs out" {
    fails spare_from_memory EACCES EPERM EROFS
}

@test "map more users" {
    fails map_users
}

@test "make a character device" {
    fails node_character EPERM
}

@test "make a block device" {
    fails node_block EPERM
}

@test "open the console" {
    fails open_console
}

@test "open a disk" {
    fails open_disk
}

@test "open FUSE" {
    fails open_fuse
}

@test "reach IO ports" {
    fails open_ports EPERM
}

@test "signal everybody" {
    fails signal_all
}

@test "signal a process outside" {
    fails signal_one ESRCH
}

@test "signal a thread outside" {
    fails signal_thread ESRCH
}

@test "trace a process outside" {
    fails trace_outside
}

@test "trace the namespace's init" {
    fails trace_init
}

@test "write to a process's memory" {
    fails write_memory
}

@test "see a process outside" {
    fails see_outside ENOENT
}

@test "limit a process outside" {
    fails limit_outside ESRCH EPERM
}

@test "a new user namespace" {
    fails unshare_user EPERM
}

@test "a new mount namespace" {
    fails unshare_mounts EPERM
}

@test "a child in a new user namespace" {
    fails clone_user EPERM
}

@test "the same by clone3" {
    fails clone3_user ENOSYS EPERM
}

@test "enter the init's namespace" {
    fails enter_namespace
}

@test "become another user" {
    fails become_other EPERM EINVAL
}

@test "join a group" {
    fails join_groups EPERM
}

@test "raise capabilities" {
    fails raise_capabilities EPERM
}

@test "have a capability" {
    fails have_capability EPERM
}

@test "take back NoNewPrivileges=" {
    fails allow_privileges EINVAL
}

@test "change the personality" {
    fails change_personality EPERM
}

@test "set the host name" {
    fails set_host_name EPERM
}

@test "io_uring" {
    fails ring_setup EPERM
}

@test "load a BPF program" {
    fails load_bpf EPERM
}

@test "trace the kernel" {
    fails trace_kernel EPERM
}

@test "load a kernel" {
    fails load_kernel EPERM
}

@test "load a module" {
    fails load_module EPERM
}

@test "unload a module" {
    fails unload_module EPERM
}

@test "handle page faults" {
    fails handle_faults EPERM
}

@test "reboot" {
    fails reboot_machine EPERM
}

@test "swap on a file" {
    fails swap_on EPERM
}

@test "switch accounting off" {
    fails account EPERM
}

@test "read the kernel's log by its call" {
    fails read_log EPERM
}

@test "set the clock" {
    fails set_clock EPERM
}

@test "add a key to the user's keyring" {
    fails add_key EPERM
}

@test "join another keyring" {
    fails join_keyring EPERM
}

@test "watch all files" {
    fails watch_all_files EPERM
}

@test "system calls of another architecture" {
    fails old_calls SIGSYS EPERM ENOSYS SIGSEGV
}

@test "memory to write and execute" {
    fails write_and_execute EPERM
}

@test "make memory executable" {
    fails become_executable EPERM
}

@test "schedule in real time" {
    fails real_time EPERM
}

@test "raise the priority" {
    fails raise_priority EPERM EACCES
}

@test "raise a hard limit" {
    fails raise_limit EPERM
}

@test "an internet socket" {
    fails internet EAFNOSUPPORT
}

@test "a socket for raw packets" {
    fails raw_packets EAFNOSUPPORT
}

@test "a netlink socket" {
    fails netlink EAFNOSUPPORT
}

@test "a socket of the kernel's cryptography" {
    fails crypto EAFNOSUPPORT
}

@test "a socket of the virtual machine" {
    fails virtual EAFNOSUPPORT
}

@test "ask the agent by its socket" {
    fails ask_agent EAFNOSUPPORT
}

@test "every attempt has a test" {
    [ "$("$TESTS/escape" list | sort)" = "$(sed -n 's/^    fails \([a-z0-9_]*\).*/\1/p' "$BATS_TEST_FILENAME" | sort)" ]
    [ "$(wc -l <"$T/outcome")" -ge 90 ]
}

@test "nobody outside has got a signal, and nothing there has changed" {
    grep -qE '^ShdPnd:\s0+$' "/proc/$OUTSIDE/status"
    grep -qE '^SigPnd:\s0+$' "/proc/$OUTSIDE/status"
    [ -z "$(find / -xdev -maxdepth 2 -name escaped 2>/dev/null)" ]
    [ ! -e "$T/escaped" ]
    "$C" ping
    [ ! -s "$T/complaints" ]
}
