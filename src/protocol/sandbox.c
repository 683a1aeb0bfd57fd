#include "protocol/sandbox.h"

#include "common/cleanup.h"
#include "protocol/property.h"

static const char *const docs[] = {
#define SANDBOX(WORD, doc) [HOLDEN_sandbox_##WORD] = (doc),
#define SETTING(WORD, Name, value)
#include "protocol/sandboxes.def"
};

static const struct sandbox_setting rows[] = {
#define SANDBOX(WORD, doc)
#define SETTING(WORD, Name, value) {HOLDEN_sandbox_##WORD, #Name, (value)},
#include "protocol/sandboxes.def"
};

const struct sandbox_setting *sandbox_first(uint32_t sandbox) {
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].sandbox == sandbox)
            return &rows[i];
    return NULL;
}

const struct sandbox_setting *sandbox_next(const struct sandbox_setting *setting) {
    const struct sandbox_setting *next = setting + 1;
    return next < rows + ARRAY_SIZE(rows) && next->sandbox == setting->sandbox ? next : NULL;
}

size_t sandbox_rows(void) {
    return ARRAY_SIZE(rows);
}

const char *sandbox_doc(uint32_t sandbox) {
    return sandbox < ARRAY_SIZE(docs) ? docs[sandbox] : NULL;
}
