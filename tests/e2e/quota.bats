#!/usr/bin/env bats
# What one user may take of the agent, and that others are served whatever that user does.
# shellcheck disable=SC2016

load helper

LOAD=$TESTS/load

setup() {
    prepare
    quotas UserConnectionsMax=4
}

# An agent with these lines in its configuration.
quotas() {
    stop_agent
    printf '%s\n' '[Agent]' Group=games "$@" >"$T/conf"
    start_agent --config "$T/conf"
}

as_member() {
    setpriv --reuid 12345 --regid 12345 --groups 60,12345 -- "$@"
}
as_other() {
    setpriv --reuid 12347 --regid 12347 --groups 60 -- "$@"
}

@test "connections: the next one is refused with one line, others have theirs, a closed one is free" {
    mkdir -m 777 "$T/m"
    as_member "$LOAD" "$HOLDEN_SOCKET" idle 4 sh -c "touch $T/m/there; while [ ! -e $T/go ]; do sleep 0.05; done" 3>&- &
    holder=$!
    eventually test -e "$T/m/there"
    run as_member "$C" ping
    expect 1
    one_line 'user 12345 has 4 connections already \(UserConnectionsMax=.*close some'
    "$C" ping
    as_other "$C" ping
    touch "$T/go"
    wait "$holder"
    eventually as_member "$C" ping
    # Root has no such bound.
    "$LOAD" "$HOLDEN_SOCKET" idle 100 "$C" ping
}

@test "reload puts other quotas, and another file for the audit trail, in force" {
    # Its process is to be there meanwhile.
    as_member "$C" start --name first sleep 1000
    mkdir "$T/trail"
    printf '%s\n' '[Agent]' Group=games UserProcessesMax=1 Audit=file AuditFile="$T/trail/audit" >"$T/conf"
    "$C" reload
    run as_member "$C" start --name second true
    expect 1
    one_line 'UserProcessesMax: user 12345 has 1 processes already'
    as_member "$C" stop first
    as_member "$C" start --name second true
    [ "$(jq -r 'select(.verb == "start" and .target == "second") | .uid' "$T/trail/audit" | sort -u)" = 12345 ]
    "$C" --json self | jq -e '.audited > 4'
    # One that cannot be written to is no place for it.
    printf '%s\n' '[Agent]' Audit=file AuditFile="$T/nowhere/audit" >"$T/conf"
    run "$C" reload
    expect 1
    one_line 'cannot write the audit trail to its file \(AuditFile=\): No such file or directory'
    [ "$("$C" --json audit | jq -r .verb | tail -n 1)" = reload_agent ]
    as_member "$C" ping
}

@test "requests: too many a second are refused with one line, and others are answered meanwhile" {
    quotas UserRequestsPerSec=1 UserRequestsBurst=3
    # The connection and its first request count as one.
    for _ in 1 2 3; do as_member "$C" ping; done
    run as_member "$C" ping
    expect 1
    one_line 'user 12345 asks more than 1 times a second \(UserRequestsPerSec=.*ask again'
    "$C" ping
    as_other "$C" ping
    eventually as_member "$C" ping
}

@test "a flood of requests without a pause: each is answered or refused, and others are answered" {
    quotas UserRequestsPerSec=100 UserRequestsBurst=100
    as_member perl -MIO::Socket::UNIX -e '
        my $s = IO::Socket::UNIX->new(Peer => $ENV{HOLDEN_SOCKET}) or die;
        my $end = time + 3;
        if (fork) { while (time < $end) { $s->send(pack("a2CCvvVVV", "Hd", 1, 0, 1, 0, 0, 7, 0)) or last } }
        else { while (time < $end && sysread $s, my $bytes, 65536) { $all += length $bytes } }
    ' 3>&- &
    flood=$!
    for _ in $(seq 10); do
        timeout "$LIMIT" "$C" ping
        as_other timeout "$LIMIT" "$C" ping
    done
    wait "$flood"
    # What follows the flood waits, and costs nothing.
    before=$("$C" --json self | jq .cpu)
    sleep 1
    [ $(($("$C" --json self | jq .cpu) - before)) -lt 500000 ]
}

@test "half frames: what waits is bounded, and who adds to it is told and let go" {
    quotas UserQueueMax=1M
    run as_member perl -MIO::Socket::UNIX -e '
        $SIG{PIPE} = "IGNORE";
        for my $i (1 .. 8) {
            my $s = IO::Socket::UNIX->new(Peer => $ENV{HOLDEN_SOCKET}) or die;
            push @all, $s;
            my $half = pack("a2CCvvVVV", "Hd", 1, 0, 2, 0, 400000, 7, 0) . "x" x 300000;
            while (length $half) {
                my $sent = syswrite $s, $half, 65536;
                last unless $sent;
                substr $half, 0, $sent, "";
            }
        }
        for my $s (@all) {
            my $set = ""; vec($set, fileno $s, 1) = 1;
            next unless select $set, undef, undef, 1;
            sysread $s, my $answer, 65536;
            print "refused\n" if $answer =~ /1048576 bytes wait on the connections of user 12345 \(UserQueueMax=/;
        }'
    expect 0
    [ "${#lines[@]}" -ge 1 ]
    [[ "$output" == *refused* ]]
    "$C" ping
    as_member "$C" ping
}

@test "what each user takes is in self" {
    as_member "$LOAD" "$HOLDEN_SOCKET" idle 3 "$C" --json self >"$T/self"
    jq -e '.user[] | select(.uid == 12345) | .connections >= 3' "$T/self"
}

@test "processes of a user are in a slice of its own, and counted there" {
    quotas UserProcessesMax=2
    as_member "$C" start --name a sleep 1000
    as_member "$C" start --name b sleep 1000
    is a slice user-12345.slice
    [ -d "$CGROUP/user.slice/user-12345.slice" ]
    run as_member "$C" start --name c sleep 1000
    expect 1
    one_line 'user 12345 has 2 processes already.*stop one first'
    as_other "$C" start --name other sleep 1000
    "$C" start --name roots sleep 1000
    # One that has ended has freed its place; the next agent counts the same.
    as_member "$C" stop a
    as_member "$C" run -- true
    as_member "$C" start --name c sleep 1000
    "$C" reexec
    run as_member "$C" restart a
    expect 1
    one_line '2 processes already'
    as_member "$C" restart c
    "$C" --json slices | jq -es 'any(.name == "user-12345.slice" and .processes == 2)'
    as_member "$C" stop b c
    [ ! -e "$CGROUP/user.slice/user-12345.slice" ]
}

@test "a quota that cannot be in force refuses its users' starts, and says so at the agent's start" {
    ! has_controller memory || skip "there is a memory controller here"
    quotas UserMemoryMax=64M
    grep -q 'quotas of users: MemoryMax: ' "$T/agent.log"
    run as_member "$C" start sleep 1000
    expect 1
    one_line 'MemoryMax'
    "$C" start sleep 1000
    [ -z "$(find "$CGROUP" -name 'user*')" ]
}

@test "memory, tasks and CPU of all that a user runs are bounded together" {
    needs_controller memory
    quotas UserMemoryMax=64M UserTasksMax=10 UserCPUQuota=50%
    as_member "$C" start --name a sleep 1000
    slice=$CGROUP/user.slice/user-12345.slice
    [ "$(cat "$slice/memory.max") $(cat "$slice/pids.max") $(cat "$slice/cpu.max")" = \
        "67108864 10 50000 100000" ]
    # Each fits by itself (perl has what it repeats twice), both together do not.
    hog='my $x = "x" x (20 << 20); print "there\n"; close STDOUT; sleep 1000'
    as_member "$C" start --name one -- perl -e "$hog"
    eventually sh -c "$C logs one | grep -q there"
    as_member "$C" start --name two -- perl -e "$hog"
    eventually sh -c "$C --json status one two | jq -es 'any(.cause == \"out-of-memory\")'"
    # Others are not affected: each has as much, and root has no bound.
    as_other "$C" run -- perl -e 'my $x = "x" x (20 << 20); print "done\n"'
    "$C" run -- perl -e 'my $x = "x" x (80 << 20); print "done\n"'
    "$C" constrain user-12345.slice -p TasksMax=20
    [ "$(cat "$slice/pids.max")" = 20 ]
    "$C" reset user-12345.slice
    [ "$(cat "$slice/pids.max")" = 10 ]
}
