/* Attributes: asked for and changed. */
#include "ceiling.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

int do_getattr(const struct request *request, struct node *node)
{
    struct statx attributes;
    int result = stat_node(node, &attributes);
    if (result < 0)
        return result;
    reply_attributes(request, &attributes);
    return ANSWERED;
}

static struct timespec time_of(uint32_t valid, uint32_t given, uint32_t now, uint64_t seconds, uint32_t nanoseconds)
{
    if ((valid & given) == 0)
        return (struct timespec){.tv_nsec = UTIME_OMIT};
    if ((valid & now) != 0)
        return (struct timespec){.tv_nsec = UTIME_NOW};
    return (struct timespec){.tv_sec = (time_t)seconds, .tv_nsec = nanoseconds};
}

int do_setattr(const struct request *request, struct node *node)
{
    const struct fuse_setattr_in *in = (void *)request->body;
    struct statx attributes;
    if ((in->valid & (FATTR_UID | FATTR_GID)) != 0) {
        uid_t uid = (in->valid & FATTR_UID) != 0 ? in->uid : (uid_t)-1;
        gid_t gid = (in->valid & FATTR_GID) != 0 ? in->gid : (gid_t)-1;
        if (fchownat(node->fd, "", uid, gid, AT_EMPTY_PATH) < 0)
            return -errno;
    }
    if ((in->valid & FATTR_MODE) != 0 && fchmodat(AT_FDCWD, node_path(node), in->mode, 0) < 0)
        return -errno;
    if ((in->valid & FATTR_SIZE) != 0 && truncate(node_path(node), (off_t)in->size) < 0)
        return -errno;
    if ((in->valid & (FATTR_ATIME | FATTR_MTIME)) != 0) {
        struct timespec times[] = {
            time_of(in->valid, FATTR_ATIME, FATTR_ATIME_NOW, in->atime, in->atimensec),
            time_of(in->valid, FATTR_MTIME, FATTR_MTIME_NOW, in->mtime, in->mtimensec),
        };
        if (utimensat(AT_FDCWD, node_path(node), times, 0) < 0)
            return -errno;
    }
    int result = stat_node(node, &attributes);
    if (result < 0)
        return result;
    reply_attributes(request, &attributes);
    return ANSWERED;
}

int do_statfs(const struct request *request, struct node *node)
{
    struct statfs from;
    if (fstatfs(node->fd, &from) < 0)
        return -errno;
    struct fuse_statfs_out out = {.st = {
                                      .blocks = from.f_blocks,
                                      .bfree = from.f_bfree,
                                      .bavail = from.f_bavail,
                                      .files = from.f_files,
                                      .ffree = from.f_ffree,
                                      .bsize = (uint32_t)from.f_bsize,
                                      .namelen = (uint32_t)from.f_namelen,
                                      .frsize = (uint32_t)from.f_frsize,
                                  }};
    reply_bytes(request, &out, sizeof out);
    return ANSWERED;
}
