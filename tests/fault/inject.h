/* Faults for a running `whet tune`, from inside: preloaded into it, its worker, their children and the linker.
 * scripts/inject_faults compiles this, shares the plan with it and reads what it logs.
 *
 *   WHET_INJECT_PLAN      file of 64-bit words: seconds by which the real-time clock is off, then for each other place
 *                         the fault armed there (union armed), 0 for none
 *   WHET_INJECT_LOG       a line for each job's candidate and each fault: EVENT PLACE CANDIDATE PID PARENT-PID
 *   WHET_INJECT_DATABASE  path of the tuning database
 *
 * A fault is taken by the first process that comes by when its turn is up. */
#pragma once

#define _GNU_SOURCE
#include <stdint.h>

enum place { CLOCK, COMPILE, RUN, REFERENCE, DATABASE, PLACES };
enum kind { NONE, CRASH, HANG, BOMB, WRONG, FULL };

union armed {
  struct {
    uint8_t kind, variant;
    uint16_t from; /* the first candidate that it may hit */
    uint32_t skip; /* opportunities to let pass */
  };
  uint64_t word;
};

/* The fault that is armed for this place if its turn has come, and which variant of it. `half`: where a place has two,
 * 0 or 1; the variant's lowest bit chooses. -1 where it has one. */
enum kind take(enum place place, int candidate, int half, int* variant);

/* Appends a line to the log; `event` is "job" or what a kind is called. */
void say(const char* event, enum place place, int candidate);
void say_kind(enum kind kind, enum place place, int candidate);

/* Does what can be done at once; for FULL, writes to files fail from now on. */
void act(enum kind kind, int way);

/* The function of that name that the program would have called. */
void* next(const char* name);
#define REAL(name)             \
  static __typeof__(&name) real; \
  if (!real) *(void**)&real = next(#name)
