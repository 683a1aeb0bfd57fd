/* The labels of mandatory access control that a process gets with its program: of AppArmor, SELinux
 * and Smack, as far as this machine's kernel has them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/failure.h"
#include "protocol/message.h"

/* The modules, as in plan.labels. */
enum label { LABEL_APPARMOR, LABEL_SELINUX, LABEL_SMACK, LABELS };

/* The setting that asks for one (systemd.exec(5)). Static. */
const char *label_property(enum label label);

/* What is asked for, without the - that lets it be impossible: *optional. False where nothing is.
 */
bool label_asked(const struct holden_properties *properties, enum label label,
                 struct holden_view *text, bool *optional);

/* Whether the kernel has that module, and it is in force. */
bool label_there(enum label label);

/* Refuses labels of modules that are not there, unless they may be impossible. 0 or as
 * failure_set(). */
int label_check(const struct holden_properties *properties, struct failure *failure);
