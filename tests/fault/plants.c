/* Kernels of the task Relu f32[7x9], one right and the others wrong, each in its own way: compiled with
 * -DPLANT_name. The first argument is the input, the second the output. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COUNT = 7 * 9 };

/* The head of halide_buffer_t. */
struct buffer {
  uint64_t device;
  const void* device_interface;
  float* host;
};

static void relu(const float* x, float* y) {
  for (int i = 0; i < COUNT; ++i) y[i] = x[i] < 0 ? 0 : x[i];
}

static __attribute__((unused)) void sleep_ms(int ms) {
  const struct timespec time = {0, ms * 1000000L};
  nanosleep(&time, 0);
}

#ifdef PLANT_parallel
int halide_do_par_for(void* user_context, int (*task)(void*, int, uint8_t*), int min, int size, uint8_t* closure);

static int row(void* user_context, int y, uint8_t* closure) {
  struct buffer** buffers = (struct buffer**)closure;
  (void)user_context;
  for (int i = y * 9; i < (y + 1) * 9; ++i) buffers[1]->host[i] = buffers[0]->host[i] < 0 ? 0 : buffers[0]->host[i];
  return 0;
}
#endif

#ifdef PLANT_unresolved
void no_such_function(void);
#endif

int whet_candidate_argv(void** args) {
  float* x = ((struct buffer*)args[0])->host;
  float* y = ((struct buffer*)args[1])->host;
#if defined(PLANT_parallel)
  return halide_do_par_for(0, row, 0, 7, (uint8_t*)args);
#elif defined(PLANT_segfault)
  *(volatile int*)8 = 1;
#elif defined(PLANT_division)
  volatile int seven = 7, zero = 0;  /* 1 / zero would become a comparison */
  volatile int quotient = seven / zero;
  (void)quotient;
#elif defined(PLANT_hang)
  for (;;) sleep_ms(1);
#elif defined(PLANT_allocate)
  for (;;) memset(malloc(1 << 20), 1, 1 << 20);
#elif defined(PLANT_nothing)
  return 0;
#elif defined(PLANT_error)
  return -42;
#elif defined(PLANT_unresolved)
  no_such_function();
#endif
  relu(x, y);
#if defined(PLANT_wrong)
  y[3 * 9 + 2] += 0.5f;
#elif defined(PLANT_overrun)
  y[COUNT] = 1;
#elif defined(PLANT_far_overrun)
  y[COUNT + 1000] = 1;
#elif defined(PLANT_underrun)
  y[-1] = 1;
#elif defined(PLANT_input_write)
  x[5] = 1;
#elif defined(PLANT_late)
  /* Right the first time only. */
  static int runs = 0;
  if (++runs > 1) y[0] = 7;
#elif defined(PLANT_slow)
  sleep_ms(5);
#endif
  return 0;
}
