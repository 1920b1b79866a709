/* Counts the calls by which a process changes files below a folder, and has one of them fail or be the last.
 *
 * Loaded by LD_PRELOAD. Variables, read once:
 *   FAULT_ROOT    only calls on paths that begin with this text count
 *   FAULT_CALLS   names separated by commas; without it all count
 *   FAULT_AT      the number of the call, from 1; 0 for none
 *   FAULT_DO      kill: the process is killed instead of the call; kill-all: its whole process group is;
 *                 torn: half of a write is written, then kill; a number: the call fails with that errno;
 *                 short: half of a write is written, and the next call fails with ENOSPC
 *   FAULT_STAYS   if set, all later calls that count fail too
 *   FAULT_LOG     a file that gets a line per counted call
 * The counter is inherited by a fork, so that an engine goes on from where its parent was.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#undef ftruncate64
#undef open64
#undef openat64

static const char *root, *calls, *doing, *stays;
static long at;
static int logged = -1;
static atomic_long counted;
static atomic_long after_short;

__attribute__((constructor)) static void read_variables(void) {
    const char *number = getenv("FAULT_AT"), *name = getenv("FAULT_LOG");
    root = getenv("FAULT_ROOT");
    calls = getenv("FAULT_CALLS");
    doing = getenv("FAULT_DO");
    stays = getenv("FAULT_STAYS");
    at = number ? atol(number) : 0;
    if (name) logged = syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int is_meant(const char *call, const char *path) {
    if (!root || !path || strncmp(path, root, strlen(root))) return 0;
    if (!calls) return 1;
    const char *found = strstr(calls, call);
    size_t length = strlen(call);
    return found && (found == calls || found[-1] == ',') && (found[length] == 0 || found[length] == ',');
}

static void end_it(void) {
    kill(strcmp(doing, "kill-all") ? getpid() : 0, SIGKILL);
    for (;;) pause();
}

/* What becomes of a call: 0 it happens, an errno it fails with, -1 half of a write happens. */
static int verdict(const char *call, const char *path) {
    if (!is_meant(call, path)) return 0;
    long number = atomic_fetch_add(&counted, 1) + 1;
    if (logged >= 0) dprintf(logged, "%ld %s %s\n", number, call, path);
    if (!at || number < at || (number > at && !stays && !after_short)) return 0;
    if (number > at) {
        if (!stays) after_short = 0;
        return strcmp(doing, "short") ? atoi(doing) : ENOSPC;
    }
    if (!strncmp(doing, "kill", 4)) end_it();
    if (!strcmp(doing, "torn")) {
        if (strcmp(call, "write")) end_it();
        return -1;
    }
    if (!strcmp(doing, "short")) {
        after_short = 1;
        return strcmp(call, "write") ? ENOSPC : -1;
    }
    return atoi(doing);
}

static const char *path_of(int descriptor, char *buffer) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, buffer, 4095);
    if (length < 0) return NULL;
    buffer[length] = 0;
    return buffer;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL_IF_TOLD(call, path) do { int told = verdict(call, path); if (told > 0) { errno = told; return -1; } } while (0)

ssize_t write(int descriptor, const void *bytes, size_t size) {
    static __typeof__(&write) real;
    if (!real) real = REAL(write);
    char buffer[4096];
    int told = root ? verdict("write", path_of(descriptor, buffer)) : 0;
    if (told > 0) { errno = told; return -1; }
    if (told == 0) return real(descriptor, bytes, size);
    ssize_t written = real(descriptor, bytes, size / 2);
    if (!strcmp(doing, "torn")) end_it();
    return written;
}

#define SYNC(name) int name(int descriptor) { \
    static int (*real)(int); if (!real) real = REAL(name); \
    char buffer[4096]; FAIL_IF_TOLD(#name, root ? path_of(descriptor, buffer) : NULL); return real(descriptor); }
SYNC(fsync)
SYNC(fdatasync)

#define TRUNCATE(name) int name(int descriptor, off_t size) { \
    static int (*real)(int, off_t); if (!real) real = REAL(name); \
    char buffer[4096]; FAIL_IF_TOLD("ftruncate", root ? path_of(descriptor, buffer) : NULL); return real(descriptor, size); }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define OPEN(name) int name(const char *path, int flags, ...) { \
    static int (*real)(const char *, int, ...); if (!real) real = REAL(name); \
    va_list list; va_start(list, flags); mode_t mode = va_arg(list, mode_t); va_end(list); \
    if (flags & (O_CREAT | O_TRUNC)) FAIL_IF_TOLD("create", path); else FAIL_IF_TOLD("open", path); \
    return real(path, flags, mode); }
OPEN(open)
OPEN(open64)

int rename(const char *from, const char *to) { FAIL_IF_TOLD("rename", to); return REAL(rename)(from, to); }
int link(const char *from, const char *to) { FAIL_IF_TOLD("link", to); return REAL(link)(from, to); }
int linkat(int a, const char *from, int b, const char *to, int flags) {
    FAIL_IF_TOLD("link", to);
    return REAL(linkat)(a, from, b, to, flags);
}
int unlink(const char *path) { FAIL_IF_TOLD("unlink", path); return REAL(unlink)(path); }
int mkdir(const char *path, mode_t mode) { FAIL_IF_TOLD("mkdir", path); return REAL(mkdir)(path, mode); }
int rmdir(const char *path) { FAIL_IF_TOLD("rmdir", path); return REAL(rmdir)(path); }
