/* Answers: a header and a body, written at once. */
#include "ceiling.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

static void send(uint64_t unique, int error, const void *bytes, size_t length)
{
    struct fuse_out_header head = {.len = (uint32_t)(sizeof head + length), .error = error, .unique = unique};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)bytes, length}};
    /* Refused when the caller has gone meanwhile: nobody to tell. */
    ssize_t written = writev(reader, parts, length > 0 ? 2 : 1);
    (void)written;
}

void reply_error(const struct request *request, int error)
{
    send(request->head->unique, error, NULL, 0);
}

void reply_bytes(const struct request *request, const void *bytes, size_t length)
{
    send(request->head->unique, 0, bytes, length);
}

void reply_result(const struct request *request, int result)
{
    send(request->head->unique, result < 0 ? -errno : 0, NULL, 0);
}

void fill_attributes(struct fuse_attr *out, const struct statx *from)
{
    *out = (struct fuse_attr){
        .ino = from->stx_ino,
        .size = from->stx_size,
        .blocks = from->stx_blocks,
        .atime = (uint64_t)from->stx_atime.tv_sec,
        .mtime = (uint64_t)from->stx_mtime.tv_sec,
        .ctime = (uint64_t)from->stx_ctime.tv_sec,
        .atimensec = from->stx_atime.tv_nsec,
        .mtimensec = from->stx_mtime.tv_nsec,
        .ctimensec = from->stx_ctime.tv_nsec,
        .mode = from->stx_mode,
        .nlink = from->stx_nlink,
        .uid = from->stx_uid,
        .gid = from->stx_gid,
        .rdev = (uint32_t)((from->stx_rdev_minor & 0xff) | (from->stx_rdev_major << 8) |
                           ((from->stx_rdev_minor & ~0xffu) << 12)),
        .blksize = from->stx_blksize,
    };
}

static void seconds(double timeout, uint64_t *whole, uint32_t *nanoseconds)
{
    *whole = (uint64_t)timeout;
    *nanoseconds = (uint32_t)((timeout - (double)*whole) * 1e9);
}

void fill_entry(struct fuse_entry_out *out, const struct node *node, const struct statx *attributes)
{
    memset(out, 0, offsetof(struct fuse_entry_out, attr));
    out->nodeid = node_id(node);
    seconds(settings.timeout, &out->entry_valid, &out->entry_valid_nsec);
    seconds(settings.timeout, &out->attr_valid, &out->attr_valid_nsec);
    fill_attributes(&out->attr, attributes);
}

void fill_no_entry(struct fuse_entry_out *out)
{
    memset(out, 0, sizeof *out);
    seconds(settings.timeout, &out->entry_valid, &out->entry_valid_nsec);
}

void reply_attributes(const struct request *request, const struct statx *attributes)
{
    struct fuse_attr_out out = {0};
    seconds(settings.timeout, &out.attr_valid, &out.attr_valid_nsec);
    fill_attributes(&out.attr, attributes);
    reply_bytes(request, &out, sizeof out);
}
