#!/usr/bin/env bats
# What hostile or careless users and processes do. Each of these once broke something.
# shellcheck disable=SC2016,SC2030,SC2031,SC2119,SC2120
load helper

# An agent whose group is one that every Debian has, for a user who needs no name.
as_member() {
    setpriv --reuid=12345 --regid=60 --groups=60 -- "$@"
}
member_agent() {
    stop_agent
    printf '[Agent]\nGroup=games\n%s\n' "${1:-}" >"$T/agent.conf"
    start_agent --config "$T/agent.conf"
}

gone() {
    ! kill -0 "$1"
}

@test "a process that has left its cgroup is stopped all the same" {
    "$C" start --name away -- sh -c 'echo 0 > '"$(cgroup_mount)"'/cgroup.procs; exec sleep 1000'
    pid=$("$C" --json status away | jq .pid)
    eventually grep -qx '0::/' "/proc/$pid/cgroup"
    run timeout "$LIMIT" "$C" stop --timeout 1s away
    expect 0
    eventually gone "$pid"
}

@test "cgroups nested 50 deep and a hundred wide go with their process" {
    "$C" start --name deep -- sh -c 'cd "$0"/*-deep && for i in $(seq 100); do mkdir -p "w$i/x"; done
        for i in $(seq 50); do mkdir d && cd d; done; exec sleep 1000' "$CGROUP"
    eventually sh -c 'find "$0" -type d | grep -q "\(/d\)\{50\}"' "$CGROUP"
    run timeout "$LIMIT" "$C" stop deep
    expect 0
    run find "$CGROUP" -name '*-deep'
    [ -z "$output" ]
}

@test "a second agent on the same cgroup is refused and ends nobody" {
    "$C" start --name victim -- sleep 1000
    run timeout "$LIMIT" "$BIN/agent" --socket "$T/second.sock" --state-dir "$T/second" --cgroup "/$GROUP"
    expect 1
    [[ "$output" == *"another agent has it"* ]]
    is victim state running
    rm -rf "$T/second"
    "$C" stop victim
}

@test "a second agent on the same state directory is refused and forgets nobody" {
    "$C" start --name victim -- sleep 1000
    run timeout "$LIMIT" "$BIN/agent" --socket "$T/second.sock" --state-dir "$T/state" --cgroup "/$GROUP-second"
    rmdir "$CGROUP-second" || true
    expect 1
    [[ "$output" == *"another agent has it"* ]]
    is victim state running
    "$C" stop victim
}

@test "a member gets no better priority, limits or share than its own" {
    member_agent
    for property in Nice=-5 OOMScoreAdjust=-1000 LimitNICE=40 LimitRTPRIO=99 MemoryMin=1M MemoryLow=1M \
        CPUWeight=10000 IOWeight=10000 LogMax=infinity; do
        run as_member "$C" start -p "$property" -- sleep 1000
        expect 5
        one_line "${property%%=*}"
    done
    run as_member "$C" run -p Nice=5 -p OOMScoreAdjust=500 -p LimitNOFILE=64:64 -p LogMax=64K -- nice
    expect 0
    [ "$output" = 5 ]
}

@test "a client that asks for one process 100,000 times gets its answers and costs no memory" {
    "$C" start --name one -- sleep 1000
    before=$(awk '/VmHWM/ { print $2 }' "/proc/$(core)/status")
    # A LIST of 100,000 times "one", with detail, whose answer is never read.
    perl -MIO::Socket::UNIX -e '
        my $body = pack("vVa*", 1, 3, "one") x 100000 . pack("vVC", 4, 1, 1);
        my $s = IO::Socket::UNIX->new(Peer => $ENV{HOLDEN_SOCKET}) or die;
        print $s "Hd\1\0" . pack("vvVVV", 10, 0, length $body, 1, 0) . $body or die;
        $s->flush;
        open my $o, ">", $ARGV[0] or die;
        sleep 1000;' "$T/asked" 3>&- &
    asker=$!
    eventually test -e "$T/asked"
    run timeout "$LIMIT" "$C" ping
    expect 0
    after=$(awk '/VmHWM/ { print $2 }' "/proc/$(core)/status")
    kill "$asker"
    [ $((after - before)) -lt 8192 ] || { echo "grew from $before to $after KiB"; return 1; }
    "$C" stop one
}

@test "a PATH of a hundred thousand directories is refused, not tried" {
    run timeout "$LIMIT" "$C" start -p "Environment=PATH=$(printf '%0100000d' 0 | tr 0 :)" -- "$(printf '%0255d' 0)"
    expect 1
    one_line "PATH is longer"
}

@test "a client that asks for 1,500 starts before it reads gets 1,500 answers" {
    run timeout $((LIMIT * 3)) perl -MIO::Socket::UNIX -e '
        my $s = IO::Socket::UNIX->new(Peer => $ENV{HOLDEN_SOCKET}) or die;
        my $body = pack("vVa*", 1, 9, "/bin/true");
        my $frame = pack("a4vvVVV", "Hd\1\0", 2, 0, length $body, 1, 0) . $body;
        print $s $frame x 1500 or die;
        $s->flush;
        1 until `$ARGV[0] --json self` =~ /"starts":1500\b/;
        my ($started, $in) = (0, "");
        while ($started < 1500 && sysread $s, $in, 65536, length $in) {
            while (length $in >= 20) {
                my ($type, undef, $size) = unpack "x4vvV", $in;
                last if length $in < 20 + $size;
                substr $in, 0, 20 + $size, "";
                $started++ if $type == 68;
            }
        }
        print "$started\n";' "$C"
    expect 0
    [ "$output" = 1500 ]
}
