#!/usr/bin/env bats
# Broken bytes on the wire: each ends its own connection and nothing else.
# shellcheck disable=SC2016

load helper

MUTATE=$TESTS/mutate

figures() {
    "$C" --json self | jq "$1"
}

# Writes the bytes given in hexadecimal over a connection of its own and prints what comes back, until
# the agent hangs up or $2 seconds have passed without a word.
say() {
    perl -MIO::Socket::UNIX -e '
        my $s = IO::Socket::UNIX->new(Peer => $ENV{HOLDEN_SOCKET}) or die;
        print $s pack "H*", $ARGV[0] or die;
        $s->flush;
        my ($in, $end) = ("", "open");
        while (select(my $ready = pack("b*", "0" x fileno($s) . "1"), undef, undef, $ARGV[1])) {
            sysread($s, $in, 65536, length $in) or $end = "closed", last;
        }
        print unpack("H*", $in), " $end\n"' "$1" "${2:-60}"
}

@test "requests bent in one byte, cut short, with lengths up to 2^32-1 or descriptors, while others work" {
    stop_agent
    # All of them are to be decoded, not refused for being too many.
    printf '[Agent]\nGroup=games\nUserRequestsPerSec=1000000000\nUserRequestsBurst=1000000000\n' >"$T/agent.conf"
    start_agent --config "$T/agent.conf"
    "$C" start --name bystander sleep 1000
    descriptors=$(figures '.descriptors - .sampled_files')
    resident=$(figures .resident)
    pid=$(core)
    step=40
    [ -z "${HOLDEN_VM:-}" ] || step=240
    # As a member: a few of the frames still make sense, and that user can do no harm with them.
    setpriv --reuid 12345 --regid 60 --clear-groups -- "$MUTATE" "$HOLDEN_SOCKET" "$step" >"$T/out" 3>&- &
    attacker=$!
    while kill -0 "$attacker" 2>/dev/null; do
        run "$C" run -- true
        expect 0
    done
    wait "$attacker"
    cat "$T/out"
    grep -q 'broken frames' "$T/out"
    [ "$(core)" = "$pid" ]
    is bystander state running
    eventually sh -c "[ \$($C --json self | jq .clients) -eq 1 ]"
    [ "$(figures '.descriptors - .sampled_files')" -eq "$descriptors" ]
    # The records of a thousand ended processes take somewhat more than 1 MB.
    sanitized || [ "$(figures .resident)" -le $((resident + (2 << 20))) ]
}

@test "what is wrong with a frame is told before the connection is closed, by its id" {
    # magic, version, flags, type, reserved, body length, id, node; a reply carries the id.
    error='4864010041000000........7b000000'
    # A frame of 4 GiB, one a byte over 4 MiB, reserved bits, a TLV longer than its body, a required
    # field missing.
    for frame in 4864010001000000ffffffff7b00000000000000 4864010001000000edff3f007b00000000000000 \
        4864010001000100000000007b00000000000000 \
        4864010003000000060000007b000000000000000100ffffffff 4864010003000000000000007b00000000000000; do
        run say "$frame"
        [[ "$output" =~ ^$error.*\ closed$ ]] || { echo "$frame: $output"; return 1; }
    done
    # Another magic: nobody can tell whose frame that is.
    run say 0000000000000000000000000000000000000000
    [[ "$output" =~ closed$ ]]
    # A message that this agent does not know is an answer, and the connection lives.
    run say 4864010099990000000000007b00000000000000 0.5
    [[ "$output" =~ ^$error.*\ open$ ]]
    # So is an unknown field: ping with tag 0x7777.
    run say 486401000100000007000000070000000000000077770100000041 0.5
    [[ "$output" =~ ^4864010043000000.*\ open$ ]]
}

@test "half a frame holds nobody up, and neither do many halves" {
    # A LIST of 4 MiB less its header, of which only a part ever comes.
    run perl -MIO::Socket::UNIX -e '
        my $frame = pack("H*", "486401000a000000ecff3f000100000000000000") . "\0" x 1000;
        my @all = map {
            my $s = IO::Socket::UNIX->new(Peer => $ENV{HOLDEN_SOCKET}) or die;
            print $s substr $frame, 0, $_ or die;
            $s->flush;
            $s
        } 1 .. 200;
        exec "timeout", $ARGV[0], $ARGV[1], "run", "--", "echo", "served" if !fork;
        wait;
        exit $? >> 8' "$LIMIT" "$C"
    expect 0
    [ "$output" = served ]
    sanitized || [ "$(figures .resident)" -lt $((8 << 20)) ]
}

@test "a start is a small frame" {
    ! sanitized || skip "the leak sanitizer cannot be traced"
    run strace -e trace=sendmsg -o "$T/trace" "$C" start /bin/true
    expect 0
    size=$(sed -n 's/.*sendmsg(.* = \([0-9]*\)$/\1/p' "$T/trace" | head -n 1)
    [ "$size" -gt 0 ]
    [ "$size" -le 80 ] || { echo "$size bytes"; return 1; }
}
