/* The objects that the kernel knows, found by device and inode number. */
#include "ceiling.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define ASKED (STATX_BASIC_STATS)

/* Readers share the nodes. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct node root = {.fd = -1};
static struct node **buckets;
static size_t bucket_count, node_count;

static size_t bucket_of(dev_t dev, ino_t ino, size_t count)
{
    uint64_t mixed = (ino ^ (dev << 17)) * 0x9e3779b97f4a7c15u;
    return (mixed >> 20) & (count - 1);
}

static void grow(void)
{
    size_t count = bucket_count == 0 ? 4096 : bucket_count * 2;
    struct node **grown = calloc(count, sizeof *grown);
    if (grown == NULL)
        return;
    for (size_t at = 0; at < bucket_count; at++) {
        for (struct node *node = buckets[at], *next; node != NULL; node = next) {
            struct node **place = &grown[bucket_of(node->dev, node->ino, count)];
            next = node->next;
            node->next = *place;
            *place = node;
        }
    }
    free(buckets);
    buckets = grown;
    bucket_count = count;
}

void nodes_init(int root_fd)
{
    grow();
    root.fd = root_fd;
    root.lookups = 1;
}

struct node *node_of(uint64_t nodeid)
{
    return nodeid == FUSE_ROOT_ID ? &root : (struct node *)(uintptr_t)nodeid;
}

uint64_t node_id(const struct node *node)
{
    return node == &root ? FUSE_ROOT_ID : (uint64_t)(uintptr_t)node;
}

/* With the lock held. */
static int node_of_object(struct node *parent, const char *name, const struct statx *attributes, struct node **found)
{
    dev_t dev = makedev(attributes->stx_dev_major, attributes->stx_dev_minor);
    ino_t ino = attributes->stx_ino;
    struct node *node = buckets[bucket_of(dev, ino, bucket_count)];
    while (node != NULL && (node->ino != ino || node->dev != dev))
        node = node->next;
    if (node == NULL) {
        int fd = openat(parent->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            return -errno;
        node = calloc(1, sizeof *node);
        if (node == NULL) {
            close(fd);
            return -ENOMEM;
        }
        if (++node_count > bucket_count)
            grow();
        struct node **place = &buckets[bucket_of(dev, ino, bucket_count)];
        *node = (struct node){.next = *place, .dev = dev, .ino = ino, .fd = fd};
        *place = node;
    }
    node->lookups++;
    *found = node;
    return 0;
}

int node_find(struct node *parent, const char *name, struct node **found, struct statx *attributes)
{
    /* glibc's statx is the system call and nothing else. */
    if (statx(parent->fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, ASKED, attributes) < 0)
        return -errno;
    pthread_mutex_lock(&lock);
    int result = node_of_object(parent, name, attributes, found);
    pthread_mutex_unlock(&lock);
    return result;
}

/* With the lock held: whether the kernel no longer knows it. */
static int unlinked(struct node *node, uint64_t lookups)
{
    node->lookups -= lookups < node->lookups ? lookups : node->lookups;
    if (node->lookups > 0)
        return 0;
    struct node **place = &buckets[bucket_of(node->dev, node->ino, bucket_count)];
    while (*place != node)
        place = &(*place)->next;
    *place = node->next;
    node_count--;
    return 1;
}

void node_forget(uint64_t nodeid, uint64_t lookups)
{
    struct node *node = node_of(nodeid);
    if (node == &root)
        return;
    pthread_mutex_lock(&lock);
    int gone = unlinked(node, lookups);
    pthread_mutex_unlock(&lock);
    if (!gone)
        return;
    if (node->backing > 0) {
        uint32_t id = (uint32_t)node->backing;
        ioctl(device, CEILING_BACKING_CLOSE, &id);
    }
    close(node->fd);
    free(node);
}

int node_registration(struct node *node)
{
    int result = 0;
    pthread_mutex_lock(&lock);
    if (node->backing == 0) {
        /* By the O_PATH descriptor: the kernel opens an instance with the caller's flags at each open. */
        struct backing_map map = {.fd = node->fd};
        int id = ioctl(device, CEILING_BACKING_OPEN, &map);
        if (id > 0)
            node->backing = id;
        else
            result = -errno;
    }
    if (result == 0)
        result = node->backing;
    pthread_mutex_unlock(&lock);
    return result;
}

/* Two changes within a tick of the clock have the same time. */
#define TICK_NS 100000000

uint32_t node_opened_directory(struct node *node, const struct statx *attributes)
{
    struct timespec now;
    int64_t changed = attributes->stx_ctime.tv_sec * 1000000000 + attributes->stx_ctime.tv_nsec;
    uint32_t flags = 0;
    clock_gettime(CLOCK_REALTIME, &now);
    pthread_mutex_lock(&lock);
    /* What came with the entries is relied on for as long; then listing anew is cheaper than a LOOKUP for each. */
    int is_useful = settings.timeout == 0 || now.tv_sec - node->listed_at < (time_t)settings.timeout;
    if (changed == node->listed && is_useful)
        flags = FOPEN_CACHE_DIR | FOPEN_KEEP_CACHE;
    else if (node->open_count == 0 && now.tv_sec * 1000000000 + now.tv_nsec - changed > TICK_NS) {
        flags = FOPEN_CACHE_DIR;
        node->listed = changed;
        node->listed_at = now.tv_sec;
    }
    node->open_count++;
    pthread_mutex_unlock(&lock);
    return flags;
}

void node_closed_directory(struct node *node)
{
    pthread_mutex_lock(&lock);
    node->open_count--;
    pthread_mutex_unlock(&lock);
}

void act_with_umask(mode_t mask)
{
    static int last = -1;
    /* Several readers have one mask. */
    if (last != (int)mask || settings.readers > 1)
        umask(mask);
    last = (int)mask;
}

const char *node_path(const struct node *node)
{
    static _Thread_local char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", node->fd);
    return path;
}

int stat_node(const struct node *node, struct statx *attributes)
{
    return statx(node->fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, ASKED, attributes) < 0 ? -errno : 0;
}
