/* The /dev of PrivateDevices=: what needs no hardware, as systemd.exec(5) has it. */
#pragma once

enum { CHILD_DEVICE_KEPT = 4, CHILD_DEVICE_NODES = 7 };

/* What comes from the /dev from before: descriptors of mounts, or -1. */
struct child_device {
    int kept[CHILD_DEVICE_KEPT];   /* pts, shm, mqueue, hugepages */
    int nodes[CHILD_DEVICE_NODES]; /* where no device may be made: the ones that there are */
};

/* Makes the file system with its nodes and links, mounted nowhere yet, and takes hold of what comes
 * from the present /dev. `options` are those of its tmpfs(5). The mount's descriptor, which is
 * close-on-exec like all others; or -1 with errno. */
int child_device_make(struct child_device *device, const char *options);

/* Mounts what was taken hold of in it, once it is in its place. 0, or -1 with errno. */
int child_device_fill(const struct child_device *device, int mount);
