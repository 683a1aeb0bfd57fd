#include "agent/nodes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/store.h"
#include "common/cleanup.h"

#define DIRECTORY "nodes"

/* Making a character device 0:0 takes no rights, a block device would; a socket is as closed. */
static const struct {
    const char *name;
    mode_t type;
} nodes[] = {
    {DIRECTORY "/dir", S_IFDIR},  {DIRECTORY "/reg", S_IFREG},   {DIRECTORY "/chr", S_IFCHR},
    {DIRECTORY "/blk", S_IFSOCK}, {DIRECTORY "/fifo", S_IFIFO}, {DIRECTORY "/sock", S_IFSOCK},
};

static int make(int root, const char *name, mode_t type) {
    int r = type == S_IFDIR ? mkdirat(root, name, 0) : mknodat(root, name, type, 0);
    return r < 0 && errno != EEXIST ? -errno : 0;
}

int nodes_make(struct store *store, char *path, size_t space) {
    if ((size_t)snprintf(path, space, "%s/" DIRECTORY, store->path) >= space)
        return -ENAMETOOLONG;
    if (store->has_nodes)
        return 0;
    int r = mkdirat(store->root, DIRECTORY, 0755) < 0 && errno != EEXIST ? -errno : 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(nodes); i++)
        r = make(store->root, nodes[i].name, nodes[i].type);
    store->has_nodes = r == 0;
    return r;
}

void nodes_remove(int root) {
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
        unlinkat(root, nodes[i].name, nodes[i].type == S_IFDIR ? AT_REMOVEDIR : 0);
    unlinkat(root, DIRECTORY, AT_REMOVEDIR);
}
