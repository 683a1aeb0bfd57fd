/* SetCredential= and LoadCredential= (systemd.exec(5)): what is loaded is read here, with the
 * caller's rights, and sent as what was set. */
#pragma once

#include "controller/settings.h"

/* Reads what LoadCredential= names, for settings_finish(), once: it goes in the place of what
 * SetCredential= says under the same name, which holds where the file is missing. 0; -EINVAL with
 * settings->wrong set; -ENOMEM. */
int credential_finish(struct settings *settings);
