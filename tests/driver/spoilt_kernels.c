/* A right kernel made wrong in one way: compiled with -DSPOIL_name, -DINPUTS=n, -DRIGHT=symbol of the kernel that is right
 * and -DSPOILT=the symbol that it is called by. The last of its arguments is the output, of floats, two rows at least. */
#include <stdint.h>
#include <string.h>

struct dimension {
  int32_t min, extent, stride;
  uint32_t flags;
};

/* halide_buffer_t. */
struct buffer {
  uint64_t device;
  const void* device_interface;
  float* host;
  uint64_t flags;
  uint32_t type;
  int32_t dimensions;
  struct dimension* dim;
  void* padding;
};

int RIGHT(void** args);
void* halide_malloc(void* user_context, size_t bytes);
void halide_free(void* user_context, void* memory);
int halide_do_par_for(void* user_context, int (*task)(void*, int, uint8_t*), int min, int size, uint8_t* closure);

#ifdef SPOIL_race
static int add_a_part(void* user_context, int part, uint8_t* closure) {
  volatile float* sum = (volatile float*)closure;
  (void)user_context, (void)part;
  const float before = *sum;
  for (volatile int i = 0; i < 500000; ++i) { /* longer than a turn of the scheduler, all together */
  }
  *sum = before + 1.0f;
  return 0;
}
#endif

int SPOILT(void** args) {
  const struct buffer* out = (const struct buffer*)args[INPUTS];
  float* y = out->host;
  const int inner = out->dim[0].extent;
  int count = 1;
  for (int d = 0; d < out->dimensions; ++d) count *= out->dim[d].extent;
#ifdef SPOIL_tail
  float before[1 << 16];
  memcpy(before, y, sizeof(float) * count);
#endif
  const int result = RIGHT(args);
#if defined(SPOIL_lane)
  for (int i = 3; i < count; i += 8) y[i] = y[i - 1];
#elif defined(SPOIL_tail)
  for (int i = inner - 1; i < count; i += inner) y[i] = before[i]; /* the last of each row is left out */
#elif defined(SPOIL_halo)
  memcpy(y, y + (count / inner - 1) * inner, sizeof(float) * inner); /* the first row is another's */
#elif defined(SPOIL_uninitialised)
  const float* scratch = (const float*)halide_malloc(0, 1 << 20);
  y[7] += scratch[100000];
  halide_free(0, (void*)scratch);
#elif defined(SPOIL_off_by_one)
  memmove(y + count - inner, y + count - inner + 1, sizeof(float) * (inner - 1));
#elif defined(SPOIL_constant)
  for (int i = 0; i < count; ++i) y[i] *= 1.001f;
#elif defined(SPOIL_race)
  float* sum = (float*)halide_malloc(0, 64);
  *sum = 0;
  halide_do_par_for(0, add_a_part, 0, 64, (uint8_t*)sum);
  y[0] += *sum - 64.0f;
  halide_free(0, sum);
#elif defined(SPOIL_overrun)
  y[count] = 0;
#elif defined(SPOIL_denormals)
  for (int i = 0; i < count; ++i)
    if (y[i] > -1.17549435e-38f && y[i] < 1.17549435e-38f) y[i] = 0;
#elif defined(SPOIL_transposed)
  for (int i = 0; i < inner; ++i)
    for (int j = 0; j < i; ++j) {
      const float kept = y[i * inner + j];
      y[i * inner + j] = y[j * inner + i];
      y[j * inner + i] = kept;
    }
#endif
  (void)inner;
  return result;
}
