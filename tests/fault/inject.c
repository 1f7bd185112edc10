/* The plan, what faults do, the clock and the disk. inject.h has the whole of it. */
#include "inject.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static _Atomic uint64_t* plan;
static const char* database;
static int log_fd = -1;
static int disk_full;

void* next(const char* name) {
  static void* (*real_dlsym)(void*, const char*); /* dlsym itself is one of ours */
  if (!real_dlsym) *(void**)&real_dlsym = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
  if (!real_dlsym) *(void**)&real_dlsym = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.17");
  return real_dlsym(RTLD_NEXT, name);
}

void say(const char* event, enum place place, int candidate) {
  static const char* const kPlaces[] = {"clock", "compile", "run", "reference", "database"};
  char line[96];
  const int size =
      snprintf(line, sizeof line, "%s %s %d %d %d\n", event, kPlaces[place], candidate, getpid(), getppid());
  const ssize_t ignored = pwrite(log_fd, line, (size_t)size, 0); /* at the end: the log is opened with O_APPEND */
  (void)ignored;
}

void say_kind(enum kind kind, enum place place, int candidate) {
  static const char* const kKinds[] = {"", "crash", "hang", "bomb", "wrong", "full"};
  say(kKinds[kind], place, candidate);
}

enum kind take(enum place place, int candidate, int half, int* variant) {
  if (!plan) return NONE;
  uint64_t seen = atomic_load(&plan[place]);
  for (;;) {
    union armed armed = {.word = seen};
    if (armed.kind == NONE || candidate < armed.from || (half >= 0 && (armed.variant & 1) != half)) return NONE;
    const int fires = armed.skip == 0;
    --armed.skip;
    if (!atomic_compare_exchange_weak(&plan[place], &seen, fires ? 0 : armed.word)) continue;
    *variant = armed.variant / 2;
    return fires ? (enum kind)armed.kind : NONE;
  }
}

static void die(int way) {
  switch (way % 6) {
    case 0: *(volatile int*)8 = 1; break;
    case 1: abort();
    case 2: raise(SIGFPE); break;
    case 3: raise(SIGBUS); break;
    case 4: _exit(0); /* and no answer */
    case 5: _exit(9);
  }
}

void act(enum kind kind, int way) {
  if (kind == CRASH) die(way);
  if (kind == HANG) for (;;) pause();
  if (kind == BOMB) for (;;) *(volatile char*)malloc(16 << 20) = 1;
  if (kind == FULL) disk_full = 1;
}

__attribute__((constructor)) static void begin(void) {
  const char* file = getenv("WHET_INJECT_PLAN");
  const char* log = getenv("WHET_INJECT_LOG");
  database = getenv("WHET_INJECT_DATABASE");
  if (!file || !log || !database) return;
  const int fd = open(file, O_RDWR | O_CLOEXEC);
  log_fd = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  void* words = mmap(0, PLACES * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (words != MAP_FAILED) plan = words;
  const char* linker = getenv("WHET_INJECT_LINKER"); /* "KIND WAY": this is the linker, and it shall fail */
  if (linker) act((enum kind)atoi(linker), atoi(strchr(linker, ' ')));
}

/* ---- The clock. */

static int64_t step(void) { return plan ? (int64_t)atomic_load(&plan[CLOCK]) : 0; }

int clock_gettime(clockid_t clock, struct timespec* now) {
  REAL(clock_gettime);
  const int result = real(clock, now);
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) now->tv_sec += step();
  return result;
}

int gettimeofday(struct timeval* restrict now, void* restrict zone) {
  REAL(gettimeofday);
  const int result = real(now, zone);
  now->tv_sec += step();
  return result;
}

time_t time(time_t* now) {
  REAL(time);
  const time_t seconds = real(0) + step();
  if (now) *now = seconds;
  return seconds;
}

/* ---- The disk. */

/* Whether the descriptor is a file whose path begins like that; pipes and sockets have none. */
static int is_file_of(int fd, const char* prefix) {
  char link[32], path[512];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof path - 1);
  path[size > 0 ? size : 0] = 0;
  return strncmp(path, prefix, strlen(prefix)) == 0;
}

#define FAIL_IF(condition)  \
  if (condition) {          \
    errno = ENOSPC;         \
    return -1;              \
  }

ssize_t write(int fd, const void* bytes, size_t size) {
  REAL(write);
  FAIL_IF(disk_full && is_file_of(fd, "/"));
  return real(fd, bytes, size);
}

ssize_t writev(int fd, const struct iovec* pieces, int count) {
  REAL(writev);
  FAIL_IF(disk_full && is_file_of(fd, "/"));
  return real(fd, pieces, count);
}

/* How the linker writes. */
size_t fwrite(const void* restrict bytes, size_t size, size_t count, FILE* restrict file) {
  REAL(fwrite);
  if (!disk_full || !is_file_of(fileno(file), "/")) return real(bytes, size, count, file);
  errno = ENOSPC;
  return 0;
}

/* How SQLite writes. An odd way: it stays full until the program ends. */
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  REAL(pwrite64);
  if (database && is_file_of(fd, database)) {
    int way = 0;
    const enum kind kind = disk_full ? FULL : take(DATABASE, 0, -1, &way);
    if (kind && !disk_full) say_kind(kind, DATABASE, -1);
    if (kind && way % 2) disk_full = 1;
    FAIL_IF(kind);
  }
  return real(fd, bytes, size, offset);
}
