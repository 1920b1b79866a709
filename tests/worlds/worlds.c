/* A poorer file system below a folder. Loaded by LD_PRELOAD. Variables, read once:
 *   WORLD_ROOT     only what is below a path that begins with this text
 *   WORLD_LACKS    names separated by commas: link, chmod (fails), mode (has no effect, and all may do all), fifo, lock,
 *                  sync, owner (all belongs to uid 12345), passwd (no user has an entry in the password file)
 *   WORLD_ERRNO    the number that what is lacking fails with; else the usual one of each call
 *   WORLD_DEVICE   is added to the numbers of devices, as after another mount
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#undef stat64
#undef lstat64
#undef fstat64
#undef fstatat64

static const char *root, *lacks;
static long device, number;

__attribute__((constructor)) static void read_variables(void) {
    const char *shift = getenv("WORLD_DEVICE"), *errnumber = getenv("WORLD_ERRNO");
    root = getenv("WORLD_ROOT");
    lacks = getenv("WORLD_LACKS");
    device = shift ? atol(shift) : 0;
    number = errnumber ? atol(errnumber) : 0;
}

static int is_lacking(const char *what) {
    const char *found = lacks ? strstr(lacks, what) : NULL;
    return found != NULL;
}

static int is_below(const char *path) { return root && path && !strncmp(path, root, strlen(root)); }

static const char *path_of(int descriptor, char *buffer) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, buffer, 4095);
    if (length < 0) return NULL;
    buffer[length] = 0;
    return buffer;
}

static const char *full(int folder, const char *path, char *buffer) {
    if (path[0] == '/') return path;
    if (folder == AT_FDCWD) {
        if (!getcwd(buffer, 2048)) return NULL;
    } else if (!path_of(folder, buffer)) return NULL;
    strncat(buffer, "/", 4095 - strlen(buffer));
    return strncat(buffer, path, 4095 - strlen(buffer));
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define REFUSE(usual) do { errno = number ? number : usual; return -1; } while (0)

int link(const char *from, const char *to) {
    char buffer[4096];
    if (is_lacking("link") && is_below(full(AT_FDCWD, to, buffer))) REFUSE(EPERM);
    return REAL(link)(from, to);
}
int linkat(int a, const char *from, int b, const char *to, int flags) {
    char buffer[4096];
    if (is_lacking("link") && is_below(full(b, to, buffer))) REFUSE(EPERM);
    return REAL(linkat)(a, from, b, to, flags);
}
int chmod(const char *path, mode_t mode) {
    char buffer[4096];
    if (is_below(full(AT_FDCWD, path, buffer))) {
        if (is_lacking("chmod")) REFUSE(EPERM);
        if (is_lacking("mode")) return 0;
    }
    return REAL(chmod)(path, mode);
}
int fchmod(int descriptor, mode_t mode) {
    char buffer[4096];
    if (root && is_below(path_of(descriptor, buffer))) {
        if (is_lacking("chmod")) REFUSE(EPERM);
        if (is_lacking("mode")) return 0;
    }
    return REAL(fchmod)(descriptor, mode);
}
int mkfifo(const char *path, mode_t mode) {
    if (is_lacking("fifo") && is_below(path)) REFUSE(EPERM);
    return REAL(mkfifo)(path, mode);
}
int mkfifoat(int folder, const char *path, mode_t mode) {
    char buffer[4096];
    if (is_lacking("fifo") && is_below(full(folder, path, buffer))) REFUSE(EPERM);
    return REAL(mkfifoat)(folder, path, mode);
}
int flock(int descriptor, int operation) {
    char buffer[4096];
    if (root && is_lacking("lock") && is_below(path_of(descriptor, buffer))) REFUSE(ENOLCK);
    return REAL(flock)(descriptor, operation);
}
#define SYNC(name) int name(int descriptor) { \
    char buffer[4096]; \
    if (root && is_lacking("sync") && is_below(path_of(descriptor, buffer))) REFUSE(EINVAL); \
    return REAL(name)(descriptor); }
SYNC(fsync)
SYNC(fdatasync)

struct passwd *getpwuid(uid_t user) { return is_lacking("passwd") ? NULL : REAL(getpwuid)(user); }
int getpwuid_r(uid_t user, struct passwd *entry, char *buffer, size_t size, struct passwd **found) {
    if (!is_lacking("passwd")) return REAL(getpwuid_r)(user, entry, buffer, size, found);
    *found = NULL;
    return 0;
}

static int changed(int result, const char *path, struct stat *status) {
    if (result || !is_below(path)) return result;
    status->st_dev += device;
    if (is_lacking("owner")) status->st_uid = 12345;
    if (is_lacking("mode") || is_lacking("chmod")) status->st_mode |= 0777;
    return 0;
}

#define STATS(stat_, lstat_, fstat_, fstatat_, type) \
    int stat_(const char *path, struct type *status) { \
        char buffer[4096]; int result = REAL(stat_)(path, status); \
        return changed(result, root ? full(AT_FDCWD, path, buffer) : NULL, (struct stat *)status); } \
    int lstat_(const char *path, struct type *status) { \
        char buffer[4096]; int result = REAL(lstat_)(path, status); \
        return changed(result, root ? full(AT_FDCWD, path, buffer) : NULL, (struct stat *)status); } \
    int fstat_(int descriptor, struct type *status) { \
        char buffer[4096]; int result = REAL(fstat_)(descriptor, status); \
        return changed(result, root ? path_of(descriptor, buffer) : NULL, (struct stat *)status); } \
    int fstatat_(int folder, const char *path, struct type *status, int flags) { \
        char buffer[4096]; int result = REAL(fstatat_)(folder, path, status, flags); \
        return changed(result, root ? full(folder, path, buffer) : NULL, (struct stat *)status); }
STATS(stat, lstat, fstat, fstatat, stat)
STATS(stat64, lstat64, fstat64, fstatat64, stat64)
