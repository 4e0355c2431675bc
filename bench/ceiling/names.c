/* Names: found, made, removed, renamed. */
#include "ceiling.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int answer_entry(const struct request *request, struct node *parent, const char *name)
{
    struct fuse_entry_out out;
    struct statx attributes;
    struct node *node;
    int result = node_find(parent, name, &node, &attributes);
    if (result < 0)
        return result;
    fill_entry(&out, node, &attributes);
    reply_bytes(request, &out, sizeof out);
    return ANSWERED;
}

int do_lookup(const struct request *request, struct node *parent)
{
    int result = answer_entry(request, parent, request->body);
    if (result != -ENOENT || settings.timeout == 0)
        return result;
    /* No node: the kernel may rely on it that there is none. */
    struct fuse_entry_out none;
    fill_no_entry(&none);
    reply_bytes(request, &none, sizeof none);
    return ANSWERED;
}

int do_mknod(const struct request *request, struct node *parent)
{
    const struct fuse_mknod_in *in = (void *)request->body;
    const char *name = (const char *)(in + 1);
    dev_t rdev = makedev((in->rdev >> 8) & 0xfff, (in->rdev & 0xff) | ((in->rdev >> 12) & 0xfff00));
    act_with_umask(in->umask);
    if (mknodat(parent->fd, name, in->mode, rdev) < 0)
        return -errno;
    return answer_entry(request, parent, name);
}

int do_mkdir(const struct request *request, struct node *parent)
{
    const struct fuse_mkdir_in *in = (void *)request->body;
    const char *name = (const char *)(in + 1);
    act_with_umask(in->umask);
    if (mkdirat(parent->fd, name, in->mode) < 0)
        return -errno;
    return answer_entry(request, parent, name);
}

int do_symlink(const struct request *request, struct node *parent)
{
    const char *name = request->body;
    const char *target = name + strlen(name) + 1;
    if (symlinkat(target, parent->fd, name) < 0)
        return -errno;
    return answer_entry(request, parent, name);
}

int do_link(const struct request *request, struct node *parent)
{
    const struct fuse_link_in *in = (void *)request->body;
    const char *name = (const char *)(in + 1);
    if (linkat(node_of(in->oldnodeid)->fd, "", parent->fd, name, AT_EMPTY_PATH) < 0)
        return -errno;
    return answer_entry(request, parent, name);
}

int do_unlink(const struct request *request, struct node *parent)
{
    reply_result(request, unlinkat(parent->fd, request->body, 0));
    return ANSWERED;
}

int do_rmdir(const struct request *request, struct node *parent)
{
    reply_result(request, unlinkat(parent->fd, request->body, AT_REMOVEDIR));
    return ANSWERED;
}

static int rename_with(const struct request *request, struct node *parent, uint64_t newdir, size_t size, unsigned flags)
{
    const char *name = request->body + size;
    const char *new_name = name + strlen(name) + 1;
    reply_result(request, renameat2(parent->fd, name, node_of(newdir)->fd, new_name, flags));
    return ANSWERED;
}

int do_rename(const struct request *request, struct node *parent)
{
    const struct fuse_rename_in *in = (void *)request->body;
    return rename_with(request, parent, in->newdir, sizeof *in, 0);
}

int do_rename2(const struct request *request, struct node *parent)
{
    const struct fuse_rename2_in *in = (void *)request->body;
    return rename_with(request, parent, in->newdir, sizeof *in, in->flags);
}

int do_readlink(const struct request *request, struct node *node)
{
    static _Thread_local char target[PATH_MAX];
    ssize_t length = readlinkat(node->fd, "", target, sizeof target);
    if (length < 0)
        return -errno;
    reply_bytes(request, target, (size_t)length);
    return ANSWERED;
}
