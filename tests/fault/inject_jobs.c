/* Faults in the worker's children, told apart by what they do: open an object file (a compile), start `ld`, look up a
 * kernel, make the folder of a task's reference data. */
#include "inject.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int in_job; /* this process is a child of the worker */

pid_t fork(void) {
  REAL(fork);
  const pid_t pid = real();
  if (pid == 0) in_job = 1; /* only the worker forks; everybody else spawns */
  return pid;
}

/* N of ".../candidateN" + ending; -1 for other files. */
static int candidate_of(const char* path, const char* ending) {
  const char* name = strrchr(path, '/');
  int candidate = -1, used = 0;
  if (!name || sscanf(name, "/candidate%d%n", &candidate, &used) != 1) return -1;
  return strcmp(name + used, ending) == 0 ? candidate : -1;
}

/* ---- Compiling: Halide is half done when it opens the object file, the linker follows. */

int open(const char* path, int flags, ...) {
  REAL(open);
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  const int candidate = in_job && (flags & O_CREAT) ? candidate_of(path, ".so.o") : -1;
  if (candidate >= 0) {
    int way = 0;
    say("job", COMPILE, candidate);
    const enum kind kind = take(COMPILE, candidate, 0, &way);
    if (kind) say_kind(kind, COMPILE, candidate);
    act(kind, way);
  }
  return real(path, flags, mode);
}

int posix_spawnp(pid_t* restrict pid, const char* restrict file, const posix_spawn_file_actions_t* restrict actions,
                 const posix_spawnattr_t* restrict attributes, char* const argv[restrict], char* const envp[restrict]) {
  REAL(posix_spawnp);
  const int candidate = in_job && strcmp(file, "ld") == 0 ? candidate_of(argv[3], ".so") : -1;
  int way = 0;
  const enum kind kind = candidate >= 0 ? take(COMPILE, candidate, 1, &way) : NONE;
  if (!kind) return real(pid, file, actions, attributes, argv, envp);
  char what[32];
  snprintf(what, sizeof what, "%d %d", kind, way);
  setenv("WHET_INJECT_LINKER", what, 1);
  say_kind(kind, COMPILE, candidate);
  return real(pid, file, actions, attributes, argv, environ);
}

/* ---- Reference data. */

int mkdir(const char* path, mode_t mode) {
  REAL(mkdir);
  const char* name = strrchr(path, '/');
  if (in_job && name && strcmp(name, "/canary") != 0) {
    int way = 0;
    say("job", REFERENCE, -1);
    const enum kind kind = take(REFERENCE, 0, -1, &way);
    if (kind) say_kind(kind, REFERENCE, -1);
    act(kind, way);
  }
  return real(path, mode);
}

/* ---- Kernels. */

/* The head of halide_buffer_t. */
struct dimension {
  int32_t min, extent, stride;
  uint32_t flags;
};
struct buffer {
  uint64_t device;
  const void* device_interface;
  float* host;
  uint64_t flags;
  uint32_t type;
  int32_t dimensions;
  const struct dimension* dimension;
};

static int (*kernel)(void**); /* the one of this process that fails */
static enum kind kernel_kind;
static int kernel_candidate, kernel_way, kernel_calls;

static int is_writable(char* byte) { /* reading into it says so, without a fault */
  int ends[2];
  if (pipe(ends) != 0) return 0;
  const int writable = write(ends[1], byte, 1) == 1 && read(ends[0], byte, 1) == 1;
  close(ends[0]);
  close(ends[1]);
  return writable;
}

/* Changes one element of the output, which is the only argument that may be written. */
static void spoil(struct buffer** arguments) {
  while (!is_writable((char*)(*arguments)->host)) ++arguments;
  int64_t count = 1;
  for (int i = 0; i < (*arguments)->dimensions; ++i) count *= (*arguments)->dimension[i].extent;
  float* element = &(*arguments)->host[kernel_way * 7919 % count];
  *element += 1 + (*element < 0 ? -*element : *element);
}

/* From the first, second or third call on. */
static int failing_kernel(void** arguments) {
  const int first = kernel_way % 3 + 1;
  if (++kernel_calls == first) say_kind(kernel_kind, RUN, kernel_candidate);
  if (kernel_calls >= first) act(kernel_kind, kernel_way / 3);
  const int code = kernel(arguments);
  if (kernel_calls >= first && kernel_kind == WRONG) spoil((struct buffer**)arguments);
  return code;
}

void* dlsym(void* restrict library, const char* restrict name) {
  REAL(dlsym);
  void* const symbol = real(library, name);
  struct link_map* map = 0;
  if (!in_job || !symbol || strcmp(name, "whet_candidate_argv") != 0 || dlinfo(library, RTLD_DI_LINKMAP, &map) != 0)
    return symbol;
  const int candidate = candidate_of(map->l_name, ".so");
  if (candidate < 0) return symbol; /* the canary */
  say("job", RUN, candidate);
  const enum kind kind = kernel ? NONE : take(RUN, candidate, -1, &kernel_way);
  if (!kind) return symbol;
  kernel_kind = kind;
  kernel_candidate = candidate;
  *(void**)&kernel = symbol;
  return (void*)failing_kernel;
}
