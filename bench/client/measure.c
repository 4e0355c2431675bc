#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP 20
#define MAX_SERVERS 8

int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* CPU time that a process has used so far, ended threads included; -1: there is no such process. */
static int64_t cpu_ns(int pid)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) < 0)
        return -1;
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

static int64_t cpu_of_all(const char *pids)
{
    int64_t sum = 0;
    for (const char *at = pids; *at != 0;) {
        char *end;
        long pid = strtol(at, &end, 10);
        int64_t used = end == at ? -1 : cpu_ns((int)pid);
        if (used < 0)
            return -1;
        sum += used;
        at = *end == ',' ? end + 1 : end;
    }
    return sum;
}

static unsigned step_of(int64_t ns)
{
    if (ns < 8)
        return (unsigned)(ns < 0 ? 0 : ns);
    unsigned octave = 63 - (unsigned)__builtin_clzll((unsigned long long)ns);
    return (octave - 2) * 8 + (unsigned)((ns >> (octave - 3)) & 7);
}

/* Middle of a step, in microseconds. */
static double middle_of(unsigned step)
{
    if (step < 8)
        return step / 1e3;
    unsigned octave = step / 8 + 2;
    double width = (double)(1ull << (octave - 3));
    return ((double)(1ull << octave) + (step % 8 + 0.5) * width) / 1e3;
}

static double quantile(const uint64_t *latencies, uint64_t total, double share)
{
    uint64_t seen = 0;
    for (unsigned step = 0; step < LATENCY_STEPS; step++) {
        seen += latencies[step];
        if ((double)seen >= share * (double)total)
            return middle_of(step);
    }
    return 0;
}

static void work(struct worker *worker, const char *directory, operation *run, int ready, int start, double seconds)
{
    char own[32], byte = 0;
    snprintf(own, sizeof own, "c%d", worker->index);
    worker->dirfd = open(directory, O_RDONLY | O_DIRECTORY);
    worker->own = worker->dirfd < 0 ? -1 : openat(worker->dirfd, own, O_RDONLY | O_DIRECTORY);
    worker->random = 2463534242u + (uint32_t)worker->index;
    if (worker->dirfd < 0)
        worker->error = errno;
    int64_t warm_until = now_ns() + (int64_t)(seconds * 1e8);
    for (int turn = 0; turn < WARM_UP && worker->error == 0 && now_ns() < warm_until; turn++, worker->turn++)
        worker->error = -run(worker);
    /* The start is the moment when the other end is closed. */
    if (write(ready, &byte, 1) != 1 || read(start, &byte, 1) != 0)
        worker->error = EPIPE;
    int64_t last = now_ns(), end = last + (int64_t)(seconds * 1e9);
    while (worker->error == 0 && last < end) {
        worker->error = -run(worker);
        int64_t now = now_ns();
        worker->latencies[step_of(now - last)]++;
        worker->operations++;
        worker->turn++;
        last = now;
    }
    worker->ended_ns = last;
    /* The next run finds the name that this one began with. */
    if (worker->own >= 0)
        renameat(worker->own, "b", worker->own, "a");
    _exit(0);
}

int measure(const char *name, const char *directory, unsigned clients, double seconds, const char *pids)
{
    operation *run = operation_by_name(name);
    if (run == NULL) {
        fprintf(stderr, "client: no operation %s\n", name);
        return 2;
    }
    size_t bytes = clients * sizeof(struct worker);
    struct worker *workers = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int ready[2], start[2];
    if (workers == MAP_FAILED || pipe(ready) < 0 || pipe(start) < 0) {
        perror("client");
        return 1;
    }
    for (unsigned index = 0; index < clients; index++) {
        workers[index].index = (int)index;
        pid_t pid = fork();
        if (pid == 0) {
            close(start[1]);
            work(&workers[index], directory, run, ready[1], start[0], seconds);
        }
        if (pid < 0) {
            perror("client: fork");
            return 1;
        }
    }
    for (unsigned index = 0; index < clients; index++) {
        char byte;
        if (read(ready[0], &byte, 1) != 1)
            return 1;
    }
    int64_t cpu = cpu_of_all(pids), began = now_ns();
    close(start[1]);
    while (wait(NULL) > 0)
        ;
    int64_t cpu_after = cpu_of_all(pids), ended = began;
    uint64_t operations = 0;
    for (unsigned index = 0; index < clients; index++) {
        if (workers[index].error != 0) {
            fprintf(stderr, "client: %s in %s: %s\n", name, directory, strerror(workers[index].error));
            return 1;
        }
        operations += workers[index].operations;
        if (workers[index].ended_ns > ended)
            ended = workers[index].ended_ns;
        for (unsigned step = 0; index > 0 && step < LATENCY_STEPS; step++)
            workers[0].latencies[step] += workers[index].latencies[step];
    }
    printf("{\"operations\":%llu,\"seconds\":%.6f,\"p50Us\":%.3f,\"p99Us\":%.3f,\"serverCpuNs\":%lld}\n",
           (unsigned long long)operations, (double)(ended - began) / 1e9,
           quantile(workers[0].latencies, operations, 0.5), quantile(workers[0].latencies, operations, 0.99),
           (long long)(cpu < 0 || cpu_after < 0 ? -1 : cpu_after - cpu));
    return 0;
}
