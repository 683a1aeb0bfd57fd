/* Settings as people write them: read by systemd's rules, printed again, sent and decoded. */
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controller/settings.h"
#include "controller/syntax.h"
#include "protocol/sandbox.h"

/* Reads one setting, encodes all as for the agent, and prints what the agent would see. */
static const char *round_trip(struct settings *settings, const char *name, char *text,
                              size_t space) {
    size_t index;
    struct holden_properties decoded;
    struct holden_fault fault;
    _cleanup_(buffer_free) struct buffer wire = {0};
    _cleanup_(buffer_free) struct buffer printed = {0};
    assert_int_equal(holden_property_find(name, &index), 0);
    assert_int_equal(holden_encode(&holden_record_properties, &settings->properties, &wire), 0);
    assert_int_equal(
        holden_decode(&holden_record_properties, buffer_bytes(&wire), wire.size, &decoded, &fault),
        0);
    if (!holden_has(&decoded, index))
        return strcpy(text, "(unset)");
    assert_int_equal(syntax_print(&decoded, index, " | ", &printed), 0);
    assert_true(printed.size < space);
    if (printed.size > 0)
        memcpy(text, buffer_bytes(&printed), printed.size);
    text[printed.size] = '\0';
    return text;
}

/* Values of one property, one after the other, and what stands there in the end. */
struct accepted {
    const char *name;
    const char *values[4];
    const char *printed;
};

static const struct accepted accepted_rows[] = {
    {"MemoryMax", {"100M"}, "100M"},
    {"MemoryMax", {"1.5G"}, "1.5G"},
    {"MemoryMax", {"infinity"}, "infinity"},
    {"MemoryMax", {"50%"}, "50%"},
    {"MemoryMax", {"1M", "2M"}, "2M"},
    {"MemoryMax", {"1M", ""}, "(unset)"},
    {"MemoryMax", {"0"}, "0"},
    {"MemorySwapMax", {"0"}, "0"},
    {"LogMax", {"4K"}, "4K"},
    {"CPUQuota", {"50%"}, "50%"},
    {"CPUQuota", {"250%"}, "250%"},
    {"CPUQuota", {"12.5%"}, "12.5%"},
    {"CPUQuota", {"infinity"}, "infinity"},
    {"CPUQuotaPeriodSec", {"10ms"}, "10ms"},
    {"CPUWeight", {"idle"}, "idle"},
    {"CPUWeight", {"10000"}, "10000"},
    {"IOWeight", {"1"}, "1"},
    {"AllowedCPUs", {"0-3,5"}, "0-3,5"},
    {"AllowedCPUs", {"0", "2"}, "0,2"},
    {"AllowedCPUs", {"9", "1"}, "1,9"},
    {"AllowedCPUs", {"0", "", "2"}, "2"},
    {"TasksMax", {"10"}, "10"},
    {"TasksMax", {"50%"}, "50%"},
    {"TasksMax", {"infinity"}, "infinity"},
    {"OOMPolicy", {"kill"}, "kill"},
    {"KillMode", {"mixed"}, "mixed"},
    {"RuntimeMaxSec", {"90"}, "1min 30s"},
    {"TimeoutStopSec", {"500ms"}, "500ms"},
    {"TimeoutStartSec", {"0"}, "infinity"},
    {"ExecStartPre", {"-/bin/a b 'c d' ''", "/bin/%n"}, "-/bin/a b \"c d\" \"\" | /bin/%n"},
    {"ExecStartPre", {"/bin/a ; b \\; c"}, "/bin/a | b \\; c"},
    {"ExecStartPre", {"/bin/a", ""}, "(unset)"},
    {"SuccessExitStatus", {"3 TERM", "255"}, "3 | SIGTERM | 255"},
    {"SuccessExitStatus", {"TEMPFAIL 250 SIGKILL", "CONFIGURATION_DIRECTORY SUCCESS USR1"},
     "75 | 250 | SIGKILL | 241 | 0 | SIGUSR1"},
    {"PIDFile", {"/a/b.pid"}, "/a/b.pid"},
    {"PIDFile", {"web/web.pid"}, "/run/web/web.pid"},
    {"TimeoutStopSec", {"0"}, "infinity"},
    {"KillSignal", {"TERM"}, "SIGTERM"},
    {"KillSignal", {"SIGRTMIN+3"}, "SIGRTMIN+3"},
    {"KillSignal", {"9"}, "SIGKILL"},
    {"Nice", {"-20"}, "-20"},
    {"Nice", {"+5"}, "5"},
    {"OOMScoreAdjust", {"-1000"}, "-1000"},
    {"UMask", {"0077"}, "0077"},
    {"UMask", {"22"}, "0022"},
    {"NoNewPrivileges", {"Yes"}, "yes"},
    {"NoNewPrivileges", {"off"}, "no"},
    {"NoNewPrivileges", {"1"}, "yes"},
    {"SystemCallErrorNumber", {"EPERM"}, "EPERM"},
    {"SystemCallErrorNumber", {"38"}, "ENOSYS"},
    {"SystemCallErrorNumber", {"kill"}, "kill"},
    {"SystemCallErrorNumber", {"4095"}, "4095"},
    {"SystemCallFilter", {"read write", "close"}, "read write | close"},
    {"SystemCallFilter", {"~mount", "~umount2"}, "~mount | ~umount2"},
    {"SystemCallFilter", {"read", "", "write"}, "write"},
    {"SystemCallFilter", {"read", ""}, "(unset)"},
    {"SystemCallFilter", {"@system-service", "~@resources read:1 sync:0 write:kill"},
     "@system-service | ~@resources read:EPERM sync:0 write:kill"},
    {"SystemCallLog", {"@mount", "~read"}, "@mount | ~read"},
    {"SystemCallLog", {"~"}, "~"},
    {"SystemCallLog", {"read", ""}, "(unset)"},
    {"AllowedMemoryNodes", {"0-1", "3"}, "0-1,3"},
    {"AllowedMemoryNodes", {"0-1", ""}, "(unset)"},
    {"Delegate", {"yes"}, "yes"},
    {"Delegate", {"no"}, "no"},
    {"Delegate", {""}, ""},
    {"Delegate", {"cpu", "pids memory"}, "cpu memory pids"},
    {"Delegate", {"cpu cpuset", ""}, ""},
    {"Delegate", {"cpu", "no"}, "no"},
    {"Delegate", {"cpu", "no", "io"}, "io"},
    {"Delegate", {"yes", "cpu"}, "yes"},
    {"Delegate", {"cpuacct blkio devices bpf-firewall"}, "cpu io"},
    {"DisableControllers", {"cpu", "io cpu"}, "cpu io"},
    {"DisableControllers", {"cpu", "", "io"}, "io"},
    {"DisableControllers", {"cpu", ""}, "(unset)"},
    {"RestrictNamespaces", {"yes"}, "yes"},
    {"RestrictNamespaces", {"no"}, "no"},
    {"RestrictNamespaces", {"net user", "mnt"}, "net mnt user"},
    {"RestrictNamespaces", {"~net user"}, "cgroup ipc mnt pid uts"},
    {"RestrictNamespaces", {"net user", "~user"}, "net"},
    {"RestrictNamespaces", {"yes", "~net", "uts"}, "uts"},
    {"RestrictNamespaces", {"net", ""}, "(unset)"},
    {"RestrictAddressFamilies",
     {"AF_UNIX AF_INET", "AF_INET6 AF_UNIX"},
     "AF_UNIX AF_INET AF_INET6"},
    {"RestrictAddressFamilies", {"AF_LOCAL AF_ROUTE"}, "AF_UNIX AF_NETLINK"},
    {"RestrictAddressFamilies", {"~AF_PACKET", "AF_INET", "~AF_INET"}, "~AF_PACKET AF_INET"},
    {"RestrictAddressFamilies", {"AF_INET", "~AF_INET"}, "none"},
    {"RestrictAddressFamilies", {"AF_INET", "none"}, "none"},
    {"RestrictAddressFamilies", {"none", "AF_INET"}, "AF_INET"},
    {"RestrictAddressFamilies", {"AF_INET", "", "~AF_INET"}, "~AF_INET"},
    {"CapabilityBoundingSet",
     {"CAP_CHOWN CAP_KILL", "~CAP_KILL"},
     "CAP_CHOWN CAP_KILL | ~CAP_KILL"},
    {"CapabilityBoundingSet", {"CAP_CHOWN", ""}, ""},
    {"CapabilityBoundingSet", {"CAP_CHOWN", "~"}, "~"},
    {"AmbientCapabilities", {"CAP_NET_BIND_SERVICE"}, "CAP_NET_BIND_SERVICE"},
    {"SecureBits", {"keep-caps noroot", "noroot-locked"}, "noroot noroot-locked keep-caps"},
    {"SecureBits", {"noroot", "", "no-setuid-fixup-locked"}, "no-setuid-fixup-locked"},
    {"SystemCallArchitectures", {"native", "x86 x32"}, "native | x86 | x32"},
    {"SupplementaryGroups", {"4294967294 0"}, NULL},
    {"WorkingDirectory", {"-/srv/x"}, "-/srv/x"},
    {"Environment", {"A=1 \"B=two words\"", "C=3"}, "A=1 | \"B=two words\" | C=3"},
    {"Environment", {"A=1", ""}, "(unset)"},
    {"StandardInput", {"file:/etc/passwd"}, "file:/etc/passwd"},
    {"StandardInput", {"null"}, "null"},
    {"StandardInput", {"data"}, "data"},
    {"StandardInputData", {"aGVsbG8=", " d29y\tbGQ= "}, "(10 bytes)"},
    {"StandardInputData", {"AA==", ""}, "(unset)"},
    {"ExecSearchPath", {"/a//b/:/c", ":/d"}, "/a/b | /c | /d"},
    {"ExecSearchPath", {"/a", "", "/b"}, "/b"},
    {"WatchdogSec", {"1min"}, "1min"},
    {"WatchdogSec", {"infinity"}, "infinity"},
    {"WatchdogSignal", {"KILL"}, "SIGKILL"},
    {"StandardOutput", {"append:/tmp/x y"}, "append:/tmp/x y"},
    {"StandardError", {"inherit"}, "inherit"},
    {"StandardOutput", {"journal"}, "journal"},
    {"StandardOutput", {"inherit"}, "inherit"},
    {"SyslogIdentifier", {"a b"}, "a b"},
    {"SyslogFacility", {"local7"}, "local7"},
    {"SyslogLevel", {"err"}, "err"},
    {"SyslogLevelPrefix", {"no"}, "no"},
    {"LimitNOFILE", {"1024:4096"}, "1024:4096"},
    {"LimitNOFILE", {"64"}, "64"},
    {"LimitNOFILE", {"64:infinity"}, "64:infinity"},
    {"LimitCORE", {"0:64M"}, "0:64M"},
    {"LimitCPU", {"10"}, "10s"},
    {"LimitCPU", {"1500ms:1min"}, "2s:1min"},
    {"LimitCPU", {"infinity"}, "infinity"},
    {"LimitRTTIME", {"500"}, "500us"},
    {"LimitRTTIME", {"1ms:2s"}, "1ms:2s"},
    {"LimitNICE", {"+19"}, "1"},
    {"LimitNICE", {"-5"}, "25"},
    {"LimitNICE", {"0"}, "0"},
    {"LimitNICE", {"40"}, "40"},
    {"LimitAS", {"1G"}, "1G"},
    {"RootDirectory", {"/srv/root"}, "/srv/root"},
    {"StateDirectoryQuota", {"10M"}, "10M"},
    {"StateDirectoryQuota", {"50%"}, "50%"},
    {"CacheDirectoryQuota", {"0"}, "0"},
    {"LogsDirectoryQuota", {"off"}, "infinity"},
    {"RootImage", {"/srv//root.img"}, "/srv/root.img"},
    {"RootImageOptions", {"ro,nosuid"}, "ro,nosuid"},
    {"RootImageOptions", {"root:ro,context=a:b"}, "ro,context=a:b"},
    {"RootImageOptions", {"context=a:b"}, "context=a:b"},
    {"RootImageOptions", {"ro", "", "rw"}, "rw"},
    {"RootImageOptions", {"ro", ""}, "(unset)"},
    {"ReadOnlyPaths", {"/a -/b", "-+/c//d/./e/"}, "/a | -/b | -+/c/d/e"},
    {"ReadOnlyPaths", {"\"/two words\" '/x'"}, "\"/two words\" | /x"},
    {"ReadOnlyPaths", {"/a", ""}, "(unset)"},
    {"AppArmorProfile", {"-a"}, "-a"},
    {"LandlockExecPaths", {"/a -/b", "/c"}, "/a | -/b | /c"},
    {"ReadOnlyPaths", {"/", "/..x/...", "///"}, "/ | /..x/... | /"},
    {"BindPaths", {"/a", "-/b:/c", "/d:/e:norbind /f:/g:rbind"},
     "/a | -/b:/c | /d:/e:norbind | /f:/g"},
    {"BindPaths", {"/a::norbind"}, "/a:/a:norbind"},
    {"BindPaths", {"/a", ""}, "(unset)"},
    {"TemporaryFileSystem", {"/a /b:ro,size=10%"}, "/a | /b:ro,size=10%"},
    {"SetCredential", {"a:x\\ty", "b:", "a:longer"}, "a:(6 bytes) | b:(0 bytes)"},
    {"SetCredential", {"a:x", ""}, "(unset)"},
    {"RemoveIPC", {"on"}, "yes"},
    {"DynamicUser", {"on"}, "yes"},
    {"StateDirectory", {"a ./b//c/:d", "\"two words\""}, "a | b/c:d | \"two words\""},
    {"RuntimeDirectory", {"a", ""}, "(unset)"},
    {"CacheDirectoryMode", {"2750"}, "2750"},
    {"RuntimeDirectoryPreserve", {"restart"}, "restart"},
    {"ProtectSystem", {"true"}, "yes"},
    {"ProtectSystem", {"strict"}, "strict"},
    {"ProtectHome", {"off"}, "no"},
    {"ProtectHome", {"read-only"}, "read-only"},
    {"ProtectProc", {"invisible"}, "invisible"},
    {"PrivateTmp", {"on"}, "yes"},
    {"NetworkNamespacePath", {"blue"}, "/run/netns/blue"},
    {"NetworkNamespacePath", {"/proc/1/ns/net"}, "/proc/1/ns/net"},
    {"PrivatePIDs", {"true"}, "yes"},
    {"CPUSchedulingPolicy", {"rr"}, "rr"},
    {"CPUSchedulingPriority", {"99"}, "99"},
    {"IOSchedulingClass", {"best-effort"}, "best-effort"},
    {"IOSchedulingPriority", {"0"}, "0"},
    {"TimerSlackNSec", {"50000"}, "50us"},
    {"TimerSlackNSec", {"123nsec"}, "123ns"},
    {"TimerSlackNSec", {"1ms 2us"}, "1ms 2us"},
    {"Personality", {"x86"}, "x86"},
    {"KeyringMode", {"shared"}, "shared"},
#define ACCEPTED(...) {__VA_ARGS__},
#define REFUSED(...)
#include "settings_gates.def"
};

TEST(values_survive_the_wire) {
    for (size_t i = 0; i < ARRAY_SIZE(accepted_rows); i++) {
        const struct accepted *row = &accepted_rows[i];
        struct settings settings = {0};
        char text[256];
        for (size_t n = 0; n < ARRAY_SIZE(row->values) && row->values[n]; n++)
            if (settings_assign(&settings, row->name, row->values[n]) != 0)
                fail_msg("%s=%s: %s", row->name, row->values[n], settings.wrong);
        round_trip(&settings, row->name, text, sizeof(text));
        if (row->printed)
            assert_string_equal(text, row->printed);
        settings_free(&settings);
    }
}

static const struct { const char *text; const char *says;
} nonsense[] = {
    {"MemoryMax", "expected PROPERTY=VALUE"},
    {"=5", "no property ''"},
    {"MemoryMx=5", "did you mean MemoryMax?"},
    {"memorymax=5", "did you mean MemoryMax?"},
    {"Frobnicate=5", "`properties` lists them"},
    {"MemoryMax=12Q", "MemoryMax=12Q: expected a size"},
    {"MemoryMax=9E", "out of range"},
    {"MemoryMax=-1", "expected a size"},
    {"MemoryMax=101%", "0% to 100%"},
    {"MemoryMax=x%", "expected a size"},
    {"LogMax=50%", "a percentage means nothing here"},
    {"LogMax=1", "at least 4K"},
    {"LogMax=infinity", NULL},
    {"CPUQuota=50", "expected a percentage"},
    {"CPUQuota=0%", "at least 0.1%"},
    {"CPUQuotaPeriodSec=2s", "1ms to 1s"},
    {"CPUQuotaPeriodSec=infinity", "1ms to 1s"},
    {"CPUWeight=0", "1 to 10000"},
    {"CPUWeight=10001", "1 to 10000"},
    {"IOWeight=idle", "expected a number"},
    {"AllowedCPUs=3-1", "expected a list of CPUs"},
    {"AllowedCPUs=99999", "CPUs 0 to 8191"},
    {"TasksMax=0", "at least 1"},
    {"OOMPolicy=fly", "continue, stop, kill"},
    {"RuntimeMaxSec=5 parsecs", "expected a time"},
    {"RuntimeMaxSec=0", "at least 1us"},
    {"KillSignal=SIGFOO", "expected a signal"},
    {"KillSignal=0", "expected a signal"},
    {"KillSignal=65", "expected a signal"},
    {"Nice=20", "-20 to 19"},
    {"Nice=-21", "-20 to 19"},
    {"Nice=five", "expected a whole number"},
    {"Nice=-", "expected a whole number"},
    {"Nice=99999999999999999999", "-20 to 19"},
    {"UMask=888", "expected an octal mode"},
    {"UMask=10000", "0000 to 7777"},
    {"NoNewPrivileges=maybe", "expected yes or no"},
    {"SystemCallErrorNumber=EFOO", "expected an error"},
    {"SystemCallErrorNumber=4096", "1 to 4095"},
    {"SystemCallErrorNumber=0", "1 to 4095"},
    {"SystemCallFilter=@system-service", NULL},
    {"SystemCallFilter=~read @io", "no such set of system calls"},
    {"SystemCallFilter=~@system-servise", "did you mean @system-service"},
    {"SystemCallFilter=~read:EPERM @sync:0 write:kill", NULL},
    {"SystemCallFilter=read:EPERM", "behind a leading ~"},
    {"SystemCallFilter=~read:", "an error"},
    {"SystemCallFilter=~read:4096", "an error"},
    {"SystemCallFilter=~read:EPERMANENTLY_AND_MUCH_LONGER_THAN_ANY_NAME", "an error"},
    {"SystemCallLog=~read:EPERM", "has no error"},
    {"AllowedMemoryNodes=3-1", "expected a list"},
    {"AllowedMemoryNodes=99999", "out of range"},
    {"AllowedMemoryNodes=1024", "out of range: nodes 0 to 1023"},
    {"AllowedMemoryNodes=-1", "expected a list"},
    {"IODeviceWeight=/dev", "expected a path and a number"},
    {"IODeviceWeight=/dev 0", "out of range"},
    {"IODeviceWeight=/dev 10001", "out of range"},
    {"IODeviceWeight=/dev infinity", "expected a path and a number"},
    {"IODeviceWeight=/nonesuch/x 5", "No such file"},
    {"IODeviceWeight=/dev 5 6", "expected a path and a number"},
    {"IODeviceLatencyTargetSec=/dev 5 parsecs", "expected a path and a time"},
    {"IODeviceLatencyTargetSec=/dev 0", "out of range"},
    {"IODeviceLatencyTargetSec=/nonesuch/x 5ms", "No such file"},
    {"IOReadBandwidthMax=/dev 5M 6M", "expected a path and bytes"},
    {"Delegate=maybe", "no such controller"},
    {"Delegate=cpu memroy", "no such controller; did you mean memory"},
    {"Delegate=cpu yes", "no such controller"},
    {"Delegate=-1", "no such controller"},
    {"Delegate=\xff\xfe", "not UTF-8"},
    {"Delegate= ", "expected yes, no, or some of"},
    {"DisableControllers=cpuu", "no such controller; did you mean cpu"},
    {"DisableControllers=yes", "no such controller"},
    {"DisableControllers=99999999999999999999", "no such controller"},
    {"SecureBits=noroot no-root", "no such bit; did you mean noroot"},
    {"SecureBits=3", "no such bit"},
    {"RestrictNamespaces=mnt nte", "no such namespace; did you mean net"},
    {"RestrictNamespaces=~", NULL},
    {"RestrictAddressFamilies=AF_INET7", "did you mean AF_INET"},
    {"RestrictAddressFamilies=none AF_INET", "no such address family"},
    {"WorkingDirectory=here", "must be absolute"},
    {"EnvironmentFile=here", "must be absolute"},
    {"Environment=1A=2", "expected VARIABLE=VALUE"},
    {"Environment=\"A=1", "an open quote"},
    {"Environment=A", "expected VARIABLE=VALUE"},
    {"StandardInput=file:x", "must be absolute"},
    {"StandardInput=append:/x", "expected null"},
    {"StandardInputData=a", "expected bytes in Base64"},
    {"StandardInputData=QQ=", "expected bytes in Base64"},
    {"StandardInputData=QQ==QQ==", "expected bytes in Base64"},
    {"StandardInputData=QR==", "expected bytes in Base64"},
    {"StandardInputData=QQ?=", "expected bytes in Base64"},
    {"StandardInputText=a\\q", "unknown"},
    {"StandardInputText=a\\x00", "unknown"},
    {"ExecSearchPath=/a:b", "must be absolute"},
    {"WatchdogSignal=0", "expected a signal"},
    {"StandardOutput=tty", "expected log"},
    {"SyslogIdentifier=a\nb", "without control characters"},
    {"SyslogLevel=error", "expected one of emerg"},
    {"StandardOutput=file:", "must be absolute"},
    {"StandardOutput=null:/x", "expected log"},
    {"StandardOutput=passed", "expected log"},
    {"LimitNOFILE=2:1", "above the hard one"},
    {"LimitNOFILE=a:b", "expected a number"},
    {"LimitNOFILE=1:2:3", "expected a number"},
    {"LimitNICE=+20", "out of range"},
    {"LimitNICE=41", "out of range"},
    {"LimitNICE=-21", "out of range"},
    {"LimitCPU=1e3", "expected a time"},
    {"IOReadBandwidthMax=/dev/null", "expected a path and bytes"},
    {"IOReadBandwidthMax=/nonesuch/x 5M", "No such file"},
    {"IOReadIOPSMax=/dev 0", "out of range"},
    {"Group=no-such-group-here", "no such group"},
    {"RootDirectory=x", "must be absolute"},
    {"StateDirectoryQuota=101%", "out of range"},
    {"StateDirectoryQuota=yes", "expected a size"},
    {"RootImage=x", "must be absolute"},
    {"RootImageOptions=ro usr:ro", "no such partition"},
    {"RootImageOptions=ro root:rw", "given already"},
    {"ReadOnlyPaths=/a b", "must be absolute"},
    {"ReadOnlyPaths=/a/..", "do without"},
    {"ReadOnlyPaths=/../a", "do without"},
    {"ReadOnlyPaths=\"/a", "an open quote"},
    {"BindPaths=/a:b", "must be absolute"},
    {"BindPaths=/a:/b:c", "rbind or norbind"},
    {"BindPaths=:/b", "must be absolute"},
    {"TemporaryFileSystem=a", "must be absolute"},
    {"SetCredential=a", "NAME:TEXT"},
    {"SetCredential=:a", "that of a file"},
    {"SetCredential=a/b:c", "that of a file"},
    {"SetCredential=a:\\q", "unknown"},
    {"LoadCredential=a:", "a path"},
    {"LoadCredential=a:b/c", "must be absolute"},
    {"StateDirectory=/a", "must be relative"},
    {"StateDirectory=a/../b", "do without"},
    {"StateDirectory=..", "do without"},
    {"StateDirectory=.", "empty"},
    {"StateDirectory=a:", "empty"},
    {"StateDirectory=:a", "empty"},
    {"StateDirectory=private/a", "not for everybody"},
    {"ConfigurationDirectory=a:b", "no link"},
    {"RuntimeDirectoryMode=10000", "0000 to 7777"},
    {"ProtectSystem=very", "no, yes, full, strict"},
    {"ProtectProc=yes", "default, noaccess"},
    {"NetworkNamespacePath=a/b", "an absolute path, or a name"},
    {"NetworkNamespacePath=..", "an absolute path, or a name"},
    {"PrivateUsers=self", "expected yes or no"},
    {"CPUSchedulingPolicy=deadline", "other, batch, idle"},
    {"CPUSchedulingPriority=0", "1 to 99"},
    {"IOSchedulingPriority=8", "0 to 7"},
    {"TimerSlackNSec=0", "out of range"},
    {"TimerSlackNSec=99999999999999999999", "out of range"},
    {"TimerSlackNSec=soon", "expected nanoseconds"},
    {"Personality=vax", "x86-64, x86"},
    {"Group=4294967295", "out of range"},
    {"SupplementaryGroups=0 no-such-group-here", "no such group"},
#define ACCEPTED(...)
#define REFUSED(...) {__VA_ARGS__},
#include "settings_gates.def"
};

TEST(what_makes_no_sense_is_refused) {
    for (size_t i = 0; i < ARRAY_SIZE(nonsense); i++) {
        struct settings settings = {0};
        int r = settings_assign_text(&settings, nonsense[i].text);
        if (r != (nonsense[i].says ? -EINVAL : 0))
            fail_msg("%s: result %d", nonsense[i].text, r);
        if (nonsense[i].says && !strstr(settings.wrong, nonsense[i].says))
            fail_msg("%s: says '%s', lacks '%s'", nonsense[i].text, settings.wrong,
                     nonsense[i].says);
        assert_null(strchr(settings.wrong, '\n'));
        settings_free(&settings);
    }
}

TEST(long_and_hostile_values_make_one_short_line) {
    enum { LONG = 100000 };
    _cleanup_free_ char *value = malloc(LONG + 1);
    assert_non_null(value);
    memset(value, 'x', LONG);
    value[LONG] = '\0';
    value[3] = '\n';
    value[4] = '\033';
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++) {
        struct settings settings = {0};
        if (settings_assign(&settings, holden_property(i)->name, value) < 0)
            assert_null(strpbrk(settings.wrong, "\n\033"));
        settings_free(&settings);
    }
}

/* A refused value leaves what was there before. */
TEST(a_refused_value_changes_nothing) {
    struct settings settings = {0};
    char text[64];
    assert_int_equal(settings_assign_text(&settings, "MemoryMax=5M"), 0);
    assert_int_equal(settings_assign_text(&settings, "MemoryMax=5Q"), -EINVAL);
    assert_string_equal(round_trip(&settings, "MemoryMax", text, sizeof(text)), "5M");
    settings_free(&settings);
}

/* systemd.exec(5): an empty one of the two forgets both. */
TEST(binds_are_forgotten_together) {
    struct settings settings = {0};
    char text[64];
    assert_int_equal(settings_assign_text(&settings, "BindPaths=/a"), 0);
    assert_int_equal(settings_assign_text(&settings, "BindReadOnlyPaths=/b"), 0);
    assert_int_equal(settings_assign_text(&settings, "BindReadOnlyPaths="), 0);
    assert_string_equal(round_trip(&settings, "BindPaths", text, sizeof(text)), "(unset)");
    settings_free(&settings);
}

TEST(every_kind_says_what_it_expects) {
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++) {
        const struct syntax *syntax = syntax_of(i);
        assert_non_null(syntax->parse);
        assert_non_null(syntax->print);
        assert_true(*syntax->words && *syntax->expects);
    }
}

TEST(many_values_of_a_list_are_kept) {
    struct settings settings = {0};
    for (int i = 0; i < 1000; i++) {
        char value[32];
        snprintf(value, sizeof(value), "V%d=%d", i, i);
        assert_int_equal(settings_assign(&settings, "Environment", value), 0);
    }
    assert_int_equal(settings_finish(&settings), 0);
    assert_int_equal(settings.properties.environment.count, 1000);
    settings_free(&settings);
}

static const char *value_of(struct settings *settings, const char *name) {
    static char text[1024];
    return round_trip(settings, name, text, sizeof(text));
}

TEST(a_sandbox_counts_as_if_it_came_first) {
    struct settings settings = {0};
    assert_int_equal(settings_assign(&settings, "UMask", "0022"), 0);
    assert_int_equal(settings_assign(&settings, "CapabilityBoundingSet", "CAP_KILL"), 0);
    assert_int_equal(settings_assign(&settings, "RestrictNamespaces", ""), 0);
    assert_int_equal(settings_assign(&settings, "Sandbox", "strict"), 0);
    assert_int_equal(settings_assign(&settings, "ProtectHome", "read-only"), 0);
    assert_int_equal(settings_finish(&settings), 0);
    assert_string_equal(value_of(&settings, "UMask"), "0022");
    assert_string_equal(value_of(&settings, "CapabilityBoundingSet"), " | CAP_KILL");
    assert_string_equal(value_of(&settings, "RestrictNamespaces"), "(unset)");
    assert_string_equal(value_of(&settings, "ProtectHome"), "read-only");
    assert_string_equal(value_of(&settings, "ProtectSystem"), "strict");
    /* The agent is not asked for it. */
    assert_string_equal(value_of(&settings, "Sandbox"), "(unset)");
    settings_free(&settings);
}

TEST(the_last_sandbox_counts_and_an_empty_one_is_none) {
    struct settings settings = {0};
    assert_int_equal(settings_assign(&settings, "Nice", "3"), 0);
    assert_int_equal(settings_assign(&settings, "Sandbox", "strict"), 0);
    assert_int_equal(settings_assign(&settings, "Sandbox", "build"), 0);
    assert_string_equal(value_of(&settings, "ProtectSystem"), "full");
    assert_string_equal(value_of(&settings, "UMask"), "(unset)");
    assert_int_equal(settings_assign(&settings, "Sandbox", ""), 0);
    assert_string_equal(value_of(&settings, "ProtectSystem"), "(unset)");
    assert_string_equal(value_of(&settings, "Nice"), "3");
    assert_int_equal(settings_assign(&settings, "Sandbox", "lax"), -EINVAL);
    settings_free(&settings);
}

TEST(each_sandbox_is_made_of_settings) {
    const struct holden_enum *words =
        holden_record_properties.fields[HOLDEN_INDEX(properties, sandbox)].enumeration;
    size_t rows = 0;
    for (size_t i = 0; i < words->count; i++) {
        struct settings settings = {0};
        assert_non_null(sandbox_doc(words->words[i].number));
        assert_int_equal(settings_assign(&settings, "Sandbox", words->words[i].word), 0);
        size_t before = rows;
        for (const struct sandbox_setting *at = sandbox_first(words->words[i].number); at;
             at = sandbox_next(at), rows++)
            assert_string_not_equal(value_of(&settings, at->name), "(unset)");
        assert_true(rows - before > 20);
        settings_free(&settings);
    }
    /* A row that stands with another sandbox's would be lost. */
    assert_int_equal(rows, sandbox_rows());
}

UNIT_MAIN
