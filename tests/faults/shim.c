/* What a machine can do to a program, before its C library (LD_PRELOAD):
 *
 * SHIM_ROOT and SHIM_SHADOW: a power cut. Files below the root are copied to the shadow whenever they are synced, so that
 *   the shadow holds what would be left if everything that was not synced were lost. SHIM_DEAF: a part of the name of
 *   files whose syncs do nothing, as if the program had never asked for them.
 * SHIM_EIO: while this file exists, syncing a file below the root with ".seg" in its name fails with EIO.
 * SHIM_CLOCK: a file of eight bytes, the seconds by which the wall clock is wrong; they can be changed at any time.
 *
 * Not here: the order in which a disk may keep what was not synced, and lost directory entries.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const char *root, *shadow, *deaf, *eio;
static volatile int64_t *wrong;

__attribute__((constructor)) static void begin(void) {
    root = getenv("SHIM_ROOT"), shadow = getenv("SHIM_SHADOW"), deaf = getenv("SHIM_DEAF"), eio = getenv("SHIM_EIO");
    const char *clock = getenv("SHIM_CLOCK");
    int fd = clock ? open(clock, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *page = mmap(NULL, sizeof *wrong, PROT_READ, MAP_SHARED, fd, 0);
    if (page != MAP_FAILED) wrong = page;
    close(fd);
}

static int below_root(const char *path) {
    return root && path[0] == '/' && strncmp(path, root, strlen(root)) == 0;
}

static void shadow_of(const char *path, char *out, size_t size) {
    int start = snprintf(out, size, "%s/", shadow);
    snprintf(out + start, size - start, "%s", path);
    for (char *c = out + start; *c; c++)
        if (*c == '/') *c = '%';
}

/* Copies a file whole, under a name of its own first, so that a kill in the middle leaves the copy before it. */
static void copy(const char *path) {
    char to[4096], part[4200];
    shadow_of(path, to, sizeof to);
    snprintf(part, sizeof part, "%s.part%ld", to, (long)syscall(SYS_gettid));
    int in = open(path, O_RDONLY | O_CLOEXEC), out = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct stat status;
    if (in >= 0 && out >= 0 && fstat(in, &status) == 0 && S_ISREG(status.st_mode)) {
        ssize_t moved;
        while ((moved = sendfile(out, in, NULL, 1 << 24)) > 0) {}
        syscall(SYS_rename, part, to);
    } else {
        syscall(SYS_unlink, part);
    }
    if (in >= 0) close(in);
    if (out >= 0) close(out);
}

/* Copies what was added to a segment: it only grows, and a part of an entry is what a torn write leaves too. */
static void copy_end(const char *path) {
    char to[4096];
    shadow_of(path, to, sizeof to);
    int in = open(path, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    off_t at = out >= 0 ? lseek(out, 0, SEEK_END) : 0;
    char text[1 << 16];
    ssize_t size;
    while (in >= 0 && out >= 0 && (size = pread(in, text, sizeof text, at)) > 0) {
        if (write(out, text, size) != size) abort();
        at += size;
    }
    if (in >= 0) close(in);
    if (out >= 0) close(out);
}

static int sync_with(int (*real)(int), int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    path[size > 0 ? size : 0] = 0;
    if (!below_root(path)) return real(fd);
    if (eio && strstr(path, ".seg") && access(eio, F_OK) == 0) return errno = EIO, -1;
    if (deaf && strstr(path, deaf)) return 0;
    int result = real(fd), kept = errno;
    if (result == 0 && shadow) strstr(path, ".seg") ? copy_end(path) : copy(path);
    errno = kept;
    return result;
}

int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return sync_with(real, fd);
}

int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    return sync_with(real, fd);
}

int rename(const char *from, const char *to) {
    char shadow_from[4096], shadow_to[4096];
    int result = syscall(SYS_rename, from, to), kept = errno;
    if (result == 0 && shadow && below_root(from) && below_root(to)) {
        shadow_of(from, shadow_from, sizeof shadow_from);
        shadow_of(to, shadow_to, sizeof shadow_to);
        syscall(SYS_rename, shadow_from, shadow_to);
    }
    errno = kept;
    return result;
}

int unlink(const char *path) {
    char gone[4096];
    int result = syscall(SYS_unlink, path), kept = errno;
    if (result == 0 && shadow && below_root(path)) {
        shadow_of(path, gone, sizeof gone);
        syscall(SYS_unlink, gone);
    }
    errno = kept;
    return result;
}

int clock_gettime(clockid_t which, struct timespec *t) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(which, t);
    if (result == 0 && wrong && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) t->tv_sec += *wrong;
    return result;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone) {
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
    t->tv_sec = now.tv_sec, t->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
