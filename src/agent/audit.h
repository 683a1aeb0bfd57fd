/* The kernel's audit messages about system calls that a filter ended a process for: the only place
 * where the kernel says which call it was (audit(7), AUDIT_SECCOMP). */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

enum { AUDIT_KEPT = 64 };

struct audit {
    int fd; /* -1 where the kernel or the rights do not allow it */
    struct audit_call {
        pid_t pid;
        int call;
    } ring[AUDIT_KEPT];
    unsigned next;
};

/* Joins the read-only multicast group of the audit socket. Failure leaves the names out, no more.
 */
void audit_open(struct audit *audit);
void audit_close(struct audit *audit);

/* The number of the call that `pid` was ended for, or -1 where the kernel has not said. */
int audit_call_of(struct audit *audit, pid_t pid);
