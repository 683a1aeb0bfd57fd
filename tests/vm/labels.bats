#!/usr/bin/env bats
# AppArmorProfile=, SELinuxContext=, SmackProcessLabel= on a kernel that has AppArmor and not the others.

load ../e2e/helper

setup_file() {
    cat "$BATS_TEST_DIRNAME/../../build/vm/labels.apparmor" >/sys/kernel/security/apparmor/.load
}

teardown_file() {
    printf holden-test >/sys/kernel/security/apparmor/.remove
}

@test "AppArmorProfile: it runs under the profile, from its first instruction" {
    local user
    for user in root nobody; do
        run "$C" run -p User=$user -p AppArmorProfile=holden-test -- sh -c 'cat /proc/self/attr/current /etc/hostname'
        expect 1
        [ "${lines[0]}" = "holden-test (enforce)" ]
        [[ "${lines[1]}" == *"Permission denied"* ]]
    done
    run "$C" run -p AppArmorProfile=unconfined -- cat /proc/self/attr/current
    [ "$output" = unconfined ]
    run "$C" run -- cat /proc/self/attr/current
    [ "$output" = unconfined ]
}

@test "AppArmorProfile beside NoNewPrivileges, a filter and a sandbox" {
    run "$C" run -p Sandbox=service -p WorkingDirectory=/ -p AppArmorProfile=holden-test -- cat /etc/hostname
    expect 1
    [[ "$output" == *"Permission denied"* ]]
}

@test "a profile that is not loaded is refused by name, or passed over" {
    run "$C" run -p AppArmorProfile=nothing-of-that-name -- true
    expect 1
    one_line 'AppArmorProfile: no such profile is loaded'
    run "$C" run -p AppArmorProfile=-nothing-of-that-name -- true
    expect 0
    run "$C" run -p 'AppArmorProfile=-holden-test' -- cat /etc/hostname
    expect 1
}

@test "modules that the kernel does not have are refused by name, or passed over" {
    run "$C" run -p SELinuxContext=system_u:system_r:init_t:s0 -- true
    expect 1
    one_line 'SELinuxContext: this kernel has no SELinux'
    run "$C" run -p SELinuxContext=-system_u:system_r:init_t:s0 -p SmackProcessLabel=-x -- true
    expect 0
}
