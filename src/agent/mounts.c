#include "agent/mounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/directory.h"
#include "agent/mount_option.h"
#include "agent/mount_order.h"
#include "agent/mount_place.h"
#include "agent/readiness.h"
#include "common/cleanup.h"
#include "protocol/property.h"

#define INDEX(member) HOLDEN_INDEX(properties, member)
#define OPTIONAL PLAN_MOUNT_OPTIONAL
#define LITERAL PLAN_MOUNT_LITERAL
#define PRIVATE (PLAN_MOUNT_NOSUID | PLAN_MOUNT_NODEV)

#define FEW "size=4m,nr_inodes=1k"

/* Properties that are lists of paths, and what is done there. */
static const struct {
    size_t index;
    enum plan_mount_kind kind;
} lists[] = {
    {INDEX(read_write_paths), PLAN_MOUNT_READ_WRITE},
    {INDEX(read_only_paths), PLAN_MOUNT_READ_ONLY},
    {INDEX(inaccessible_paths), PLAN_MOUNT_INACCESSIBLE},
    {INDEX(exec_paths), PLAN_MOUNT_EXEC},
    {INDEX(no_exec_paths), PLAN_MOUNT_NO_EXEC},
};

static const struct {
    size_t index;
    uint32_t flags;
} binds[] = {
    {INDEX(bind_paths), 0},
    {INDEX(bind_read_only_paths), PLAN_MOUNT_RDONLY},
};

/* ---- one more ---- */

struct collector {
    const struct process *process;
    const struct holden_properties *properties;
    struct mounts *mounts;
    struct failure *failure;
    size_t index; /* the property being looked at */
};

/* What one mount is made from; views are copied. */
struct wish {
    enum plan_mount_kind kind;
    uint32_t flags;
    struct holden_view path;
    struct holden_view source;
    const char *options;
};

static const void *member(const struct holden_properties *properties, size_t index) {
    return (const uint8_t *)properties + holden_record_properties.fields[index].offset;
}

/* Without "." and ".." and empty parts, which the controller takes out or refuses. */
static bool is_simple(struct holden_view path) {
    if (path.size == 0 || path.data[0] != '/')
        return false;
    for (size_t at = 1; at < path.size;) {
        const char *slash = memchr(path.data + at, '/', path.size - at);
        size_t size = slash ? (size_t)(slash - path.data) - at : path.size - at;
        if (size == 0 || (size <= 2 && memcmp(path.data + at, "..", size) == 0))
            return false;
        at += size + 1;
    }
    return path.size == 1 || path.data[path.size - 1] != '/';
}

static int refuse_path(const struct collector *collector, struct holden_view path) {
    return failure_set(collector->failure, HOLDEN_code_INVALID,
                       holden_property(collector->index)->name,
                       "%.*s is not an absolute path without \".\", \"..\" and doubled slashes",
                       (int)(path.size < 200 ? path.size : 200), path.data);
}

static int out_of_memory(const struct collector *collector) {
    return failure_errno(collector->failure, ENOMEM, "mounts", "cannot be listed");
}

struct mounts_text {
    struct mounts_text *next;
    char bytes[];
};

/* A copy that lasts as long as the mounts, or NULL. */
static char *copy(struct mounts *mounts, struct holden_view view) {
    struct mounts_text *text = malloc(sizeof(*text) + view.size + 1);
    if (!text)
        return NULL;
    memcpy(text->bytes, view.data, view.size);
    text->bytes[view.size] = '\0';
    text->next = mounts->texts;
    mounts->texts = text;
    return text->bytes;
}

static uint64_t copy_to(struct mounts *mounts, struct holden_view view, int *error) {
    char *copied = view.data ? copy(mounts, view) : NULL;
    if (view.data && !copied)
        *error = -ENOMEM;
    return (uintptr_t)copied;
}

static int make_room(struct mounts *mounts) {
    if (mounts->added & (mounts->added - 1))
        return 0;
    size_t room = mounts->added ? mounts->added * 2 : 1;
    void *at = reallocarray(mounts->at, room, sizeof(*mounts->at));
    if (at)
        mounts->at = at;
    void *properties = reallocarray(mounts->properties, room, sizeof(*mounts->properties));
    if (properties)
        mounts->properties = properties;
    return at && properties ? 0 : -ENOMEM;
}

static int add(struct collector *collector, const struct wish *wish) {
    struct mounts *mounts = collector->mounts;
    if (!is_simple(wish->path))
        return refuse_path(collector, wish->path);
    if (wish->source.data && !is_simple(wish->source))
        return refuse_path(collector, wish->source);
    if (mounts->added >= MOUNTS_MOST)
        return failure_set(collector->failure, HOLDEN_code_TOO_MANY,
                           holden_property(collector->index)->name,
                           "all settings together name more than %d places", MOUNTS_MOST);
    int r = make_room(mounts);
    if (r == 0) {
        struct plan_mount *mount = &mounts->at[mounts->count];
        *mount = (struct plan_mount){
            .kind = wish->kind, .flags = wish->flags, .fd = -1,
            .number = (uint32_t)mounts->added,
            .path = copy_to(mounts, wish->path, &r),
            .source = copy_to(mounts, wish->source, &r),
            .options = copy_to(
                mounts, wish->options ? holden_view(wish->options) : (struct holden_view){0}, &r),
        };
        mounts->properties[mounts->added++] = collector->index;
        mounts->count++;
        mounts->own = true;
    }
    return r < 0 ? failure_errno(collector->failure, -r, "mounts", "cannot be listed") : 0;
}

/* ---- each kind of property ---- */

/* The number that the property has, or 0: it is a boolean or one of an enumeration. */
static uint32_t chosen(const struct holden_properties *properties, size_t index) {
    if (!holden_has(properties, index))
        return 0;
    const void *value = member(properties, index);
    return holden_record_properties.fields[index].type == HOLDEN_TYPE_BOOL
               ? *(const bool *)value
               : *(const uint32_t *)value;
}

static int add_places(struct collector *collector) {
    int r = 0;
    const struct mount_place *place;
    for (size_t i = 0; r == 0 && (place = mount_place(i)); i++) {
        uint32_t value = chosen(collector->properties, place->index);
        if (!(place->values & (1U << value)))
            continue;
        collector->index = place->index;
        r = add(collector, &(struct wish){place->kind, place->flags, holden_view(place->path), {0},
                                          place->options});
    }
    return r;
}

static struct holden_view skip(struct holden_view text, size_t size) {
    return (struct holden_view){text.data + size, text.size - size};
}

/* A path of the host's as it is called below the root directory. False where it is outside, as all
 * of them are outside of an image. */
static bool below_root(const struct mounts *mounts, struct holden_view *path) {
    const char *root = mounts->root;
    size_t size = root ? strlen(root) : 0;
    if (size <= 1 || mounts->image)
        return !mounts->image;
    if (path->size < size || memcmp(path->data, root, size) != 0 ||
        (path->size > size && path->data[size] != '/'))
        return false;
    *path = path->size > size ? skip(*path, size) : holden_view("/");
    return true;
}

static int add_list(struct collector *collector, enum plan_mount_kind kind) {
    struct holden_repeated left =
        *(const struct holden_repeated *)member(collector->properties, collector->index);
    struct holden_view path;
    int r = 0;
    while (r == 0 && holden_next_view(&left, &path)) {
        bool optional = path.size > 0 && path.data[0] == '-';
        path = skip(path, optional);
        bool inside = path.size > 0 && path.data[0] == '+';
        path = skip(path, inside);
        if (!is_simple(path))
            return refuse_path(collector, path);
        if (inside || below_root(collector->mounts, &path))
            r = add(collector, &(struct wish){kind, optional ? OPTIONAL : 0, path, {0}, NULL});
    }
    return r;
}

static int add_binds(struct collector *collector, uint32_t flags) {
    struct holden_repeated left =
        *(const struct holden_repeated *)member(collector->properties, collector->index);
    struct holden_nested nested;
    struct holden_bind bind;
    struct holden_fault fault;
    int r = 0;
    while (r == 0 && holden_next_record(&left, &nested) &&
           holden_decode(&holden_record_bind, nested.bytes.data, nested.bytes.size, &bind,
                         &fault) == 0)
        r = add(collector, &(struct wish){
            PLAN_MOUNT_BIND,
            flags | (bind.optional ? OPTIONAL : 0) | (bind.single ? 0 : PLAN_MOUNT_RECURSIVE),
            HOLDEN_HAS(&bind, bind, target) ? bind.target : bind.source, bind.source, NULL});
    return r;
}

static int add_temporary(struct collector *collector,
                         const struct holden_temporary_file_system *asked) {
    static const char usual[] = "mode=0755,size=10%,nr_inodes=400k";
    uint32_t flags = PLAN_MOUNT_NODEV;
    struct holden_view given = HOLDEN_HAS(asked, temporary_file_system, options)
                                   ? asked->options
                                   : (struct holden_view){"", 0};
    _cleanup_free_ char *options = malloc(sizeof(usual) + given.size + 2);
    if (!options)
        return out_of_memory(collector);
    strcpy(options, usual);
    mount_option_take(given, &flags, options);
    return add(collector, &(struct wish){PLAN_MOUNT_TEMPORARY, flags, asked->path, {0}, options});
}

static int add_temporaries(struct collector *collector) {
    collector->index = INDEX(temporary_file_system);
    struct holden_repeated left = collector->properties->temporary_file_system;
    struct holden_temporary_file_system asked;
    struct holden_nested nested;
    struct holden_fault fault;
    int r = 0;
    while (r == 0 && holden_has(collector->properties, collector->index) &&
           holden_next_record(&left, &nested) &&
           holden_decode(&holden_record_temporary_file_system, nested.bytes.data,
                         nested.bytes.size, &asked, &fault) == 0)
        r = add_temporary(collector, &asked);
    return r;
}

/* ---- the kernel's own file systems ---- */

static int add_proc(struct collector *collector) {
    static const char *const hidden[] = {"off", "noaccess", "invisible", "ptraceable"};
    uint32_t protect = chosen(collector->properties, INDEX(protect_proc));
    uint32_t subset = chosen(collector->properties, INDEX(proc_subset));
    /* In a PID namespace of its own, what is there shows another one. */
    bool relaxed = !chosen(collector->properties, INDEX(private_pids));
    char options[64] = "";
    if (protect || subset)
        snprintf(options, sizeof(options), "hidepid=%s%s",
                 hidden[protect < ARRAY_SIZE(hidden) ? protect : 0], subset ? ",subset=pid" : "");
    return add(collector, &(struct wish){PLAN_MOUNT_PROC,
                                         LITERAL | (*options || !relaxed ? 0 : PLAN_MOUNT_RELAXED),
                                         holden_view("/proc"), {0}, options});
}

/* Where they are mounted already, they stay; so this comes behind all that is asked for there. */
static int add_fallbacks(struct collector *collector) {
    static const char run[] = "mode=0755,size=20%,nr_inodes=800k";
    const uint32_t flags = LITERAL | PLAN_MOUNT_FALLBACK;
    int r = add(collector, &(struct wish){PLAN_MOUNT_BIND, flags | PLAN_MOUNT_RECURSIVE,
                                          holden_view("/sys"), holden_view("/sys"), NULL});
    if (r == 0 && !chosen(collector->properties, INDEX(private_devices)))
        r = add(collector, &(struct wish){PLAN_MOUNT_BIND, flags | PLAN_MOUNT_RECURSIVE,
                                          holden_view("/dev"), holden_view("/dev"), NULL});
    if (r == 0)
        r = add(collector, &(struct wish){PLAN_MOUNT_TEMPORARY, flags | PRIVATE,
                                          holden_view("/run"), {0}, run});
    return r;
}

/* Protecting /proc and /sys needs them to be there; MountAPIVFS= is for another root only, since in
 * the machine's they are (systemd.exec(5)). */
static int add_kernel(struct collector *collector) {
    const struct holden_properties *properties = collector->properties;
    bool wanted = collector->mounts->root && (!HOLDEN_HAS(properties, properties, mount_api_vfs) ||
                                              properties->mount_api_vfs);
    collector->index = INDEX(mount_api_vfs);
    int r = 0;
    if (wanted || chosen(properties, INDEX(protect_kernel_tunables)) ||
        chosen(properties, INDEX(protect_control_groups)) ||
        chosen(properties, INDEX(private_pids)) ||
        chosen(properties, INDEX(protect_proc)) || chosen(properties, INDEX(proc_subset)))
        r = add_proc(collector);
    return r < 0 || !wanted ? r : add_fallbacks(collector);
}

static int take_path(struct collector *collector, struct holden_view path) {
    if (!is_simple(path))
        return refuse_path(collector, path);
    collector->mounts->root = copy(collector->mounts, path);
    collector->mounts->own = true;
    return collector->mounts->root ? 0 : out_of_memory(collector);
}

static int take_directory(struct collector *collector) {
    collector->index = INDEX(root_directory);
    return holden_view_is(collector->properties->root_directory, "/")
               ? 0
               : take_path(collector, collector->properties->root_directory);
}

/* Its devices are no more than files, as with systemd. */
static int take_image(struct collector *collector) {
    const struct holden_properties *properties = collector->properties;
    struct mounts *mounts = collector->mounts;
    bool given = HOLDEN_HAS(properties, properties, root_image_options);
    struct holden_view options = given ? properties->root_image_options
                                       : (struct holden_view){"", 0};
    _cleanup_free_ char *rest = calloc(1, options.size + 2);
    if (!rest)
        return out_of_memory(collector);
    collector->index = INDEX(root_image);
    mounts->image = true;
    mounts->root_flags = PLAN_MOUNT_NODEV;
    mount_option_take(options, &mounts->root_flags, rest);
    mounts->root_options = copy(mounts, holden_view(rest));
    return mounts->root_options ? take_path(collector, properties->root_image)
                                : out_of_memory(collector);
}

static int take_root(struct collector *collector) {
    const struct holden_properties *properties = collector->properties;
    bool directory = HOLDEN_HAS(properties, properties, root_directory);
    bool image = HOLDEN_HAS(properties, properties, root_image);
    if (directory && image)
        return failure_set(collector->failure, HOLDEN_code_INVALID, "RootImage",
                           "RootDirectory= is set too, and there is one root");
    return image ? take_image(collector) : directory ? take_directory(collector) : 0;
}

/* What is private is shown where it is, among nothing else: the link to it leads there. Below
 * another root there is no such link. */
static int add_directory(struct collector *collector, const struct directory *directory) {
    char source[4200], shown[4200], around[64];
    bool root = collector->mounts->root != NULL, private = directory->private;
    const int size = (int)directory->name.size;
    int r = 0;
    snprintf(around, sizeof(around), "%s%s", directory->prefix, private ? "/private" : "");
    snprintf(source, sizeof(source), "%s/%.*s", around, size, directory->name.data);
    snprintf(shown, sizeof(shown), "%s/%.*s", directory->prefix, size, directory->name.data);
    if (private && !root)
        r = add(collector, &(struct wish){PLAN_MOUNT_TEMPORARY, PLAN_MOUNT_RDONLY | PRIVATE,
                                          holden_view(around), {0}, "mode=0755," FEW});
    return r < 0 ? r
                 : add(collector, &(struct wish){PLAN_MOUNT_BIND, PLAN_MOUNT_RECURSIVE,
                                                 holden_view(root ? shown : source),
                                                 holden_view(source), NULL});
}

/* What it has in fixed places is there, and can be written to, whatever else is done to the
 * place. */
static int add_directories(struct collector *collector) {
    struct directory_walk walk = {.properties = collector->properties};
    struct directory directory;
    int r = 0;
    while (r == 0 && directory_next(&walk, &directory) && !walk.links) {
        holden_property_find(directory.property, &collector->index);
        r = add_directory(collector, &directory);
    }
    return r;
}

/* Credentials of others are nobody's business (systemd 252 hides them likewise). */
static int hide_credentials(struct collector *collector) {
    collector->index = INDEX(private_mounts);
    return add(collector, &(struct wish){PLAN_MOUNT_INACCESSIBLE, OPTIONAL,
                                         holden_view("/run/credentials"), {0}, NULL});
}

/* Where this agent has them, its own stay. */
static int show_credentials(struct collector *collector) {
    const struct credentials *all =
        collector->process ? &collector->process->agent->credentials : NULL;
    char path[4400];
    if (!all || !all->used)
        return 0;
    if (!holden_has(collector->properties, INDEX(set_credential)))
        return add(collector, &(struct wish){PLAN_MOUNT_INACCESSIBLE, OPTIONAL,
                                             holden_view(all->path), {0}, NULL});
    collector->index = INDEX(set_credential);
    snprintf(path, sizeof(path), "%s/%s", all->path, collector->process->name);
    int r = add(collector, &(struct wish){PLAN_MOUNT_TEMPORARY, PLAN_MOUNT_RDONLY | PRIVATE,
                                          holden_view(all->path), {0}, "mode=0755," FEW});
    return r < 0 ? r
                 : add(collector, &(struct wish){PLAN_MOUNT_BIND, PLAN_MOUNT_RDONLY,
                                                 holden_view(path), holden_view(path), NULL});
}

/* Below another root it reaches the socket for sd_notify(3) where it is told that it is. */
static int show_notify(struct collector *collector) {
    const char *path = collector->process ? collector->process->agent->notices.path : "";
    if (!collector->mounts->root || !*path || !readiness_listens(collector->properties))
        return 0;
    collector->index = INDEX(notify_access);
    return add(collector, &(struct wish){PLAN_MOUNT_BIND, PLAN_MOUNT_RDONLY, holden_view(path),
                                         holden_view(path), NULL});
}

static int collect(struct collector *collector) {
    int r = take_root(collector);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(lists); i++)
        if (holden_has(collector->properties, collector->index = lists[i].index))
            r = add_list(collector, lists[i].kind);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(binds); i++)
        if (holden_has(collector->properties, collector->index = binds[i].index))
            r = add_binds(collector, binds[i].flags);
    if (r == 0)
        r = add_temporaries(collector);
    if (r == 0)
        r = add_places(collector);
    if (r == 0)
        r = add_kernel(collector);
    if (chosen(collector->properties, INDEX(private_mounts)))
        collector->mounts->own = true;
    if (r == 0 && collector->mounts->own)
        r = add_directories(collector);
    if (r == 0 && collector->mounts->own)
        r = hide_credentials(collector);
    if (r == 0 && collector->mounts->own)
        r = show_credentials(collector);
    return r < 0 ? r : show_notify(collector);
}

int mounts_collect(const struct process *process, const struct holden_properties *properties,
                   struct mounts *mounts, struct failure *failure) {
    struct collector collector = {
        .process = process, .properties = properties, .mounts = mounts, .failure = failure};
    *mounts = (struct mounts){0};
    int r = collect(&collector);
    if (r == 0)
        mounts->count = mount_order(mounts->at, 0, mounts->count);
    for (size_t i = 0; i < mounts->count; i++)
        mounts->inaccessible |= mounts->at[i].kind == PLAN_MOUNT_INACCESSIBLE;
    return r;
}

void mounts_free(struct mounts *mounts) {
    for (struct mounts_text *next; mounts->texts; mounts->texts = next) {
        next = mounts->texts->next;
        free(mounts->texts);
    }
    free(mounts->at);
    free(mounts->properties);
    *mounts = (struct mounts){0};
}

void mounts_name(const struct mounts *mounts, uint32_t number, const char **property,
                 const char **path) {
    *property = holden_property(number == PLAN_ROOT_OPTIONS ? INDEX(root_image_options)
                                : mounts->image             ? INDEX(root_image)
                                                            : INDEX(root_directory))->name;
    *path = mounts->root ? mounts->root : "/";
    for (size_t i = 0; i < mounts->count; i++)
        if (mounts->at[i].number == number) {
            *property = holden_property(mounts->properties[number])->name;
            *path = mount_path(&mounts->at[i]);
        }
}
