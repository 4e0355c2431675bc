/*
 * The clients of the benchmark: processes that do one kind of operation again and again and cost little themselves.
 */
#ifndef CLIENT_H
#define CLIENT_H

#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>

/* Latencies in steps of an eighth of an octave. */
#define LATENCY_STEPS 512

/* One client's place in memory that it shares with its parent. */
struct worker {
    int index;
    int dirfd;
    /* A directory of its own, for what changes directories. */
    int own;
    uint32_t random;
    uint64_t turn;
    uint64_t operations;
    int64_t ended_ns;
    int error;
    uint64_t latencies[LATENCY_STEPS];
};

/* One operation. Returns 0 or -errno. */
typedef int operation(struct worker *worker);

/* operations.c */
operation *operation_by_name(const char *name);
/* Files in a directory that `prepare` made: f0, f1, ... */
extern unsigned file_count;
/* The directory behind the one that is worked in. */
extern const char *source_directory;

/* measure.c */
int64_t now_ns(void);
/* Runs `clients` processes for a time, and prints what they did as JSON. `pids`: servers, separated by commas. */
int measure(const char *name, const char *directory, unsigned clients, double seconds, const char *pids);

/* trees.c */
int prepare(const char *directory, unsigned files, unsigned bytes, unsigned clients);
int read_all(const char *directory, unsigned files);
int populate(const char *directory, unsigned files);
int know(const char *directory, unsigned files);
int longest_call(const char *path, double seconds);

#endif
